"""Topology of binary shapes."""

import cv2
import numpy as np
from numpy.typing import NDArray


def count_holes(shape: NDArray[np.bool_], min_area: int = 1) -> int:
    """Number of background regions that the shape encloses: 0 for an open stroke, 1 for a ring, 2 for an eight.

    The shape is 8-connected and its background 4-connected, so a stroke that touches itself only at a corner closes a
    loop. Whatever reaches the border of the image is outside.

    Args:
        shape: [H, W] bool, true where the shape is.
        min_area: smaller regions, in pixels, are noise and do not count.
    """
    background = cv2.copyMakeBorder((~shape).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, regions, stats, _ = cv2.connectedComponentsWithStats(background, connectivity=4)
    is_hole = stats[:, cv2.CC_STAT_AREA] >= min_area
    # Label 0 is the shape itself; the padding makes the outside one region, which holds the top-left corner.
    is_hole[[0, regions[0, 0]]] = False
    return int(is_hole.sum())
