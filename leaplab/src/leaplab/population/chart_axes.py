"""What lies along the sides of a chart: a column's categories or ranges, and where among them each row lies."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.aggregates import is_truth
from leaplab.analysis.charting.binning import Bins, equal_bins, even_bins, places_in
from leaplab.analysis.charting.chart import Axis
from leaplab.analysis.numerals import numeral
from leaplab.errors import QuestionError
from leaplab.population.chart_question import Charted
from leaplab.population.columns import Column
from leaplab.population.computed import CLUSTER_COLUMN
from leaplab.population.tables import category_codes, numbers_of, text_codes

MOST_SERIES, MOST_PLACES, MOST_BINS = 12, 30, 1000
USUAL_BINS = 12
"""Of a number that stands where categories could."""
CROWDED = 0.15
"""Of the way from an end to the other: nearer to it than this lies the median of what crowds there."""
REST = "others"


@dataclass(frozen=True)
class Places:
    """A column along a side.

    Attributes:
        axis: what it is.
        names: of the places, in their order.
        codes: [n] the place of each row that is wanted; -1 where it has no value, or its category is not drawn.
        present: [n] whether it has a value.
        bins: where the places are ranges of a number.
        numbers: where the places are numbers themselves.
        notices: what to know of it.
    """

    axis: Axis
    names: Sequence[str]
    codes: NDArray[np.integer]
    present: NDArray[np.bool_]
    bins: Bins | None = None
    numbers: Sequence[float] | None = None
    notices: Sequence[str] = ()

    def place(self, code: int) -> tuple[float | str, float | None, float | None]:
        """Where a place lies: its category, or its number; of a bin the middle, and the edges."""
        if self.bins is not None:
            low, high = self.bins.edges[code : code + 2].tolist()
            return low / 2 + high / 2, low, high
        if self.numbers is not None:
            return self.numbers[code], None, None
        return self.names[code], None, None


@dataclass(frozen=True)
class Series:
    """What a chart is split into.

    Attributes:
        names: in their order; empty where it is not split.
        codes: [n] the place of each row that is wanted among them, -1 where it has none; 0 where it is not split.
        notices: what to know of it.
    """

    names: list[str]
    codes: NDArray[np.integer]
    notices: Sequence[str] = ()

    @property
    def number(self) -> int:
        """Of series; 1 where the chart is not split."""
        return max(len(self.names), 1)

    def name(self, code: int) -> str | None:
        """Of a series; None where the chart is not split."""
        return self.names[code] if self.names else None


def named(asked: Charted, name: str | None, side: str) -> Column:
    """The column of that name.

    Raises:
        QuestionError: none is named.
        MissingError: there is no such column.
    """
    if name is None:
        raise QuestionError(f"A chart '{asked.question.kind}' takes a column as {side}; name one.")
    return asked.table.column(name)


def is_number(column: Column) -> bool:
    """Whether sums are made of its values: of numbers, of truth values, and of whole numbers though they be few."""
    return column.name != CLUSTER_COLUMN and (
        column.kind == "continuous" or (column.kind == "categorical" and column.type in ("int", "boolean"))
    )


def numbers(asked: Charted, column: Column) -> NDArray[np.float64]:
    """[n] numbers of the rows that are wanted, NaN where there is none or it is not finite.

    Raises:
        QuestionError: its values are no numbers.
    """
    if not is_number(column):
        what = "texts" if column.kind == "text" else "categories"
        raise QuestionError(f"'{column.name}' holds {what}; name a column of numbers.")
    found: NDArray[np.float64] = _of_rows(asked, numbers_of(asked.table, column))
    finite = np.isfinite(found)
    return found if finite.all() else np.where(finite, found, np.nan)


def codes_of_rows(asked: Charted, column: Column) -> tuple[Sequence[str], NDArray[np.int32]]:
    """A column's texts, and [n] the place among them of each row that is wanted, -1 where absent."""
    if column.kind == "text":
        texts, codes = text_codes(asked.table, column)
    else:
        assert isinstance(column.categories, list)
        texts, codes = column.categories, category_codes(asked.table, column)
    return texts, _of_rows(asked, codes)


