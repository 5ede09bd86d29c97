"""Non-maximum suppression: of boxes that mean the same object, the most confident one."""

from typing import Any

import cv2
import numpy as np

from tasks.detection.detections import Detections
from vision.boxes import Boxes


def non_maximum_suppression(
    detections: Detections, iou_threshold: float, least_score: float = 0.0, most: int | None = None
) -> Detections:
    """Greedy and class-aware: the most confident box suppresses those of its class that overlap it by more than IoU.

    Boxes of different classes never suppress each other. By OpenCV, which does it in compiled code.

    Args:
        detections: boxes with x1 <= x2 and y1 <= y2.
        iou_threshold: in [0, 1]; a box that overlaps by just this much is kept.
        least_score: boxes below it are dropped first; one of just this score stays.
        most: boxes kept at most, the most confident ones; None keeps all.

    Returns:
        The kept ones, the most confident first.
    """
    candidates = detections[detections.scores >= least_score]
    if len(candidates) == 0:
        return candidates
    # OpenCV takes arrays, but its stubs speak of sequences.
    boxes: Any = Boxes(candidates.edges.astype(np.float64)).corner_and_size()
    scores: Any = candidates.scores.astype(np.float32)
    classes: Any = candidates.classes.astype(np.int32)
    # It keeps what is *above* a threshold; what is below ours is gone already.
    chosen = cv2.dnn.NMSBoxesBatched(boxes, scores, classes, -1.0, iou_threshold)
    kept = np.asarray(chosen, np.intp).reshape(-1)
    kept = kept[np.argsort(-candidates.scores[kept], kind="stable")]
    return candidates[kept[:most]]
