import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from scipy.spatial import ConvexHull

from vision import masks
from vision.masks import Overlaps

shapes = st.tuples(st.integers(1, 9), st.integers(1, 70))


@st.composite
def two_stacks(draw: st.DrawFn) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    shape = draw(shapes)
    one, other = (draw(stn.arrays(bool, (draw(st.integers(0, 4)), *shape))) for _ in range(2))
    return one, other


def ellipses(count: int, height: int, width: int, seed: int = 0) -> NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    drawn = np.zeros((count, height, width), np.uint8)
    for mask in drawn:
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(rng.integers(1, width // 3 + 2)), int(rng.integers(1, height // 3 + 2)))
        cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, (1,), -1)
    return drawn.astype(bool)


def run_lengths(stack: NDArray[np.bool_]) -> list[dict[str, object]]:
    return [coco_mask.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in stack]


def rectangle(x1: int, y1: int, x2: int, y2: int, height: int = 20, width: int = 30) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), bool)
    mask[y1:y2, x1:x2] = True
    return mask


@given(two_stacks())
def test_what_masks_share_is_counted_pixel_by_pixel(stacks: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> None:
    one, other = stacks
    found = Overlaps.between(one, other)
    assert found.shared.tolist() == [[float((a & b).sum()) for b in other] for a in one]
    assert found.areas.tolist() == [a.sum() for a in one]
    assert found.other_areas.tolist() == [b.sum() for b in other]
    for value in (found.iou, found.ioa, found.other_ioa):
        assert value.shape == (len(one), len(other))
        assert ((value >= 0) & (value <= 1)).all()


# More and fewer rows than a band has, and a row that is longer than a band.
@pytest.mark.parametrize(("height", "width"), [(160, 120), (37, 61), (4, 5000)])
def test_iou_and_ioa_are_those_of_pycocotools(height: int, width: int) -> None:
    one, other = ellipses(9, height, width, 1), ellipses(7, height, width, 2)
    one[3] = False
    found = Overlaps.between(one, other)
    codes, other_codes = run_lengths(one), run_lengths(other)
    exact = np.asarray(coco_mask.iou(codes, other_codes, [False] * 7))
    np.testing.assert_allclose(found.iou, exact, atol=1e-12)
    # With a crowd, pycocotools divides by the area of the detection.
    filled = np.flatnonzero(found.areas)
    over_area = np.asarray(coco_mask.iou([codes[row] for row in filled], other_codes, [True] * 7))
    np.testing.assert_allclose(found.ioa[filled], over_area, atol=1e-12)
    assert found.ioa[3].tolist() == found.iou[3].tolist() == [0] * 7
    np.testing.assert_allclose(found.other_ioa, Overlaps.between(other, one).ioa.T)
    assert found.iou.max() > 0.2


def test_a_mask_of_a_whole_photograph_is_counted_exactly() -> None:
    # 2448 x 2048: more pixels than float16 counts, and less than float32 does; odd, so that no rounding is hidden.
    whole = np.ones((2, 2048, 2448), bool)
    whole[1, 0, 0] = False
    found = Overlaps.between(whole, whole)
    assert found.shared.tolist() == [[5_013_504, 5_013_503], [5_013_503, 5_013_503]]


def test_bands_are_added_beyond_what_float32_counts() -> None:
    # 2^24 + 1 is the first whole number that float32 does not have.
    rows = np.ones((1, 4097, 4096), bool)
    rows[0, -1, 1:] = False
    assert masks.intersection(rows, rows).tolist() == [[2**24 + 1]]


def test_zeros_and_ones_are_no_masks_and_masks_of_two_sizes_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match=r"of bool, got \[2, 4, 4\] of float32"):
        masks.areas(np.zeros((2, 4, 4), np.float32))
    with pytest.raises(ValueError, match=r"\[N, H, W\] of bool, got \[4, 4\]"):
        masks.edges(np.zeros((4, 4), bool))
    with pytest.raises(ValueError, match=r"\[4, 5\] and of \[5, 4\]"):
        Overlaps.between(np.zeros((1, 4, 5), bool), np.zeros((1, 5, 4), bool))


def test_no_masks_are_masks_too() -> None:
    none, some = np.zeros((0, 6, 8), bool), np.ones((3, 6, 8), bool)
    assert Overlaps.between(none, some).iou.shape == (0, 3)
    assert Overlaps.between(some, none).other_ioa.shape == (3, 0)
    assert masks.edges(none).shape == (0, 4)
    assert masks.areas(none).shape == masks.touches_border(none).shape == (0,)
    assert masks.touches_border(none).dtype == masks.touches_border(np.zeros((2, 0, 8), bool)).dtype == bool
    assert masks.hulls(none).shape == (0, 6, 8)
    assert masks.resized(none, 3, 4).shape == (0, 3, 4)


