import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.segmentation.occlusion import occluded_shares, occlusions_by_box, occlusions_by_mask
from tests.tasks.segmentation.conftest import COLUMNS, ROWS, area
from vision.masks import edges


def bar(start: tuple[int, int], end: tuple[int, int]) -> NDArray[np.bool_]:
    drawn = np.zeros((ROWS, COLUMNS), np.uint8)
    cv2.line(drawn, start, end, (1,), 2)
    return drawn.astype(bool)


def test_an_object_across_another_occludes_it_and_not_the_other_way_round() -> None:
    over = area(12, 0, 16, 20)
    under = area(4, 8, 26, 12) & ~over
    stack = np.stack([under, over])
    assert occlusions_by_mask(stack) == (1, 0.5)
    # 4 of 22 columns of the lower one are hidden.
    assert occluded_shares(stack).tolist() == pytest.approx([4 / 22, 0])
    # Of their boxes, each covers a part of the other.
    assert occlusions_by_box(edges(stack)) == (2, 1.0)


def test_objects_side_by_side_do_not_occlude_each_other() -> None:
    stack = np.stack([area(2, 2, 10, 12), area(10, 2, 18, 12)])
    assert occlusions_by_mask(stack) == occlusions_by_box(edges(stack)) == (0, 0.0)
    assert occluded_shares(stack).tolist() == [0, 0]
    # Slanting ones do by their boxes alone.
    slanting = np.stack([bar((2, 2), (14, 14)), bar((8, 2), (20, 14))])
    assert occlusions_by_mask(slanting).pairs == 0
    assert occlusions_by_box(edges(slanting)).pairs == 2


def test_masks_that_overlap_occlude_each_other() -> None:
    stack = np.stack([area(2, 2, 10, 12), area(6, 2, 14, 12)])
    assert occlusions_by_mask(stack) == (2, 1.0)
    assert occluded_shares(stack).tolist() == [0.5, 0.5]


def test_the_mean_is_of_all_objects_and_no_whole_number() -> None:
    on_top = area(6, 4, 8, 6)
    stack = np.stack([area(2, 2, 12, 8) & ~on_top, on_top, area(20, 12, 24, 20)])
    # 4 of 60 pixels: more than a twentieth.
    assert occlusions_by_mask(stack) == (1, 1 / 3)
    assert occlusions_by_mask(stack, least_share=0.07) == (0, 0.0)


def test_several_that_cover_one_spot_hide_it_once() -> None:
    stack = np.stack([area(2, 2, 12, 8), area(6, 4, 8, 6), area(6, 4, 8, 6)])
    assert occluded_shares(stack)[0] == pytest.approx(4 / 60)
    assert occlusions_by_mask(stack).pairs == 3 * 2


def test_boxes_inside_each_other_by_hand() -> None:
    boxes = np.array([[0.0, 0, 100, 50], [0, 0, 10, 50], [200, 0, 210, 10]])
    # The inner one is covered whole, and covers a tenth.
    assert occlusions_by_box(boxes) == (2, 2 / 3)
    assert occlusions_by_box(boxes, least_share=0.2) == (1, 1 / 3)


def test_a_share_of_nothing_is_not_covered_by_what_lies_apart() -> None:
    stack = np.stack([area(2, 2, 4, 4), area(10, 2, 14, 4), area(0, 0, 0, 0)])
    assert occlusions_by_mask(stack, least_share=0.0).pairs == 0
    assert occluded_shares(stack).tolist() == [0, 0, 0]


def test_without_objects_there_is_no_mean() -> None:
    assert occlusions_by_box(np.zeros((0, 4))) == (0, None)
    assert occlusions_by_mask(np.zeros((0, ROWS, COLUMNS), bool)) == (0, None)
    assert occluded_shares(np.zeros((0, ROWS, COLUMNS), bool)).shape == (0,)
    assert occlusions_by_box(np.array([[0.0, 0, 5, 5]])) == (0, 0.0)


def test_an_object_of_a_single_pixel_may_be_hidden_as_a_whole() -> None:
    speck = area(5, 5, 6, 6)
    assert occluded_shares(np.stack([speck, area(2, 2, 10, 12)]))[0] == 1.0