def series_of(asked: Charted) -> Series:
    """What the chart is split into: the categories of a column; of more than 12, the 11 of most samples and the others.

    Raises:
        QuestionError: the column is a number.
        MissingError: there is no such column.
    """
    name = asked.question.split
    if name is None:
        return Series([], np.zeros(len(asked.rows), np.int8))
    column = asked.table.column(name)
    if column.kind == "continuous":
        raise QuestionError(f"'{name}' is a number; split a chart by a column of categories.")
    texts, codes = codes_of_rows(asked, column)
    if len(texts) <= MOST_SERIES:
        return Series(list(texts), codes)
    kept, there = _commonest(codes, len(texts), MOST_SERIES - 1)
    rest = REST if REST not in {texts[code] for code in kept} else f"all {REST}"
    lookup = np.full(len(texts) + 1, len(kept), np.int16)
    lookup[kept], lookup[-1] = np.arange(len(kept)), -1
    names = [texts[code] for code in kept]
    if there == len(kept):
        return Series(names, lookup[codes])
    notice = (
        f"'{name}' has {there:,} categories: the {len(kept)} of most {asked.question.of} are series of their own, the"
        f" other {there - len(kept):,} are one, '{rest}'."
    )
    return Series([*names, rest], lookup[codes], [notice])


def places_of(asked: Charted, column: Column, usual: int | None = USUAL_BINS, most: int = MOST_PLACES) -> Places:
    """The categories of a column, or bins of a number; of more than 30 categories, the 30 of most samples.

    Args:
        usual: into how many bins, where nobody says it; None takes what suits a histogram.
        most: categories of a column that is no text; of texts it is always 30.

    Raises:
        QuestionError: it cannot be divided into so many.
    """
    if column.kind == "continuous":
        return _ranges(asked, column, numbers(asked, column), usual)
    texts, codes = codes_of_rows(asked, column)
    if len(texts) <= (MOST_PLACES if column.kind == "text" else most):
        return _categories(column, texts, codes, codes >= 0)
    kept, there = _commonest(codes, len(texts), MOST_PLACES)
    lookup = np.full(len(texts) + 1, -1, np.int16)
    lookup[kept] = np.arange(len(kept))
    places, present = lookup[codes], codes >= 0
    of, notices = asked.question.of, []
    if there > len(kept):
        rest = int(present.sum() - (places >= 0).sum())
        notices = [
            f"'{column.name}' has {there:,} different values: the {len(kept)} of most {of} are drawn; the other"
            f" {there - len(kept):,} have {rest:,} {of}."
        ]
    return _categories(column, [texts[code] for code in kept], places, present, notices)


def ordered_places_of(asked: Charted, column: Column) -> Places:
    """Places that follow one another: bins of a number, the numbers themselves where they are few, or times.

    Raises:
        QuestionError: its values have no order, or it cannot be divided into so many bins.
    """
    if column.kind == "continuous":
        values = numbers(asked, column)
        if asked.question.bins is None and _crowds(values):
            return _of_bins(column, even_bins(values[np.isfinite(values)], 2 * USUAL_BINS), values)
        return _ranges(asked, column, values, 2 * USUAL_BINS)
    whole = column.type == "int" and column.name != CLUSTER_COLUMN and column.meaning != "label"
    if not whole and column.meaning != "time":
        raise QuestionError(f"The values of '{column.name}' have no order that a line could follow; take a bar chart.")
    if column.kind == "text":
        raise QuestionError(f"'{column.name}' has too many different texts for a line; name a column of numbers.")
    texts, codes = codes_of_rows(asked, column)
    if not whole:
        return _categories(column, texts, codes, codes >= 0)
    at = [float(text) for text in texts]
    return Places(number_axis(column.label, at, column.name), texts, codes, codes >= 0, numbers=at)


