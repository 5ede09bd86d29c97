"""Which samples meet a condition and filters, and how the columns look under all other filters."""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import QuestionError
from leaplab.explorer.answers import bin_counts, bins_of, category_codes, category_counts
from leaplab.explorer.model import Filter, Selecting
from leaplab.explorer.painting import numbers_of, scale_of
from leaplab.population.population import Population


@dataclass(frozen=True)
class _Applied:
    """A filter and which rows meet it."""

    column: str
    rows: NDArray[np.bool_]


def select(population: Population, asked: Selecting) -> dict[str, Any]:
    """The samples that meet everything, see `leaplab.explorer.model.Selected`.

    The histogram of a column is of the samples that meet all filters but those of that column, so that a person sees
    what else there is to choose.

    Raises:
        LeaplabError: there is no such column, a filter says nothing, or the condition is none.
    """
    whole = np.ones(population.samples, bool)
    if asked.where is not None and asked.where.strip():
        whole = np.zeros(population.samples, bool)
        whole[population.where(asked.where)] = True
    applied = [_Applied(each.column, _rows_of(population, each)) for each in asked.filters]
    chosen = whole.copy()
    for each in applied:
        chosen &= each.rows
    return {
        "count": int(chosen.sum()),
        "mask": base64.b64encode(np.packbits(chosen, bitorder="little").tobytes()).decode(),
        "histograms": [_histogram(population, name, whole, applied, chosen) for name in asked.histograms],
    }


def _rows_of(population: Population, asked: Filter) -> NDArray[np.bool_]:
    column = population.column(asked.column)
    if asked.keep is not None:
        if column.kind == "continuous":
            raise QuestionError(f"'{column.name}' is a number; filter it by `low` and `high`.")
        if column.kind == "text":
            return np.isin(population.values(column.name), np.array(asked.keep, object))
        assert isinstance(column.categories, list)
        places = {category: code for code, category in enumerate(column.categories)}
        codes = [-1 if text is None else places.get(text, -2) for text in asked.keep]
        return np.isin(category_codes(population, column), codes)
    if asked.low is None and asked.high is None:
        raise QuestionError(f"The filter of '{column.name}' says neither what to keep nor a range.")
    if column.kind != "continuous":
        raise QuestionError(f"'{column.name}' has categories; filter it by `keep`.")
    numbers = numbers_of(population, column)
    rows = np.isfinite(numbers)
    if asked.low is not None:
        rows &= numbers >= asked.low
    if asked.high is not None:
        rows &= numbers <= asked.high
    return rows


def _histogram(
    population: Population, name: str, whole: NDArray[np.bool_], applied: list[_Applied], chosen: NDArray[np.bool_]
) -> dict[str, Any]:
    column = population.column(name)
    if column.kind == "text":
        raise QuestionError(f"Column '{name}' is text, and has no histogram.")
    others = chosen
    if any(each.column == name for each in applied):
        others = whole.copy()
        for each in applied:
            if each.column != name:
                others &= each.rows
    if column.kind == "categorical":
        counts, absent = category_counts(category_codes(population, column)[others], column)
        return {"column": name, "counts": counts, "absent": absent}
    numbers = numbers_of(population, column)
    bins = bins_of(numbers, scale_of(numbers))[others]
    return {"column": name, "counts": bin_counts(bins), "absent": int((bins < 0).sum())}
