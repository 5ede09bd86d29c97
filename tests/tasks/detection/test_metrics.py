from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.decode import Decoding
from tasks.detection.metrics import SCORES, Rules, class_counts, detection_scores, highest_confidence
from tests.tasks.detection.conftest import Image, coco_evaluation, evaluated, random_crowds
from tests.tasks.detection.on_a_street import (
    CAR,
    CYCLIST,
    LABELS,
    PEDESTRIAN,
    RULES,
    of_crowd,
    prediction,
    truth,
    within,
)

A, B, C = (10, 10, 40, 22), (50, 10, 90, 22), (10, 40, 20, 58)
CROWD = Rules(LABELS, Decoding(0.01, 1.0, 1000), 0.5, 100, 100)


def scores(ground_truth: NDArray[Any], predicted: NDArray[Any], rules: Rules = RULES) -> dict[str, float]:
    return {name: float(value[0]) for name, value in detection_scores(ground_truth, predicted, rules).items()}


def test_one_found_one_missed_and_one_false_alarm_worked_by_hand() -> None:
    found = scores(
        truth((*A, CAR), (*C, PEDESTRIAN)), prediction((10, 10, 40, 20, CAR, 0.9), (60, 40, 90, 58, CAR, 0.5))
    )
    assert found == pytest.approx(
        {
            "precision": 1 / 2,
            "recall": 1 / 2,
            "f1": 1 / 2,
            "mean_iou": 10 / 12,
            "false_positives": 1,
            "false_negatives": 1,
        }
    )


def test_a_box_of_the_wrong_class_finds_nothing() -> None:
    found = scores(truth((*A, CAR)), prediction((*A, PEDESTRIAN, 0.9)))
    assert (found["recall"], found["false_positives"], found["false_negatives"]) == (0, 1, 1)


def test_a_second_box_on_a_found_object_is_a_false_alarm() -> None:
    # They overlap by less than what suppression takes for the same.
    found = scores(truth((*A, CAR)), prediction((10, 10, 40, 22, CAR, 0.9), (10, 10, 40, 18, CAR, 0.8)))
    assert (found["precision"], found["recall"], found["false_positives"]) == (0.5, 1, 1)


def test_where_the_best_object_is_taken_the_second_best_is_tried() -> None:
    # Both boxes overlap the left object most; the second one also overlaps the right one enough.
    ground_truth = truth((0, 0, 40, 20, CAR), (10, 0, 50, 20, CAR))
    found = scores(
        ground_truth,
        prediction((0, 0, 40, 20, CAR, 0.9), (4, 0, 44, 20, CAR, 0.8)),
        RULES._replace(decoding=Decoding(0.25, 0.9, 100)),
    )
    assert (found["recall"], found["false_positives"]) == (1, 0)


def test_what_is_detected_in_a_crowd_was_not_claimed_worked_by_hand() -> None:
    ground_truth = truth((*A, CAR), crowds=[(50, 0, 100, 60, CAR)])
    predicted = prediction(
        (10, 10, 40, 20, CAR, 0.9), (60, 10, 80, 20, CAR, 0.8), (60, 40, 90, 58, CAR, 0.7), (0, 40, 20, 58, CAR, 0.6)
    )
    assert scores(ground_truth, predicted) == pytest.approx(
        {
            "precision": 1 / 2,
            "recall": 1,
            "f1": 2 / 3,
            "mean_iou": 10 / 12,
            "false_positives": 1,
            "false_negatives": 0,
        }
    )
    assert scores(truth((*A, CAR)), predicted)["false_positives"] == 3


def test_a_crowd_is_nothing_to_find_and_what_is_detected_in_it_alone_is_perfect() -> None:
    perfect = {"precision": 1, "recall": 1, "f1": 1, "mean_iou": 1, "false_positives": 0, "false_negatives": 0}
    crowd = truth(crowds=[(0, 0, 100, 60, CAR)])
    assert scores(crowd, prediction()) == perfect
    assert scores(crowd, prediction((*A, CAR, 0.9), (*C, CAR, 0.8))) == perfect
    assert scores(crowd, prediction((*A, PEDESTRIAN, 0.9)))["false_positives"] == 1


def test_false_alarms_on_an_image_without_objects_count() -> None:
    found = scores(truth(), prediction((*A, CAR, 0.9), (*C, CYCLIST, 0.5)))
    assert found == {
        "precision": 0,
        "recall": 1,
        "f1": 0,
        "mean_iou": 0,
        "false_positives": 2,
        "false_negatives": 0,
    }


def test_nothing_to_find_and_nothing_claimed_is_perfect() -> None:
    found = scores(truth(), prediction())
    assert [found[name] for name in ("precision", "recall", "f1", "mean_iou")] == [1, 1, 1, 1]
    assert [found[name] for name in ("false_positives", "false_negatives")] == [0, 0]


def test_objects_of_which_none_was_claimed_are_missed() -> None:
    found = scores(truth((*A, CAR), (*B, CAR)), prediction())
    assert (found["precision"], found["recall"], found["f1"], found["mean_iou"]) == (1, 0, 0, 0)
    assert found["false_negatives"] == 2


def test_an_overlap_below_the_threshold_of_matching_finds_nothing_whatever_that_of_suppression() -> None:
    shifted = prediction((30, 10, 60, 22, CAR, 0.9))  # a third of A, a fifth of the union
    assert scores(truth((*A, CAR)), shifted)["recall"] == 0
    assert scores(truth((*A, CAR)), shifted, RULES._replace(matching_iou=0.2))["recall"] == 1


def test_the_mean_iou_is_of_matches_not_of_all_pairs() -> None:
    found = scores(truth((*A, CAR), (*B, CAR), (*C, CAR)), prediction((*A, CAR, 0.9), (*B, CAR, 0.9), (*C, CAR, 0.9)))
    assert found["mean_iou"] == pytest.approx(1, abs=1e-5)


