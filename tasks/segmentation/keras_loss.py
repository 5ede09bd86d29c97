"""The loss of masks in Keras, for training: the definition of tasks/segmentation/losses.py, with gradients."""

from typing import Any

import numpy as np
from keras import ops

from tasks.detection.assignment import MOST_ROWS
from tasks.detection.grid import Grid
from tasks.detection.keras_loss import Assigned

Tensor = Any
"""A tensor of whichever backend Keras has."""


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
    # An object gets so many rows at most, so no more than these of the candidates are assigned.
    weight, chosen = ops.top_k(assigned.is_assigned, min(most * MOST_ROWS, assigned.is_assigned.shape[1]))
    rows = ops.take_along_axis(assigned.rows, chosen, axis=1)
    owner = ops.take_along_axis(assigned.owner, chosen, axis=1)

    coefficients = ops.take_along_axis(prediction[..., -count:], rows[..., None], axis=1)
    logits = ops.matmul(coefficients, ops.reshape(prototypes, (-1, count, cells)))
    target = ops.take_along_axis(ops.reshape(masks, (-1, most, cells)), owner[..., None], axis=1)
    inside = ops.take_along_axis(_inside(ground_truth, grid, height, width), owner[..., None], axis=1)
    entropies = (ops.softplus(logits) - target * logits) * inside
    in_box = ops.sum(inside, axis=-1)
    weight = weight * ops.cast(in_box > 0, "float32")
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
