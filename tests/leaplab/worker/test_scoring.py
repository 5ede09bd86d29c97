import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from code_loader.contract.datasetclasses import ConfusionMatrixElement
from code_loader.contract.enums import ConfusionMatrixValue

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Node, Source
from leaplab.worker.batch import Batch
from leaplab.worker.scoring import score

GUESS = np.array([[0.25], [0.5]], np.float32)


def scored(result, arguments=None) -> Any:
    """The scores of two samples where the only metric returns `result`."""
    node = Node("gap", "gap", {"guess": Source("prediction")} if arguments is None else arguments)
    integration: Any = SimpleNamespace(
        description=SimpleNamespace(losses=(), metrics=(node,), instance_metrics=()),
        run_loss=None,
        run_metric=lambda *_: result,
        run_instance_metric=None,
    )
    batch = Batch("training", ["a", "b"], {"image": GUESS}, {}, [GUESS])
    return score(integration, batch, float16=False)


@pytest.mark.parametrize(
    "result",
    [
        np.array([0.5, 2.0], np.float32),
        np.array([0.5, 2.0], np.float16),
        [0.5, 2],
        (0.5, np.float32(2)),
        SimpleNamespace(numpy=lambda: np.array([0.5, 2.0])),  # a tensor
    ],
)
def test_arrays_lists_and_tensors_of_one_value_a_sample_are_a_column(result):
    assert scored(result).columns == {"metric.gap": [0.5, 2.0]}


def test_nan_stays_nan_and_absent_stays_absent():
    first, second = scored([float("nan"), None]).columns["metric.gap"]

    assert math.isnan(first)
    assert second is None


def test_dictionary_gives_a_column_a_key():
    assert scored({"low": [1, 2], "high": np.array([3.0, 4.0])}).columns == {
        "metric.gap_low": [1.0, 2.0],
        "metric.gap_high": [3.0, 4.0],
    }


def test_confusion_elements_know_their_sample():
    yes, no = ConfusionMatrixValue.Positive, ConfusionMatrixValue.Negative
    elements = [[], [ConfusionMatrixElement("cat", yes, 0.75), ConfusionMatrixElement("dog", no, 0.25)]]

    found = scored(elements)

    assert found.columns == {}
    confusion = found.confusion["metric.gap"]
    assert (confusion.offset, confusion.label) == ([1, 1], ["cat", "dog"])
    assert (confusion.expected, confusion.probability) == ([True, False], [0.75, 0.25])


def test_confusion_elements_keep_what_tells_that_they_are_of_one_object():
    yes, no = ConfusionMatrixValue.Positive, ConfusionMatrixValue.Negative
    elements = [
        [ConfusionMatrixElement("cat", yes, 0.0, "object 7"), ConfusionMatrixElement("dog", no, 0.5, "object 7")],
        [ConfusionMatrixElement("dog", yes, 0.25)],
    ]

    assert scored(elements).confusion["metric.gap"].id == ["object 7", "object 7", ""]


def test_confusion_elements_of_a_code_loader_that_knows_no_ids():
    class Element:
        label, predicted_probability, expected_outcome = "cat", 0.5, ConfusionMatrixValue.Positive

    assert scored([[Element()], []]).confusion["metric.gap"].id == [""]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (np.zeros(3), "Metric 'gap' returned 3 values for a batch of 2 samples"),
        (np.zeros((2, 1)), r"Metric 'gap' returned shape \(2, 1\), not one value a sample"),
        ([1.0], "returned 1 values for a batch of 2"),
        ([[], [], []], "returned 3 values for a batch of 2"),
        ({"low": [1.0]}, "Metric 'gap_low' returned 1 values"),
        (0.5, "Metric 'gap' returned a float"),
        (None, "returned a NoneType"),
        ("ab", "returned a str"),
        (["a", "b"], "returned what is no number"),
    ],
)
def test_anything_else_is_told_by_the_handler_s_name(result, told):
    with pytest.raises(LeaplabError, match=told):
        scored(result)


def test_handler_that_needs_a_missing_ground_truth_is_not_run():
    assert scored(1 / 1, {"truth": Source("ground_truth", "classes")}).columns == {}


def instance_scores(result, instances=(2, 1), state="training", **arguments) -> Any:
    """For each of two samples what an instance metric that returns `result` gives for its instances."""
    node = Node("iou", "iou", {"guess": Source("prediction"), **arguments})
    integration: Any = SimpleNamespace(
        description=SimpleNamespace(losses=(), metrics=(), instance_metrics=(node,)),
        **dict.fromkeys(("run_loss", "run_metric")),
        run_instance_metric=result if callable(result) else lambda *_: result,
    )
    batch = Batch(state, ["a", "b"], {}, {}, [GUESS], list(instances))
    scores = score(integration, batch, float16=callable(result))
    assert (scores.columns, scores.confusion) == ({}, {})
    return scores.instances


def test_instances_have_the_value_of_their_number_and_sample():
    result = {0: np.array([0.5, 2.0], np.float32), 1: np.array([0.25, 99.0])}

    assert instance_scores(result) == {"metric.iou": [[0.5, 0.25], [2.0]]}
    assert instance_scores(result, (0, 2)) == {"metric.iou": [[], [2.0, 99.0]]}


def test_number_that_an_instance_metric_leaves_out_is_absent_and_nan_stays_nan():
    ((first, second), (third,)) = instance_scores({0: np.array([float("nan"), 1.0])})["metric.iou"]

    assert math.isnan(first)
    assert (second, third) == (None, 1.0)
    assert instance_scores({}) == {"metric.iou": [[None, None], [None]]}


def test_instance_metric_is_run_only_where_there_are_instances_and_ground_truth():
    def fail(*_) -> None:
        pytest.fail("it has nothing to be run on")

    assert instance_scores(fail, ()) == {}
    assert instance_scores(fail, truth=Source("ground_truth", "boxes")) == {}


def test_instance_metric_gets_float16_where_it_is_asked_for():
    seen: list[Any] = []

    def run(node, state, ids, arguments) -> Any:
        seen.append((node.column, state, ids, arguments["guess"].dtype))
        return {0: arguments["guess"][:, 0]}

    assert instance_scores(run, (1, 1)) == {"metric.iou": [[0.25], [0.5]]}
    assert seen == [("iou", "training", ["a", "b"], np.float16)]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ([np.zeros(2)], "Instance metric 'iou' returned a list; return a dictionary of instance number -> one value"),
        (np.zeros(2), "Instance metric 'iou' returned a ndarray; return a dictionary"),
        (None, "returned a NoneType"),
        ({"0": np.zeros(2)}, "Instance metric 'iou' returned the key '0'; its keys must be instance numbers"),
        ({-1: np.zeros(2)}, "returned the key -1"),
        ({0: np.zeros(2), 1: np.zeros(3)}, r"Instance metric 'iou\[1\]' returned 3 values for a batch of 2 samples"),
        ({0: np.zeros((2, 1))}, r"'iou\[0\]' returned shape \(2, 1\), not one value a sample"),
        ({0: 0.5}, r"'iou\[0\]' returned a float"),
    ],
)
def test_instance_metric_that_gives_anything_else_is_told(result, told):
    with pytest.raises(LeaplabError, match=told):
        instance_scores(result)


def test_wiring_beyond_the_model_s_outputs_is_told():
    with pytest.raises(LeaplabError, match="'gap' takes output 3 of the model, which has 1"):
        scored([1, 2], {"guess": Source("prediction", index=3)})
