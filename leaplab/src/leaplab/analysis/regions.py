"""Places that look like a region: windows of cells of feature maps, each compared by the mean of its vectors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.neighbours import Metric, distances_to
from leaplab.errors import QuestionError

Region = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""
AT_ONCE = 64 << 20
"""Bytes that the vectors of a piece take in float64."""


class Window(NamedTuple):
    """Cells of a map: rows `top` to `bottom` and columns `left` to `right`, the last of each not among them."""

    top: int
    left: int
    bottom: int
    right: int


def window_of(region: Region, size: tuple[int, int], grid: tuple[int, int]) -> Window:
    """The cells with their middle in a region, or the one around its middle where there is none.

    Args:
        region: of a picture.
        size: height and width of the picture, in pixels.
        grid: rows and columns of the map that covers it.

    Raises:
        QuestionError: the region has no area, or none of it lies in the picture.
    """
    left, top, right, bottom = region
    if not np.isfinite(region).all() or left >= right or top >= bottom:
        raise QuestionError("A region is X0,Y0,X1,Y1 with X0 < X1 and Y0 < Y1, in pixels.")
    if left >= size[1] or top >= size[0] or right <= 0 or bottom <= 0:
        raise QuestionError(f"The region lies outside of the picture, which has {size[1]} x {size[0]} pixels.")
    rows = _span(max(top, 0), min(bottom, size[0]), size[0], grid[0])
    columns = _span(max(left, 0), min(right, size[1]), size[1], grid[1])
    return Window(rows[0], columns[0], rows[1], columns[1])


def _span(start: float, stop: float, length: int, cells: int) -> tuple[int, int]:
    scale = cells / length
    first, last = int(np.ceil(start * scale - 0.5)), int(np.ceil(stop * scale - 0.5))
    if last > first:
        return first, last
    cell = min(int((start + stop) / 2 * scale), cells - 1)
    return cell, cell + 1


def box_of(window: Window, size: tuple[int, int], grid: tuple[int, int]) -> Region:
    """The pixels that a window covers; the arguments are those of `window_of`."""
    down, across = size[0] / grid[0], size[1] / grid[1]
    return window.left * across, window.top * down, window.right * across, window.bottom * down


def mean_vector(cells: NDArray[np.floating], window: Window) -> NDArray[np.float64]:
    """[C] the mean of the vectors of a window of a map [h, w, C]."""
    part = cells[window.top : window.bottom, window.left : window.right]
    return np.asarray(part.astype(np.float64).mean(axis=(0, 1)))


def best_windows(
    cells: NDArray[np.floating],
    query: NDArray[np.float64],
    window: Window,
    metric: Metric,
    places: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Of each of some maps, the window of a size whose mean vector is nearest to one.

    Args:
        cells: [n, h, w, C] finite, read piece by piece.
        query: [C].
        window: whose size it is.
        metric: see `leaplab.analysis.neighbours.Neighbours`.
        places: [m] of the maps.

    Returns:
        [m] distances, and [m, 2] the row and column of each window's first cell, the first of equal ones.
    """
    count, (_, height, width, channels) = len(places), cells.shape
    rows, columns = window.bottom - window.top, window.right - window.left
    wide = width - columns + 1
    step = max(1, AT_ONCE // (height * width * channels * 8))
    distances, firsts = np.empty(count), np.empty(count, np.int64)
    for start in range(0, count, step):
        piece = cells[places[start : start + step]].astype(np.float64)
        means = _window_sums(_window_sums(piece, 1, rows), 2, columns) / (rows * columns)
        found = distances_to(means.reshape(-1, channels), query, metric).reshape(len(piece), -1)
        nearest = found.argmin(axis=1)
        distances[start : start + step] = found[np.arange(len(piece)), nearest]
        firsts[start : start + step] = nearest
    return distances, np.stack(np.divmod(firsts, wide), axis=1)


def _window_sums(cells: NDArray[np.float64], axis: int, length: int) -> NDArray[np.float64]:
    """Sums of so many cells that follow upon another along an axis."""
    if length == 1:
        return cells
    windows = np.lib.stride_tricks.sliding_window_view(cells, length, axis=axis)
    return np.asarray(windows.sum(axis=-1))
