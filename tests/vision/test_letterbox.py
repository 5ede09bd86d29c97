import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from vision.boxes import Boxes
from vision.letterbox import FILL, Letterbox

side = st.integers(1, 600)
size = st.tuples(side, side)


@given(size, size, st.lists(st.floats(-100, 900), min_size=4, max_size=4))
def test_boxes_come_back_from_the_target_as_they_were(
    source: tuple[int, int], target: tuple[int, int], edges: list[float]
) -> None:
    fitted = Letterbox(source, target)
    boxes = Boxes(np.array([edges]))
    np.testing.assert_allclose(fitted.restore(fitted.boxes(boxes)).edges, boxes.edges, atol=1e-6)


@given(size, size)
def test_the_copy_is_the_largest_that_fits_in_the_middle_and_undistorted(
    source: tuple[int, int], target: tuple[int, int]
) -> None:
    fitted = Letterbox(source, target)
    (width, height), (left, top) = fitted.inner, fitted.offset
    assert 1 <= width <= target[0]
    assert 1 <= height <= target[1]
    assert width == target[0] or height == target[1]
    assert 0 <= target[0] - width - 2 * left <= 1
    assert 0 <= target[1] - height - 2 * top <= 1
    scale = min(target[0] / source[0], target[1] / source[1])
    assert abs(width - source[0] * scale) <= max(0.5, 1 - source[0] * scale)
    assert abs(height - source[1] * scale) <= max(0.5, 1 - source[1] * scale)
    whole = fitted.boxes(Boxes(np.array([[0.0, 0.0, *source]])))
    np.testing.assert_allclose(whole.edges, [[left, top, left + width, top + height]], atol=1e-9)


# Neither image is square, and each is narrower than the target in another way: swapped sides would show.
@pytest.mark.parametrize("source", [(480, 360), (200, 640), (90, 70), (320, 256), (2448, 2048)])
@pytest.mark.parametrize("target", [(320, 256), (256, 320)])
def test_a_box_lies_where_its_object_is_drawn(source: tuple[int, int], target: tuple[int, int]) -> None:
    width, height = source
    box = np.array([[width * 0.2, height * 0.5, width * 0.7, height * 0.9]]).round()
    image = np.zeros((height, width, 3), np.uint8)
    left, top, right, bottom = box[0].astype(int)
    image[top:bottom, left:right] = 255
    fitted = Letterbox(source, target)
    shown = fitted.image(image, fill=0)
    assert shown.shape == (target[1], target[0], 3)
    rows, columns = np.nonzero(shown[..., 0] > 127)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(fitted.boxes(Boxes(box)).edges[0], found, atol=0.75)


def test_an_image_of_the_targets_size_is_copied_exactly() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    shown = Letterbox((30, 20), (30, 20)).image(image)
    np.testing.assert_array_equal(shown, image)
    assert not np.shares_memory(shown, image)


def test_the_border_is_grey_on_both_sides() -> None:
    shown = Letterbox((10, 10), (25, 10)).image(np.full((10, 10, 3), 255, np.uint8))
    assert FILL == 114, "what the published nets were trained with"
    assert (shown[:, :7] == FILL).all()
    assert (shown[:, 7:17] == 255).all()
    assert (shown[:, 17:] == FILL).all()


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3), (40, 30, 4)])
def test_channels_stay_as_they_are(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    shown = Letterbox((30, 40), (18, 20)).image(image)
    assert shown.shape == (20, 18, *shape[2:])
    resized = cv2.resize(image, (15, 20), interpolation=cv2.INTER_AREA).reshape(20, 15, *shape[2:])
    np.testing.assert_array_equal(shown[:, 1:16], resized)


@pytest.mark.parametrize("source", [(8, 12), (12, 8), (1, 12), (12, 1)])
def test_an_image_that_shrinks_has_the_mean_of_what_a_pixel_covers(source: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, source[::-1], dtype=np.uint8)
    across, down = (4 if side > 1 else 1 for side in source)
    width, height = source[0] // across, source[1] // down
    shown = Letterbox(source, (max(source) // 4, max(source) // 4)).image(image, fill=0)
    assert shown.dtype == np.uint8
    means = image.reshape(height, down, width, across).mean(axis=(1, 3))
    left, top = (shown.shape[1] - width) // 2, (shown.shape[0] - height) // 2
    np.testing.assert_allclose(shown[top : top + height, left : left + width], means, atol=0.5)


# With one that keeps its width or its height as it grows: a pixel is too little to grow by a quarter.
@pytest.mark.parametrize("source", [(4, 12), (12, 4), (1, 12), (12, 1)])
@pytest.mark.parametrize("scale", [1.25, 2])
def test_an_image_that_grows_is_bilinear_between_the_middles_of_its_pixels(
    source: tuple[int, int], scale: float
) -> None:
    image = np.random.default_rng(0).integers(0, 256, source[::-1], dtype=np.uint8)
    (width, height) = (round(side * scale) for side in source)
    side = round(max(source) * scale)
    shown = Letterbox(source, (side, side)).image(image)
    columns, rows = (
        np.clip((np.arange(grown) + 0.5) * given / grown - 0.5, 0, given - 1)
        for grown, given in zip((width, height), source, strict=True)
    )
    expected = ndimage.map_coordinates(image.astype(float), np.meshgrid(rows, columns, indexing="ij"), order=1)
    left, top = (side - width) // 2, (side - height) // 2
    found = shown[top : top + height, left : left + width]
    np.testing.assert_allclose(found, expected, atol=1)  # OpenCV's weights are whole 2048ths


def test_a_line_one_pixel_wide_is_not_lost_when_an_image_shrinks() -> None:
    image = np.zeros((400, 400), np.uint8)
    image[:, 203] = 255
    assert Letterbox((400, 400), (50, 50)).image(image).max() >= 25


def test_the_wrong_image_and_no_size_are_errors() -> None:
    with pytest.raises(ValueError, match=r"The image is 30 x 20, not \(20, 30\)"):
        Letterbox((20, 30), (64, 64)).image(np.zeros((20, 30, 3), np.uint8))
    for sizes in (((0, 30), (64, 64)), ((30, 0), (64, 64)), ((30, 30), (0, 64)), ((30, 30), (64, 0))):
        with pytest.raises(ValueError, match="at least 1 pixel"):
            Letterbox(*sizes)
    assert Letterbox((1, 1), (1, 1)).inner == (1, 1)
