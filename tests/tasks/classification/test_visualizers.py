import numpy as np
from code_loader.contract.enums import LeapDataType

from tasks.classification.visualizers import class_bars

LABELS = ("cat", "dog", "ship")


def test_bars_show_prediction_and_truth_under_the_labels() -> None:
    prediction = np.array([[0.2, 0.7, 0.1]], np.float32)
    bars = class_bars(prediction, np.array([[0, 0, 1]], np.float32), LABELS)
    assert bars.type is LeapDataType.HorizontalBar
    assert bars.labels == ["cat", "dog", "ship"]
    np.testing.assert_array_equal(bars.body, prediction[0])
    np.testing.assert_array_equal(bars.gt, [0, 0, 1])


def test_bars_of_float16_are_float32_as_code_loader_demands() -> None:
    bars = class_bars(np.array([[0.25, 0.5, 0.25]], np.float16), np.array([[0, 1, 0]], np.float16), LABELS)
    assert (bars.body.dtype, bars.gt.dtype) == (np.float32, np.float32)
    assert bars.body.tolist() == [0.25, 0.5, 0.25]