def test_boxes_are_those_of_pycocotools_and_of_an_empty_mask_all_zero() -> None:
    stack = ellipses(12, 50, 80)
    stack[5] = False
    expected = np.asarray(coco_mask.toBbox(run_lengths(stack)), np.float64)
    expected[:, 2:] += expected[:, :2]
    found = masks.edges(stack)
    np.testing.assert_array_equal(found, expected)
    assert found[5].tolist() == [0, 0, 0, 0]
    # A single pixel is a box of area 1, and width is not taken for height.
    assert masks.edges(rectangle(29, 3, 30, 4)[np.newaxis]).tolist() == [[29, 3, 30, 4]]
    assert masks.edges(rectangle(2, 5, 12, 8)[np.newaxis]).tolist() == [[2, 5, 12, 8]]


def test_masks_of_a_pixel_or_of_images_without_one() -> None:
    pixel = rectangle(4, 7, 5, 8)[np.newaxis]
    alone = Overlaps.between(pixel, pixel)
    assert alone.iou.tolist() == alone.ioa.tolist() == alone.other_ioa.tolist() == [[1.0]]
    for shape in ((2, 0, 8), (2, 6, 0)):
        nothing = np.zeros(shape, bool)
        assert Overlaps.between(nothing, nothing.copy()).shared.tolist() == [[0, 0], [0, 0]]


def test_the_box_of_an_object_in_several_pieces_is_around_all_of_them() -> None:
    both = rectangle(2, 2, 6, 5) | rectangle(20, 10, 25, 15)
    assert masks.edges(both[np.newaxis]).tolist() == [[2, 2, 25, 15]]
    assert masks.areas(both[np.newaxis]).tolist() == [4 * 3 + 5 * 5]


def test_an_object_at_the_border_touches_it_on_whichever_side() -> None:
    at_border = [rectangle(0, 5, 3, 8), rectangle(27, 5, 30, 8), rectangle(9, 0, 12, 3), rectangle(9, 17, 12, 20)]
    stack = np.stack([*at_border, rectangle(1, 1, 29, 19), rectangle(0, 0, 0, 0)])
    assert masks.touches_border(stack).tolist() == [True] * 4 + [False] * 2


def test_a_hull_is_convex_and_fills_what_a_shape_leaves_open() -> None:
    ring = rectangle(5, 5, 15, 15) & ~rectangle(8, 8, 12, 12)
    angle = rectangle(2, 2, 18, 6) | rectangle(2, 2, 6, 18)
    stack = np.stack([ring, angle, np.zeros((20, 30), bool)])
    found = masks.hulls(stack)
    np.testing.assert_array_equal(found[0], rectangle(5, 5, 15, 15))
    assert not found[2].any()
    assert (found & stack == stack).all()
    # The pixels of the hull are those whose middle lies in the polygon around the middles, to a pixel's width.
    hull = ConvexHull(np.argwhere(angle))
    distance = (np.argwhere(np.ones((20, 30))) @ hull.equations[:, :2].T + hull.equations[:, 2]).max(axis=1)
    distance = distance.reshape(20, 30)
    assert found[1][distance <= 1e-9].all()
    assert not found[1][distance > 1].any()


@pytest.mark.parametrize("size", [(40, 30), (7, 90), (41, 61), (10, 15), (160, 240)])
def test_resizing_makes_no_value_that_was_not_there(size: tuple[int, int]) -> None:
    # Bilinear interpolation between an object and the background would.
    values = (ellipses(3, 40, 60) * np.array([1, 100, 255])[:, None, None]).astype(np.uint8)
    found = masks.resized(values, *size)
    assert found.dtype == np.uint8
    assert found.shape == (3, *size)
    assert [np.unique(each).tolist() for each in found] == [[0, 1], [0, 100], [0, 255]]
    expected = [cv2.resize(each, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT) for each in values]
    # OpenCV rounds the place of a middle that falls on an edge between pixels otherwise.
    assert (found == np.stack(expected)).mean() > 0.97


def test_resizing_takes_what_lies_under_the_middle() -> None:
    ramp = np.arange(12).reshape(1, 1, 12)
    assert masks.resized(ramp, 1, 4)[0, 0].tolist() == [1, 4, 7, 10]
    assert masks.resized(ramp, 2, 24)[0, 1].tolist() == np.repeat(np.arange(12), 2).tolist()
    stack = ellipses(4, 20, 30)
    np.testing.assert_array_equal(masks.resized(stack, 80, 120), np.kron(stack, np.ones((1, 4, 4), bool)))
    np.testing.assert_array_equal(masks.resized(stack, 20, 30), stack)
    with pytest.raises(ValueError, match="at least a pixel"):
        masks.resized(np.zeros((2, 0, 3), bool), 4, 4)