def category_axis(column: Column, names: Sequence[str]) -> Axis:
    """An axis of a column's categories."""
    return Axis(column.label, "category", column.name, list(names))


def number_axis(label: str, values: Sequence[float] | NDArray[np.float64], column: str | None = None) -> Axis:
    """An axis from the least to the greatest of the values that are finite."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    ends = (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
    return Axis(label, "number", column, None, *ends)


def _of_rows(asked: Charted, values: NDArray[Any]) -> NDArray[Any]:
    return values if len(asked.rows) == len(values) else values[asked.rows]


def _ranges(asked: Charted, column: Column, values: NDArray[np.float64], usual: int | None) -> Places:
    bins = asked.question.bins
    if bins is not None and not 1 <= bins <= MOST_BINS:
        raise QuestionError(f"A number is divided into 1 to {MOST_BINS:,} bins, not {bins:,}.")
    finite = values[np.isfinite(values)]
    if not len(finite):
        axis = Axis(column.label, "number", column.name)
        return Places(axis, [], np.full(len(values), -1, np.int8), np.zeros(len(values), bool))
    return _of_bins(column, equal_bins(finite, column.type == "int", bins, usual), values)


def _crowds(values: NDArray[np.float64]) -> bool:
    """Whether values crowd at an end: a line is as sure in one place as in another where as many are in each bin."""
    finite = values[np.isfinite(values)]
    if not len(finite) or is_truth(finite):
        return False
    low, middle, high = np.percentile(finite, [1, 50, 99], method="nearest").tolist()
    return high > low and not CROWDED <= (middle - low) / (high - low) <= 1 - CROWDED


def _of_bins(column: Column, bins: Bins, values: NDArray[np.float64]) -> Places:
    """The axis ends one bin beyond the equal ones where another gathers what lies far."""
    notices = []
    low, high = float(bins.edges[0]), float(bins.edges[-1])
    if bins.gathers_low:
        notices.append(f"The first bin of '{column.name}' reaches from {numeral(low)} to {numeral(bins.low)}.")
        low = max(low, bins.low - bins.width)
    if bins.gathers_high:
        notices.append(f"The last bin of '{column.name}' reaches from {numeral(bins.high)} to {numeral(high)}.")
        high = min(high, bins.high + bins.width)
    places = places_in(bins, values)
    axis = Axis(column.label, "number", column.name, None, low, high)
    return Places(axis, _names(bins, column.type == "int"), places, places >= 0, bins, notices=notices)


def _names(bins: Bins, whole: bool) -> list[str]:
    """Each range in words, with as many digits as tell the edges apart."""
    edges: list[float] = bins.edges.tolist()
    if whole and all((edge + 0.5).is_integer() for edge in edges):
        ends = [(int(low + 0.5), int(high - 0.5)) for low, high in itertools.pairwise(edges)]
        return [f"{low:,}" if low == high else f"{low:,} to {high:,}" for low, high in ends]
    texts: list[str] = []
    for digits in range(3, 18):
        texts = [numeral(edge, digits) if digits < 6 else f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(texts):
            break
    return [f"{low} to {high}" for low, high in itertools.pairwise(texts)]


def _categories(
    column: Column,
    names: Sequence[str],
    codes: NDArray[np.integer],
    present: NDArray[np.bool_],
    notices: Sequence[str] = (),
) -> Places:
    return Places(category_axis(column, names), names, codes, present, notices=notices)


def _commonest(codes: NDArray[np.integer], number: int, most: int) -> tuple[NDArray[np.int64], int]:
    """The codes of most rows, as many as are wanted and have any, in their order; and how many codes have any."""
    count = np.bincount(codes[codes >= 0], minlength=number)
    first = np.argsort(-count, kind="stable")[:most]
    return np.sort(first[count[first] > 0]), int(np.count_nonzero(count))
