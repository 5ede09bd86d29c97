from collections import Counter
from collections.abc import Callable

import numpy as np
from code_loader.contract.datasetclasses import ConfusionMatrixElement
from code_loader.contract.enums import ConfusionMatrixValue

from tasks.detection.confusion import BACKGROUND, confusion_elements
from tasks.detection.decode import Decoding
from tasks.detection.metrics import Rules, detection_scores
from tests.tasks.detection.conftest import Image, random_crowds
from tests.tasks.detection.on_a_street import CAR, CYCLIST, LABELS, PEDESTRIAN, RULES, of_crowd, prediction, truth

A, B, C = (10, 10, 40, 22), (50, 10, 90, 22), (10, 40, 20, 58)
YES, NO = ConfusionMatrixValue.Positive, ConfusionMatrixValue.Negative


def told(elements: list[ConfusionMatrixElement]) -> list[tuple[str, ConfusionMatrixValue, float]]:
    return [(one.label, one.expected_outcome, round(one.predicted_probability, 4)) for one in elements]


def test_an_object_that_is_found_was_expected_with_the_confidence_of_its_detection() -> None:
    (elements,) = confusion_elements(truth((*A, CAR)), prediction((*A, CAR, 0.75)), RULES)
    assert told(elements) == [("car", YES, 0.75)]
    assert [one.id for one in elements] == ["object 0"]


def test_an_object_taken_for_another_class_is_a_confusion_of_the_two() -> None:
    (elements,) = confusion_elements(truth((*A, CAR)), prediction((*A, PEDESTRIAN, 0.75)), RULES)
    assert told(elements) == [("car", YES, 0.0), ("pedestrian", NO, 0.75)]
    assert [one.id for one in elements] == ["object 0", "object 0"]


def test_a_missed_object_was_taken_for_background_and_a_false_alarm_took_background_for_something() -> None:
    (elements,) = confusion_elements(truth((*A, CAR)), prediction((*C, CYCLIST, 0.5)), RULES)
    assert told(elements) == [
        ("car", YES, 0.0),
        (BACKGROUND, NO, 1.0),
        (BACKGROUND, YES, 0.0),
        ("cyclist", NO, 0.5),
    ]
    assert Counter(one.id for one in elements) == {"object 0": 2, "false alarm 0": 2}


def test_false_alarms_on_an_image_without_objects_are_not_lost() -> None:
    (elements,) = confusion_elements(truth(), prediction((*A, CAR, 0.5)), RULES)
    assert told(elements) == [(BACKGROUND, YES, 0.0), ("car", NO, 0.5)]


def test_an_empty_image_that_was_left_empty_has_no_elements() -> None:
    assert confusion_elements(truth(), prediction(), RULES) == [[]]


def test_a_second_box_on_a_found_object_is_a_false_alarm_not_a_second_hit() -> None:
    (elements,) = confusion_elements(truth((*A, CAR)), prediction((*A, CAR, 0.75), (10, 10, 40, 18, CAR, 0.5)), RULES)
    assert told(elements) == [("car", YES, 0.75), (BACKGROUND, YES, 0.0), ("car", NO, 0.5)]


def test_the_right_class_is_preferred_to_a_more_confident_wrong_one_at_its_place() -> None:
    (elements,) = confusion_elements(truth((*A, CAR)), prediction((*A, PEDESTRIAN, 0.75), (*A, CAR, 0.5)), RULES)
    assert told(elements) == [("car", YES, 0.5), (BACKGROUND, YES, 0.0), ("pedestrian", NO, 0.75)]


def test_a_detection_in_a_crowd_has_no_element() -> None:
    ground_truth = truth((*A, CAR), crowds=[(45, 0, 100, 30, CAR)])
    (elements,) = confusion_elements(ground_truth, prediction((*A, CAR, 0.75), (*B, CAR, 0.5)), RULES)
    assert told(elements) == [("car", YES, 0.75)]


def test_a_detection_in_a_crowd_takes_no_object_of_another_class_for_its_own() -> None:
    ground_truth = truth((*A, PEDESTRIAN), crowds=[(0, 0, 100, 30, CAR)])
    (elements,) = confusion_elements(ground_truth, prediction((*A, CAR, 0.75)), RULES)
    assert told(elements) == [("pedestrian", YES, 0.0), (BACKGROUND, NO, 1.0)]


def test_in_a_crowd_of_another_class_it_is_a_false_alarm() -> None:
    (elements,) = confusion_elements(truth(crowds=[(0, 0, 100, 60, CAR)]), prediction((*A, CYCLIST, 0.75)), RULES)
    assert told(elements) == [(BACKGROUND, YES, 0.0), ("cyclist", NO, 0.75)]


def test_every_object_and_every_detection_is_told_of_exactly_once(crowded: Callable[[int], list[Image]]) -> None:
    rules = Rules(LABELS, Decoding(0.01, 1.0, 1000), 0.5, 100, 100)
    images = crowded(7)
    ground_truth, predicted = of_crowd(images)
    scores = detection_scores(ground_truth, predicted, rules)
    for number, elements in enumerate(confusion_elements(ground_truth, predicted, rules)):
        objects, detections = images[number]
        real = [one for one in elements if one.label != BACKGROUND]
        expected = Counter(one.label for one in real if one.expected_outcome is YES)
        assert expected == Counter(LABELS[label] for label in objects.classes)
        claims = sorted(round(one.predicted_probability, 4) for one in real if one.predicted_probability > 0)
        np.testing.assert_allclose(claims, np.sort(detections.scores), atol=1e-3)
        hits = sum(one.expected_outcome is YES and one.predicted_probability > 0 for one in real)
        assert hits == len(objects) - scores["false_negatives"][number]


def test_a_confusion_is_one_to_one_and_the_surest_detection_comes_first() -> None:
    (elements,) = confusion_elements(truth((*A, CAR)), prediction((*A, CYCLIST, 0.5), (*A, PEDESTRIAN, 0.75)), RULES)
    assert told(elements) == [("car", YES, 0.0), ("pedestrian", NO, 0.75), (BACKGROUND, YES, 0.0), ("cyclist", NO, 0.5)]


def test_a_detection_beside_an_object_is_no_confusion() -> None:
    (elements,) = confusion_elements(truth((*A, CAR)), prediction((30, 10, 60, 22, PEDESTRIAN, 0.75)), RULES)
    assert [label for label, outcome, _ in told(elements) if outcome is YES] == ["car", BACKGROUND]


def test_batches_and_float16(crowded: Callable[[int], list[Image]]) -> None:
    rules = Rules(LABELS, Decoding(0.01, 1.0, 1000), 0.5, 100, 100)
    images = crowded(9)
    crowds = [random_crowds(np.random.default_rng((33, number)), image) for number, image in enumerate(images)]
    halves = [array.astype(np.float16) for array in of_crowd(images, crowds)]
    truths, predictions = (array.astype(np.float32) for array in halves)
    together = confusion_elements(truths, predictions, rules)
    assert together == confusion_elements(halves[0], halves[1], rules)
    assert len(together) == len(truths)
    for number, elements in enumerate(together):
        pair = slice(number, number + 1)
        assert [elements] == confusion_elements(truths[pair], predictions[pair], rules)
