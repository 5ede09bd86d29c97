import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from vision import boxes
from vision.boxes import Boxes

# A side is nothing, or so long that it is still the same after it was added to a corner and taken off again.
sides = st.just(0.0) | st.floats(2**-10, 1000, width=32)
corner_and_size = stn.arrays(np.float64, st.tuples(st.integers(1, 6), st.just(4)), elements=sides)


@given(corner_and_size, st.integers(1, 2000), st.integers(1, 2000))
def test_every_form_leads_back_to_the_same_box(given_boxes: NDArray[np.float64], width: int, height: int) -> None:
    edges = Boxes.from_corner_and_size(given_boxes).edges
    found = Boxes(edges)
    for there_and_back in (
        Boxes.from_corner_and_size(found.corner_and_size()),
        Boxes.from_centre_and_size(found.centre_and_size()),
        Boxes.from_normalised(found.normalised(width, height), width, height),
    ):
        np.testing.assert_allclose(there_and_back.edges, edges, atol=1e-6)


def test_forms_by_hand() -> None:
    # 30 wide and 10 high in an image of 100 x 200, so that no side can be taken for another.
    found = Boxes(np.array([[10.0, 40.0, 40.0, 50.0]]))
    assert found.corner_and_size().tolist() == [[10, 40, 30, 10]]
    assert found.centre_and_size().tolist() == [[25, 45, 30, 10]]
    assert found.normalised(100, 200).tolist() == [[0.25, 0.225, 0.3, 0.05]]
    assert found.sizes.tolist() == [[30, 10]]
    assert found.areas.tolist() == [300]
    assert Boxes.from_normalised(np.array([[0.25, 0.225, 0.3, 0.05]]), 100, 200).edges == pytest.approx(found.edges)


def test_clipping_keeps_what_is_inside() -> None:
    clipped = Boxes(np.array([[-5.0, -2.0, 4.0, 30.0], [50.0, 60.0, 70.0, 80.0]])).clipped(20, 10)
    assert clipped.edges.tolist() == [[0, 0, 4, 10], [20, 10, 20, 10]]
    assert clipped.areas.tolist() == [40, 0]


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 3, 4)])
def test_what_has_another_shape_is_no_boxes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Boxes are \[N, 4\]"):
        Boxes(np.zeros(shape))


def test_no_boxes_are_boxes_too() -> None:
    none = Boxes(np.zeros((0, 4)))
    assert none.normalised(10, 10).shape == none.clipped(5, 5).edges.shape == (0, 4)
    assert boxes.iou(none.edges[:, np.newaxis], np.zeros((3, 4))).shape == (0, 3)


