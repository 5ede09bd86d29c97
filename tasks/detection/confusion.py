"""What was taken for what, with the background as a class of its own."""

import numpy as np
from code_loader.contract.datasetclasses import ConfusionMatrixElement
from code_loader.contract.enums import ConfusionMatrixValue
from numpy.typing import NDArray

from tasks.detection.detections import Detections, Objects
from tasks.detection.matching import UNMATCHED, match
from tasks.detection.metrics import Matched, Rules, matched

BACKGROUND = "background"
Elements = list[ConfusionMatrixElement]


def confusion_elements(
    ground_truth: NDArray[np.floating], prediction: NDArray[np.floating], rules: Rules
) -> list[Elements]:
    """One element for each class that an object is, or was taken for, in each sample.

    An object of the right class and place is one element: its class was expected, with the detection's confidence.
    What remains is matched by place alone, one to one, the most confident detection first; so an object of a class that
    was taken for another is two elements: its own class was expected, with confidence 0, the other was not, with the
    detection's. An object that nothing was found for was taken for `BACKGROUND`; a detection where nothing is took
    background for its class. The elements of one object, or of one false alarm, share an `id`.

    A detection that is ignored, as it lies in a crowd of its class, has no element: it took nothing for anything, not
    even a missed object of another class at its place. In a crowd of another class it is a false alarm, as it is to
    COCO, which judges each class by itself.

    Args:
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        prediction: [B, N, 5 + classes or more], see `tasks.detection.decode`.

    Returns:
        B lists; an image without objects and detections has an empty one.
    """
    return [_of_sample(sample, rules) for sample in matched(ground_truth, prediction, rules)]


def _of_sample(sample: Matched, rules: Rules) -> Elements:
    objects, detections = sample.objects, sample.detections
    prediction_of = _by_place(sample, rules.matching_iou)
    elements: Elements = []
    for number, (label, found) in enumerate(zip(objects.classes.tolist(), prediction_of.tolist(), strict=True)):
        name, thing = rules.labels[label], f"object {number}"
        if found == UNMATCHED:
            elements += _taken_for(name, BACKGROUND, 1.0, thing)
            continue
        claimed, score = rules.labels[detections.classes[found]], float(detections.scores[found])
        if claimed == name:
            elements.append(ConfusionMatrixElement(name, ConfusionMatrixValue.Positive, score, thing))
        else:
            elements += _taken_for(name, claimed, score, thing)
    alarms = np.setdiff1d(np.flatnonzero(sample.matching.is_false_positive), prediction_of)
    for number in alarms.tolist():
        claimed, score = rules.labels[detections.classes[number]], float(detections.scores[number])
        elements += _taken_for(BACKGROUND, claimed, score, f"false alarm {number}")
    return elements


def _by_place(sample: Matched, iou_threshold: float) -> NDArray[np.intp]:
    """[objects]: the detection of the same class that found each, else the one of another class at its place."""
    objects, detections, matching = sample
    prediction_of = matching.prediction_of.copy()
    missed, alarms = np.flatnonzero(~matching.is_found), np.flatnonzero(matching.is_false_positive)
    rest = match(
        Objects(objects.edges[missed], np.zeros(len(missed), np.int64)),
        Detections(detections.edges[alarms], np.zeros(len(alarms), np.int64), detections.scores[alarms]),
        iou_threshold,
    )
    found = rest.is_found
    prediction_of[missed[found]] = alarms[rest.prediction_of[found]]
    return prediction_of


def _taken_for(expected: str, claimed: str, score: float, thing: str) -> Elements:
    return [
        ConfusionMatrixElement(expected, ConfusionMatrixValue.Positive, 0.0, thing),
        ConfusionMatrixElement(claimed, ConfusionMatrixValue.Negative, score, thing),
    ]
