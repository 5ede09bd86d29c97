from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.metrics import detection_scores
from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from tasks.segmentation.metrics import SCORES, best_mask_ious, segmentation_scores, segmented
from tests.tasks.conftest import MetricTester
from tests.tasks.segmentation import plain_over_under as plain
from tests.tasks.segmentation.conftest import (
    RULES,
    Arrays,
    area,
    arrays,
    coco_evaluation,
    detections,
    objects,
    random_crowds,
    random_image,
)

SMALL_SHARE = 0.05
"""38 pixels of the 768."""
LEFT, RIGHT = area(2, 2, 8, 10), area(8, 2, 14, 10)
BOTH = LEFT | RIGHT


def scores(truth: MaskedObjects, found: MaskedDetections, crowds: MaskedObjects | None = None) -> dict[str, float]:
    values = segmentation_scores(*arrays((truth, found), crowds=[crowds or objects()]), RULES, SMALL_SHARE)
    assert list(values) == list(SCORES)
    return {name: float(value[0]) for name, value in values.items()}


def test_two_objects_found_as_one_by_hand() -> None:
    small = area(14, 2, 16, 8)
    found = scores(objects(LEFT, RIGHT, small), detections(BOTH | small, scores=(0.8,)))
    assert found["under_segmented"] == found["under_segmenting_detections"] == 1
    assert found["under_segmentation_parts"] == 3
    assert found["under_segmentation_small_objects"] == 1
    assert found["over_segmented"] == found["over_segmented_objects"] == 0
    assert found["over_segmentation_parts"] == found["over_segmentation_confidence"] == 0
    assert (found["mask_precision"], found["mask_recall"], found["mask_mean_iou"]) == (0, 0, 0)
    assert (found["mask_false_positives"], found["mask_false_negatives"]) == (1, 3)


def test_one_object_found_as_two_by_hand() -> None:
    far = area(20, 12, 30, 22)
    found = scores(objects(BOTH, far), detections(LEFT, far, RIGHT, scores=(0.5, 0.9, 0.8)))
    assert found["over_segmented"] == found["over_segmented_objects"] == 1
    assert found["over_segmentation_parts"] == 2
    assert found["over_segmentation_confidence"] == pytest.approx(0.65), "of the two parts alone"
    assert found["under_segmented"] == found["under_segmentation_parts"] == 0
    # Half of an object is just enough to find it, and the other half finds it again.
    assert found["mask_recall"] == 1
    assert found["mask_mean_iou"] == pytest.approx(0.75)
    assert found["mask_duplicates"] == 1


def test_a_duplicate_is_a_false_positive_and_splits_nothing() -> None:
    found = scores(objects(LEFT), detections(LEFT, area(2, 2, 8, 9)))
    assert (found["mask_duplicates"], found["mask_false_positives"], found["mask_precision"]) == (1, 1, 0.5)
    assert found["over_segmented"] == 0
    # What lies elsewhere, or is of another class, is wrong but no duplicate.
    other = scores(objects(LEFT), detections(LEFT, RIGHT, area(2, 3, 8, 10), classes=(0, 0, 1)))
    assert (other["mask_duplicates"], other["mask_false_positives"]) == (0, 2)


def test_what_lies_in_a_crowd_is_no_claim_no_duplicate_no_part_and_no_whole() -> None:
    far = area(20, 12, 30, 22)
    # Of three objects two are found, one of them twice, and once together with its neighbour: all in a crowd.
    truth = objects(LEFT, RIGHT, far)
    found = detections(LEFT, far, area(2, 2, 8, 9), BOTH, scores=(0.9, 0.8, 0.7, 0.6))
    alone, in_crowd = scores(truth, found), scores(truth, found, objects(area(0, 0, 16, 11)))
    assert (alone["mask_false_positives"], alone["mask_duplicates"]) == (1, 1)
    assert (alone["mask_precision"], alone["mask_recall"]) == (0.75, 1), "the merged mask is just half of the right one"
    # What takes an object is no less right for lying in a crowd.
    assert (in_crowd["mask_precision"], in_crowd["mask_recall"]) == (1, 1)
    assert (in_crowd["mask_false_positives"], in_crowd["mask_duplicates"]) == (0, 0)


