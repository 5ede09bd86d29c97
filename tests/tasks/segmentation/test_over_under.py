"""Worked by hand: what a person would say of each picture. And against the definition read anew, on random scenes."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from tasks.segmentation.over_under import (
    APART,
    CONTAINMENT,
    FOUND_IOU,
    LEAST_COVERAGE,
    LEAST_SHARE,
    MOST_OUTSIDE,
    Divided,
    over_segmented,
    under_segmented,
)
from tests.tasks.segmentation import plain_over_under as plain
from tests.tasks.segmentation.conftest import COLUMNS, ROWS, Mask, area, detections, objects, random_image
from vision.masks import Overlaps

NOTHING: dict[int, list[int]] = {}
LEFT, RIGHT = area(2, 2, 8, 10), area(8, 2, 14, 10)
BOTH = LEFT | RIGHT


def said(divided: Divided) -> dict[int, list[int]]:
    """Row of each whole: rows of its parts."""
    assert (np.diff(divided.wholes) > 0).all()
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
    assert over(objects(BOTH), detections(smaller, RIGHT, LEFT, scores=(0.9, 0.5, 0.8))) == {0: [1, 2]}
    # But the smaller one if the object is divided before the larger one comes.
    assert over(objects(BOTH), detections(smaller, RIGHT, LEFT, scores=(0.9, 0.8, 0.5))) == {0: [0, 1]}
    assert over(objects(BOTH), detections(LEFT, RIGHT, LEFT, scores=(0.5, 0.5, 0.9))) == {0: [1, 2]}
    assert over(objects(BOTH), detections(LEFT, RIGHT, LEFT, scores=(0.9, 0.5, 0.9))) == {0: [0, 1]}


def test_an_object_found_whole_and_in_pieces_besides_was_found() -> None:
    assert over(objects(BOTH), detections(LEFT, BOTH, RIGHT)) == NOTHING
    # Of the same confidence it was found, too, in any order.
    assert over(objects(BOTH), detections(LEFT, RIGHT, BOTH, scores=(0.9, 0.7, 0.7))) == NOTHING
    assert over(objects(BOTH), detections(LEFT, RIGHT, BOTH, scores=(0.9, 0.7, 0.6))) == {0: [0, 1]}


def test_what_finds_an_object_whole_contains_it_and_has_the_iou() -> None:
    # Ten by ten; the fragments come last.
    whole = area(10, 5, 20, 15)
    fragments = area(10, 5, 15, 15), area(15, 5, 20, 15)

    def is_over(found: Mask) -> bool:
        return over(objects(whole), detections(found, *fragments)) == {0: [1, 2]}

    # Ten by twenty has just the IoU.
    assert not is_over(area(5, 5, 25, 15))
    assert is_over(area(5, 5, 26, 15))
    # Just four fifths of it do not contain it, at an IoU of 80 / 140.
    reaching_out = area(12, 5, 24, 15)
    assert (reaching_out & whole).sum() == CONTAINMENT * whole.sum()
    assert is_over(reaching_out)
    assert not is_over(reaching_out | area(11, 5, 12, 6))
    # Nor does another class find it.
    assert over(objects(whole), detections(whole, *fragments, classes=(1, 0, 0))) == {0: [1, 2]}


def test_a_speck_is_no_part_and_a_tenth_of_the_largest_part_is_one() -> None:
    whole, large = area(0, 0, 20, 20), area(0, 0, 15, 20)
    least = area(17, 0, 20, 10)
    assert least.sum() == LEAST_SHARE * large.sum()
    speck = least & ~area(17, 0, 18, 1)
    assert over(objects(whole), detections(large, least)) == {0: [0, 1]}
    assert over(objects(whole), detections(large, speck)) == NOTHING
    assert under(objects(large, least), detections(whole)) == {0: [0, 1]}
    assert under(objects(large, speck), detections(whole)) == NOTHING
    # It is measured on the largest part, not on the whole.
    pieces = [area(x, y, x + 2, y + 10) for x in range(0, 20, 2) for y in (0, 10)]
    assert pieces[0].sum() < LEAST_SHARE * whole.sum()
    assert over(objects(whole), detections(*pieces)) == {0: list(range(20))}
    assert under(objects(*pieces), detections(whole)) == {0: list(range(20))}


def test_parts_cover_half_of_an_object_counted_once() -> None:
    whole = area(0, 0, 20, 10)
    first, second = area(0, 0, 5, 10), area(15, 0, 20, 10)
    assert (first | second).sum() == LEAST_COVERAGE * whole.sum()
    assert over(objects(whole), detections(first, second)) == {0: [0, 1]}
    assert over(objects(whole), detections(first, second & ~area(19, 9, 20, 10))) == NOTHING
    # 50 and 60 pixels, of which 10 are the same.
    overlapping = area(4, 0, 10, 10)
    assert over(objects(whole), detections(first, overlapping)) == {0: [0, 1]}
    assert over(objects(whole), detections(first, overlapping & ~area(9, 9, 10, 10))) == NOTHING
    # What of a part lies outside the object covers nothing of it.
    spilling = area(15, 0, 20, 12) & ~area(15, 0, 16, 2)
    assert over(objects(whole), detections(first, spilling)) == NOTHING


def test_of_a_merging_mask_half_may_lie_outside_what_it_merges() -> None:
    mask = area(0, 0, 20, 10)
    first, second = area(0, 0, 5, 10), area(15, 0, 20, 10)
    assert (mask & ~first & ~second).sum() == MOST_OUTSIDE * mask.sum()
    assert under(objects(first, second), detections(mask)) == {0: [0, 1]}
    assert under(objects(first, second), detections(mask | area(0, 10, 1, 11))) == NOTHING
    # Pixels in both count once; those of the object outside the mask do not count.
    assert under(objects(first, area(4, 0, 10, 10)), detections(mask)) == {0: [0, 1]}
    assert under(objects(first, area(4, 0, 10, 9)), detections(mask)) == NOTHING
    assert under(objects(first, area(15, 0, 20, 12) & ~area(15, 0, 16, 2)), detections(mask)) == NOTHING


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
    beside = area(14, 4, 18, 7)
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


def test_a_merge_of_objects_that_were_all_found_as_surely_is_none() -> None:
    truth = objects(LEFT, RIGHT)
    assert under(truth, detections(LEFT, RIGHT, BOTH)) == NOTHING
    assert under(truth, detections(BOTH, LEFT, RIGHT, scores=(0.5, 0.5, 0.5))) == NOTHING
    assert under(truth, detections(LEFT, RIGHT, BOTH, scores=(0.9, 0.5, 0.51))) == {2: [0, 1]}
    # By a mask of half of it, by none of less and by none of another class.
    half = area(8, 2, 11, 10)
    assert half.sum() == FOUND_IOU * RIGHT.sum()
    assert under(truth, detections(LEFT, half, BOTH)) == NOTHING
    assert under(truth, detections(LEFT, half & ~area(8, 2, 9, 3), BOTH)) == {2: [0, 1]}
    assert under(truth, detections(LEFT, RIGHT, BOTH, classes=(0, 1, 0))) == {2: [0, 1]}


def test_another_merge_finds_nothing_singly() -> None:
    # Each has an IoU of 0.5 with either object, or of two thirds with the larger one.
    assert under(objects(LEFT, RIGHT), detections(BOTH, BOTH)) == {0: [0, 1], 1: [0, 1]}
    third = area(14, 2, 17, 10)
    truth = objects(RIGHT, third, LEFT)
    found = detections(RIGHT | third, LEFT, BOTH)
    assert Overlaps.between(found.masks, truth.masks).iou[0, 0] == 2 / 3
    assert under(truth, found) == {0: [0, 1], 2: [0, 2]}
    # One that is taken for a merge of nothing finds what it finds.
    speck = area(14, 2, 15, 4)
    assert under(objects(LEFT, RIGHT, speck), detections(LEFT, RIGHT | speck, BOTH)) == NOTHING


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


def random_scene(rng: np.random.Generator) -> tuple[MaskedObjects, MaskedDetections]:
    """Objects that touch, overlap and lie in one another, in three classes; and what might be found of them: fragments,
    halves, specks, duplicates, whole masks with and without a rim, merges and huge masks, empty ones, of few scores."""

    def somewhere() -> Mask:
        width, height = rng.integers(2, 14, 2).tolist()
        x, y = int(rng.integers(0, COLUMNS - width + 1)), int(rng.integers(0, ROWS - height + 1))
        return area(x, y, x + width, y + height)

    def within(mask: Mask, share: float) -> Mask:
        """A piece of its columns or rows."""
        axis = int(rng.integers(0, 2))
        lines = np.unique(np.argwhere(mask)[:, axis])
        size = max(1, round(share * len(lines)))
        start = int(rng.integers(0, len(lines) - size + 1))
        kept = np.isin(np.arange(mask.shape[axis]), lines[start : start + size])
        return np.asarray(mask & (kept[:, np.newaxis] if axis == 0 else kept))

    def grown(mask: Mask) -> Mask:
        return np.asarray(mask | np.roll(mask, 1, 0) | np.roll(mask, 1, 1))

    def beside(mask: Mask) -> Mask:
        """Of the same size, where it ends."""
        width = int(np.ptp(np.argwhere(mask)[:, 1])) + 1
        return np.roll(mask, width, 1)

    truth: list[Mask] = []
    for _ in range(int(rng.integers(0, 6))):
        known = truth[-1] if truth else somewhere()
        new = somewhere(), beside(known), within(known, 0.5), within(within(known, 0.3), 0.3)
        truth.append(new[int(rng.choice(4, p=(0.4, 0.35, 0.15, 0.1)))])
    found: list[Mask] = []
    for mask in truth:
        half = within(mask, 0.5)
        rest, speck = mask & ~half, within(within(mask, 0.1), 0.1)
        other = truth[int(rng.integers(0, len(truth)))]
        choices: list[list[Mask]] = [
            [],
            [mask],
            [mask, within(mask, 0.95)],
            [mask, speck],
            [half, rest],
            [half, rest, mask],
            [half, rest, grown(mask)],
            [within(mask, 0.75), within(mask, 0.3), within(mask, 0.3)],
            [within(mask, 0.7), speck, within(within(mask, 0.2), 0.1)],
            [within(mask, 0.3), within(mask, 0.25), speck],
            [within(mask, 0.2), within(mask, 0.2)],
            [mask | other],
            [mask | other, mask, other],
            [mask | other, within(mask, 0.6), grown(other)],
            [mask | other, grown(mask | other)],
            [mask, np.ones((ROWS, COLUMNS), bool)],
        ]
        found += choices[int(rng.integers(0, len(choices)))]
    found += [somewhere() for _ in range(int(rng.integers(0, 2)))]
    if rng.random() < 0.2:
        found.append(area(0, 0, 0, 0))
        truth.append(area(0, 0, 0, 0))
    labels, claimed = (rng.choice(3, len(each), p=(0.8, 0.15, 0.05)).tolist() for each in (truth, found))
    scores = (rng.integers(5, 11, len(found)) / 10).tolist()
    rows = rng.permutation(len(found)).tolist()
    return objects(*truth, classes=labels), detections(*(found[row] for row in rows), classes=claimed, scores=scores)


SCENES = [random_scene(np.random.default_rng(seed)) for seed in range(300)]
SCENES += [random_image(np.random.default_rng(seed)) for seed in range(50)]


@pytest.fixture(scope="module")
def read_anew() -> list[tuple[plain.Parts, plain.Parts]]:
    """What the definition says of each scene."""
    return [by_the_definition(truth, found, plain.PAGE) for truth, found in SCENES]


def by_the_definition(
    truth: MaskedObjects, found: MaskedDetections, by: plain.Thresholds
) -> tuple[plain.Parts, plain.Parts]:
    pair = plain.things(truth), plain.things(found)
    return plain.over(*pair, by), plain.under(*pair, by)


def test_the_definition_read_anew_says_the_same_of_random_scenes(
    read_anew: list[tuple[plain.Parts, plain.Parts]],
) -> None:
    for (truth, found), expected in zip(SCENES, read_anew, strict=True):
        assert (over(truth, found), under(truth, found)) == expected
    splits, merges = (sum(map(len, parts)) for parts in zip(*read_anew, strict=True))
    assert min(splits, merges) > 50
    assert sum(not len(found) for _, found in SCENES) > 5
    assert sum(not len(truth) for truth, _ in SCENES) > 5


@pytest.mark.parametrize(
    ("given", "decides"),
    [
        ({"containment": 0.6}, (True, True)),
        ({"apart": 0.5}, (True, True)),
        ({"least_share": 0.0}, (True, True)),
        ({"least_coverage": 0.0}, (True, False)),
        ({"most_outside": 1.0}, (False, True)),
        ({"found_iou": 2.0}, (True, True)),
    ],
)
def test_each_threshold_decides_of_some_of_them_and_can_be_another(
    read_anew: list[tuple[plain.Parts, plain.Parts]], given: dict[str, float], decides: tuple[bool, bool]
) -> None:
    by = replace(plain.PAGE, **given)
    of_over = {name: value for name, value in asdict(by).items() if name != "most_outside"}
    of_under = {name: value for name, value in asdict(by).items() if name != "least_coverage"}
    differs = [0, 0]
    for (truth, found), usual in zip(SCENES, read_anew, strict=True):
        expected = by_the_definition(truth, found, by)
        assert said(over_segmented(truth, found, **of_over)) == expected[0]
        assert said(under_segmented(truth, found, **of_under)) == expected[1]
        differs = [count + (one != other) for count, one, other in zip(differs, expected, usual, strict=True)]
    assert tuple(count >= 3 for count in differs) == decides, differs


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
