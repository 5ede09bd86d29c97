"""Which prediction is which object: one to one, and of the right class; and which one is in a crowd, and ignored."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Detections, Objects
from vision.boxes import ioa, iou

UNMATCHED = -1


@dataclass(frozen=True, eq=False)
class Matching:
    """Predictions and objects of one image, matched.

    Attributes:
        object_of: [P] int, the object that each prediction is, `UNMATCHED` where it is none.
        prediction_of: [N] int, the prediction that found each object, `UNMATCHED` for a miss.
        ious: [P] float, of each prediction with its object; 0 where there is none.
        is_ignored: [P] bool, whether a prediction that is no object lies in a crowd: neither right nor wrong.
    """

    object_of: NDArray[np.intp]
    prediction_of: NDArray[np.intp]
    ious: NDArray[np.floating]
    is_ignored: NDArray[np.bool_]

    @property
    def is_true_positive(self) -> NDArray[np.bool_]:
        """[P]."""
        return np.not_equal(self.object_of, UNMATCHED)

    @property
    def is_false_positive(self) -> NDArray[np.bool_]:
        """[P]."""
        return ~(self.is_true_positive | self.is_ignored)

    @property
    def is_found(self) -> NDArray[np.bool_]:
        """[N]."""
        return np.not_equal(self.prediction_of, UNMATCHED)


def crowd_shares(
    crowds: Objects, predictions: Detections, overlap: NDArray[np.floating] | None = None
) -> NDArray[np.floating]:
    """[P]: the greatest share of each prediction's area that lies in a crowd of its class; 0 where there is none.

    COCO's evaluation takes this for the IoU with a crowd, because a right prediction is but a small part of one.

    Args:
        overlap: [P, crowds] such shares of all pairs, of masks for instance; None takes those of the boxes.
    """
    if overlap is None:
        overlap = ioa(predictions.edges[:, np.newaxis], crowds.edges)
    of_class = predictions.classes[:, np.newaxis] == crowds.classes
    return np.asarray(np.where(of_class, overlap, 0.0).max(axis=1, initial=0.0))


def match(
    objects: Objects,
    predictions: Detections,
    iou_threshold: float,
    overlap: NDArray[np.floating] | None = None,
    in_crowd: NDArray[np.floating] | None = None,
) -> Matching:
    """Match as COCO does: the most confident prediction chooses first.

    It takes, of the objects of its class that are not taken yet and that it overlaps by at least the threshold, the one
    that it overlaps most; where the best one is taken, the second-best is tried. Each object is found once: a second
    prediction of it is a false alarm, as is one of the wrong class. A prediction that takes no object but lies in a
    crowd of its class by at least the threshold is ignored; a crowd has room for any number of them.

    Args:
        overlap: [P, N] IoU of each prediction with each object, of masks for instance; None takes that of the boxes.
        in_crowd: [P] what `crowd_shares` gives; None where there is no crowd.
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
    is_ignored = np.zeros(len(predictions), bool)
    if in_crowd is not None:
        is_ignored = (object_of == UNMATCHED) & (in_crowd >= iou_threshold) & (in_crowd > 0)
    return Matching(object_of, prediction_of, ious, is_ignored)
