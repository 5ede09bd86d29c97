from collections.abc import Callable

import numpy as np
import pytest

from tasks.detection.matching import UNMATCHED, match
from tests.tasks.detection.conftest import Image, coco_evaluation, detections, objects

THRESHOLDS = (0.3, 0.5, 0.75)


@pytest.mark.parametrize("seed", range(4))
def test_predictions_are_matched_as_by_pycocotools(seed: int, crowded: Callable[[int], list[Image]]) -> None:
    images = crowded(seed)
    evaluation = coco_evaluation(images, 3, THRESHOLDS)
    of_all_sizes = evaluation.params.areaRng[0]
    compared = 0
    for entry in evaluation.evalImgs:
        if entry is None or entry["aRng"] != of_all_sizes:
            continue
        truth, predicted = images[entry["image_id"] - 1]
        chosen = predicted[predicted.classes == entry["category_id"]]
        chosen = chosen[chosen.by_score()]
        np.testing.assert_allclose(chosen.scores, entry["dtScores"])
        for row, threshold in enumerate(THRESHOLDS):
            # All classes at once: they must not disturb each other.
            found = match(truth, predicted, threshold)
            of_class = predicted.classes[predicted.by_score()] == entry["category_id"]
            hits = found.is_true_positive[predicted.by_score()][of_class]
            np.testing.assert_array_equal(hits, entry["dtMatches"][row] > 0)
            assert found.is_found[truth.classes == entry["category_id"]].sum() == (entry["gtMatches"][row] > 0).sum()
            compared += len(hits)
    assert compared > 200


def test_a_prediction_of_the_wrong_class_finds_nothing() -> None:
    found = match(objects((0, 0, 10, 10, 1)), detections((0, 0, 10, 10, 2, 0.9)), 0.5)
    assert found.object_of.tolist() == [UNMATCHED]
    assert found.prediction_of.tolist() == [UNMATCHED]
    assert found.ious.tolist() == [0]


def test_an_object_is_found_once_and_its_duplicates_are_false_alarms() -> None:
    box = (0, 0, 10, 10)
    found = match(objects((*box, 0)), detections((*box, 0, 0.5), (0, 0, 10, 9, 0, 0.9), (*box, 0, 0.4)), 0.5)
    assert found.object_of.tolist() == [UNMATCHED, 0, UNMATCHED], "the most confident one, not the closest"
    assert found.prediction_of.tolist() == [1]
    assert found.ious.tolist() == pytest.approx([0, 0.9, 0])


def test_where_the_best_object_is_taken_the_second_best_is_tried() -> None:
    truth = objects((0, 0, 10, 10, 0), (2, 0, 12, 10, 0))
    # Both predictions overlap the first object most.
    found = match(truth, detections((0, 0, 10, 10, 0, 0.9), (0.5, 0, 10.5, 10, 0, 0.8)), 0.5)
    assert found.object_of.tolist() == [0, 1]
    assert found.is_found.all()


def test_an_image_without_objects_has_false_alarms_and_one_without_predictions_misses() -> None:
    alarms = match(objects(), detections((0, 0, 1, 1, 0, 0.9), (0, 0, 2, 2, 1, 0.8)), 0.5)
    assert alarms.is_true_positive.tolist() == [False, False]
    misses = match(objects((0, 0, 1, 1, 0)), detections(), 0.5)
    assert misses.is_found.tolist() == [False]
    nothing = match(objects(), detections(), 0.5)
    assert (len(nothing.object_of), len(nothing.prediction_of)) == (0, 0)


def test_just_the_threshold_is_a_match_and_a_threshold_of_nothing_needs_an_overlap() -> None:
    half = detections((0, 0, 10, 5, 0, 0.9))
    assert match(objects((0, 0, 10, 10, 0)), half, 0.5).is_true_positive.all()
    assert not match(objects((0, 0, 10, 10, 0)), half, 0.51).is_true_positive.any()
    assert not match(objects((50, 50, 60, 60, 0)), half, 0.0).is_true_positive.any()
