"""Which prediction is which object: one to one, and of the right class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Detections, Objects
from vision.boxes import iou

UNMATCHED = -1


@dataclass(frozen=True, eq=False)
class Matching:
    """Predictions and objects of one image, matched.

    Attributes:
        object_of: [P] int, the object that each prediction is, `UNMATCHED` for a false alarm.
        prediction_of: [N] int, the prediction that found each object, `UNMATCHED` for a miss.
        ious: [P] float, of each prediction with its object; 0 for a false alarm.
    """

    object_of: NDArray[np.intp]
    prediction_of: NDArray[np.intp]
    ious: NDArray[np.floating]

    @property
    def is_true_positive(self) -> NDArray[np.bool_]:
        """[P]."""
        return np.not_equal(self.object_of, UNMATCHED)

    @property
    def is_found(self) -> NDArray[np.bool_]:
        """[N]."""
        return np.not_equal(self.prediction_of, UNMATCHED)


def match(
    objects: Objects, predictions: Detections, iou_threshold: float, overlap: NDArray[np.floating] | None = None
) -> Matching:
    """Match as COCO does: the most confident prediction chooses first.

    It takes, of the objects of its class that are not taken yet and that it overlaps by at least the threshold, the one
    that it overlaps most; where the best one is taken, the second-best is tried. Each object is found once: a second
    prediction of it is a false alarm, as is one of the wrong class.

    Args:
        overlap: [P, N] IoU of each prediction with each object, of masks for instance; None takes that of the boxes.
    """
    object_of = np.full(len(predictions), UNMATCHED, np.intp)
    prediction_of = np.full(len(objects), UNMATCHED, np.intp)
    ious = np.zeros(len(predictions))
    if len(objects) and len(predictions):
        if overlap is None:
            overlap = iou(predictions.edges[:, np.newaxis], objects.edges)
        allowed = (predictions.classes[:, np.newaxis] == objects.classes) & (overlap >= iou_threshold)
        allowed &= overlap > 0  # a threshold of 0 matches nothing apart
        open_overlap = np.where(allowed, overlap, -1.0)
        has_candidate = allowed.any(axis=1)
        for prediction in predictions.by_score():
            if not has_candidate[prediction]:
                continue
            # Of equal overlaps the last one, as pycocotools has it.
            best = open_overlap.shape[1] - 1 - int(open_overlap[prediction, ::-1].argmax())
            if open_overlap[prediction, best] > 0:
                object_of[prediction], prediction_of[best] = best, prediction
                ious[prediction] = overlap[prediction, best]
                open_overlap[:, best] = -1.0
    return Matching(object_of, prediction_of, ious)
