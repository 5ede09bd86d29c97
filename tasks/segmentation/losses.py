"""The losses of a YOLO that segments, per sample in numpy: those of its detector, and that of its masks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.detection.assignment import Assignment
from tasks.detection.grid import Grid
from tasks.detection.losses import assignments, detection_losses
from tasks.segmentation.instances import unpadded_instances

Batch = NDArray[np.floating]


class SegmentationLosses(NamedTuple):
    """Each [B] float32."""

    box: NDArray[np.float32]
    objectness: NDArray[np.float32]
    classes: NDArray[np.float32]
    masks: NDArray[np.float32]

    def total(self, weights: Sequence[float]) -> NDArray[np.float32]:
        """[B]: the four, weighted in this order and added."""
        return np.asarray(sum(weight * loss for weight, loss in zip(weights, self, strict=True)), np.float32)


def segmentation_losses(
    ground_truth: Batch, masks: Batch, prediction: Batch, prototypes: Batch, grid: Grid, classes: int
) -> SegmentationLosses:
    """Those of `tasks.detection.losses.detection_losses` and `mask_loss`, of one assignment of rows to objects.

    The arguments are those of `mask_loss`.
    """
    assigned = assignments(ground_truth, prediction, grid, classes)
    detector = detection_losses(ground_truth, prediction, grid, classes, assigned)
    return SegmentationLosses(
        *detector, mask_loss(ground_truth, masks, prediction, prototypes, grid, classes, assigned)
    )


def mask_loss(
    ground_truth: Batch,
    masks: Batch,
    prediction: Batch,
    prototypes: Batch,
    grid: Grid,
    classes: int,
    assigned: Sequence[Assignment | None] | None = None,
) -> NDArray[np.float32]:
    """How far the masks of the assigned rows are from those of their objects, [B] float32.

    Of each row that `tasks.detection.assignment` gives an object, as often as it does: the cross-entropy of its mask,
    the sum of the prototypes weighted by its coefficients, with the object's, over the cells whose middle lies in the
    object's box; the mean over these cells, and over the rows. 0 without an assigned row. Bolya et al., "YOLACT:
    real-time instance segmentation", ICCV 2019, section 3.3, where the sum over the cells is divided by the area of the
    box.

    Args:
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        masks: [B, MAX, h, w], of its rows, 0 or 1.
        prediction: [B, N, 5 + classes + K], the last columns being the coefficients.
        prototypes: [B, K, h, w].
        assigned: what `tasks.detection.losses.assignments` gives, where it is known already.

    Returns:
        NaN for a sample whose output is not finite: there is no loss to tell.
    """
    assigned = assigned or assignments(ground_truth, prediction, grid, classes)
    return np.array(
        [
            _sample_loss(*sample, grid, classes)
            for sample in zip(ground_truth, masks, prediction, prototypes, assigned, strict=True)
        ],
        np.float32,
    )


def _sample_loss(
    ground_truth: Batch,
    masks: Batch,
    prediction: Batch,
    prototypes: Batch,
    assignment: Assignment | None,
    grid: Grid,
    classes: int,
) -> float:
    if assignment is None or not (np.isfinite(prediction).all() and np.isfinite(prototypes).all()):
        return float("nan")
    objects = unpadded_instances(ground_truth, masks, grid.height, grid.width)
    losses = []
    # Object by object: its rows share its box, and what lies outside of a box is most of an image.
    for owner in np.unique(assignment.objects):
        part = _inside(objects.edges[owner], grid, *prototypes.shape[1:])
        target = objects.masks[owner][part].reshape(-1)
        if target.size == 0:
            continue
        coefficients = prediction[assignment.rows[assignment.objects == owner], 5 + classes :].astype(np.float64)
        logits = coefficients @ prototypes[(slice(None), *part)].reshape(len(prototypes), -1).astype(np.float64)
        losses.append((np.logaddexp(0.0, logits) - target * logits).mean(axis=1))
    return float(np.concatenate(losses).mean()) if losses else 0.0


def _inside(edges: NDArray[np.floating], grid: Grid, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the masks' cells whose middle lies in a box, which is in pixels of the input."""
    left, top, right, bottom = edges
    x = (np.arange(width) + 0.5) * grid.width / width
    y = (np.arange(height) + 0.5) * grid.height / height
    rows, columns = (np.searchsorted(each, ends) for each, ends in ((y, (top, bottom)), (x, (left, right))))
    return slice(*rows), slice(*columns)
