"""The objects of an image as an array of fixed shape, which is what a model's losses and metrics are given."""

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from vision.boxes import Boxes

PADDING = -1
"""The class of a row that stands for no object."""


def padded(objects: Objects, most: int, height: int, width: int) -> NDArray[np.float32]:
    """Objects -> [most, 5] float32 (class, centre x, centre y, width, height), the first `most` of them in their order.

    Sizes and places are shares of the input, in [0, 1], because half precision holds those better than pixels. Rows
    without an object have the class `PADDING` and zeros.

    Args:
        objects: in pixels of the model's input.
        height: of the input in pixels.
        width: of the input in pixels.
    """
    rows = np.zeros((most, 5), np.float32)
    rows[:, 0] = PADDING
    kept = min(most, len(objects))
    rows[:kept, 0] = objects.classes[:kept]
    rows[:kept, 1:] = Boxes(objects.edges[:kept].astype(np.float64)).normalised(width, height)
    return rows


def unpadded(rows: NDArray[np.floating], height: int, width: int) -> Objects:
    """The inverse of `padded` for one image, [MAX, 5] of any float type; padding may stand anywhere."""
    chosen = rows[rows[:, 0] >= 0].astype(np.float32)
    return Objects(Boxes.from_normalised(chosen[:, 1:], width, height).edges, chosen[:, 0].astype(np.int64))
