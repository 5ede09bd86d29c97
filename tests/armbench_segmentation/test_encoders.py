import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from armbench_segmentation import encoders
from tasks.detection.ground_truth import unpadded, unpadded_crowds
from tasks.segmentation.instances import unpadded_masked_crowds
from tests.armbench_segmentation.conftest import instances, rectangle
from vision.boxes import Boxes
from vision.letterbox import Letterbox

SIZE = (64, 40)
"""Width and height of an image."""


def test_an_image_is_letterboxed_into_the_unit_range() -> None:
    pixels = np.full((40, 64, 3), (255, 0, 51), np.uint8)
    image = encoders.image(pixels, 32, "NHWC")
    assert image.dtype == np.float32
    assert image.shape == (32, 32, 3)
    np.testing.assert_allclose(image[6:26], np.broadcast_to([1, 0, 0.2], (20, 32, 3)))
    np.testing.assert_allclose(image[:6], 114 / 255, rtol=1e-6)
    np.testing.assert_allclose(image[26:], 114 / 255, rtol=1e-6)
    np.testing.assert_array_equal(encoders.image(pixels, 32, "NCHW"), image.transpose(2, 0, 1))


def test_boxes_lie_where_the_letterboxed_image_shows_the_objects() -> None:
    found = instances([(1, rectangle(0, 0, 64, 40, SIZE)), (0, rectangle(16, 10, 24, 30, SIZE))], SIZE)
    rows = encoders.ground_truth(found, 32, 4)
    assert rows.dtype == np.float32
    assert rows.shape == (4, 5)
    # Half the size, and 6 pixels from above.
    np.testing.assert_allclose(unpadded(rows, 32, 32).edges, [[0, 6, 32, 26], [8, 11, 12, 21]], atol=1e-5)
    assert unpadded(rows, 32, 32).classes.tolist() == [1, 0]


def test_a_mask_has_what_the_image_has_under_the_middle_of_each_of_its_pixels() -> None:
    rng = np.random.default_rng(0)
    blob = rng.random((40, 64)) < 0.5
    masks = encoders.masks(instances([(0, blob)], SIZE), 32, 4, 2)
    assert masks.dtype == np.float32
    assert masks.shape == (2, 8, 8)
    assert not masks[1].any()
    for row in range(8):
        for column in range(8):
            # The middle of the mask's pixel, in the letterboxed image, then in the image, which is twice as large.
            x, y = 2 * (4 * column + 2), 2 * (4 * row + 2 - 6)
            expected = 0 <= y < 40 and blob[y, x]
            assert masks[0, row, column] == expected, (row, column)


