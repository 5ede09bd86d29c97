"""Which rows of a detector's output are to predict which object: YOLOv7's assignment of labels.

Wang, Bochkovskiy and Liao, "YOLOv7: trainable bag-of-freebies sets new state-of-the-art for real-time object
detectors", CVPR 2023, section 4.2, and the code that they published: the rows whose anchor fits an object's size and
whose cell lies at its centre are candidates, and of these simOTA (Ge et al., "YOLOX", 2021, section 2.1) chooses those
that predict the object best already.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from tasks.detection.grid import Grid
from vision.boxes import Boxes, iou

LARGEST_RATIO = 4.0
"""An anchor is a candidate for an object whose width and height differ from its own by less than this factor."""
MOST_ROWS = 10
"""Rows that one object may get."""
IOU_WEIGHT = 3.0
"""Of the overlap in the cost of giving a row to an object, against its classes."""
SMALLEST_IOU = 1e-8
"""Added before a logarithm."""
EPSILON = 1e-7
"""Probabilities count as no nearer to 0 and 1 than this: a logarithm of them is finite."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """K rows of one image's output and the object that each is to predict.

    Attributes:
        rows: [K] int, ascending.
        objects: [K] int.
    """

    rows: NDArray[np.intp]
    objects: NDArray[np.intp]


def candidate_rows(boxes: NDArray[np.floating], grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The rows that may predict each object.

    For each anchor that fits the object's size: the cell that holds its centre, and of the cells beside it and of those
    above and below the nearer one each.

    Args:
        boxes: [M, 4] (centre x, centre y, width, height) in pixels of the input.

    Returns:
        Row numbers [M, 9 * levels] int (with three anchors), and whether each is a candidate; where not, the number
        means nothing.
    """
    rows, valid = [], []
    for level, (stride, anchors, shape) in enumerate(zip(grid.strides, grid.anchors, grid.shapes, strict=True)):
        last = np.array([shape[1] - 1, shape[0] - 1])
        centre = boxes[:, :2] / stride
        own = np.clip(np.floor(centre).astype(np.intp), 0, last)
        step = np.sign(centre % 1 - 0.5).astype(np.intp)  # to the nearer neighbour; 0 in the middle, where none is
        beside = own + step
        exists = (step != 0) & (beside >= 0) & (beside <= last)
        x = np.stack([own[:, 0], beside[:, 0], own[:, 0]], axis=1)
        y = np.stack([own[:, 1], own[:, 1], beside[:, 1]], axis=1)
        is_cell = np.concatenate([np.ones((len(boxes), 1), bool), exists], axis=1)

        ratio = boxes[:, np.newaxis, 2:] / np.asarray(anchors)
        fits = np.maximum(ratio, 1 / np.maximum(ratio, SMALLEST_IOU)).max(axis=-1) < LARGEST_RATIO
        start = grid.first_row[level] + np.arange(len(anchors)) * shape[0] * shape[1]
        cell = (y * shape[1] + x)[:, np.newaxis]
        slots = (len(boxes), 3 * len(anchors))
        rows.append((start[:, np.newaxis] + cell).reshape(slots))
        valid.append((fits[:, :, np.newaxis] & is_cell[:, np.newaxis]).reshape(slots))
    return np.concatenate(rows, axis=1), np.concatenate(valid, axis=1)


def assign(objects: Objects, prediction: NDArray[np.floating], grid: Grid, classes: int) -> Assignment:
    """Give rows of one image's output to its objects.

    Candidates of all objects stand open to each of them. An object gets as many rows as its ten largest overlaps with
    candidates add up to, rounded down, and at least one: those of the least cost, the cross-entropy of the classes plus
    `IOU_WEIGHT` times -log IoU. A row that several objects would have goes to the one to which it costs least.

    Args:
        objects: in pixels of the input.
        prediction: [N, 5 + classes or more] (centre x, centre y, width, height in pixels, objectness, probabilities of
            the classes).
    """
    rows, valid = candidate_rows(Boxes(objects.edges).centre_and_size(), grid)
    pooled = np.unique(rows[valid])
    if len(pooled) == 0:
        return Assignment(pooled, pooled)
    chosen = prediction[pooled].astype(np.float64)
    overlap = iou(objects.edges[:, np.newaxis].astype(np.float64), Boxes.from_centre_and_size(chosen[:, :4]).edges)

    joint = np.sqrt(np.clip(chosen[:, 4:5], 0, 1) * np.clip(chosen[:, 5 : 5 + classes], 0, 1))
    joint = np.clip(joint, EPSILON, 1 - EPSILON)
    present, absent = -np.log(joint), -np.log1p(-joint)
    class_cost = absent.sum(axis=1) + (present - absent)[:, objects.classes].T
    cost = class_cost - IOU_WEIGHT * np.log(overlap + SMALLEST_IOU)

    most = min(MOST_ROWS, len(pooled))
    # From below: most overlaps are 0, and numpy takes long to find the place above so many equal ones.
    largest = -np.partition(-overlap, most - 1, axis=1)[:, :most]
    wanted = np.maximum(largest.sum(axis=1).astype(int), 1)
    order = np.argpartition(cost, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(order, np.take_along_axis(cost, order, axis=1).argsort(axis=1), axis=1)
    taken = np.zeros(cost.shape, bool)
    np.put_along_axis(taken, order, np.arange(most) < wanted[:, np.newaxis], axis=1)

    owner = np.where(taken, cost, np.inf).argmin(axis=0)
    is_taken = taken.any(axis=0)
    return Assignment(pooled[is_taken], owner[is_taken])