def test_width_and_height_are_not_mixed_up() -> None:
    flat, upright = (10, 10, 60, 20), (30, 5, 40, 55)
    assert scores(truth((*flat, CAR)), prediction((*upright, CAR, 0.9)))["recall"] == 0
    assert scores(truth((*flat, CAR)), prediction((*flat, CAR, 0.9)))["mean_iou"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.75])
def test_hits_are_those_of_pycocotools(threshold: float, crowded: Callable[[int], list[Image]]) -> None:
    images = [within(100, image) for image in crowded(5)]
    crowds = [random_crowds(np.random.default_rng((31, number)), image) for number, image in enumerate(images)]
    found = detection_scores(*of_crowd(images, crowds), CROWD._replace(matching_iou=threshold))
    entries = evaluated(coco_evaluation(images, 3, [threshold], crowds))
    for number, (objects, detections) in enumerate(images, start=1):
        of_image = [entry for entry in entries if entry["image_id"] == number]
        ignored = sum(int(entry["dtIgnore"][0].sum()) for entry in of_image)
        hits = sum(int(((entry["dtMatches"][0] > 0) & ~entry["dtIgnore"][0]).sum()) for entry in of_image)
        assert found["false_positives"][number - 1] == len(detections) - ignored - hits
        assert found["false_negatives"][number - 1] == len(objects) - hits
        claimed = len(detections) - ignored
        assert found["precision"][number - 1] == pytest.approx(hits / claimed if claimed else 1)
    assert sum(entry["dtIgnore"].sum() for entry in entries) > 10


def test_detections_are_counted_by_class() -> None:
    counts = class_counts(prediction((*A, CAR, 0.9), (*B, CAR, 0.9), (*C, CYCLIST, 0.3), (*C, PEDESTRIAN, 0.2)), RULES)
    assert {label: value.tolist() for label, value in counts.items()} == {
        "car": [2.0],
        "pedestrian": [0.0],
        "cyclist": [1.0],
    }
    assert [value.tolist() for value in class_counts(prediction(), RULES).values()] == [[0.0]] * 3


def test_the_confidence_is_that_of_the_surest_detection_and_0_without_one() -> None:
    predicted = np.concatenate(
        [prediction((*A, CAR, 0.5), (*B, CAR, 0.75)), prediction((*A, CAR, 0.125)), prediction()]
    )
    assert highest_confidence(predicted, RULES).tolist() == [0.75, 0, 0]


@pytest.mark.parametrize("name", SCORES)
def test_batches_and_float16(metric_tester: Any, name: str, crowded: Callable[[int], list[Image]]) -> None:
    def handler(ground_truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[Any]:
        return detection_scores(ground_truth, predicted, CROWD)[name]

    images = crowded(6)[:8]
    crowds = [random_crowds(np.random.default_rng((32, number)), image) for number, image in enumerate(images)]
    ground_truth, predicted = (array.astype(np.float16).astype(np.float32) for array in of_crowd(images, crowds))
    assert (ground_truth[..., 0] < -1).sum() > 4
    metric_tester(
        handler,
        lambda *both: handler(*(each.astype(np.float64) for each in both)),
        ground_truth,
        predicted,
        tolerance=1e-4,
    )


def in_float64(handler: Any) -> Any:
    return lambda *arguments: handler(*(argument.astype(np.float64) for argument in arguments))


def test_batches_and_float16_of_what_needs_no_ground_truth(
    metric_tester: Any, crowded: Callable[[int], list[Image]]
) -> None:
    def counts(predicted: NDArray[Any]) -> NDArray[Any]:
        return np.stack(list(class_counts(predicted, CROWD).values()), axis=1)

    def surest(predicted: NDArray[Any]) -> NDArray[Any]:
        return highest_confidence(predicted, CROWD)

    _, predicted = of_crowd(crowded(6)[:8])
    exact = predicted.astype(np.float16).astype(np.float32)
    for handler in (counts, surest):
        metric_tester(handler, in_float64(handler), exact)


def test_scores_follow_from_their_parts_and_from_the_matched_pairs_alone(
    crowded: Callable[[int], list[Image]],
) -> None:
    images = crowded(8)
    found = detection_scores(*of_crowd(images), CROWD)
    checked = 0
    for number, (objects, _) in enumerate(images):
        precision, recall, f1, mean_iou, false_alarms, misses = (float(found[name][number]) for name in SCORES)
        hits = len(objects) - misses
        if hits:
            assert precision == pytest.approx(hits / (hits + false_alarms))
            assert recall == pytest.approx(hits / len(objects))
            assert f1 == pytest.approx(2 * precision * recall / (precision + recall))
            assert CROWD.matching_iou <= mean_iou <= 1
            checked += 1
    assert checked > 10


def test_an_output_that_is_no_number_claims_nothing() -> None:
    ground_truth = np.concatenate([truth((*A, CAR)), truth((*A, CAR))])
    predicted = np.concatenate([np.full((1, 12, 8), np.nan, np.float32), prediction((*A, CAR, 0.9))])
    found = detection_scores(ground_truth, predicted, RULES)
    assert found["recall"].tolist() == [0, 1]
    assert found["precision"].tolist() == [1, 1]


def test_padding_between_the_objects_is_no_object() -> None:
    spread = truth((*A, CAR), (*B, CAR))[:, [2, 0, 3, 4, 1, 5]]
    assert scores(spread, prediction((*A, CAR, 0.9), (*B, CAR, 0.9)))["false_negatives"] == 0
    assert scores(spread, prediction())["false_negatives"] == 2
