"""YOLOv7's losses in Keras, for training: the definition of tasks/detection/losses.py, with gradients.

The model that is trained gives logits in the place of probabilities, see `tasks.detection.keras_model`.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from tasks.detection.assignment import EPSILON, IOU_WEIGHT, LARGEST_RATIO, MOST_ROWS, SMALLEST_IOU
from tasks.detection.grid import Grid
from tasks.detection.losses import level_weights

LARGEST_LOGIT = math.log1p(-EPSILON) - math.log(EPSILON)
"""Of the probability 1 - EPSILON."""
EXCLUDED = 1e9
"""Cost of a row that must not be taken."""
TINY = 1e-9

Tensor = Any
"""A tensor of whichever backend Keras has."""


class DetectionLoss(keras.losses.Loss):  # type: ignore[misc]
    """Weighted sum of box, objectness and class loss, per sample.

    Args:
        grid: what the rows of the prediction stand for.
        classes: number of classes.
        weights: of box, objectness and class loss.
    """

    def __init__(self, grid: Grid, classes: int, weights: Sequence[float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.grid, self.classes, self.weights = grid, classes, tuple(weights)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """[B, MAX, 5] and [B, N, 5 + classes or more] with logits -> [B]."""
        parts = detection_losses(y_true, y_pred, self.grid, self.classes)
        return sum(weight * part for weight, part in zip(self.weights, parts, strict=True))


class Assigned(NamedTuple):
    """The P rows of each sample that may be assigned, and which are, to which object.

    Attributes:
        rows: [B, P] int, numbers of rows of the output.
        owner: [B, P] int, the object, a row of the ground truth; means nothing where there is none.
        is_assigned: [B, P], 1.0 where there is one, else 0.0.
    """

    rows: Tensor
    owner: Tensor
    is_assigned: Tensor


def detection_losses(
    ground_truth: Tensor, prediction: Tensor, grid: Grid, classes: int, assigned: Assigned | None = None
) -> tuple[Tensor, ...]:
    """Box, objectness and class loss, each [B]; as `tasks.detection.losses.detection_losses`, but from logits.

    Args:
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        prediction: [B, N, 5 + classes or more] (centre x, centre y, width, height in pixels of the input, logit of the
            objectness, logits of the classes).
        assigned: what `assign_rows` gives of the two, where it is known already.
    """
    ground_truth, prediction = ops.cast(ground_truth, "float32"), ops.cast(prediction, "float32")
    rows, owner, is_assigned = assigned or assign_rows(ground_truth, prediction, grid, classes)
    boxes, is_class = _boxes(ground_truth, grid), _is_class(ground_truth, classes)
    objectness = ops.clip(prediction[..., 4], -LARGEST_LOGIT, LARGEST_LOGIT)
    pooled = ops.take_along_axis(prediction[..., : 5 + classes], rows[..., None], axis=1)
    predicted, logits = pooled[..., :4], ops.clip(pooled[..., 5:], -LARGEST_LOGIT, LARGEST_LOGIT)

    count = ops.maximum(ops.sum(is_assigned, axis=1), 1.0)
    quality = _ciou(predicted, ops.take_along_axis(boxes, owner[..., None], axis=1))
    box_loss = ops.sum((1.0 - quality) * is_assigned, axis=1) / count

    owned_class = ops.take_along_axis(is_class, owner[..., None], axis=1)
    entropies = ops.mean(ops.softplus(logits) - owned_class * logits, axis=-1)
    class_loss = ops.sum(entropies * is_assigned, axis=1) / count if classes > 1 else ops.zeros_like(box_loss)

    # With t the target, the cross-entropy of a logit x is softplus(x) - t x, and t is 0 for all rows but the assigned.
    of_row = (level_weights(grid) / np.array(grid.rows_of_level))[grid.level_of_row].astype(np.float32)
    target = ops.stop_gradient(ops.maximum(quality, 0.0)) * is_assigned
    pooled_objectness = ops.take_along_axis(objectness, rows, axis=1)
    weights = ops.take(ops.convert_to_tensor(of_row), rows, axis=0)
    objectness_loss = ops.sum(ops.multiply(ops.softplus(objectness), of_row), axis=1)
    objectness_loss = objectness_loss - ops.sum(target * pooled_objectness * weights, axis=1)
    return box_loss, objectness_loss, class_loss


def assign_rows(ground_truth: Tensor, prediction: Tensor, grid: Grid, classes: int) -> Assigned:
    """Give rows of the output to objects, as `tasks.detection.assignment` does; arguments as of `detection_losses`."""
    # Which row predicts what is a choice, not a function with a gradient.
    ground_truth, prediction = (ops.stop_gradient(ops.cast(each, "float32")) for each in (ground_truth, prediction))
    boxes, is_object = _boxes(ground_truth, grid), ground_truth[..., 0] >= 0
    rows, valid = _candidates(boxes, is_object, grid)
    pooled = ops.take_along_axis(prediction[..., : 5 + classes], rows[..., None], axis=1)
    owner, is_assigned = _assign(
        boxes, _is_class(ground_truth, classes), is_object, pooled[..., :4], pooled[..., 4:], valid
    )
    return Assigned(rows, owner, is_assigned)


def _boxes(ground_truth: Tensor, grid: Grid) -> Tensor:
    """[B, MAX, 4] (centre x, centre y, width, height) in pixels of the input."""
    return ops.multiply(ground_truth[..., 1:], np.array([grid.width, grid.height] * 2, np.float32))


def _is_class(ground_truth: Tensor, classes: int) -> Tensor:
    """[B, MAX, classes], 1.0 for the class of each object."""
    return ops.cast(ops.equal(ground_truth[..., :1], np.arange(classes, dtype=np.float32)), "float32")


def _candidates(boxes: Tensor, is_object: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """The rows that may predict some object, [B, P] int32, and whether each is to be reckoned with.

    As `tasks.detection.assignment.candidate_rows`, of all objects; of a row that comes up twice the first counts.
    """
    rows, valid = [], []
    for level, (stride, anchors, (height, width)) in enumerate(
        zip(grid.strides, grid.anchors, grid.shapes, strict=True)
    ):
        last = np.array([width - 1, height - 1], np.float32)
        centre = boxes[..., :2] / stride
        own = ops.clip(ops.floor(centre), 0.0, last)
        step = ops.sign(centre - ops.floor(centre) - 0.5)
        beside = own + step
        exists = ops.logical_and(step != 0, ops.logical_and(beside >= 0.0, ops.less_equal(beside, last)))
        x = ops.stack([own[..., 0], beside[..., 0], own[..., 0]], axis=-1)
        y = ops.stack([own[..., 1], own[..., 1], beside[..., 1]], axis=-1)
        is_cell = ops.concatenate([ops.ones_like(exists[..., :1]), exists], axis=-1)

        ratio = ops.divide(boxes[..., None, 2:], np.array(anchors, np.float32))
        fits = ops.max(ops.maximum(ratio, 1.0 / ops.maximum(ratio, SMALLEST_IOU)), axis=-1) < LARGEST_RATIO
        fits = ops.logical_and(fits, is_object[..., None])
        start = grid.first_row[level] + np.arange(len(anchors)) * height * width
        cell = ops.cast(y * width + x, "int32")
        # Repeated, not broadcast: a training that TensorFlow compiles lost the anchors of a broadcast sum.
        cell = ops.repeat(cell[..., None, :], len(anchors), axis=-2)
        rows.append(ops.add(cell, start.astype(np.int32)[:, None]))
        valid.append(ops.logical_and(fits[..., None], is_cell[..., None, :]))
    # The number of rows is stated, because a compiled training must know it.
    of_level = boxes.shape[1] * len(grid.anchors[0]) * 3
    flat_rows = ops.concatenate([ops.reshape(part, (-1, of_level)) for part in rows], axis=1)
    flat_valid = ops.concatenate([ops.reshape(part, (-1, of_level)) for part in valid], axis=1)
    # A row that is no candidate has a number of its own, below 0, and so equals no other.
    size = of_level * grid.levels
    number = ops.where(flat_valid, flat_rows, -1 - np.arange(size, dtype=np.int32))
    earlier = np.tril(np.ones((size, size), bool), -1)
    repeated = ops.any(ops.logical_and(number[:, :, None] == number[:, None, :], earlier), axis=-1)
    flat_valid = ops.logical_and(flat_valid, ops.logical_not(repeated))
    return ops.where(flat_valid, flat_rows, 0), flat_valid


def _assign(
    boxes: Tensor, is_class: Tensor, is_object: Tensor, predicted: Tensor, logits: Tensor, valid: Tensor
) -> tuple[Tensor, Tensor]:
    """simOTA: the object of each candidate, [B, P] int, and 1.0 where it has one; see `tasks.detection.assignment`."""
    size = predicted.shape[1]
    open_pair = ops.logical_and(is_object[:, :, None], valid[:, None, :])
    overlap = ops.where(open_pair, _iou(boxes[:, :, None], predicted[:, None]), 0.0)
    joint = ops.sqrt(ops.sigmoid(logits[..., :1]) * ops.sigmoid(logits[..., 1:]))
    joint = ops.clip(joint, EPSILON, 1 - EPSILON)
    present, absent = -ops.log(joint), -ops.log1p(-joint)
    class_cost = ops.sum(absent, axis=-1)[:, None] + ops.matmul(is_class, ops.transpose(present - absent, (0, 2, 1)))
    cost = ops.where(open_pair, class_cost - IOU_WEIGHT * ops.log(overlap + SMALLEST_IOU), EXCLUDED)

    most = min(MOST_ROWS, size)
    wanted = ops.maximum(ops.floor(ops.sum(ops.top_k(overlap, most)[0], axis=-1)), 1.0)
    least, order = ops.top_k(-cost, most)
    chosen = ops.logical_and(ops.less(np.arange(most, dtype=np.float32), wanted[..., None]), least > -EXCLUDED)
    taken = ops.sum(ops.one_hot(order, size) * ops.cast(chosen, "float32")[..., None], axis=2) > 0
    owner = ops.argmin(ops.where(taken, cost, 2 * EXCLUDED), axis=1)
    return owner, ops.cast(ops.any(taken, axis=1), "float32")


def _edges(boxes: Tensor) -> tuple[Tensor, Tensor]:
    half = boxes[..., 2:] / 2.0
    return boxes[..., :2] - half, boxes[..., :2] + half


def _iou(one: Tensor, other: Tensor) -> Tensor:
    (low, high), (other_low, other_high) = _edges(one), _edges(other)
    inner = ops.maximum(ops.minimum(high, other_high) - ops.maximum(low, other_low), 0.0)
    shared = inner[..., 0] * inner[..., 1]
    return shared / ops.maximum(one[..., 2] * one[..., 3] + other[..., 2] * other[..., 3] - shared, TINY)


def _ciou(one: Tensor, other: Tensor) -> Tensor:
    """As `vision.boxes.ciou`; the weight of the aspect ratio is held fixed, as its authors do."""
    overlap = _iou(one, other)
    (low, high), (other_low, other_high) = _edges(one), _edges(other)
    hull = ops.maximum(high, other_high) - ops.minimum(low, other_low)
    between = ops.sum((one[..., :2] - other[..., :2]) ** 2, axis=-1)
    distance = between / ops.maximum(ops.sum(hull**2, axis=-1), TINY)
    aspect = 4 / math.pi**2 * (ops.arctan2(one[..., 2], one[..., 3]) - ops.arctan2(other[..., 2], other[..., 3])) ** 2
    weight = ops.stop_gradient(aspect / ops.maximum(1.0 - overlap + aspect, TINY))
    return overlap - distance - weight * aspect
