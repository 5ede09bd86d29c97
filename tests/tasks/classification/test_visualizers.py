import numpy as np
import pytest
from code_loader.contract.enums import LeapDataType

from tasks.classification.visualizers import class_bars, pixel_heatmap, pixel_image

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


def test_without_ground_truth_the_bars_are_of_the_prediction_alone() -> None:
    bars = class_bars(np.array([[0.2, 0.7, 0.1]], np.float32), None, LABELS)
    assert bars.gt is None
    assert bars.body.shape == (3,)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_pixels_of_the_file_are_shown_exactly(channels: int) -> None:
    pixels = np.arange(28 * 28 * channels, dtype=np.int64).reshape(28, 28, channels).astype(np.uint8)
    shown = pixel_image((pixels / np.float32(255))[np.newaxis])
    assert shown.type is LeapDataType.Image
    assert shown.compress is False, "JPEG would change the values"
    assert (shown.data.dtype, shown.data.shape) == (np.uint8, (28, 28, channels))
    np.testing.assert_array_equal(shown.data, pixels)


def test_a_heatmap_lies_on_the_pixels_that_are_shown() -> None:
    values = np.zeros((1, 4, 6, 3), np.float32)
    values[0, 1, 5] = [3, 0, 6]
    heatmap = pixel_heatmap(values)
    assert heatmap.dtype == np.float32
    assert heatmap.shape == (4, 6)
    assert heatmap[1, 5] == 3
    assert np.count_nonzero(heatmap) == 1
    np.testing.assert_array_equal(pixel_heatmap(values[0]), heatmap)
    assert heatmap.shape == pixel_image(values).data.shape[:2]
