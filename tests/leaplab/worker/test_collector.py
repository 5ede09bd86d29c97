"""What small batches wait for: their inputs are looked at together, and told in the order of the samples."""

from typing import Any

import numpy as np
import pytest

from leaplab.protocol.description import InputSpec
from leaplab.protocol.plan import Part
from leaplab.worker import collector
from leaplab.worker.batch import Batch, Inferred
from leaplab.worker.collector import Collector
from leaplab.worker.encoding import Encoded
from leaplab.worker.input_properties import InputFacts, input_facts
from leaplab.worker.pipeline import Finished
from leaplab.worker.scoring import Scores

SPEC = InputSpec("picture", (8, 8, 1), -1)


class NothingWired:
    predictions: tuple[Any, ...] = ()
    instances = False


def look_at(inputs: dict[str, Any]) -> InputFacts:
    return input_facts(inputs, [SPEC], {"picture": (0.0, 1.0)})


def finished(ids: list[str | int], pixels: Any) -> Finished:
    encoded = Encoded(Batch("training", ids, {"picture": pixels}, {}))
    return Finished(encoded, Inferred([], None, {}), Scores(), None, None)


@pytest.mark.parametrize("together", [1, 3 * 64, 2**18])
def test_facts_come_in_the_order_of_the_samples(monkeypatch, together):
    monkeypatch.setattr(collector, "LOOKED_AT_TOGETHER", together)
    pixels = np.random.default_rng(0).random((12, 8, 8, 1)).astype(np.float32)
    gathered = Collector(Part(0, "training", 0, 12), NothingWired(), look_at)  # type: ignore[arg-type]

    for start, stop, has_facts in [(0, 2, False), (2, 4, False), (4, 7, True), (7, 8, False), (8, 12, False)]:
        some = pixels[start:stop]
        batch = finished([str(row) for row in range(start, stop)], some)
        gathered.add(batch, look_at({"picture": some}) if has_facts else None)
    result = gathered.finished([])

    np.testing.assert_allclose(result.inputs["brightness"], pixels.mean(axis=(1, 2, 3), dtype=np.float64), rtol=1e-6)
    shown = result.thumbnails["picture"]
    np.testing.assert_array_equal(shown[:, ::2, ::2, 0], np.rint(pixels[..., 0] * 255).astype(np.uint8))
