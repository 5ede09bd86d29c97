import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.detection import encoders
from tasks.detection.detections import Objects
from tasks.detection.ground_truth import unpadded
from vision.letterbox import FILL

HEIGHT, WIDTH = 256, 320
SIZES = [(480, 360), (200, 640), (90, 70), (320, 256), (2448, 2048), (1, 1), (700, 3)]


def _objects(*rows: tuple[float, float, float, float, int]) -> Objects:
    table = np.array(rows, np.float64).reshape(-1, 5)
    return Objects(table[:, :4], table[:, 4].astype(np.int64))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_frame_of_any_size_fits_the_input(size: tuple[int, int], layout: encoders.Layout) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    found = encoders.image(pixels, HEIGHT, WIDTH, layout)
    assert found.shape == ((HEIGHT, WIDTH, 3) if layout == "NHWC" else (3, HEIGHT, WIDTH))
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert 0 <= found.min() <= found.max() <= 1


def test_both_layouts_hold_the_same_frame_red_first() -> None:
    pixels = np.full((60, 90, 3), (255, 51, 0), np.uint8)
    last = encoders.image(pixels, HEIGHT, WIDTH, "NHWC")
    first = encoders.image(pixels, HEIGHT, WIDTH, "NCHW")
    np.testing.assert_array_equal(first, last.transpose(2, 0, 1))
    np.testing.assert_allclose(last[HEIGHT // 2, WIDTH // 2], [1.0, 0.2, 0.0], atol=1e-6)


def test_a_frame_of_the_inputs_size_comes_back_exactly_and_another_is_shrunk_by_area() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.rint(encoders.image(pixels, HEIGHT, WIDTH, "NHWC") * 255), pixels)
    larger = np.random.default_rng(1).integers(0, 256, (360, 480, 3), dtype=np.uint8)
    shown = encoders.letterboxed(larger, HEIGHT, WIDTH)
    np.testing.assert_array_equal(shown[8:248], cv2.resize(larger, (320, 240), interpolation=cv2.INTER_AREA))
    assert (shown[:8] == FILL).all()
    assert (shown[248:] == FILL).all()


def test_a_read_only_frame_will_do_and_is_left_alone() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (360, 480, 3), dtype=np.uint8)
    before = pixels.copy()
    pixels.flags.writeable = False
    for size in ((HEIGHT, WIDTH), (360, 480)):
        assert encoders.image(pixels, *size, "NHWC").flags.writeable
    np.testing.assert_array_equal(pixels, before)


def test_boxes_are_shares_of_the_letterboxed_input() -> None:
    # 480 x 360 fits as 320 x 240, with 8 pixels of border above and below: worked by hand.
    found = encoders.ground_truth(_objects((120, 90, 240, 270, 2)), (480, 360), HEIGHT, WIDTH, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found,
        np.array([[2, 120 / 320, (8 + 120) / 256, 80 / 320, 120 / 256], [-1, 0, 0, 0, 0], [-1, 0, 0, 0, 0]]),
        atol=1e-6,
    )


def test_a_crowd_lies_in_the_letterboxed_input_too_below_the_objects() -> None:
    found = encoders.ground_truth(
        _objects((120, 90, 240, 270, 2)), (480, 360), HEIGHT, WIDTH, 3, _objects((0, 0, 240, 360, 1))
    )
    np.testing.assert_allclose(
        found,
        np.array(
            [[2, 120 / 320, 128 / 256, 80 / 320, 120 / 256], [-3, 80 / 320, 0.5, 0.5, 240 / 256], [-1, 0, 0, 0, 0]]
        ),
        atol=1e-6,
    )


@pytest.mark.parametrize("size", SIZES[:5])
def test_a_box_lies_on_its_object_in_the_input(size: tuple[int, int]) -> None:
    width, height = size
    edges = np.rint([width * 0.2, height * 0.5, width * 0.7, height * 0.9]).astype(int)
    left, top, right, bottom = edges.tolist()
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[top:bottom, left:right] = 255
    shown = encoders.image(pixels, HEIGHT, WIDTH, "NHWC")[..., 1]
    rows, columns = np.nonzero(shown > 0.6)
    row = encoders.ground_truth(_objects((left, top, right, bottom, 0)), size, HEIGHT, WIDTH, 1)[0]
    np.testing.assert_allclose(row[1] * WIDTH, (columns.min() + columns.max() + 1) / 2, atol=0.75)
    np.testing.assert_allclose(row[2] * HEIGHT, (rows.min() + rows.max() + 1) / 2, atol=0.75)
    np.testing.assert_allclose(row[3] * WIDTH, np.ptp(columns) + 1, atol=1)
    np.testing.assert_allclose(row[4] * HEIGHT, np.ptp(rows) + 1, atol=1)


def test_the_first_objects_are_kept_in_the_order_of_the_file() -> None:
    objects = _objects(*((10 * number, 10, 10 * number + 5, 20, number % 3) for number in range(8)))
    found = encoders.ground_truth(objects, (WIDTH, HEIGHT), HEIGHT, WIDTH, 5)
    assert found[:, 0].tolist() == [0, 1, 2, 0, 1]
    np.testing.assert_allclose(found[:, 1] * WIDTH, 10 * np.arange(5) + 2.5, atol=1e-4)


def test_a_frame_without_objects_is_all_padding() -> None:
    found = encoders.ground_truth(_objects(), (480, 360), HEIGHT, WIDTH, 4)
    np.testing.assert_array_equal(found, [[-1, 0, 0, 0, 0]] * 4)


@settings(deadline=None)
@given(
    st.tuples(st.integers(20, 900), st.integers(20, 900)),
    st.lists(st.tuples(*[st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0.02, 1), st.floats(0.02, 1)]), max_size=6),
)
def test_half_precision_keeps_a_box_within_a_quarter_of_a_pixel(
    size: tuple[int, int], boxes: list[tuple[float, float, float, float]]
) -> None:
    rows = [(x * size[0], y * size[1], min(1, x + w) * size[0], min(1, y + h) * size[1], 1) for x, y, w, h in boxes]
    found = encoders.ground_truth(_objects(*rows), size, HEIGHT, WIDTH, 6)
    assert ((found[:, 1:] >= -1e-6) & (found[:, 1:] <= 1 + 1e-6)).all()
    exact, coarse = (unpadded(array, HEIGHT, WIDTH).edges for array in (found, found.astype(np.float16)))
    assert len(exact) == len(boxes)
    np.testing.assert_allclose(coarse, exact, atol=0.25)
