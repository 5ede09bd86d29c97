"""Charts as the page asks for them: of the samples that its filters leave, and the samples behind a mark."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Chart
from leaplab.errors import QuestionError
from leaplab.explorer.charts_model import ChartAsked, ChartRowsAsked
from leaplab.explorer.masks import mask_of
from leaplab.explorer.model import Filter, Selecting
from leaplab.explorer.selecting import Selector
from leaplab.population.chart_question import ChartQuestion
from leaplab.population.charts import chart_of
from leaplab.population.judged_charts import cell_rows
from leaplab.population.population import Population
from leaplab.population.tables import Table, category_codes, numbers_of
from leaplab.store.columns import STATE_COLUMN

CHOOSES = {
    **dict.fromkeys(("bar", "line", "histogram", "box"), ("x",)),
    **dict.fromkeys(("scatter", "heatmap"), ("x", "y")),
    "group-means": ("split",),
}
"""Kind -> by which of its columns its marks filter; others filter by none."""


class Charts:
    """The charts of a run.

    Args:
        population: the run.
        selector: of its samples.
    """

    def __init__(self, population: Population, selector: Selector) -> None:
        self._population, self._selector = population, selector

    def chart(self, asked: ChartAsked) -> Chart:
        """A chart of the samples that meet everything but the filters of the columns that its own marks filter by, so
        that a person sees what else there is to choose.

        Raises:
            LeaplabError: the question makes no sense, or what is said of the samples does not.
        """
        return chart_of(self._population, _question(asked), self._among(asked))

    def rows(self, asked: ChartRowsAsked) -> dict[str, Any]:
        """The samples behind a mark, see `leaplab.explorer.charts_model.ChartRows`. Of objects, those that they are of.

        Raises:
            LeaplabError: as `chart` does, or such a mark stands for no samples.
        """
        population = self._population
        among = self._among(asked)
        chosen = np.zeros(population.samples, bool)
        if asked.kind == "confusion":
            chosen[self._cell(asked, among)] = True
        elif asked.of == "objects":
            objects = population.objects
            met = _behind(objects, asked, objects.count)
            owners = objects.rows[met]
            chosen[owners if among is None else np.intersect1d(owners, among)] = True
        else:
            met = _behind(population, asked, population.samples)
            if among is not None:
                within = np.zeros(population.samples, bool)
                within[among] = True
                met &= within
            chosen |= met
        return {"count": int(chosen.sum()), "mask": mask_of(chosen)}

    def _cell(self, asked: ChartRowsAsked, among: NDArray[np.int64] | None) -> NDArray[np.int64]:
        true, predicted = asked.mark.y, asked.mark.x
        if true is None or predicted is None:
            raise QuestionError("A cell of a confusion matrix has a true and a predicted label; name both.")
        return cell_rows(self._population, _question(asked), true, predicted, among)

    def _among(self, asked: ChartAsked) -> NDArray[np.int64] | None:
        own = {getattr(asked, axis) for axis in CHOOSES.get(asked.kind, ())}
        filters = list(asked.filters)
        if asked.hidden:
            kept = [state for state in self._population.store.manifest.states if state not in asked.hidden]
            filters.append(Filter(column=STATE_COLUMN, keep=[*kept]))
        selecting = Selecting(within=asked.within, where=asked.where, filters=filters)
        return self._selector.rows(selecting, own - {None})


def _question(asked: ChartAsked) -> ChartQuestion:
    return ChartQuestion(**{field.name: getattr(asked, field.name) for field in fields(ChartQuestion)})


def _behind(table: Table, asked: ChartRowsAsked, count: int) -> NDArray[np.bool_]:
    """[n] which rows of a table lie in a mark's place."""
    mark = asked.mark
    met = np.ones(count, bool)
    parts = {"x": (asked.x, mark.x, mark.x_low, mark.x_high), "y": (asked.y, mark.y, mark.y_low, mark.y_high)}
    said = False
    for name in CHOOSES.get(asked.kind, ()):
        if name == "split":
            continue
        column, category, low, high = parts[name]
        if column is None or (category is None and low is None and high is None):
            continue
        said = True
        met &= _in_place(table, column, category, low, high)
    series = mark.series if asked.kind != "group-means" else mark.name
    if asked.split is not None and series is not None:
        said = True
        met &= _in_place(table, asked.split, series, None, None)
    if not said:
        raise QuestionError("Such a mark stands for no samples of its own; choose another one.")
    return met


def _in_place(
    table: Table, name: str, category: str | None, low: float | None, high: float | None
) -> NDArray[np.bool_]:
    column = table.column(name)
    if category is not None:
        if column.kind == "continuous":
            raise QuestionError(f"'{name}' is a number; choose a range of it.")
        if column.kind == "text":
            return np.isin(table.values(name), np.array([category], object))
        assert isinstance(column.categories, list)
        place = column.categories.index(category) if category in column.categories else -2
        return np.asarray(category_codes(table, column) == place)
    if column.kind == "text":
        raise QuestionError(f"'{name}' is text; choose one of its values.")
    values = numbers_of(table, column)
    met: NDArray[np.bool_] = np.isfinite(values)
    met &= (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))
    return met