def test_fragments_and_merges_in_a_crowd_divide_nothing() -> None:
    thirds = [area(2, 2, 6, 10), area(6, 2, 10, 10), area(10, 2, 14, 10)]
    crowd = objects(area(0, 0, 16, 11))
    fragments = scores(objects(BOTH), detections(*thirds)), scores(objects(BOTH), detections(*thirds), crowd)
    assert [each["over_segmented_objects"] for each in fragments] == [1, 0]
    merges = scores(objects(*thirds), detections(BOTH)), scores(objects(*thirds), detections(BOTH), crowd)
    assert [each["under_segmenting_detections"] for each in merges] == [1, 0]
    assert [each["mask_false_positives"] for each in (*fragments, *merges)] == [3, 0, 1, 0]
    assert [each["mask_false_negatives"] for each in (*fragments, *merges)] == [1, 1, 3, 3]
    # A crowd of totes excuses nothing.
    others = scores(objects(BOTH), detections(*thirds), objects(area(0, 0, 16, 11), classes=(1,)))
    assert (others["over_segmented_objects"], others["mask_false_positives"]) == (1, 3)


def test_a_crowd_alone_is_nothing_to_find() -> None:
    found = scores(objects(), detections(LEFT, RIGHT), objects(BOTH))
    assert (found["mask_precision"], found["mask_recall"], found["mask_f1"], found["mask_mean_iou"]) == (1, 1, 1, 1)
    assert (found["mask_false_positives"], found["mask_false_negatives"]) == (0, 0)


def test_what_is_ignored_is_what_pycocotools_ignores() -> None:
    rng = np.random.default_rng(70)
    images = []
    for _ in range(200):
        truth, found = random_image(rng)
        # No two of one confidence: which of them comes first is for the rows of the output to say.
        confidences = rng.permutation(np.linspace(0.3, 0.9, len(found)))
        images.append((truth, MaskedDetections(found.edges, found.classes, confidences, found.masks)))
    crowds = [random_crowds(np.random.default_rng((71, number)), image) for number, image in enumerate(images)]
    evaluation = coco_evaluation(images, 2, crowds)
    ignored = 0
    samples = segmented(*arrays(*images, crowds=crowds), RULES)
    for entry in evaluation.evalImgs:
        if entry is None or entry["aRng"] != evaluation.params.areaRng[0]:
            continue
        sample = samples[entry["image_id"] - 1]
        of_class = sample.detections.classes == entry["category_id"]
        is_matched, is_ignored = entry["dtMatches"][0] > 0, entry["dtIgnore"][0]
        np.testing.assert_allclose(sample.detections.scores[of_class], entry["dtScores"], atol=1e-6)
        np.testing.assert_array_equal(sample.matching.is_ignored[of_class], is_ignored)
        np.testing.assert_array_equal(sample.matching.is_true_positive[of_class], is_matched & ~is_ignored)
        ignored += is_ignored.sum()
    assert ignored > 100


def test_a_right_box_around_a_wrong_mask_finds_nothing() -> None:
    frame = BOTH & ~area(3, 3, 13, 9)
    truth, found = objects(BOTH), detections(frame)
    assert scores(truth, found)["mask_recall"] == 0
    batch = arrays((truth, found))
    assert detection_scores(batch.ground_truth, batch.prediction, RULES)["recall"][0] == 1


def test_an_image_without_anything_is_perfect_and_nothing_in_it_is_split_or_merged() -> None:
    nothing = scores(objects(), detections())
    perfect = {"mask_precision", "mask_recall", "mask_f1", "mask_mean_iou"}
    assert nothing == {name: float(name in perfect) for name in SCORES}
    alarm, miss = scores(objects(), detections(LEFT, RIGHT)), scores(objects(LEFT, RIGHT), detections())
    assert (alarm["mask_precision"], alarm["mask_recall"], alarm["mask_false_positives"]) == (0, 1, 2)
    assert (miss["mask_precision"], miss["mask_recall"], miss["mask_false_negatives"]) == (1, 0, 2)
    for found in (alarm, miss):
        assert found["over_segmented"] == found["under_segmented"] == 0


