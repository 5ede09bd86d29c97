"""Average precision of masks by the COCO definition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.detection.average_precision import COCO_THRESHOLDS, average_precisions
from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from vision.masks import Overlaps


def mask_average_precisions(
    images: Sequence[tuple[MaskedObjects, MaskedDetections]],
    classes: int,
    iou_thresholds: Sequence[float] = COCO_THRESHOLDS,
) -> NDArray[np.float64]:
    """[thresholds, classes], as `tasks.detection.average_precision.average_precisions`, by the IoU of masks.

    Args:
        images: objects and predictions of each, their masks of one size.
    """
    overlaps = [Overlaps.between(predictions.masks, objects.masks).iou for objects, predictions in images]
    return average_precisions(images, classes, iou_thresholds, overlaps)
