"""The edge of a mask as lines that a page draws over a picture."""

import numpy as np
from numpy.typing import NDArray


def outline_path(inside: NDArray[np.bool_]) -> str:
    """An SVG path along every edge between a cell [h, w] that is inside and one that is not, or the mask's end.

    Cells have sides of 1, so that the view box is `0 0 w h`. Edges in one line are one stroke.
    """
    padded = np.pad(inside, 1)
    strokes = [f"M{start} {line}H{stop}" for line, start, stop in _runs(padded[1:, 1:-1] != padded[:-1, 1:-1])]
    strokes += [f"M{line} {start}V{stop}" for line, start, stop in _runs((padded[1:-1, 1:] != padded[1:-1, :-1]).T)]
    return "".join(strokes)


def _runs(edges: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(line, first, behind the last) of each run of what is true along the lines of [n, m]."""
    steps = np.diff(np.pad(edges, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    lines, starts = np.nonzero(steps == 1)
    stops = np.nonzero(steps == -1)[1]
    return list(zip(lines.tolist(), starts.tolist(), stops.tolist(), strict=True))
