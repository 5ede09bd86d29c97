"""Non-maximum suppression: of boxes that mean the same object, the most confident one."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Detections
from vision.boxes import Boxes


def suppress(detections: Detections, iou_threshold: float, most: int | None = None) -> NDArray[np.intp]:
    """Greedy and class-aware: the most confident box suppresses those of its class that overlap it by more than IoU.

    Boxes of different classes never suppress each other. By OpenCV, which does it in compiled code, class by class: its
    own `NMSBoxesBatched` moves the classes apart and then still compares every box with all of them.

    Args:
        detections: boxes with x1 <= x2 and y1 <= y2.
        iou_threshold: in [0, 1]; a box that overlaps by just this much is kept.
        most: boxes kept at most, the most confident ones; None keeps all.

    Returns:
        The row numbers of those that are kept, the most confident first.
    """
    order = detections.by_score()
    classes = detections.classes[order]
    # OpenCV takes arrays, but its stubs speak of sequences.
    boxes: Any = Boxes(detections.edges[order].astype(np.float64)).corner_and_size()
    # Places in the order instead of scores: it would drop a score of 0, and only compares them.
    places: Any = np.arange(len(order), 0, -1, dtype=np.float32)
    is_kept = np.zeros(len(order), bool)
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        is_kept[rows[np.asarray(cv2.dnn.NMSBoxes(boxes[rows], places[rows], 0.0, iou_threshold), np.intp)]] = True
    return order[is_kept][:most]
