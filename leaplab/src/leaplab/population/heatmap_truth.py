"""Where the ground truth lies in a picture, on the cells of a heat-map."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.explaining import UNMARKED
from leaplab.protocol.inspection import Visual

FINE = 512
"""Points along the shorter side of a picture, at least, that boxes are laid on."""


def covered(shown: Visual, grid: tuple[int, int]) -> NDArray[np.float64]:
    """The share of each cell's area that lies inside a box, or under the mask, of what a visualizer shows.

    Args:
        shown: of type `ImageMask` or `ImageWithBBox`.
        grid: rows and columns of a map that covers the same as the picture.

    Returns:
        [rows, columns] float64 in [0, 1].

    Raises:
        LeaplabError: the visualizer failed, or what it shows is no such thing.
    """
    if shown.error is not None:
        raise LeaplabError(shown.error)
    marked = _masked(shown.fields) if shown.type == "ImageMask" else _boxed(shown.fields)
    if 0 in marked.shape:
        raise LeaplabError(f"The visualizer '{shown.name}' shows a picture of no pixel.")
    down, across = (_shares(of, to) for of, to in zip(marked.shape, grid, strict=True))
    return np.clip(down @ marked.astype(np.float64) @ across.T, 0, 1)


def _masked(fields: dict[str, Any]) -> NDArray[np.bool_]:
    mask = np.asarray(fields["mask"])
    mask = mask.reshape(mask.shape[:2])
    labels = [str(each).strip().casefold() for each in fields["labels"]]
    clear = [value for value, label in enumerate(labels) if label in UNMARKED]
    return np.isin(mask, clear, invert=True)


def _boxed(fields: dict[str, Any]) -> NDArray[np.bool_]:
    """On a grid as fine as the picture's, or finer where that is coarse; a point belongs to a box with its middle."""
    sides = np.asarray(fields["data"]).shape[:2]
    height, width = (side * max(1, math.ceil(FINE / max(min(sides), 1))) for side in sides)
    marked = np.zeros((height, width), bool)
    for box in fields["bounding_boxes"]:
        turn = np.radians(float(box.get("rotation") or 0.0))
        x, y = float(box["x"]) * width, float(box["y"]) * height
        half = float(box["width"]) * width / 2, float(box["height"]) * height / 2
        if not np.isfinite((turn, x, y, *half)).all() or min(half) <= 0:
            continue
        reach = math.hypot(*half) + 1
        top, bottom = (int(np.clip(edge, 0, height)) for edge in (y - reach, y + reach))
        left, right = (int(np.clip(edge, 0, width)) for edge in (x - reach, x + reach))
        below, beside = np.mgrid[top:bottom, left:right] + 0.5
        below, beside = below - y, beside - x
        along = beside * np.cos(turn) + below * np.sin(turn)  # clockwise as seen
        across = below * np.cos(turn) - beside * np.sin(turn)
        marked[top:bottom, left:right] |= (np.abs(along) <= half[0]) & (np.abs(across) <= half[1])
    return marked


def _shares(length: int, wanted: int) -> NDArray[np.float64]:
    """[wanted, length]: how much of each of some cells each of others covers."""
    edges, of = np.arange(wanted + 1) * length / wanted, np.arange(length)
    overlap = np.minimum(edges[1:, None], of + 1) - np.maximum(edges[:-1, None], of)
    return np.asarray(np.maximum(overlap, 0) * wanted / length, np.float64)
