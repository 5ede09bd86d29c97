"""The map of a report: all samples drawn once into one grey picture, whose values the page gives its colours."""

import base64
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

WIDTH = 1100
"""Pixels."""
FLATTEST = 0.5
"""The least height, for each of its width."""
MARGIN = 0.03
"""Of the longer side, around the outermost points."""
STEPS = 254
"""Values of a number; 255 is for those without one."""


def places_of(points: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """[N, 2] shares of the picture's width and height, from the left and from the top, NaN for what has no place; and
    its height, for each of its width.

    Both axes have one scale, and the points' middle lies in the picture's.

    Args:
        points: [N, 2], NaN for what has no place.
    """
    whole = points.astype(np.float64)
    has_place = np.isfinite(whole).all(axis=1)
    whole[~has_place] = np.nan
    placed = whole[has_place]
    if not len(placed):
        return whole, FLATTEST
    low, high = placed.min(axis=0), placed.max(axis=0)
    around = 2 * MARGIN * max(float((high - low).max()), 1e-9)
    extent = high - low + around
    width = max(float(extent[0]), float(extent[1]))  # a tall map is as wide as it is high
    height = max(float(extent[1]), FLATTEST * width)
    shares = (whole - (low + high) / 2) / (width, height) + 0.5
    return np.stack([shares[:, 0], 1 - shares[:, 1]], axis=1), height / width


def drawn(places: NDArray[np.float64], values: NDArray[np.integer], width: int, height: int) -> NDArray[np.uint8]:
    """[height, width] grey: a dot a sample, as large as their number leaves room for; 0 where there is none.

    Args:
        places: [N, 2] as of `places_of`.
        values: [N] from 1 to 255.
    """
    picture = np.zeros((height, width), np.uint8)
    # No category hides behind another.
    order = np.random.default_rng(0).permutation(len(places))
    order = order[np.isfinite(places[order]).all(axis=1)]
    size = (width, height)
    across, down = (np.clip((places[order, axis] * size[axis]).astype(np.int64), 0, size[axis] - 1) for axis in (0, 1))
    colour = values[order].astype(np.uint8)
    radius = float(np.clip(120 / np.sqrt(max(len(order), 1)), 0.6, 6.0))
    reach = int(np.ceil(radius))
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dx * dx + dy * dy > radius * radius:
                continue
            x, y = across + dx, down + dy
            inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
            picture[y[inside], x[inside]] = colour[inside]
    return picture


def as_address(picture: NDArray[np.uint8]) -> str:
    """A picture as a data address: PNG, which keeps each value as it is."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(picture, "L").save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
