"""The loss of masks in Keras, for training: the definition of tasks/segmentation/losses.py, with gradients."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from tasks.detection.grid import Grid
from tasks.detection.keras_loss import Assigned, assign_rows, detection_losses

Tensor = Any
"""A tensor of whichever backend Keras has."""


class SegmenterInTraining(keras.Model):  # type: ignore[misc]
    """A net of `tasks.segmentation.keras_model` that gives logits, trained on (ground truth, masks) of a batch.

    Its loss is that of both its outputs together, which no loss of one output can be: which row stands for which
    object decides on boxes and masks alike.

    Args:
        net: what is trained; its weights are shared.
        grid: what the rows of the detections stand for.
        classes: number of classes.
        weights: of box, objectness, class and mask loss.
    """

    def __init__(self, net: keras.Model, grid: Grid, classes: int, weights: Sequence[float]) -> None:
        super().__init__()
        self.net, self.grid, self.classes, self.loss_weights = net, grid, classes, tuple(weights)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """[B, H, W, 3] -> detections and prototypes."""
        return self.net(inputs, training=training)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """The mean of a batch's weighted sums."""
        (ground_truth, masks), (prediction, prototypes) = y, y_pred
        assigned = assign_rows(ground_truth, prediction, self.grid, self.classes)
        parts = [
            *detection_losses(ground_truth, prediction, self.grid, self.classes, assigned),
            mask_loss(ground_truth, masks, prediction, prototypes, self.grid, assigned),
        ]
        return ops.mean(sum(weight * part for weight, part in zip(self.loss_weights, parts, strict=True)))


def mask_loss(
    ground_truth: Tensor, masks: Tensor, prediction: Tensor, prototypes: Tensor, grid: Grid, assigned: Assigned
) -> Tensor:
    """[B], as `tasks.segmentation.losses.mask_loss`, of the rows that are assigned already.

    Args:
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        masks: [B, MAX, h, w], of its rows, 0 or 1.
        prediction: [B, N, 5 + classes + K], the last columns being the coefficients.
        prototypes: [B, K, h, w].
        assigned: what `tasks.detection.keras_loss.assign_rows` gives.
    """
    most, count, height, width = ground_truth.shape[1], prototypes.shape[1], prototypes.shape[2], prototypes.shape[3]
    cells = height * width
    rows, owner, is_assigned = assigned

    coefficients = ops.take_along_axis(prediction[..., -count:], rows[..., None], axis=1)
    logits = ops.matmul(coefficients, ops.reshape(prototypes, (-1, count, cells)))
    target = ops.take_along_axis(ops.reshape(masks, (-1, most, cells)), owner[..., None], axis=1)
    inside = ops.take_along_axis(_inside(ground_truth, grid, height, width), owner[..., None], axis=1)
    entropies = (ops.softplus(logits) - target * logits) * inside
    in_box = ops.sum(inside, axis=-1)
    weight = is_assigned * ops.cast(in_box > 0, "float32")
    of_rows = ops.sum(entropies, axis=-1) / ops.maximum(in_box, 1.0)
    return ops.sum(of_rows * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1.0)


def _inside(ground_truth: Tensor, grid: Grid, height: int, width: int) -> Tensor:
    """[B, MAX, height * width]: 1.0 for the cells of the masks whose middle lies in each object's box."""
    x = ((np.arange(width) + 0.5) / width * grid.width).astype(np.float32)
    y = ((np.arange(height) + 0.5) / height * grid.height).astype(np.float32)
    size = np.array([grid.width, grid.height], np.float32)
    centre, half = ops.multiply(ground_truth[..., 1:3], size), ops.multiply(ground_truth[..., 3:], size / 2)
    low, high = centre - half, centre + half
    columns = ops.logical_and(ops.less_equal(low[..., :1], x), ops.greater(high[..., :1], x))
    rows = ops.logical_and(ops.less_equal(low[..., 1:], y), ops.greater(high[..., 1:], y))
    both = ops.logical_and(rows[..., :, None], columns[..., None, :])
    return ops.reshape(ops.cast(both, "float32"), (-1, ground_truth.shape[1], height * width))
