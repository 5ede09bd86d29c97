"""Charts of columns: their axes and marks."""

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.analysis.charting.aggregates import counts, means
from leaplab.analysis.charting.chart import Axis, Chart, Group
from leaplab.errors import QuestionError
from leaplab.population.chart_question import Charted
from leaplab.population.columns import Column
from leaplab.population.tables import category_codes, numbers_of


def bar(asked: Charted) -> Chart:
    """A number of each category of a column.

    Raises:
        LeaplabError: there is no such column, or it has no categories.
    """
    question, table, rows = asked.question, asked.table, asked.rows
    if question.x is None:
        raise QuestionError("Name the column along the first axis by x.")
    column = table.column(question.x)
    codes = category_codes(table, column)[rows]
    categories = column.categories
    assert isinstance(categories, list)
    series, split = _series(asked)
    places = np.where((codes < 0) | (split < 0), -1, codes * max(len(series), 1) + split)
    number = len(categories) * max(len(series), 1)
    if question.y is None:
        found, aggregate, y_label = counts(places, number), "count", "samples"
    else:
        values = numbers_of(table, table.column(question.y))[rows]
        found, aggregate, y_label = means(places, values, number), "mean", table.column(question.y).label
    groups = [
        Group(
            category,
            int(found.count[at]),
            _number(found.value[at]),
            _number(found.low[at]),
            _number(found.high[at]),
            series=each,
            x=category,
        )
        for code, category in enumerate(categories)
        for at, each in enumerate(series or (None,), code * max(len(series), 1))
    ]
    count = int(found.count.sum())
    values_drawn = found.value[np.isfinite(found.value)]
    low, high = (float(values_drawn.min()), float(values_drawn.max())) if len(values_drawn) else (None, None)
    return Chart(
        kind=question.kind,
        x=question.x,
        y=question.y,
        split=question.split,
        aggregate=aggregate,
        of=question.of,
        x_axis=Axis(column.label, "category", column.name, categories),
        y_axis=Axis(y_label, "number", question.y, None, low, high),
        count=count,
        absent=len(rows) - count,
        series=series,
        groups=groups,
    )


def _series(asked: Charted) -> tuple[list[str], NDArray[np.integer]]:
    """The categories of the column that is split by, and [n] the place of each row among them."""
    name = asked.question.split
    if name is None:
        return [], np.zeros(len(asked.rows), np.int32)
    column: Column = asked.table.column(name)
    if column.categories is UNSET or not isinstance(column.categories, list):
        raise QuestionError(f"'{name}' has no categories to split by.")
    return list(column.categories), category_codes(asked.table, column)[asked.rows]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
