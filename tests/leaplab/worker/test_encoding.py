from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.protocol.description import GroundTruthSpec, InputSpec, MetadataSpec
from leaplab.worker.encoding import encode
from leaplab.worker.samples import Sample

GOOD = np.arange(6, dtype=np.float32).reshape(2, 3)


def encoded(image=GOOD, truth=GOOD[0], state="training") -> Any:
    """Three samples, of which the second has these arrays."""
    samples = {
        key: Sample(
            {"image": image if key == "b" else GOOD + position},
            {"classes": truth if key == "b" else GOOD[0]} if state != "unlabeled" else {},
            {"place": position} if key != "b" else {"place": None},
            {"own": np.full((1, 2), position, np.float64)},
        )
        for position, key in enumerate("abc")
    }
    integration: Any = SimpleNamespace(
        description=SimpleNamespace(
            inputs=(InputSpec("image", (2, 3), -1),),
            ground_truths=(GroundTruthSpec("classes", (3,)),),
            metadata=(MetadataSpec("place", "int"), MetadataSpec("never", "float")),
        ),
        sample=lambda _, key, wanted: samples[key],
    )
    return encode(integration, state, ["a", "b", "c"])


def test_samples_become_a_batch_in_their_order():
    found = encoded(GOOD + 1)

    np.testing.assert_array_equal(found.batch.inputs["image"], [GOOD, GOOD + 1, GOOD + 2])
    np.testing.assert_array_equal(found.batch.ground_truths["classes"], [GOOD[0]] * 3)
    assert found.metadata == {"place": [0, None, 2], "never": [None] * 3}
    assert [vector.tolist() for vector in found.latents["own"]] == [[0, 0], [1, 1], [2, 2]]
    assert found.batch.inputs["image"].dtype == np.float32


def test_unlabeled_samples_have_no_ground_truth():
    assert encoded(state="unlabeled").batch.ground_truths == {}


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (GOOD * np.float32("nan"), "The input 'image' of sample 'b' holds NaN; a model's input must be finite"),
        (GOOD + np.float32("inf"), "The input 'image' of sample 'b' holds infinity"),
        (np.array([[np.inf, -np.inf, 0], [0, 0, 0]], np.float32), "of sample 'b' holds infinity"),
        (GOOD.T, r"of sample 'b' has shape \(3, 2\), but that of the first sample of its dataset has \(2, 3\)"),
        (GOOD[None], r"of sample 'b' has shape \(1, 2, 3\)"),
        (GOOD.astype(np.float64), "'image' of sample 'b' is float64; Tensorleap takes float32"),
        (GOOD.astype(np.uint8), "'image' of sample 'b' is uint8"),
    ],
)
def test_input_that_no_model_takes_is_told_with_its_sample(image, told):
    with pytest.raises(LeaplabError, match=told):
        encoded(image)


def test_large_finite_inputs_are_finite():
    image = np.full((2, 3), 3e38, np.float32)

    np.testing.assert_array_equal(encoded(image).batch.inputs["image"][1], image)


@pytest.mark.parametrize(
    ("truth", "told"),
    [
        (GOOD, r"The ground truth 'classes' of sample 'b' has shape \(2, 3\)"),
        (GOOD[0].astype(np.float64), "The ground truth 'classes' of sample 'b' is float64"),
    ],
)
def test_ground_truth_is_checked_too(truth, told):
    with pytest.raises(LeaplabError, match=told):
        encoded(truth=truth)


def test_ground_truth_may_be_nan():
    # An absent box, say: losses know what to make of it.
    assert np.isnan(encoded(truth=GOOD[0] * np.float32("nan")).batch.ground_truths["classes"][1]).all()
