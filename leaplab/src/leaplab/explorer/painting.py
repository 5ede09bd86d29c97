"""Columns and maps as a page paints them: a byte or two a sample."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import QuestionError
from leaplab.population.tables import Table, category_codes, numbers_of

ABSENT_BYTE, ABSENT = 255, 65_535
"""Codes of what has no value, in one byte and in two."""
STEPS = ABSENT - 1
"""The greatest code of a value between the ends of a scale."""
LOW_PERCENTILE, HIGH_PERCENTILE = 1, 99
BETWEEN = range(0, 100, 2)
"""Percentiles by which it is judged where values crowd."""
FEWEST_BETWEEN = 5
CROWDED = 0.15


class Mapped(Table, Protocol):
    """What is painted."""

    def map(self, space: str | None, method: str) -> NDArray[np.float32]:
        """[n, 2] places of the points."""


@dataclass(frozen=True)
class Scale:
    """How a continuous column's codes are read: 0 is `low`, 65,534 is `high`, and what lies beyond is at its end.

    Attributes:
        low: the 1st percentile; the minimum where that is the 99th, too.
        high: the 99th percentile; likewise the maximum.
        median: of the finite values.
        min: of them.
        max: of them.
        crowd: the end, `low` or `high`, near which most values lie, so that a scale had better be stretched there.
        absent: samples without a finite value.
    """

    low: float
    high: float
    median: float
    min: float
    max: float
    crowd: str | None
    absent: int


def scale_of(values: NDArray[np.float64]) -> Scale:
    """The scale of [N] values; zeros where none is finite."""
    finite = values[np.isfinite(values)]
    absent = len(values) - len(finite)
    if not len(finite):
        return Scale(0.0, 0.0, 0.0, 0.0, 0.0, None, absent)
    least, most = float(finite.min()), float(finite.max())
    low, median, high = np.percentile(finite, [LOW_PERCENTILE, 50, HIGH_PERCENTILE]).tolist()
    if not high > low:
        low, high = least, most
    return Scale(low, high, median, least, most, _crowd(finite, low, median, high), absent)


def _crowd(finite: NDArray[np.float64], low: float, median: float, high: float) -> str | None:
    """None as well where nearly all values are the ends themselves, as those of an accuracy are: no stretch helps."""
    if not high > low:
        return None
    some = np.percentile(finite, list(BETWEEN))
    if ((some > low) & (some < high)).sum() < FEWEST_BETWEEN:
        return None
    middle = min(1.0, max(0.0, (median - low) / (high - low)))
    return "low" if middle < CROWDED else "high" if middle > 1 - CROWDED else None


def painted_column(table: Table, name: str) -> bytes:
    """A column's codes, little endian, in row order.

    Of a categorical one the places of its categories: a byte, absent 255, where it has at most 255 of them, else two,
    absent 65,535. Of a continuous one places between the ends of its scale, two bytes, absent 65,535.

    Raises:
        MissingError: there is no such column.
        QuestionError: it is text.
    """
    column = table.column(name)
    if column.kind == "text":
        raise QuestionError(f"Column '{name}' is text; it has no colours.")
    if column.kind == "categorical":
        assert isinstance(column.categories, list)
        codes = category_codes(table, column)
        narrow = len(column.categories) <= ABSENT_BYTE
        absent = ABSENT_BYTE if narrow else ABSENT
        return np.where(codes < 0, absent, codes).astype("u1" if narrow else "<u2").tobytes()
    numbers = numbers_of(table, column)
    scale = scale_of(numbers)
    return quantised(numbers, scale.low, scale.high).tobytes()


def quantised(values: NDArray[np.floating], low: float, high: float) -> NDArray[np.uint16]:
    """Places of values between two ends, 0 to 65,534, what lies beyond at its end; 65,535 for what is not finite.

    Where the ends are one, all lie in the middle.
    """
    finite = np.isfinite(values)
    if high > low:
        share = np.clip((np.where(finite, values, low) - low) / (high - low), 0, 1)
    else:
        share = np.full(len(values), 0.5)
    return np.where(finite, np.rint(share * STEPS), ABSENT).astype("<u2")


def painted_map(table: Mapped, space: str, method: str) -> bytes:
    """x0 y0 x1 y1 ... of a map, little endian, two bytes each: 0 is -1 and 65,534 is 1; 65,535 for no place on it.

    Raises:
        MissingError: no such space.
        QuestionError: no such method.
    """
    points = table.map(space or None, method)
    return quantised(points.reshape(-1), -1.0, 1.0).tobytes()


def order_of(table: Table, name: str, descending: bool) -> bytes:
    """All rows by a column's exact values, four bytes each, little endian; those without a value come last.

    Categories are in the order of their codes, equal values in that of their rows.

    Raises:
        MissingError: there is no such column.
        QuestionError: it is text.
    """
    column = table.column(name)
    if column.kind == "text":
        raise QuestionError(f"Column '{name}' is text; nothing is sorted by it.")
    if column.kind == "categorical":
        assert isinstance(column.categories, list)
        codes = category_codes(table, column)
        numbers = np.where(codes < 0, np.nan, codes)
    else:
        numbers = numbers_of(table, column)
    # A stable sort puts NaN last, and so it does with the signs turned.
    return np.argsort(-numbers if descending else numbers, kind="stable").astype("<u4").tobytes()
