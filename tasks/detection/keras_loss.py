"""YOLOv7's losses in Keras, for training: the definition of tasks/detection/losses.py, with gradients.

The model that is trained gives logits in the place of probabilities, see `tasks.detection.keras_model`.

Tensors are added by `+`, never by `ops.add`: on TensorFlow, Keras takes that for the addition of a bias wherever all
but one of the second operand's axes have length 1 and that one is as long as the last or the second axis of the first,
and then adds along this axis, whatever broadcasting says.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from tasks.detection.assignment import EPSILON, IOU_WEIGHT, LARGEST_RATIO, MOST_ROWS, SHIFTS, SMALLEST_IOU
from tasks.detection.grid import Grid
from tasks.detection.losses import level_weights

LARGEST_LOGIT = math.log1p(-EPSILON) - math.log(EPSILON)
"""Of the probability 1 - EPSILON."""
EXCLUDED = 1e9
"""Cost of a candidate that must not be taken."""
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
    """The candidates of each sample that are assigned, in their order, in the first of K places.

    Attributes:
        rows: [B, K] int, numbers of rows of the output; a row comes up once for each copy assigned.
        owner: [B, K] int, the object, a row of the ground truth; means nothing where there is none.
        is_assigned: [B, K], 1.0 where there is one, else 0.0.
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
    target = ops.stop_gradient(ops.maximum(quality, 0.0)) * _is_last(rows, is_assigned)
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
    # An object gets so many candidates at most, so no more are assigned.
    most = min(MOST_ROWS * boxes.shape[1], rows.shape[1])
    earliness = np.arange(rows.shape[1], 0, -1, dtype=np.float32)
    found, places = ops.top_k(ops.where(is_assigned, earliness, 0.0), most)
    rows, owner = (ops.take_along_axis(each, places, axis=1) for each in (rows, owner))
    return Assigned(rows, owner, ops.cast(found > 0, "float32"))


def _is_last(rows: Tensor, is_assigned: Tensor) -> Tensor:
    """[B, K], 1.0 for what is assigned and the last copy of its row."""
    later = np.triu(np.ones((rows.shape[1], rows.shape[1]), np.float32), 1)
    is_copy = ops.cast(ops.equal(rows[:, :, None], rows[:, None]), "float32")
    later_copies = ops.sum(is_copy * is_assigned[:, None] * ops.convert_to_tensor(later), axis=-1)
    return is_assigned * ops.cast(ops.equal(later_copies, 0.0), "float32")


def _boxes(ground_truth: Tensor, grid: Grid) -> Tensor:
    """[B, MAX, 4] (centre x, centre y, width, height) in pixels of the input."""
    return ops.multiply(ground_truth[..., 1:], np.array([grid.width, grid.height] * 2, np.float32))


def _is_class(ground_truth: Tensor, classes: int) -> Tensor:
    """[B, MAX, classes], 1.0 for the class of each object."""
    return ops.cast(ops.equal(ground_truth[..., :1], np.arange(classes, dtype=np.float32)), "float32")


def _candidates(boxes: Tensor, is_object: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """The candidates of all objects, [B, P] int32, and whether each is to be reckoned with.

    As `tasks.detection.assignment.candidate_rows`, in the order of `tasks.detection.assignment.assign`.
    """
    rows, valid = [], []
    for level, (stride, anchors, (height, width)) in enumerate(
        zip(grid.strides, grid.anchors, grid.shapes, strict=True)
    ):
        centre = boxes[..., :2] / stride
        before, after = _is_near(centre), _is_near(ops.subtract(np.array([width, height], np.float32), centre))
        is_cell = ops.concatenate([ops.ones_like(before[..., :1]), before, after], axis=-1)
        x, y = (
            ops.stack([ops.clip(ops.floor(centre[..., axis] + shift[axis]), 0, last) for shift in SHIFTS], axis=1)
            for axis, last in enumerate((width - 1, height - 1))
        )
        x, y = ops.cast(x, "int32"), ops.cast(y, "int32")
        rows.append(ops.stack([grid.row(level, anchor, y, x) for anchor in range(len(anchors))], axis=2))

        ratio = ops.divide(boxes[..., None, 2:], np.array(anchors, np.float32))
        fits = ops.max(ops.maximum(ratio, 1.0 / ops.maximum(ratio, SMALLEST_IOU)), axis=-1) < LARGEST_RATIO
        fits = ops.logical_and(fits, is_object[..., None])
        is_cell, fits = ops.transpose(is_cell, (0, 2, 1)), ops.transpose(fits, (0, 2, 1))
        valid.append(ops.logical_and(is_cell[:, :, None], fits[:, None]))
    # The number of rows is stated, because a compiled training must know it.
    of_level = len(SHIFTS) * len(grid.anchors[0]) * boxes.shape[1]
    flat_rows = ops.concatenate([ops.reshape(part, (-1, of_level)) for part in rows], axis=1)
    flat_valid = ops.concatenate([ops.reshape(part, (-1, of_level)) for part in valid], axis=1)
    return flat_rows, flat_valid


def _is_near(distance: Tensor) -> Tensor:
    """Whether a centre so many cells from an edge of the input is near to the next cell on the way there."""
    return ops.logical_and(distance - ops.floor(distance) < 0.5, distance > 1.0)


def _assign(
    boxes: Tensor, is_class: Tensor, is_object: Tensor, predicted: Tensor, logits: Tensor, valid: Tensor
) -> tuple[Tensor, Tensor]:
    """simOTA: the object of each candidate, [B, P] int, and whether it has one; see `tasks.detection.assignment`."""
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
    # One after the other, because the copies of a row cost the same, and which of them `top_k` takes is for torch to
    # choose; `argmin` takes the first.
    taken = ops.zeros_like(open_pair)
    for turn in range(most):
        least = ops.argmin(ops.where(taken, EXCLUDED, cost), axis=-1)
        is_least = ops.equal(least[..., None], np.arange(size, dtype=np.int32))
        taken = ops.logical_or(taken, ops.logical_and(is_least, (wanted > turn)[..., None]))
    taken = ops.logical_and(taken, open_pair)

    claims = ops.sum(ops.cast(taken, "int32"), axis=1)
    owner = ops.where(claims > 1, ops.argmin(cost, axis=1), ops.argmax(ops.cast(taken, "int32"), axis=1))
    return owner, claims > 0


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
