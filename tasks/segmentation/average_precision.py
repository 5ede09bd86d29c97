"""Average precision of masks by the COCO definition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.detection.average_precision import COCO_THRESHOLDS, precisions_by_overlap
from tasks.detection.matching import crowd_shares
from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from vision.masks import Overlaps


def mask_average_precisions(
    images: Sequence[tuple[MaskedObjects, MaskedDetections]],
    classes: int,
    iou_thresholds: Sequence[float] = COCO_THRESHOLDS,
    crowds: Sequence[MaskedObjects] | None = None,
) -> NDArray[np.float64]:
    """[thresholds, classes], as `tasks.detection.average_precision.average_precisions`, by the IoU of masks.

    Args:
        images: objects and predictions of each, their masks of one size.
        crowds: of each image, in which predictions are ignored; None where no image has any.
    """
    overlaps = [Overlaps.between(predictions.masks, objects.masks).iou for objects, predictions in images]
    in_crowds = None
    if crowds is not None:
        in_crowds = [
            crowd_shares(some, predictions, Overlaps.between(predictions.masks, some.masks).ioa)
            for (_, predictions), some in zip(images, crowds, strict=True)
        ]
    return precisions_by_overlap(images, classes, iou_thresholds, overlaps, in_crowds)
