"""Charts of what samples come to in each place of a column, or of two."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.aggregates import (
    Aggregated,
    aggregated,
    counts,
    in_part_ordered,
    quantile_of,
    quantiles,
    require_aggregate,
    scaled,
)
from leaplab.analysis.charting.boxes import boxes
from leaplab.analysis.charting.chart import Axis, Chart, Group
from leaplab.analysis.charting.proportions import wilson
from leaplab.analysis.numerals import numeral
from leaplab.errors import QuestionError
from leaplab.population.chart_axes import (
    Places,
    Series,
    named,
    number_axis,
    numbers,
    ordered_places_of,
    places_of,
    series_of,
)
from leaplab.population.chart_question import Charted
from leaplab.population.chart_words import absent_notice, extremes_told, nothing_told

COUNTED = ("count", "share")
"""Aggregates that need no values."""


def bar(asked: Charted) -> Chart:
    """A number of each category of a column, or of ranges of a number.

    Raises:
        LeaplabError: there is no such column, or the question makes no sense.
    """
    return _aggregated_chart(asked, places_of(asked, named(asked, asked.question.x, "x")))


def line(asked: Charted) -> Chart:
    """A number along another, range by range; each stands at the mean of what its range holds.

    Raises:
        LeaplabError: there is no such column, it has no order, or the question makes no sense.
    """
    column = named(asked, asked.question.x, "x")
    places = ordered_places_of(asked, column)
    along = numbers(asked, column) if places.axis.type == "number" else None
    return _aggregated_chart(asked, places, along)


def histogram(asked: Charted) -> Chart:
    """How often the values of a column come; the bins of all series are the same.

    Raises:
        LeaplabError: there is no such column, or the question makes no sense.
    """
    if asked.question.aggregate not in (None, *COUNTED):
        raise QuestionError("A histogram counts: its aggregate is `count` or `share`. A bar chart takes others.")
    column = named(asked, asked.question.x, "x")
    chart = _aggregated_chart(asked, places_of(asked, column, None))
    if not chart.groups or column.kind != "continuous":
        return chart
    values = numbers(asked, column)
    quarters = (0.0, 0.25, 0.5, 0.75, 1.0)
    ordered = in_part_ordered(values[np.isfinite(values)], quarters)
    least, first, middle, third, most = (quantile_of(ordered, share) for share in quarters)
    told = (
        f"Half of the values of {column.label} lie between {numeral(first)} and {numeral(third)}, around a median of"
        f" {numeral(middle)}; all from {numeral(least)} to {numeral(most)}."
    )
    if least == most:
        told = f"All {chart.count:,} {asked.question.of} have the same {column.label}, {numeral(least)}."
    return replace(chart, told=told)


def box(asked: Charted) -> Chart:
    """How the values of a number lie: quartiles and whiskers, beside the median with its interval.

    Raises:
        LeaplabError: there is no such column, or the question makes no sense.
    """
    question = asked.question
    column = named(asked, question.y, "y")
    values, series = numbers(asked, column), series_of(asked)
    if question.x is None:
        everywhere = np.zeros(len(asked.rows), np.int8)
        places = Places(Axis("", "category", None, ["all"]), ["all"], everywhere, np.ones(len(asked.rows), bool))
    else:
        places = places_of(asked, asked.table.column(question.x))
    cells, drawn = _cells(places, series), np.isfinite(values)
    number = len(places.names) * series.number
    kept = (cells >= 0) & drawn
    found = quantiles(cells[kept], values[kept], number, 0.5)
    drawn_boxes = boxes(cells, values, number)
    groups = [
        replace(group, box=drawn_boxes[at])
        for at, group in enumerate(_groups(places, series, found))
        if drawn_boxes[at] is not None
    ]
    ends = [end for group in groups if group.box is not None for end in (group.box[0], group.box[-1])]
    axis = number_axis(column.label, ends, column.name)
    return _chart(asked, "median", places, series, axis, groups, {column.name: drawn}, f"median {column.label}")


def heatmap(asked: Charted) -> Chart:
    """A number of each pair of places of two columns; how many samples it has, where no value is named.

    Raises:
        LeaplabError: there is no such column, or the question makes no sense.
    """
    question = asked.question
    across = places_of(asked, named(asked, question.x, "x"))
    up = places_of(asked, named(asked, question.y, "y"))
    high = len(up.names)
    cells = np.where((across.codes < 0) | (up.codes < 0), -1, across.codes.astype(np.int32) * high + up.codes)
    present = across.present & up.present
    value = None if question.value is None else asked.table.column(question.value)
    values = None if value is None else numbers(asked, value)
    aggregate = _aggregate(asked, value is not None)
    total = np.array([present.sum()])
    found = _found(
        aggregate, cells, values, len(across.names) * high, lambda: np.repeat(total, len(across.names) * high)
    )
    groups = []
    for at in np.flatnonzero(found.count).tolist():
        (x, x_low, x_high), (y, y_low, y_high) = across.place(at // high), up.place(at % high)
        name = f"{across.names[at // high]}, {up.names[at % high]}"
        edges = {"x": x, "x_low": x_low, "x_high": x_high, "y": y, "y_low": y_low, "y_high": y_high}
        groups.append(Group(name, *_numbers(found, at), **edges))  # type: ignore[arg-type]
    needed = {up.axis.column or "": up.present}
    if value is not None and values is not None:
        needed[value.name] = np.isfinite(values)
    what = _what(asked, aggregate, None if value is None else value.name)
    series = Series([], np.zeros(len(asked.rows), np.int8), up.notices)
    return _chart(asked, aggregate, across, series, up.axis, groups, needed, what, up)


def _aggregated_chart(asked: Charted, places: Places, along: NDArray[np.float64] | None = None) -> Chart:
    """A number of each place and series.

    Args:
        along: [n] whose mean in each place and series says where that lies; None takes the place's own.
    """
    question, series = asked.question, series_of(asked)
    column = None if question.y is None else asked.table.column(question.y)
    aggregate = _aggregate(asked, column is not None)
    values = None
    if column is not None:
        values = numbers(asked, column)
    cells, number = _cells(places, series), len(places.names) * series.number

    def totals() -> NDArray[np.int64]:
        of_series = np.bincount(series.codes[places.present & (series.codes >= 0)], minlength=series.number)
        return np.tile(of_series, len(places.names))

    found = _found(aggregate, cells, values, number, totals)
    groups = _groups(places, series, found)
    if along is not None:
        kept = cells >= 0 if values is None else (cells >= 0) & np.isfinite(values)
        far, scale = scaled(along[kept])
        where = np.bincount(cells[kept], far, minlength=number) / np.maximum(found.count, 1) * scale
        groups = [replace(group, x=float(where[at])) for at, group in enumerate(groups) if group.count]
    drawn = [end for group in groups for end in (group.value, group.low, group.high) if end is not None]
    what = _what(asked, aggregate, question.y)
    axis = number_axis(what, drawn, question.y)
    needed = {} if column is None or values is None else {column.name: np.isfinite(values)}
    return _chart(asked, aggregate, places, series, axis, groups, needed, what)


def _found(
    aggregate: str,
    cells: NDArray[np.integer],
    values: NDArray[np.float64] | None,
    number: int,
    totals: Callable[[], NDArray[np.integer]],
) -> Aggregated:
    if values is not None:
        return aggregated(aggregate, cells, values, number)
    count = counts(cells, number)
    return count if aggregate == "count" else Aggregated(count.count, *wilson(count.count, totals()))


def _aggregate(asked: Charted, has_values: bool) -> str:
    aggregate = require_aggregate(asked.question.aggregate or ("mean" if has_values else "count"))
    if not has_values and aggregate not in COUNTED:
        of = "value" if asked.question.kind == "heatmap" else "y"
        raise QuestionError(f"There is nothing that `{aggregate}` could be of; name a column of numbers as {of}.")
    return aggregate


def _what(asked: Charted, aggregate: str, column: str | None) -> str:
    """What the marks are, in words."""
    if column is None:
        return f"number of {asked.question.of}" if aggregate == "count" else f"share of {asked.question.of}"
    label = asked.table.column(column).label
    if aggregate.startswith("quantile"):
        return f"quantile {aggregate.partition(':')[2]} of {label}"
    if aggregate in COUNTED:
        return f"number of {asked.question.of} with {label}" if aggregate == "count" else f"share of {label}"
    words = {"sum": "sum of", "min": "least", "max": "greatest"}
    return f"{words.get(aggregate, aggregate)} {label}"


def _cells(places: Places, series: Series) -> NDArray[np.integer]:
    """[n] the place and series of each row as one number, -1 where it has no place or series."""
    if series.number == 1 and not (series.codes < 0).any():
        return places.codes
    cells = places.codes.astype(np.int32) * series.number + series.codes
    return np.where((places.codes < 0) | (series.codes < 0), -1, cells)


def _numbers(found: Aggregated, at: int) -> tuple[int, float | None, float | None, float | None]:
    value, low, high = (float(each[at]) for each in (found.value, found.low, found.high))
    known = [number if np.isfinite(number) else None for number in (value, low, high)]
    return int(found.count[at]), known[0], known[1], known[2]


def _groups(places: Places, series: Series, found: Aggregated) -> list[Group]:
    """A mark a place and series, in the order of the cells."""
    groups = []
    for at in range(len(places.names) * series.number):
        code, of_series = divmod(at, series.number)
        x, low, high = places.place(code)
        groups.append(
            Group(places.names[code], *_numbers(found, at), series=series.name(of_series), x=x, x_low=low, x_high=high)
        )
    return groups


def _chart(
    asked: Charted,
    aggregate: str,
    places: Places,
    series: Series,
    y_axis: Axis,
    groups: Iterable[Group],
    needed: dict[str, NDArray[np.bool_]],
    what: str,
    up: Places | None = None,
) -> Chart:
    """The chart, with what it tells.

    Args:
        needed: further columns -> [n] whether each row has a value.
        what: the marks are, in words.
        up: what lies along the second side, where that is a column.
    """
    question = asked.question
    if question.bins is not None and places.bins is None and (up is None or up.bins is None):
        raise QuestionError("Only numbers are divided into bins, and these are categories; leave the bins out.")
    present = {} if question.x is None else {question.x: places.present}
    present |= needed
    if question.split is not None:
        present[question.split] = series.codes >= 0
    count = int(np.logical_and.reduce([*present.values(), np.ones(len(asked.rows), bool)]).sum())
    absent = len(asked.rows) - count
    made = list(groups) if count else []
    if not count:
        told = nothing_told(asked, present)
    elif aggregate == "count" and all(group.count == 1 for group in made) and len(made) < count:
        told = f"None of the {count:,} values of '{question.x}' comes twice."
    else:
        of_values = (question.value if question.kind == "heatmap" else question.y) is not None
        sampled = of_values and aggregate not in ("count", "sum")
        told = extremes_told(made, what, question.of, aggregate == "share", sampled)
    axes: dict[str, Any] = {"x_axis": places.axis, "y_axis": y_axis}
    return Chart(
        kind=question.kind,
        x=question.x,
        y=question.y,
        split=question.split,
        aggregate=aggregate,
        of=question.of,
        count=count,
        absent=absent,
        series=series.names,
        groups=made,
        told=told,
        notices=[*places.notices, *series.notices, *(absent_notice(asked, present, absent) if count else ())],
        **axes,
    )
