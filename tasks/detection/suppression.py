"""Non-maximum suppression: of boxes that mean the same object, the most confident one."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Detections
from vision.boxes import Boxes


def suppress(detections: Detections, iou_threshold: float, most: int | None = None) -> NDArray[np.intp]:
    """Greedy and class-aware: the most confident box suppresses those of its class that overlap it by more than IoU.

    Boxes of different classes never suppress each other. By OpenCV, which does it in compiled code.

    Args:
        detections: boxes with x1 <= x2 and y1 <= y2.
        iou_threshold: in [0, 1]; a box that overlaps by just this much is kept.
        most: boxes kept at most, the most confident ones; None keeps all.

    Returns:
        The row numbers of those that are kept, the most confident first.
    """
    if len(detections) == 0:
        return np.zeros(0, np.intp)
    # OpenCV takes arrays, but its stubs speak of sequences.
    boxes: Any = Boxes(detections.edges.astype(np.float64)).corner_and_size()
    scores: Any = detections.scores.astype(np.float32)
    classes: Any = detections.classes.astype(np.int32)
    # It keeps what is *above* a threshold: none is below -1.
    chosen = cv2.dnn.NMSBoxesBatched(boxes, scores, classes, -1.0, iou_threshold)
    kept = np.asarray(chosen, np.intp).reshape(-1)
    return kept[np.argsort(-detections.scores[kept], kind="stable")][:most]
