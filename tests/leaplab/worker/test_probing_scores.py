"""What a probe notes of models whose outputs are not all of each sample."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from leaplab.protocol.description import InputSpec, Node, PredictionSpec, Source
from leaplab.protocol.observations import Probe, Topic
from leaplab.worker.probing_samples import Samples
from leaplab.worker.probing_scores import probe_scores
from leaplab.worker.samples import Sample

VECTORS = np.array([[1, -1, 2], [3, 4, 5], [-1, -1, 6]], np.float32)


def probed(fixed_batch) -> tuple[list[Any], dict[str, list[Any]]]:
    """The observations, and what each metric was given, of a model that gives values and all of them above 0."""

    def run(inputs) -> Any:
        return [inputs[0] * 2, inputs[0][inputs[0] > 0]], []

    given: dict[str, list[Any]] = {}

    def run_metric(node, state, ids, arguments) -> Any:
        given.setdefault(node.handler, []).append(arguments["guess"].copy())
        return np.zeros(len(ids), np.float32)

    metrics = tuple(
        Node(name, name, {"guess": Source("prediction", index=index)}) for index, name in enumerate(("first", "second"))
    )
    description = SimpleNamespace(
        inputs=(InputSpec("vector", (3,), -1),), ground_truths=(), model_inputs=("vector",), losses=(), metrics=metrics,
        instance_metrics=(), visualizers=(), instances={},
        predictions=(PredictionSpec("values", (), -1), PredictionSpec("found", (), -1)),
    )  # fmt: skip
    model = SimpleNamespace(fixed_batch=fixed_batch, unbatched=frozenset({1}), run=run)
    integration: Any = SimpleNamespace(
        description=description,
        latent_predictions=frozenset(),
        predictor=lambda: model,
        run_loss=None,
        run_metric=run_metric,
        run_instance_metric=None,
    )
    samples: Samples = {str(row): Sample({"vector": vector}, {}, {}, {}) for row, vector in enumerate(VECTORS)}
    seen = Probe()
    probe_scores(integration, {"training": samples}, seen.note)
    return [(each.topic, each.name) for each in seen.observations], given


@pytest.mark.parametrize("fixed_batch", [None, 2, 1])
def test_output_without_a_batch_axis_hides_no_other_handler(fixed_batch):
    observed, given = probed(fixed_batch)

    assert observed == [(Topic.MODEL_BATCH, "found")]
    assert "first" in given
    if fixed_batch != 1:
        assert "second" not in given
        return
    # One by one, as an evaluation gives it: each sample has as many as it has.
    shapes = {array.shape for array in given["second"]}
    assert shapes == {(1, 2), (1, 3), (1, 1)}
    np.testing.assert_array_equal(given["second"][0], [[1, 2]])