@given(corner_and_size, corner_and_size)
def test_iou_of_every_pair_is_that_of_pycocotools(one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    found = boxes.iou(Boxes.from_corner_and_size(one).edges[:, np.newaxis], Boxes.from_corner_and_size(other).edges)
    expected = np.asarray(coco_mask.iou(one, other, [False] * len(other)))
    empty = (one[:, 2] * one[:, 3] == 0)[:, np.newaxis] & (other[:, 2] * other[:, 3] == 0)
    np.testing.assert_allclose(found, np.where(empty, 0, expected), atol=1e-6)


@given(corner_and_size, corner_and_size)
def test_ioa_of_every_pair_is_the_iou_of_pycocotools_with_a_crowd(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> None:
    found = boxes.ioa(Boxes.from_corner_and_size(one).edges[:, np.newaxis], Boxes.from_corner_and_size(other).edges)
    # With a crowd, pycocotools divides by the area of the detection.
    expected = np.asarray(coco_mask.iou(one, other, [True] * len(other)))
    empty = (one[:, 2] * one[:, 3] == 0)[:, np.newaxis] & np.ones(len(other), bool)
    np.testing.assert_allclose(found, np.where(empty, 0, expected), atol=1e-6)


@given(corner_and_size)
def test_overlaps_keep_within_their_bounds_and_are_symmetric(given_boxes: NDArray[np.float64]) -> None:
    edges = Boxes.from_corner_and_size(given_boxes).edges
    one, other = edges[:, np.newaxis], edges
    for measure, lowest in ((boxes.iou, 0), (boxes.giou, -1), (boxes.ciou, -2)):
        found = measure(one, other)
        assert np.isfinite(found).all()
        assert (found <= 1 + 1e-9).all()
        assert (found >= lowest - 1e-9).all()
        np.testing.assert_allclose(found, found.T, atol=1e-9)
    assert (boxes.giou(one, other) <= boxes.iou(one, other) + 1e-9).all()
    assert (boxes.ciou(one, other) <= boxes.iou(one, other) + 1e-9).all()


UNIT = np.array([0.0, 0.0, 1.0, 1.0])
RIGHT = np.array([2.0, 0.0, 2.0, 0.0])


def test_a_box_overlaps_itself_whole() -> None:
    for measure in (boxes.iou, boxes.ioa, boxes.giou, boxes.ciou):
        assert measure(UNIT, UNIT) == pytest.approx(1.0)


def test_giou_by_hand() -> None:
    # Two unit squares with a gap of 1: a hull of 3, of which a third is empty.
    assert boxes.giou(UNIT, UNIT + RIGHT) == pytest.approx(-1 / 3)
    # A corner of a half by a half shared: a hull of 2.25, a union of 1.75.
    assert boxes.giou(UNIT, UNIT + 0.5) == pytest.approx(0.25 / 1.75 - 0.5 / 2.25)


def test_ciou_by_hand() -> None:
    # The same shape: only the distance counts, 2^2 over a hull's diagonal of 3^2 + 1^2.
    assert boxes.ciou(UNIT, UNIT + RIGHT) == pytest.approx(-4 / 10)
    # The same centre, twice as wide: an IoU of a half, and the penalty of the aspect ratio.
    wide = np.array([-0.5, 0.0, 1.5, 1.0])
    aspect = 4 / math.pi**2 * (math.atan(2) - math.atan(1)) ** 2
    assert boxes.ciou(UNIT, wide) == pytest.approx(0.5 - aspect**2 / (0.5 + aspect))


def _ciou(one: list[float], other: list[float]) -> float:
    """Zheng et al., equations 7 to 11, of two boxes."""
    sizes = [(max(x2 - x1, 0), max(y2 - y1, 0)) for x1, y1, x2, y2 in (one, other)]
    across = max(min(one[2], other[2]) - max(one[0], other[0]), 0)
    down = max(min(one[3], other[3]) - max(one[1], other[1]), 0)
    union = sum(width * height for width, height in sizes) - across * down
    overlap = across * down / union if union else 0
    # An empty box counts as a square.
    angles = [math.atan2(width, height) if width or height else math.pi / 4 for width, height in sizes]
    v = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    alpha = v / (1 - overlap + v) if v else 0
    centres = [((x1 + x2) / 2, (y1 + y2) / 2) for x1, y1, x2, y2 in (one, other)]
    corner = min(one[0], other[0]), min(one[1], other[1])
    diagonal = math.dist(corner, (max(one[2], other[2]), max(one[3], other[3])))
    apart = math.dist(*centres) / diagonal if diagonal else 0
    return overlap - apart**2 - alpha * v


def test_ciou_of_every_pair_is_that_of_the_published_equations() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(-50, 50, (40, 2))
    edges = np.concatenate([corners, corners + rng.uniform(0, 60, (40, 2))], axis=1)
    edges[:3, 2:] = edges[:3, :2]  # points
    edges[3, 2], edges[4, 3] = edges[3, 0], edges[4, 1]  # lines
    expected = [[_ciou(one, other) for other in edges.tolist()] for one in edges.tolist()]
    np.testing.assert_allclose(boxes.ciou(edges[:, np.newaxis], edges), expected, atol=1e-12)


def test_an_empty_box_has_the_diagonal_of_a_square() -> None:
    point = np.array([0.5, 0.5, 0.5, 0.5])
    # At the centre of a square nothing but the overlap is missing.
    assert boxes.ciou(point, UNIT) == boxes.ciou(UNIT, point) == 0
    # At that of a box twice as wide as high its diagonal is off, too.
    wide = np.array([-0.5, 0.0, 1.5, 1.0])
    aspect = 4 / math.pi**2 * (math.atan(2) - math.pi / 4) ** 2
    assert boxes.ciou(point, wide) == pytest.approx(-(aspect**2) / (1 + aspect))
    # A line has the diagonal that it is itself: upright, and flat.
    for line, angle in (([0.5, 0.0, 0.5, 1.0], 0), ([0.0, 0.5, 1.0, 0.5], math.pi / 2)):
        aspect = 4 / math.pi**2 * (math.pi / 4 - angle) ** 2
        assert boxes.ciou(np.array(line), UNIT) == pytest.approx(-(aspect**2) / (1 + aspect))


def test_boxes_whose_edges_are_crossed_overlap_nothing() -> None:
    crossed = np.array([3.0, 3.0, 1.0, 1.0])
    for measure in (boxes.iou, boxes.ioa):
        assert measure(crossed, np.array([0.0, 0.0, 4.0, 4.0])) == 0
    assert boxes.area(crossed) == 0


def test_pairs_broadcast_and_the_dtype_stays() -> None:
    one = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    other = np.random.default_rng(1).random((5, 4), dtype=np.float32)
    for measure in (boxes.iou, boxes.ioa, boxes.giou, boxes.ciou):
        pairs = measure(one[:, np.newaxis], other)
        assert pairs.shape == (5, 5)
        np.testing.assert_allclose(np.diag(pairs), measure(one, other), atol=1e-6)
    assert boxes.iou(one, other).dtype == np.float32
    found = Boxes(one)
    for form in (found.sizes, found.areas, found.corner_and_size(), found.centre_and_size(), found.normalised(3, 7)):
        assert form.dtype == np.float32
    for other_boxes in (found.clipped(3, 7), Boxes.from_corner_and_size(one), Boxes.from_normalised(one, 3, 7)):
        assert other_boxes.edges.dtype == np.float32
