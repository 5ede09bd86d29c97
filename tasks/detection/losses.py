"""YOLOv7's losses per sample in numpy; tasks/detection/keras_loss.py is the same definition in Keras."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tasks.detection.assignment import EPSILON, Assignment, assign
from tasks.detection.grid import Grid
from tasks.detection.ground_truth import unpadded
from vision.boxes import Boxes, ciou

LEVEL_BALANCE = (4.0, 1.0, 0.4)
"""Weights of the levels' objectness, the finest first: YOLOv7's for three levels."""

Batch = NDArray[np.floating]


class DetectionLosses(NamedTuple):
    """Each [B] float32."""

    box: NDArray[np.float32]
    objectness: NDArray[np.float32]
    classes: NDArray[np.float32]

    def total(self, weights: Sequence[float]) -> NDArray[np.float32]:
        """[B]: box, objectness and classes, weighted in this order and added."""
        return np.asarray(sum(weight * loss for weight, loss in zip(weights, self, strict=True)), np.float32)


def assignments(ground_truth: Batch, prediction: Batch, grid: Grid, classes: int) -> list[Assignment | None]:
    """What `tasks.detection.assignment` gives for each sample; None where the prediction is not finite.

    The arguments are those of `detection_losses`.

    Raises:
        ValueError: the rows of the prediction are not those of the grid.
    """
    grid.require_rows(prediction.shape[1])
    found: list[Assignment | None] = []
    for rows, predicted in zip(ground_truth, prediction[..., : 5 + classes], strict=True):
        is_finite = bool(np.isfinite(predicted).all())
        objects = unpadded(rows, grid.height, grid.width)
        found.append(assign(objects, predicted.astype(np.float64), grid, classes) if is_finite else None)
    return found


def detection_losses(
    ground_truth: Batch,
    prediction: Batch,
    grid: Grid,
    classes: int,
    assigned: Sequence[Assignment | None] | None = None,
) -> DetectionLosses:
    """Box, objectness and class loss of each sample, after `tasks.detection.assignment`.

    - box: mean over what is assigned of 1 - CIoU of the row with its object.
    - objectness: mean over a level's rows of the cross-entropy, weighted by `LEVEL_BALANCE` and added over the levels.
      The target of an assigned row is the CIoU with its object, at least 0; that of another row is 0.
    - classes: mean over what is assigned, and over the classes, of the cross-entropy with the object's class; 0 where
      there is but one class.

    A row that is assigned twice counts twice for box and classes, and its objectness has the target of the last copy in
    the order of `Assignment`.

    This is the loss of YOLOv7's published code but for one thing: it averages box and class loss level by level over a
    batch. A single image has no object on many a level, so here the mean is over all that is assigned of it. (Which
    copy's target remains, that code leaves to torch, which on a CPU writes them in the same order.)

    An image without objects has no box and no class loss, and the objectness of what it is taken to hold.

    Args:
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        prediction: [B, N, 5 + classes or more] (centre x, centre y, width, height in pixels of the input, objectness,
            probabilities of the classes); probabilities count as no nearer to 0 and 1 than `EPSILON`.
        assigned: what `assignments` gives of the two, where it is known already.

    Returns:
        NaN for a sample whose prediction is not finite: there is no loss to tell.

    Raises:
        ValueError: the rows of the prediction are not those of the grid.
    """
    assigned = assigned or assignments(ground_truth, prediction, grid, classes)
    losses = [
        _sample_losses(rows, predicted, assignment, grid, classes)
        for rows, predicted, assignment in zip(ground_truth, prediction[..., : 5 + classes], assigned, strict=True)
    ]
    return DetectionLosses(*np.array(losses, np.float32).reshape(-1, 3).T)


def _sample_losses(
    rows: Batch, prediction: Batch, assignment: Assignment | None, grid: Grid, classes: int
) -> tuple[float, float, float]:
    if assignment is None:
        return np.nan, np.nan, np.nan
    objects = unpadded(rows, grid.height, grid.width)
    assigned, owners = prediction[assignment.rows].astype(np.float64), assignment.objects

    box_loss = class_loss = 0.0
    target = np.zeros(grid.rows)
    if len(owners):
        edges = Boxes.from_centre_and_size(assigned[:, :4]).edges
        quality = ciou(edges, objects.edges[owners].astype(np.float64))
        box_loss = float((1 - quality).mean())
        target[assignment.rows] = np.maximum(quality, 0)  # of a row that comes up twice, the last one remains
        if classes > 1:
            is_class = objects.classes[owners, np.newaxis] == np.arange(classes)
            class_loss = float(_cross_entropy(assigned[:, 5:], is_class).mean())
    entropies = _cross_entropy(prediction[:, 4].astype(np.float64), target)
    of_level = np.add.reduceat(entropies, grid.first_row) / grid.rows_of_level
    return box_loss, float(of_level @ level_weights(grid)), class_loss


def level_weights(grid: Grid) -> NDArray[np.float64]:
    """[levels] weights of the objectness, `LEVEL_BALANCE` for three levels.

    Raises:
        ValueError: the grid has other levels than three.
    """
    if grid.levels != len(LEVEL_BALANCE):
        raise ValueError(f"The losses are defined for {len(LEVEL_BALANCE)} levels, not {grid.levels}.")
    return np.array(LEVEL_BALANCE)


def _cross_entropy(probability: NDArray[np.floating], target: NDArray[np.generic]) -> NDArray[np.floating]:
    clipped = np.clip(probability, EPSILON, 1 - EPSILON)
    return np.asarray(-(target * np.log(clipped) + (1 - target) * np.log1p(-clipped)))