def test_every_image_of_a_batch_counts_the_last_one_too() -> None:
    merged, right = (objects(LEFT, RIGHT), detections(BOTH)), (objects(LEFT, RIGHT), detections(LEFT, RIGHT))
    values = segmentation_scores(*arrays(right, (objects(), detections()), merged), RULES, SMALL_SHARE)
    assert values["under_segmented"].tolist() == [0, 0, 1]
    # Both are just half of what was found.
    assert values["mask_recall"].tolist() == [1, 1, 0.5]


@pytest.fixture(scope="module")
def batch() -> Arrays:
    images = [random_image(np.random.default_rng(seed)) for seed in range(24)]
    # Every other image has none.
    crowds = [
        random_crowds(np.random.default_rng((72, seed)), image) if seed % 2 else objects()
        for seed, image in enumerate(images)
    ]
    return arrays(*images, crowds=crowds)


def test_all_scores_by_their_definitions(batch: Arrays, metric_tester: MetricTester) -> None:
    def handler(*arguments: NDArray[Any]) -> NDArray[Any]:
        return np.stack(list(segmentation_scores(*Arrays(*arguments), RULES, SMALL_SHARE).values()), axis=1)

    def reference(*arguments: NDArray[Any]) -> list[list[float]]:
        samples = [one_by_one(*sample) for sample in zip(*arguments, strict=True)]
        return [[sample[name] for name in SCORES] for sample in samples]

    assert (np.ptp(handler(*batch), axis=0) > 0).all(), "each score takes several values here"
    metric_tester(handler, reference, *batch, tolerance=1e-3)


def one_by_one(
    rows: NDArray[Any], true_masks: NDArray[Any], prediction: NDArray[Any], prototypes: NDArray[Any]
) -> dict[str, float]:
    """All scores of one sample, pair after pair; nothing is suppressed here, nor cut at its box."""
    truth = [(int(row[0]), mask > 0.5) for row, mask in zip(rows, true_masks, strict=True) if row[0] >= 0]
    found = []
    for row in prediction:
        label = int(row[5:7].argmax())
        if row[4] * row[5 + label] >= RULES.decoding.least_score:
            found.append((label, np.tensordot(row[7:], prototypes, 1) > 0, float(row[4] * row[5 + label])))
    crowds = [(int(-2 - row[0]), mask > 0.5) for row, mask in zip(rows, true_masks, strict=True) if row[0] < -1]
    owner = object_of_each(truth, found)
    # What takes no object, and lies in a crowd, might as well not have been said.
    judged = [
        (label, mask, score)
        for number, (label, mask, score) in enumerate(found)
        if number in owner
        or not any(of == label and (mask & crowd).sum() >= RULES.matching_iou * mask.sum() for of, crowd in crowds)
    ]
    return found_scores(truth, judged)


Known = list[tuple[int, NDArray[np.bool_]]]
Claimed = list[tuple[int, NDArray[np.bool_], float]]


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def object_of_each(truth: Known, found: Claimed) -> dict[int, int]:
    """Of each detection that takes one, its object."""
    owner: dict[int, int] = {}
    for number in sorted(range(len(found)), key=lambda number: -found[number][2]):
        label, mask, _ = found[number]
        open_ones = [
            (iou(mask, other), row)
            for row, (true_label, other) in enumerate(truth)
            if true_label == label and row not in owner.values() and iou(mask, other) >= RULES.matching_iou
        ]
        if open_ones:
            owner[number] = max(open_ones)[1]
    return owner