@given(
    st.tuples(st.integers(20, 200), st.integers(20, 200)),
    st.tuples(*[st.floats(0, 1)] * 4),
    st.sampled_from([(64, 4), (96, 4), (32, 2)]),
)
def test_masks_are_aligned_with_their_boxes(
    size: tuple[int, int], place: tuple[float, ...], form: tuple[int, int]
) -> None:
    """A rectangle's mask has exactly the pixels whose middles are in its box."""
    (width, height), (target, stride) = size, form
    x1, x2 = sorted((int(place[0] * (width - 1)), int(place[1] * (width - 1))))
    y1, y2 = sorted((int(place[2] * (height - 1)), int(place[3] * (height - 1))))
    found = instances([(0, rectangle(x1, y1, x2 + 1, y2 + 1, size))], size)
    (mask,) = encoders.masks(found, target, stride, 1)
    edges = Letterbox(size, (target, target)).boxes(Boxes(found.edges)).edges[0]
    middles = (np.arange(target // stride) + 0.5) * stride
    # A middle on the edge of a box, but for rounding, may fall to either side.
    sure = [np.abs(middles - edge).min() > 1e-6 for edge in edges]
    if all(sure):
        inside_x = (middles >= edges[0]) & (middles < edges[2])
        inside_y = (middles >= edges[1]) & (middles < edges[3])
        np.testing.assert_array_equal(mask, np.outer(inside_y, inside_x))


@pytest.mark.parametrize("size", [160, 320, 640])
def test_masks_are_zero_or_one_and_of_the_objects_size_whatever_the_input(size: int) -> None:
    blob = np.hypot(*np.ogrid[-1:1:536j, -1:1:640j]) < 0.7  # an ellipse
    masks = encoders.masks(instances([(0, blob)], (640, 536)), size, 4, 3)
    assert masks.shape == (3, size // 4, size // 4)
    assert set(np.unique(masks)) == {0, 1}
    assert masks[0].sum() * 16 * (640 / size) ** 2 == pytest.approx(blob.sum(), rel=0.02)


def test_objects_beyond_the_most_are_left_out_of_boxes_and_masks_alike() -> None:
    rows = [(index % 2, rectangle(8 * index, 8, 8 * index + (8 if index < 4 else 4), 24, SIZE)) for index in range(6)]
    found = instances(rows, SIZE)
    boxes, masks = encoders.ground_truth(found, 64, 4), encoders.masks(found, 64, 4, 4)
    assert boxes[:, 0].tolist() == [0, 1, 0, 1]
    assert [np.flatnonzero(mask.any(axis=0)).tolist() for mask in masks] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert masks.shape == (4, 16, 16)


CROWDED = [
    (0, rectangle(0, 0, 8, 8, SIZE)),
    (1, rectangle(8, 0, 64, 40, SIZE)),  # the crowd
    (1, rectangle(0, 8, 8, 16, SIZE)),
]


def test_a_crowd_is_not_to_be_found_and_takes_the_first_row_below_the_objects() -> None:
    crowded, without = instances(CROWDED, SIZE, [False, True, False]), instances([CROWDED[0], CROWDED[2]], SIZE)
    boxes, masks = encoders.ground_truth(crowded, 64, 5), encoders.masks(crowded, 64, 4, 5)
    assert boxes[:, 0].tolist() == [0, 1, -3, -1, -1]
    for found, expected in (
        (boxes, encoders.ground_truth(without, 64, 5)),
        (masks, encoders.masks(without, 64, 4, 5)),
    ):
        rows = [0, 1, 3, 4]
        np.testing.assert_array_equal(found[rows], expected[rows])
    # The image lies 12 pixels below the input's upper border.
    np.testing.assert_allclose(unpadded_crowds(boxes, 64, 64).edges, [[8, 12, 64, 52]], atol=1e-5)
    np.testing.assert_array_equal(masks[2], rectangle(2, 3, 16, 13, (16, 16)))


def test_half_precision_keeps_objects_and_crowds_apart() -> None:
    crowded = instances(CROWDED, SIZE, [False, True, False])
    boxes, masks = (
        each.astype(np.float16) for each in (encoders.ground_truth(crowded, 64, 5), encoders.masks(crowded, 64, 4, 5))
    )
    assert unpadded(boxes, 64, 64).classes.tolist() == [0, 1]
    crowds = unpadded_masked_crowds(boxes, masks, 64, 64)
    assert crowds.classes.tolist() == [1]
    np.testing.assert_allclose(crowds.edges, [[8, 12, 64, 52]], atol=0.05)
    np.testing.assert_array_equal(crowds.masks[0], rectangle(2, 3, 16, 13, (16, 16)))


def test_objects_have_the_rows_before_crowds_have_any() -> None:
    crowded = instances(CROWDED, SIZE, [False, True, False])
    without = instances([CROWDED[0], CROWDED[2]], SIZE)
    np.testing.assert_array_equal(encoders.ground_truth(crowded, 64, 2), encoders.ground_truth(without, 64, 2))
    np.testing.assert_array_equal(encoders.masks(crowded, 64, 4, 2), encoders.masks(without, 64, 4, 2))


def test_an_empty_tote_has_no_boxes_and_no_masks() -> None:
    empty = instances([], SIZE)
    assert len(unpadded(encoders.ground_truth(empty, 64, 5), 64, 64)) == 0
    assert not encoders.masks(empty, 64, 4, 5).any()
