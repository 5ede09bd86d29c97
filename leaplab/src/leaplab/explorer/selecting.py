"""Which samples meet a condition and filters, and how the columns look under all other filters."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import QuestionError
from leaplab.explorer.answers import bin_counts, bins_of, category_counts
from leaplab.explorer.masks import mask_of, rows_of_mask
from leaplab.explorer.model import Filter, Selecting
from leaplab.explorer.painting import scale_of
from leaplab.population.columns import Column
from leaplab.population.population import Population
from leaplab.population.tables import category_codes, numbers_of


@dataclass(frozen=True)
class _Applied:
    """A filter and which rows meet it."""

    column: str
    rows: NDArray[np.bool_]


class Selector:
    """Answers which samples are meant, and keeps what it needs again for that: a byte a sample and number.

    Args:
        population: the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._bins: dict[str, tuple[NDArray[Any], NDArray[np.int8]]] = {}

    def select(self, asked: Selecting) -> dict[str, Any]:
        """The samples that meet everything, see `leaplab.explorer.model.Selected`.

        The histogram of a column is of the samples that meet all filters but those of that column, so that a person
        sees what else there is to choose.

        Raises:
            LeaplabError: there is no such column, a filter says nothing, the condition is none, or the mask is not of
                as many rows.
        """
        whole = self._whole(asked)
        applied = [_Applied(each.column, self._rows_of(each)) for each in asked.filters]
        chosen = whole.copy()
        for each in applied:
            chosen &= each.rows
        return {
            "count": int(chosen.sum()),
            "mask": mask_of(chosen),
            "histograms": [self._histogram(name, whole, applied, chosen) for name in asked.histograms],
        }

    def rows(self, asked: Selecting, but: Collection[str] = ()) -> NDArray[np.int64] | None:
        """The rows that meet everything but the filters of some columns, ascending; None where nothing else is asked.

        Raises:
            LeaplabError: as `select` does.
        """
        filters = [each for each in asked.filters if each.column not in but]
        if asked.within is None and not (asked.where or "").strip() and not filters:
            return None
        chosen = self._whole(asked)
        for each in filters:
            chosen &= self._rows_of(each)
        return np.flatnonzero(chosen)

    def _whole(self, asked: Selecting) -> NDArray[np.bool_]:
        """[N] what meets everything but the filters."""
        samples = self._population.samples
        whole = np.ones(samples, bool) if asked.within is None else rows_of_mask(asked.within, samples)
        if asked.where is not None and asked.where.strip():
            met = np.zeros(samples, bool)
            met[self._population.where(asked.where)] = True
            whole &= met
        return whole

    def _rows_of(self, asked: Filter) -> NDArray[np.bool_]:
        column = self._population.column(asked.column)
        if asked.keep is not None:
            if column.kind == "continuous":
                raise QuestionError(f"'{column.name}' is a number; filter it by `low` and `high`.")
            if column.kind == "text":
                return np.isin(self._population.values(column.name), np.array(asked.keep, object))
            assert isinstance(column.categories, list)
            places = {category: code for code, category in enumerate(column.categories)}
            codes = [-1 if text is None else places.get(text, -2) for text in asked.keep]
            return np.isin(self._bins_of(column), codes)
        if asked.low is None and asked.high is None:
            raise QuestionError(f"The filter of '{column.name}' says neither what to keep nor a range.")
        if column.kind != "continuous":
            raise QuestionError(f"'{column.name}' has categories; filter it by `keep`.")
        numbers = numbers_of(self._population, column)
        rows = np.isfinite(numbers)
        if asked.low is not None:
            rows &= numbers >= asked.low
        if asked.high is not None:
            rows &= numbers <= asked.high
        return rows

    def _histogram(
        self, name: str, whole: NDArray[np.bool_], applied: list[_Applied], chosen: NDArray[np.bool_]
    ) -> dict[str, Any]:
        column = self._population.column(name)
        if column.kind == "text":
            raise QuestionError(f"Column '{name}' is text, and has no histogram.")
        others = chosen
        if any(each.column == name for each in applied):
            others = whole.copy()
            for each in applied:
                if each.column != name:
                    others &= each.rows
        bins = self._bins_of(column)[others]
        if column.kind == "categorical":
            counts, absent = category_counts(bins, column)
            return {"column": name, "counts": counts, "absent": absent}
        return {"column": name, "counts": bin_counts(bins), "absent": int((bins < 0).sum())}

    def _bins_of(self, column: Column) -> NDArray[np.integer]:
        """[N] places of a column's values among its categories or bins, -1 where absent; made once for its values."""
        if column.kind == "categorical":
            return category_codes(self._population, column)
        values = self._population.values(column.name)
        known = self._bins.get(column.name)
        if known is not None and known[0] is values:
            return known[1]
        numbers = numbers_of(self._population, column)
        bins = bins_of(numbers, scale_of(numbers)).astype(np.int8)
        self._bins[column.name] = (values, bins)
        return bins
