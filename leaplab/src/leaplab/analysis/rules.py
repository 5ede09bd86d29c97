"""Rules over columns: `label is cat`, `brightness from 20 to 40`, and two of these together."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.differences import Values
from leaplab.analysis.numerals import numeral

DIGITS = 4
"""Significant ones of a range's ends, as they are told."""


@dataclass(frozen=True)
class Condition:
    """One category of a column, or a range of its numbers.

    Attributes:
        column: its name.
        category: its code; None for a range.
        text: of the category.
        low, high: the range; the lower end is in it, and the upper one where it is the column's greatest value. An
            infinite end stands for none.
        closed: whether the upper end is in the range.
    """

    column: str
    category: int | None = None
    text: str = ""
    low: float = -np.inf
    high: float = np.inf
    closed: bool = True

    def covers(self, columns: Mapping[str, Values]) -> NDArray[np.bool_]:
        """[n] whether a sample meets it; one without a value does not."""
        numbers = columns[self.column].numbers
        if self.category is not None:
            return np.asarray(numbers == self.category)
        below = numbers <= self.high if self.closed else numbers < self.high
        return np.asarray((numbers >= self.low) & below)

    def told(self) -> str:
        """For a person."""
        if self.category is not None:
            return f"{self.column} is {self.text}"
        if np.isinf(self.low):
            return f"{self.column} {'at most' if self.closed else 'below'} {numeral(self.high, DIGITS)}"
        if np.isinf(self.high):
            return f"{self.column} from {numeral(self.low, DIGITS)}"
        return f"{self.column} from {numeral(self.low, DIGITS)} to {numeral(self.high, DIGITS)}"

    def where(self) -> str:
        """As a condition over a run's columns, with its ends exactly."""
        if self.category is not None:
            quoted = self.text.replace("'", "''")
            return f"{self.column} = '{quoted}'"
        parts = [] if np.isinf(self.low) else [f"{self.column} >= {self.low!r}"]
        if not np.isinf(self.high):
            parts.append(f"{self.column} {'<=' if self.closed else '<'} {self.high!r}")
        return " and ".join(parts)


def range_of_bins(column: str, edges: NDArray[np.float64], first: int, last: int) -> Condition:
    """The range of bins `first` to `last`, both in it, among the bins between ascending edges."""
    bins = len(edges) - 1
    low = -np.inf if first == 0 else float(edges[first])
    high = np.inf if last == bins - 1 else float(edges[last + 1])
    return Condition(column, low=low, high=high, closed=last == bins - 1)
