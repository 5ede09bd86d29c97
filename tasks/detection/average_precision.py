"""Average precision by the COCO definition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Detections, Objects
from tasks.detection.matching import crowd_shares, match
from vision.boxes import iou

RECALLS = np.linspace(0.0, 1.0, 101)
COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
MOST = 100
"""Predictions of an image and class that count, the most confident ones."""


def average_precision(scores: NDArray[np.floating], is_true_positive: NDArray[np.bool_], objects: int) -> float | None:
    """Area under the precision-recall curve of one class, at 101 recalls.

    Precision at a recall is the highest at that recall or above it; beyond the highest it is 0. The definition of
    COCO's evaluation (Lin et al., "Microsoft COCO", ECCV 2014, and its published code).

    Args:
        scores: [P] confidences of all predictions that count, over all images; of equal scores the first counts first.
        is_true_positive: [P].
        objects: how many there are to find.

    Returns:
        In [0, 1]; None where there is no object to find.
    """
    if objects == 0:
        return None
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(is_true_positive[order])
    recall = right / objects
    precision = right / np.arange(1, len(order) + 1)
    # Never rising from the left: the best of what is to the right.
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(precision, 0.0)[at].mean())


def average_precisions(
    images: Sequence[tuple[Objects, Detections]],
    classes: int,
    iou_thresholds: Sequence[float] = COCO_THRESHOLDS,
    crowds: Sequence[Objects] | None = None,
) -> NDArray[np.float64]:
    """[thresholds, classes] average precision of boxes over images; NaN for a class without an object.

    `numpy.nanmean` of it is COCO's AP, that of a row AP50 or AP75, over classes that have objects.

    Args:
        images: objects and predictions of each.
        crowds: of each image, in which predictions are ignored; None where no image has any.
    """
    overlaps = [iou(predictions.edges[:, np.newaxis], objects.edges) for objects, predictions in images]
    in_crowds = None
    if crowds is not None:
        in_crowds = [crowd_shares(some, predictions) for (_, predictions), some in zip(images, crowds, strict=True)]
    return precisions_by_overlap(images, classes, iou_thresholds, overlaps, in_crowds)


def precisions_by_overlap(
    images: Sequence[tuple[Objects, Detections]],
    classes: int,
    iou_thresholds: Sequence[float],
    overlaps: Sequence[NDArray[np.floating]],
    in_crowds: Sequence[NDArray[np.floating]] | None = None,
) -> NDArray[np.float64]:
    """As `average_precisions`, by whatever the overlap is of.

    Args:
        overlaps: [P, N] IoU of each image's predictions with its objects.
        in_crowds: [P] of each image, see `tasks.detection.matching.crowd_shares`; None where no image has a crowd.
    """
    found = np.full((len(iou_thresholds), classes), np.nan)
    for row, threshold in enumerate(iou_thresholds):
        for label in range(classes):
            scores: list[NDArray[np.floating]] = [np.zeros(0)]
            hits: list[NDArray[np.bool_]] = [np.zeros(0, bool)]
            count = 0
            for number, (objects, predictions) in enumerate(images):
                of_class = objects.classes == label
                order = predictions.by_score()
                rows = order[predictions.classes[order] == label][:MOST]
                chosen = predictions[rows]
                overlap = overlaps[number][rows][:, of_class]
                in_crowd = None if in_crowds is None else in_crowds[number][rows]
                right = Objects(objects.edges[of_class], objects.classes[of_class])
                matching = match(right, chosen, threshold, overlap, in_crowd)
                scores.append(chosen.scores[~matching.is_ignored])
                hits.append(matching.is_true_positive[~matching.is_ignored])
                count += int(of_class.sum())
            if (value := average_precision(np.concatenate(scores), np.concatenate(hits), count)) is not None:
                found[row, label] = value
    return found
