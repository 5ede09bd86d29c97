"""The curves of a training: one value a step of each state, and whether it has come to an end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.proportions import LEVEL

SHARE = 0.2
"""Of a curve, at its end, by which it is judged."""
LEAST_PLACES = 5
"""With a value at the end of a curve, to judge it by."""
STEADY = 0.8
"""Share of the distances between places that must not exceed `APART` medians for a longer one to be a gap."""
APART = 1.5
NEGLIGIBLE = 0.02
"""Of all that was gained since the start: a further change by less is none."""


@dataclass(frozen=True)
class Series:
    """The values of one state, k of them.

    Attributes:
        x: [k] ascending, each once.
        y: [k] NaN in a gap.
        repeated: how many further values were given for one of the places; the last counts.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    repeated: int


@dataclass(frozen=True)
class Ending:
    """How a curve ends.

    Attributes:
        best, best_at: value and place of the best one.
        last: mean of the end that is judged.
        change: over that end, along the line that fits it best; negative where values fall.
        low, high: its 95 % interval (Student's t, values about the line taken as independent).
        improves, worsens: whether the change is beyond the noise, and more than 2 % of what was gained since the start.
    """

    best: float
    best_at: float
    last: float
    change: float
    low: float
    high: float
    improves: bool
    worsens: bool


def series_by_step(x: NDArray[np.float64], value: NDArray[np.float64]) -> Series:
    """Values in the order of their places; a place of which several are given takes the last one.

    Where the places are regular, one that is missing leaves a gap.

    Args:
        x: [n] finite, in any order.
        value: [n] not finite where there is none.
    """
    order = np.argsort(x, kind="stable")
    x, value = x[order], np.where(np.isfinite(value[order]), value[order], np.nan)
    last = np.append(x[1:] != x[:-1], True)[: len(x)]
    repeated = int(len(x) - np.count_nonzero(last))
    return Series(*_with_gaps(x[last], value[last]), repeated)


def series_by_epoch(epoch: NDArray[np.float64], value: NDArray[np.float64]) -> Series:
    """The mean of the finite values of each epoch."""
    places, codes = np.unique(epoch, return_inverse=True)
    finite = np.isfinite(value)
    count = np.bincount(codes[finite], minlength=len(places))
    sums = np.bincount(codes[finite], value[finite], len(places))
    return Series(*_with_gaps(places, np.where(count > 0, sums / np.maximum(count, 1), np.nan)), 0)


def ending(series: Series, downward: bool) -> Ending | None:
    """How a curve ends; None where it has too few values to say.

    Args:
        downward: whether less is better.
    """
    from scipy.special import stdtrit

    known = np.isfinite(series.y)
    x, y = series.x[known], series.y[known]
    end = max(LEAST_PLACES, int(np.ceil(SHARE * len(x))))
    if len(x) < LEAST_PLACES:
        return None
    best = int(np.argmin(y) if downward else np.argmax(y))
    along, values = x[-end:], y[-end:]
    centred = along - along.mean()
    spread = float(centred @ centred)
    slope = float(centred @ values) / spread
    rest = values - values.mean() - slope * centred
    free = len(values) - 2
    error = np.sqrt(float(rest @ rest) / free / spread)
    width = float(along[-1] - along[0])
    half = float(stdtrit(free, (1 + LEVEL) / 2) * error * width)
    change = slope * width
    gained = abs(float(y[best] - y[0]))
    matters = abs(change) > max(half, NEGLIGIBLE * gained)
    better = (change < 0) == downward
    return Ending(
        float(y[best]),
        float(x[best]),
        float(values.mean()),
        change,
        change - half,
        change + half,
        bool(matters and better),
        bool(matters and not better),
    )


def _with_gaps(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """With a place without a value in each distance that is too long among regular ones."""
    if len(x) < LEAST_PLACES:
        return x, y
    apart = np.diff(x)
    median = float(np.median(apart))
    long = apart > APART * median
    if np.mean(~long) < STEADY:
        return x, y
    before = np.flatnonzero(long) + 1
    return np.insert(x, before, x[before - 1] + median), np.insert(y, before, np.nan)
