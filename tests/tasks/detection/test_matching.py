from collections.abc import Callable

import numpy as np
import pytest

from tasks.detection.matching import UNMATCHED, crowd_shares, match
from tests.tasks.detection.conftest import (
    Image,
    coco_evaluation,
    detections,
    evaluated,
    objects,
    random_crowds,
)

THRESHOLDS = (0.3, 0.5, 0.75)


@pytest.mark.parametrize("seed", range(4))
def test_predictions_are_matched_as_by_pycocotools(seed: int, crowded: Callable[[int], list[Image]]) -> None:
    images = crowded(seed)
    compared = 0
    for entry in evaluated(coco_evaluation(images, 3, THRESHOLDS)):
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


def test_what_lies_in_crowds_is_ignored_as_by_pycocotools(crowded: Callable[[int], list[Image]]) -> None:
    images = [image for seed in range(10, 20) for image in crowded(seed)]
    crowds = [random_crowds(np.random.default_rng((30, number)), image) for number, image in enumerate(images)]
    assert len(images) == 250
    counted = np.zeros(3, int)
    for entry in evaluated(coco_evaluation(images, 3, THRESHOLDS, crowds)):
        truth, predicted = images[entry["image_id"] - 1]
        some = crowds[entry["image_id"] - 1]
        order = predicted.by_score()
        of_class = predicted.classes[order] == entry["category_id"]
        for row, threshold in enumerate(THRESHOLDS):
            # All classes at once: the crowds of one must not excuse what is found of another.
            found = match(truth, predicted, threshold, in_crowd=crowd_shares(some, predicted))
            hits, ignored, wrong = (
                flags[order][of_class] for flags in (found.is_true_positive, found.is_ignored, found.is_false_positive)
            )
            is_matched, is_ignored = entry["dtMatches"][row] > 0, entry["dtIgnore"][row]
            np.testing.assert_array_equal(hits, is_matched & ~is_ignored)
            np.testing.assert_array_equal(ignored, is_ignored)
            np.testing.assert_array_equal(wrong, ~is_matched)
            is_object = np.logical_not(entry["gtIgnore"])
            in_class = truth.classes == entry["category_id"]
            np.testing.assert_array_equal(found.is_found[in_class], entry["gtMatches"][row][is_object] > 0)
            counted += [hits.sum(), ignored.sum(), wrong.sum()]
    assert (counted > 400).all(), counted


def test_a_crowd_takes_any_number_but_an_object_comes_first() -> None:
    truth, crowd = objects((0, 0, 10, 10, 0)), objects((0, 0, 100, 100, 0))
    predicted = detections(
        (50, 50, 60, 60, 0, 0.9),
        (0, 0, 10, 9, 0, 0.8),
        (0, 0, 10, 10, 0, 0.7),  # the object was found: this one is of the crowd
        (70, 70, 80, 80, 0, 0.6),
    )
    found = match(truth, predicted, 0.5, in_crowd=crowd_shares(crowd, predicted))
    assert found.is_true_positive.tolist() == [False, True, False, False]
    assert found.is_ignored.tolist() == [True, False, True, True]
    assert not found.is_false_positive.any()
    assert found.ious.tolist() == pytest.approx([0, 0.9, 0, 0])
    assert found.prediction_of.tolist() == [1]


def test_it_is_the_share_of_the_prediction_that_lies_in_one_crowd_of_its_class() -> None:
    # Half of the first, all of the second and none of the third lie in crowds; two crowds do not add up.
    crowds = objects((0, 0, 15, 100, 0), (15, 0, 19, 100, 0), (0, 0, 100, 100, 1))
    predicted = detections((10, 0, 20, 10, 0, 0.9), (10, 0, 20, 10, 1, 0.8), (60, 0, 70, 10, 0, 0.7))
    shares = crowd_shares(crowds, predicted)
    assert shares.tolist() == [0.5, 1, 0]
    for threshold, expected in ((0.5, [True, True, False]), (0.51, [False, True, False])):
        assert match(objects(), predicted, threshold, in_crowd=shares).is_ignored.tolist() == expected
    # A threshold of 0 ignores nothing that lies outside.
    assert match(objects(), predicted, 0.0, in_crowd=shares).is_ignored.tolist() == [True, True, False]
    assert crowd_shares(objects(), predicted).tolist() == [0, 0, 0]
    assert crowd_shares(crowds, detections()).shape == (0,)


def test_without_crowds_nothing_is_ignored() -> None:
    found = match(objects((0, 0, 10, 10, 0)), detections((0, 0, 10, 10, 0, 0.9), (50, 0, 60, 10, 0, 0.5)), 0.5)
    assert found.is_ignored.tolist() == [False, False]
    assert found.is_false_positive.tolist() == [False, True]


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
