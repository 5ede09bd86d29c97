"""Into which ranges a number is divided, and which range each value lies in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST, MOST = 10, 60
"""Bins of a histogram, where nobody says how many."""
OUTERMOST = 1.0
"""Percent of the values at an end that get a bin of their own where they reach far."""
FAR = 0.5
"""Times as far as all others, is far."""
EXACT = 2.0**52
"""Below it a half is a number of its own."""
LEAST_REACH, GREATEST_REACH = 1e-290, 1e300
"""Between what is so far apart a division finds the bin."""


@dataclass(frozen=True)
class Bins:
    """Ranges of a number, one beside the other.

    Attributes:
        edges: [k + 1] ascending. A bin holds its lower edge; the last one its upper edge as well.
        low, high: ends of the bins but for those that gather.
        gathers_low, gathers_high: whether the first, or the last, reaches further and gathers the outermost values.
        equal: whether those between `low` and `high` are equally wide.
    """

    edges: NDArray[np.float64]
    low: float
    high: float
    gathers_low: bool = False
    gathers_high: bool = False
    equal: bool = True

    def __len__(self) -> int:
        """How many."""
        return len(self.edges) - 1

    @property
    def width(self) -> float:
        """Of one of the equal ones."""
        return (self.high - self.low) / (len(self) - self.gathers_low - self.gathers_high)


def equal_bins(values: NDArray[np.float64], whole: bool, bins: int | None = None, usual: int | None = None) -> Bins:
    """Bins of equal width; of whole numbers with edges at halves, so that none lies on an edge.

    Where nobody says how many, the outermost hundredth of the values at an end is gathered in a bin of its own if it
    takes more than half as much room as all others: one far value would put all others into a single bin.

    Args:
        values: [n >= 1] finite.
        whole: whether they are whole numbers.
        bins: how many at most; None chooses.
        usual: how many where `bins` is None; None takes the rule of Freedman and Diaconis (1981), 10 to 60.
    """
    least, most = float(values.min()), float(values.max())
    low, high = least, most
    number = bins
    if number is None:
        inner_low, first, third, inner_high = np.percentile(
            values, [OUTERMOST, 25, 75, 100 - OUTERMOST], method="nearest"
        ).tolist()
        reach = FAR * (inner_high - inner_low)
        low = inner_low if inner_low - least > reach > 0 else least
        high = inner_high if most - inner_high > reach > 0 else most
        number = usual or _freedman_diaconis(len(values), third - first, high - low)
    halves = whole and max(abs(least), abs(most)) < EXACT
    if halves:
        step = max(1.0, np.ceil((high - low + 1) / number))
        inner = low - 0.5 + step * np.arange(np.ceil((high - low + 1) / step) + 1)
        below, above = least - 0.5, most + 0.5
    elif high > low:
        # By quarters, between which no double is out of reach.
        between = 4 * np.linspace(low / 4, high / 4, number + 1)[1:-1]
        inner = np.unique([low, *between[(low < between) & (between < high)], high])
        below, above = least, most
    else:
        room = max(abs(low), 1.0) / 2
        inner, below, above = np.array([low - room, low + room]), low, high
    gathers_low, gathers_high = low > least, high < most and above > inner[-1]
    edges = np.concatenate([[below] if gathers_low else [], inner, [above] if gathers_high else []])
    reach = float(inner[-1]) - float(inner[0])
    equal = len(inner) == number + 1 or halves
    # The least and the greatest doubles are beyond a division.
    equal = equal and LEAST_REACH < reach < GREATEST_REACH
    return Bins(edges, float(inner[0]), float(inner[-1]), bool(gathers_low), bool(gathers_high), equal)


def even_bins(values: NDArray[np.float64], number: int) -> Bins:
    """Bins of about as many values each; fewer where values come often.

    Args:
        values: [n >= 1] finite.
        number: of bins.
    """
    edges = np.unique(np.percentile(values, np.linspace(0, 100, number + 1), method="nearest"))
    if len(edges) < 2:
        return equal_bins(values, False, 1)
    return Bins(edges, float(edges[0]), float(edges[-1]), equal=False)


def places_in(bins: Bins, values: NDArray[np.float64]) -> NDArray[np.int16]:
    """[n] the bin of each value; -1 for one that is not finite, or lies in none."""
    edges, last = bins.edges, len(bins) - 1
    inside = (values >= edges[0]) & (values <= edges[-1])
    known = values if inside.all() else np.where(inside, values, edges[0])
    if not bins.equal:
        places = np.searchsorted(edges[1:-1], known, side="right").astype(np.int16)
        return np.where(inside, places, np.int16(-1))
    # A division finds the bin but for its rounding, which the edges decide.
    first = int(bins.gathers_low)
    places = np.clip((known - bins.low) * (1 / bins.width), -1, last).astype(np.int16) + np.int16(first)
    places = np.clip(places, 0, last)
    places -= known < edges[places]
    places += (known >= edges[places + 1]) & (places < last)
    return np.where(inside, places, np.int16(-1))


def _freedman_diaconis(count: int, quartiles: float, reach: float) -> int:
    width = 2 * quartiles / np.cbrt(count)
    if not width > reach / MOST:
        return MOST
    return max(int(np.ceil(reach / width)), FEWEST)
