"""Worked by hand: what a person would say of each picture."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from tasks.segmentation.over_under import APART, CONTAINMENT, Divided, over_segmented, under_segmented
from tests.tasks.segmentation.conftest import area, detections, objects, random_image
from vision.masks import Overlaps

NOTHING: dict[int, list[int]] = {}
LEFT, RIGHT = area(2, 2, 8, 10), area(8, 2, 14, 10)
BOTH = LEFT | RIGHT


def said(divided: Divided) -> dict[int, list[int]]:
    """Row of each whole: rows of its parts."""
    return {
        int(whole): np.flatnonzero(parts).tolist() for whole, parts in zip(divided.wholes, divided.parts, strict=True)
    }


def over(truth: MaskedObjects, found: MaskedDetections) -> dict[int, list[int]]:
    return said(over_segmented(truth, found))


def under(truth: MaskedObjects, found: MaskedDetections) -> dict[int, list[int]]:
    return said(under_segmented(truth, found))


def test_two_objects_found_as_one_are_merged_and_neither_is_split() -> None:
    truth, found = objects(LEFT, RIGHT), detections(BOTH)
    assert under(truth, found) == {0: [0, 1]}
    assert over(truth, found) == NOTHING


def test_one_object_found_as_two_is_split_and_neither_is_a_merge() -> None:
    truth, found = objects(area(20, 5, 24, 9), BOTH), detections(LEFT, RIGHT)
    assert over(truth, found) == {1: [0, 1]}
    assert under(truth, found) == NOTHING


def test_objects_found_one_by_one_are_neither() -> None:
    truth, found = objects(LEFT, RIGHT), detections(RIGHT, LEFT)
    assert over(truth, found) == under(truth, found) == NOTHING


def test_a_duplicate_is_no_part() -> None:
    # Found twice, once a little smaller: that is one object still.
    truth = objects(LEFT)
    assert over(truth, detections(LEFT, LEFT)) == NOTHING
    assert over(truth, detections(area(2, 2, 8, 9), LEFT, area(2, 3, 8, 10))) == NOTHING
    # The duplicate of a half makes no third part of two.
    assert over(objects(BOTH), detections(LEFT, RIGHT, LEFT)) == {0: [0, 1]}


def test_of_a_part_and_its_duplicate_the_larger_counts_and_of_equal_ones_the_more_confident() -> None:
    smaller = area(2, 2, 8, 9)
    assert over(objects(BOTH), detections(smaller, RIGHT, LEFT)) == {0: [1, 2]}
    assert over(objects(BOTH), detections(LEFT, RIGHT, LEFT, scores=(0.5, 0.5, 0.9))) == {0: [1, 2]}
    assert over(objects(BOTH), detections(LEFT, RIGHT, LEFT, scores=(0.9, 0.5, 0.9))) == {0: [0, 1]}


def test_an_object_found_whole_and_in_pieces_besides_was_found() -> None:
    assert over(objects(BOTH), detections(LEFT, BOTH, RIGHT)) == NOTHING


def test_a_fragment_that_spills_out_is_no_part() -> None:
    # Of its 8 columns 6 lie in the object: 0.75.
    spilling = area(8, 2, 16, 10)
    assert over(objects(BOTH), detections(LEFT, spilling)) == NOTHING
    # Of 7 columns, 6: 0.857.
    assert over(objects(BOTH), detections(LEFT, area(8, 2, 15, 10))) == {0: [0, 1]}


def test_just_the_containment_is_not_enough() -> None:
    four_fifths = area(10, 2, 15, 10)
    assert Overlaps.between(four_fifths[np.newaxis], BOTH[np.newaxis]).ioa[0, 0] == CONTAINMENT
    assert over(objects(BOTH), detections(area(2, 2, 8, 10), four_fifths)) == NOTHING
    assert under(objects(LEFT, four_fifths), detections(BOTH)) == NOTHING


def test_a_small_object_inside_anothers_mask_is_no_merge() -> None:
    small = area(5, 4, 8, 7)
    assert under(objects(BOTH, small), detections(BOTH)) == NOTHING
    assert under(objects(small, BOTH), detections(BOTH, small)) == NOTHING
    # Beside it, it is.
    beside = area(14, 4, 16, 7)
    assert under(objects(BOTH, beside), detections(BOTH | beside)) == {0: [0, 1]}


def test_an_object_inside_another_does_not_split_it() -> None:
    small = area(5, 4, 8, 7)
    truth = objects(BOTH, small)
    assert over(truth, detections(BOTH, small)) == NOTHING
    # Not even where the outer one is found without what lies on it.
    assert over(truth, detections(BOTH & ~small, small)) == NOTHING
    # Pieces of the inner one are pieces of that alone.
    assert over(truth, detections(area(5, 4, 6, 7), area(6, 4, 8, 7))) == {1: [0, 1]}
    assert over(truth, detections(LEFT & ~small, RIGHT, small)) == {0: [0, 1]}


def test_objects_in_a_tote_are_no_parts_of_it() -> None:
    tote = area(0, 0, 20, 20)
    truth = objects(tote, LEFT, RIGHT, classes=(1, 0, 0))
    found = detections(tote, LEFT, RIGHT, classes=(1, 0, 0))
    assert over(truth, found) == under(truth, found) == NOTHING
    # But a tote that takes two totes for one is a merge.
    assert under(objects(LEFT, RIGHT, classes=(1, 1)), detections(BOTH, classes=(1,))) == {0: [0, 1]}


def test_parts_may_overlap_a_little_at_their_seam() -> None:
    # A column of 6 is shared: 1/6, less than a fifth.
    assert APART > 1 / 6
    assert over(objects(BOTH), detections(LEFT, area(7, 2, 13, 10))) == {0: [0, 1]}
    # Two of six: a third of each is the other again.
    assert over(objects(BOTH), detections(LEFT, area(6, 2, 12, 10))) == NOTHING
    assert under(objects(LEFT, area(7, 2, 13, 10)), detections(BOTH)) == {0: [0, 1]}


def test_whether_parts_lie_apart_is_measured_on_the_smaller_one() -> None:
    # 2 of the 12 columns of the large one, but all of the small one.
    sliver = area(2, 2, 4, 10)
    assert over(objects(area(2, 2, 20, 10)), detections(area(2, 2, 14, 10), sliver)) == NOTHING


def test_three_in_one_is_one_merge_of_three_and_others_are_left_alone() -> None:
    third, far = area(14, 2, 18, 10), area(22, 12, 28, 20)
    truth = objects(LEFT, far, RIGHT, third)
    found = detections(far, BOTH | third)
    divided = under_segmented(truth, found)
    assert said(divided) == {1: [0, 2, 3]}
    assert divided.mean_parts == 3
    assert divided.is_part.tolist() == [True, False, True, True]


def test_the_mean_of_the_parts_is_no_whole_number() -> None:
    below = [area(2, 12, 5, 20), area(5, 12, 8, 20), area(8, 12, 11, 20)]
    truth = objects(BOTH, area(2, 12, 11, 20))
    divided = over_segmented(truth, detections(LEFT, RIGHT, *below))
    assert said(divided) == {0: [0, 1], 1: [2, 3, 4]}
    assert divided.mean_parts == 2.5


def test_a_merge_is_one_even_if_one_of_its_objects_was_found_alone_too() -> None:
    assert under(objects(LEFT, RIGHT), detections(LEFT, BOTH)) == {1: [0, 1]}


def test_empty_masks_and_empty_images_are_neither() -> None:
    empty = area(0, 0, 0, 0)
    for truth, found in (
        (objects(), detections()),
        (objects(LEFT, RIGHT), detections()),
        (objects(), detections(LEFT, RIGHT)),
        (objects(empty, empty), detections(BOTH)),
        (objects(BOTH), detections(empty, empty)),
    ):
        for divided in (over_segmented(truth, found), under_segmented(truth, found)):
            assert said(divided) == NOTHING
            assert divided.mean_parts == 0
            assert not divided.is_part.any()
    assert over_segmented(objects(), detections(LEFT)).is_part.shape == (1,)
    assert under_segmented(objects(LEFT), detections()).is_part.shape == (1,)


def by_the_definition(
    wholes: NDArray[np.bool_], parts: NDArray[np.bool_], contained: list[list[bool]], ranks: list[tuple[float, ...]]
) -> dict[int, list[int]]:
    """One pair after the other, over boolean masks."""
    found = {}
    for whole in range(len(wholes)):
        taken: list[int] = []
        for part in sorted(range(len(parts)), key=lambda row: ranks[row]):
            apart = all(
                (parts[part] & parts[other]).sum() <= APART * min(parts[part].sum(), parts[other].sum())
                for other in taken
            )
            if contained[whole][part] and apart:
                taken.append(part)
        if len(taken) >= 2:
            found[whole] = sorted(taken)
    return found


def test_pair_by_pair_the_same_comes_out() -> None:
    splits = merges = 0
    for seed in range(150):
        truth, found = random_image(np.random.default_rng(seed))

        def lies_in(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> bool:
            return bool((part & whole).sum() > CONTAINMENT * part.sum())

        in_detections = [
            [lies_in(part, whole) and label == truth.classes[row] for row, part in enumerate(truth.masks)]
            for whole, label in zip(found.masks, found.classes, strict=True)
        ]
        ranks: list[tuple[float, ...]] = [(-mask.sum(), row) for row, mask in enumerate(truth.masks)]
        expected = by_the_definition(found.masks, truth.masks, in_detections, ranks)
        assert under(truth, found) == expected
        merges += len(expected)

        smallest = []
        for part, label in zip(found.masks, found.classes, strict=True):
            around = [
                (whole.sum(), row)
                for row, whole in enumerate(truth.masks)
                if lies_in(part, whole) and truth.classes[row] == label
            ]
            smallest.append(min(around)[1] if around else None)
        expected = by_the_definition(
            truth.masks,
            found.masks,
            [[owner == row for owner in smallest] for row in range(len(truth))],
            [(-mask.sum(), -found.scores[row], row) for row, mask in enumerate(found.masks)],
        )
        assert over(truth, found) == expected
        splits += len(expected)
    assert min(splits, merges) > 20


def test_overlaps_that_are_known_already_change_nothing() -> None:
    truth, found = objects(LEFT, RIGHT), detections(BOTH)
    overlaps = Overlaps.between(found.masks, truth.masks)
    assert said(under_segmented(truth, found, overlaps)) == under(truth, found)
    assert said(over_segmented(truth, found, overlaps)) == over(truth, found)


@pytest.mark.parametrize("containment", [0.5, 0.9])
def test_another_containment_can_be_asked_for(containment: float) -> None:
    # 6 of 8 columns: 0.75.
    divided = over_segmented(objects(BOTH), detections(LEFT, area(8, 2, 16, 10)), containment=containment)
    assert len(divided) == (containment == 0.5)
