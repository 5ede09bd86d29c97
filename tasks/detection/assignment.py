"""Which rows of a detector's output are to predict which object: YOLOv7's assignment of labels.

Wang, Bochkovskiy and Liao, "YOLOv7: trainable bag-of-freebies sets new state-of-the-art for real-time object
detectors", CVPR 2023, section 4.2, and the code that they published (`ComputeLossOTA` of utils/loss.py): the rows whose
anchor fits an object's size and whose cell lies at its centre are candidates, and of these simOTA (Ge et al., "YOLOX",
2021, section 2.1) chooses those that predict the object best already.

A row that several objects propose is a candidate as often, as it is in that code: its copies count among an object's
largest overlaps, an object may take several of them, and two of them may go to two objects.
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
"""Candidates that one object may get."""
SHIFTS = ((0.0, 0.0), (-0.5, 0.0), (0.0, -0.5), (0.5, 0.0), (0.0, 0.5))
"""(x, y) in cells: a centre, moved by each, lies in the cells that may predict its object."""
IOU_WEIGHT = 3.0
"""Of the overlap in the cost of giving a row to an object, against its classes."""
SMALLEST_IOU = 1e-8
"""Added before a logarithm."""
EPSILON = 1e-7
"""Probabilities count as no nearer to 0 and 1 than this: a logarithm of them is finite."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """K candidates of one image and the object that each is to predict.

    Attributes:
        rows: [K] int, of the output, in the order that `assign` states; a row comes up once for each copy assigned.
        objects: [K] int.
    """

    rows: NDArray[np.intp]
    objects: NDArray[np.intp]


def candidate_rows(boxes: NDArray[np.floating], grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The rows that may predict each object.

    For each anchor that fits the object's size: the cell that holds its centre, and of the cells beside it and of those
    above and below the nearer one each, unless the centre lies within the outermost cell's outer half or on its inner
    border. A centre on the border of two cells is near to both, and so the cell that holds it comes up a second time.

    Args:
        boxes: [M, 4] (centre x, centre y, width, height) in pixels of the input.

    Returns:
        Row numbers [M, 15 * levels] int (with three anchors), by level, then `SHIFTS`, then anchor; and whether each is
        a candidate: where not, the number means nothing.
    """
    rows, valid = [], []
    anchor, shifts = np.arange(len(grid.anchors[0])), np.array(SHIFTS)
    for level, (stride, anchors, shape) in enumerate(zip(grid.strides, grid.anchors, grid.shapes, strict=True)):
        centre, cells = boxes[:, :2] / stride, np.array(shape[::-1])
        before, after = _is_near(centre), _is_near(cells - centre)
        is_cell = np.concatenate([np.ones((len(boxes), 1), bool), before, after], axis=1)
        place = np.clip(np.floor(centre[:, np.newaxis] + shifts), 0, cells - 1).astype(np.intp)
        x, y = place[:, :, np.newaxis, 0], place[:, :, np.newaxis, 1]

        ratio = boxes[:, np.newaxis, 2:] / np.asarray(anchors)
        fits = np.maximum(ratio, 1 / np.maximum(ratio, SMALLEST_IOU)).max(axis=-1) < LARGEST_RATIO
        slots = (len(boxes), len(SHIFTS) * len(anchors))
        rows.append((grid.first_row[level] + (anchor * shape[0] + y) * shape[1] + x).reshape(slots))
        valid.append((fits[:, np.newaxis] & is_cell[:, :, np.newaxis]).reshape(slots))
    return np.concatenate(rows, axis=1), np.concatenate(valid, axis=1)


def _is_near(distance: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether a centre so many cells from an edge of the input is near to the next cell on the way there."""
    return np.asarray((distance % 1 < 0.5) & (distance > 1))


def assign(objects: Objects, prediction: NDArray[np.floating], grid: Grid, classes: int) -> Assignment:
    """Give rows of one image's output to its objects.

    The candidates of all objects stand open to each of them, a row as often as it was proposed. An object gets as many
    as its ten largest overlaps with candidates add up to, rounded down, and at least one: those of the least cost, the
    cross-entropy of the classes plus `IOU_WEIGHT` times -log IoU. A candidate that several objects would have goes to
    that one of all objects to which it costs least.

    Where costs are equal, as those of a row's copies are, the earlier candidate and the earlier object come first.
    Candidates are ordered by level, then `SHIFTS`, then anchor, then object, as in the published code; which of equal
    costs comes first, that leaves open.

    Args:
        objects: in pixels of the input.
        prediction: [N, 5 + classes or more] (centre x, centre y, width, height in pixels, objectness, probabilities of
            the classes).
    """
    rows, valid = candidate_rows(Boxes(objects.edges).centre_and_size(), grid)
    pool = rows.T[valid.T]
    if len(pool) == 0:
        return Assignment(pool, pool)
    chosen = prediction[pool].astype(np.float64)
    overlap = iou(objects.edges[:, np.newaxis].astype(np.float64), Boxes.from_centre_and_size(chosen[:, :4]).edges)

    joint = np.sqrt(np.clip(chosen[:, 4:5], 0, 1) * np.clip(chosen[:, 5 : 5 + classes], 0, 1))
    joint = np.clip(joint, EPSILON, 1 - EPSILON)
    present, absent = -np.log(joint), -np.log1p(-joint)
    class_cost = absent.sum(axis=1) + (present - absent)[:, objects.classes].T
    cost = class_cost - IOU_WEIGHT * np.log(overlap + SMALLEST_IOU)

    most = min(MOST_ROWS, len(pool))
    # From below: most overlaps are 0, and numpy takes long to find the place above so many equal ones.
    largest = -np.partition(-overlap, most - 1, axis=1)[:, :most]
    wanted = np.maximum(largest.sum(axis=1).astype(int), 1)
    least = np.sort(np.partition(cost, most - 1, axis=1)[:, :most], axis=1)
    limit = np.take_along_axis(least, wanted[:, np.newaxis] - 1, axis=1)
    taken, tied = cost < limit, cost == limit
    room = wanted - taken.sum(axis=1)
    taken |= tied & (tied.cumsum(axis=1, dtype=np.int32) <= room[:, np.newaxis])

    is_taken = taken.any(axis=0)
    taken, cost = taken[:, is_taken], cost[:, is_taken]
    is_contested = taken.sum(axis=0) > 1
    return Assignment(pool[is_taken], np.where(is_contested, cost.argmin(axis=0), taken.argmax(axis=0)))
