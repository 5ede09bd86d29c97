"""What there is in an image as an array of fixed shape, which is what a model's losses and metrics are given.

A row is an object to find; a crowd, which is a group of objects that were not told apart (COCO's `iscrowd`); or
padding. Its class tells which: that of an object is its class index, that of a crowd of class c is `CROWD` - c, that of
padding is `PADDING`. A crowd is not to be found, so the losses see the objects alone; but a detection in one is not
held against the model, see `tasks.detection.matching`.
"""

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from vision.boxes import Boxes

PADDING = -1
"""The class of a row that stands for nothing."""

CROWD = -2
"""The class of a row that stands for a crowd of class 0; less by c for one of class c."""


def padded(objects: Objects, most: int, height: int, width: int, crowds: Objects | None = None) -> NDArray[np.float32]:
    """Objects -> [most, 5] float32 (class, centre x, centre y, width, height), the first `most` of them in their order.

    Crowds follow, as many as there is room for. Sizes and places are shares of the input, in [0, 1], because half
    precision holds those better than pixels. The other rows have the class `PADDING` and zeros.

    Args:
        objects: in pixels of the model's input.
        height: of the input in pixels.
        width: of the input in pixels.
        crowds: likewise, of the class of what they are a crowd of.
    """
    classes, edges = [objects.classes], [objects.edges]
    if crowds is not None:
        classes.append(CROWD - crowds.classes)
        edges.append(crowds.edges)
    kept = min(most, sum(map(len, classes)))
    rows = np.zeros((most, 5), np.float32)
    rows[:, 0] = PADDING
    rows[:kept, 0] = np.concatenate(classes)[:kept]
    rows[:kept, 1:] = Boxes(np.concatenate(edges)[:kept].astype(np.float64)).normalised(width, height)
    return rows


def unpadded(rows: NDArray[np.floating], height: int, width: int) -> Objects:
    """The objects to find of one image, [MAX, 5] of any float type; crowds and padding may stand anywhere."""
    chosen = rows[rows[:, 0] >= 0]
    return _objects(chosen, chosen[:, 0], height, width)


def unpadded_crowds(rows: NDArray[np.floating], height: int, width: int) -> Objects:
    """The crowds of one image, as `unpadded` gives its objects; their classes are of what they are a crowd of."""
    chosen = rows[is_crowd(rows)]
    return _objects(chosen, CROWD - chosen[:, 0], height, width)


def is_crowd(rows: NDArray[np.floating]) -> NDArray[np.bool_]:
    """[MAX, 5] -> [MAX]: whether a row stands for a crowd."""
    return np.asarray(rows[:, 0] <= CROWD)


def _objects(rows: NDArray[np.floating], classes: NDArray[np.floating], height: int, width: int) -> Objects:
    edges = Boxes.from_normalised(rows[:, 1:].astype(np.float32), width, height).edges
    return Objects(edges, classes.astype(np.int64))