def found_scores(truth: Known, found: Claimed) -> dict[str, float]:
    owner = object_of_each(truth, found)
    hits = len(owner)
    again = [
        number
        for number, (label, mask, _) in enumerate(found)
        if number not in owner
        and any(truth[row][0] == label and iou(mask, truth[row][1]) >= RULES.matching_iou for row in owner.values())
    ]

    things = [plain.Thing(mask, label) for label, mask in truth]
    claims = [plain.Thing(mask, label, score) for label, mask, score in found]
    splits, merges = (list(by_definition(things, claims).values()) for by_definition in (plain.over, plain.under))
    nothing = not truth and not found
    merged = {row for rows in merges for row in rows}
    return {
        "mask_precision": hits / len(found) if found else 1.0,
        "mask_recall": hits / len(truth) if truth else 1.0,
        "mask_f1": 1.0 if nothing else 2 * hits / (len(found) + len(truth)),
        "mask_mean_iou": float(np.mean([iou(found[one][1], truth[other][1]) for one, other in owner.items()]))
        if hits
        else float(nothing),
        "mask_false_positives": len(found) - hits,
        "mask_false_negatives": len(truth) - hits,
        "mask_duplicates": len(again),
        "over_segmented": float(bool(splits)),
        "over_segmented_objects": len(splits),
        "over_segmentation_parts": float(np.mean([len(rows) for rows in splits])) if splits else 0.0,
        "over_segmentation_confidence": float(np.mean([found[row][2] for rows in splits for row in rows]))
        if splits
        else 0.0,
        "under_segmented": float(bool(merges)),
        "under_segmenting_detections": len(merges),
        "under_segmentation_parts": float(np.mean([len(rows) for rows in merges])) if merges else 0.0,
        "under_segmentation_small_objects": sum(truth[row][1].sum() < SMALL_SHARE * 768 for row in merged),
    }


def test_an_object_is_as_good_as_its_best_detection() -> None:
    truth = objects(LEFT, area(20, 12, 30, 22), RIGHT)
    # Half of the first twice as well as the whole of it and its neighbour; the second by nothing but another class.
    found = detections(area(2, 2, 8, 8), BOTH, area(20, 12, 30, 22), classes=(0, 0, 1))
    best = best_mask_ious(*arrays((truth, found)), RULES)
    assert list(best) == [0, 1, 2]
    assert [value.tolist() for value in best.values()] == [[0.75], [0], [0.5]]
    assert all(value.dtype == np.float32 for value in best.values())


def test_samples_with_fewer_objects_have_no_value_for_the_others() -> None:
    first, second = (objects(LEFT), detections(LEFT)), (objects(RIGHT, LEFT), detections(LEFT))
    best = best_mask_ious(*arrays(first, second, (objects(), detections())), RULES)
    np.testing.assert_array_equal(best[0], [1, 0, np.nan])
    np.testing.assert_array_equal(best[1], [np.nan, 1, np.nan])
    assert best_mask_ious(*arrays((objects(), detections(LEFT))), RULES) == {}
    assert best_mask_ious(*arrays((objects(LEFT), detections())), RULES)[0].tolist() == [0]


def test_a_crowd_is_no_instance_and_takes_no_detection_from_one() -> None:
    truth, found = objects(RIGHT, LEFT), detections(BOTH)
    best = best_mask_ious(*arrays((truth, found), crowds=[objects(BOTH)]), RULES)
    assert {number: value.tolist() for number, value in best.items()} == {0: [0.5], 1: [0.5]}


def test_instances_of_a_batch_are_those_one_by_one(batch: Arrays, crop: Callable[[int], Arrays]) -> None:
    best = best_mask_ious(*batch, RULES)
    for number in range(len(batch.ground_truth)):
        for row, value in best_mask_ious(*crop(number), RULES).items():
            assert best[row][number] == value[0]


@pytest.fixture
def crop(batch: Arrays) -> Callable[[int], Arrays]:
    """`crop(number)`: one sample of the batch as a batch of one."""
    return lambda number: Arrays(*(each[number : number + 1] for each in batch))
