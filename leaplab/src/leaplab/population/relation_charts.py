"""Charts of how columns of numbers go together: points, means of groups, and tables of correlations."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.aggregates import Aggregated, aggregated
from leaplab.analysis.charting.chart import Axis, Chart, Group, Points
from leaplab.analysis.charting.relations import (
    Correlations,
    correlation,
    correlations,
    drawn_of,
    fisher_interval,
    rank_correlation,
)
from leaplab.errors import QuestionError
from leaplab.population.chart_axes import is_number, named, number_axis, numbers, places_of, series_of
from leaplab.population.chart_question import Charted
from leaplab.population.chart_words import absent_notice, correlation_told, nothing_told
from leaplab.population.columns import MAX_CATEGORIES, Column
from leaplab.store.columns import LOSS, METRIC

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_POINTS = 5_000
MOST_OF_TABLE = 12


def scatter(asked: Charted) -> Chart:
    """Two numbers of each sample; some of them, drawn at random, where there are many.

    Raises:
        LeaplabError: there is no such column, it holds no numbers, or the question makes no sense.
    """
    question = asked.question
    x_column, y_column = named(asked, question.x, "x"), named(asked, question.y, "y")
    x, y, series = numbers(asked, x_column), numbers(asked, y_column), series_of(asked)
    present = {x_column.name: np.isfinite(x), y_column.name: np.isfinite(y)}
    if question.split is not None:
        present[question.split] = series.codes >= 0
    kept = np.logical_and.reduce(list(present.values()))
    whole = bool(kept.all())
    x, y, codes = (x, y, series.codes) if whole else (x[kept], y[kept], series.codes[kept])
    rows = asked.rows if whole else asked.rows[kept]
    absent = len(asked.rows) - len(rows)
    drawn = drawn_of(codes, MOST_POINTS)
    notices = [*series.notices, *absent_notice(asked, present, absent)]
    if len(drawn) < len(rows):
        notices.append(f"{len(drawn):,} of {len(rows):,} {question.of} are drawn, at random; the numbers are of all.")
    found = aggregated("mean", codes, y, series.number)
    names: Sequence[str] = series.names or ["all"]
    groups = [
        Group(name, int(found.count[at]), *_interval(found, at), series=series.name(at))
        for at, name in enumerate(names)
        if found.count[at]
    ]
    r = correlation(x, y)
    low, high = fisher_interval(r, len(x))
    points = Points(
        rows[drawn].tolist(),
        x[drawn].tolist(),
        y[drawn].tolist(),
        codes[drawn].tolist() if series.names else None,
        len(rows),
    )
    if len(rows):
        told = correlation_told(x_column.label, y_column.label, r, (low, high), len(rows), question.of)
    else:
        told = nothing_told(asked, present)
    return Chart(
        kind=question.kind,
        x=x_column.name,
        y=y_column.name,
        split=question.split,
        aggregate="mean",
        of=question.of,
        x_axis=number_axis(x_column.label, x, x_column.name),
        y_axis=number_axis(y_column.label, y, y_column.name),
        count=len(rows),
        absent=absent,
        series=series.names,
        groups=groups,
        correlation=_known(r),
        correlation_low=_known(low),
        correlation_high=_known(high),
        rank_correlation=_known(rank_correlation(x, y)) if len(rows) else None,
        points=points,
        told=told,
        notices=notices if len(rows) else [],
    )


def group_means(asked: Charted) -> Chart:
    """The mean of one number against the mean of another, a mark a category.

    Raises:
        LeaplabError: there is no such column, it holds no numbers, or the question makes no sense.
    """
    question = asked.question
    x_column, y_column = named(asked, question.x, "x"), named(asked, question.y, "y")
    split = named(asked, question.split, "split")
    if split.kind == "continuous":
        raise QuestionError(f"'{split.name}' is a number; groups are the categories of a column.")
    x, y = numbers(asked, x_column), numbers(asked, y_column)
    places = places_of(asked, split, most=MAX_CATEGORIES)
    present = {x_column.name: np.isfinite(x), y_column.name: np.isfinite(y), split.name: places.present}
    kept = np.logical_and.reduce(list(present.values()))
    codes = np.where(kept, places.codes, -1)
    across, up = (aggregated("mean", codes, values, len(places.names)) for values in (x, y))
    groups = [
        Group(name, int(up.count[at]), *_interval(up, at), x=x_mean, x_low=x_least, x_high=x_most)
        for at, name in enumerate(places.names)
        if up.count[at]
        for x_mean, x_least, x_most in [_interval(across, at)]
    ]
    of_groups = up.count > 0
    r = correlation(across.value[of_groups], up.value[of_groups])
    low, high = fisher_interval(r, len(groups))
    count = int(kept.sum())
    if not groups:
        told = nothing_told(asked, present)
    elif len(groups) == 1:
        told = f"There is one group, '{groups[0].name}'; means of groups take more."
    else:
        names = (f"mean {x_column.label}", f"mean {y_column.label}")
        told = correlation_told(*names, r, (low, high), len(groups), "groups")
    ends = [end for group in groups for end in (group.x, group.x_low, group.x_high) if isinstance(end, float)]
    return Chart(
        kind=question.kind,
        x=x_column.name,
        y=y_column.name,
        split=split.name,
        aggregate="mean",
        of=question.of,
        x_axis=number_axis(f"mean {x_column.label}", ends, x_column.name),
        y_axis=number_axis(f"mean {y_column.label}", [*_ends(groups)], y_column.name),
        count=count,
        absent=len(asked.rows) - count,
        groups=groups,
        correlation=_known(r),
        correlation_low=_known(low),
        correlation_high=_known(high),
        told=told,
        notices=[*places.notices, *(absent_notice(asked, present, len(asked.rows) - count) if groups else ())],
    )


def correlation_table(asked: Charted) -> Chart:
    """How columns of numbers correlate: each with one, or each with each of those that tell most of a loss or metric.

    Raises:
        LeaplabError: there is no such column, or it holds no numbers.
    """
    question = asked.question
    columns = [column for column in asked.table.columns.values() if _is_measured(column)]
    if question.x is not None and question.y is not None:
        columns = [asked.table.column(question.x)]
    target = None
    if (name := question.y or question.x) is not None:
        target = asked.table.column(name)
        columns = [column for column in columns if column.name != name]
    values = {column.name: numbers(asked, column) for column in columns}
    if target is not None:
        values[target.name] = numbers(asked, target)
    varies = {name: _varies(each) for name, each in values.items()}
    constant = [name for name, some in varies.items() if not some]
    columns = [column for column in columns if varies[column.name]]
    notices = []
    if constant:
        told_constant = ", ".join(f"'{name}'" for name in constant)
        notices.append(f"Left out, since all their values are the same or absent: {told_constant}.")
    groups: list[Group] = []
    if target is not None:
        if varies[target.name] and columns:
            found = correlations([values[column.name] for column in columns], [values[target.name]])
            groups = [_pair(column, target, found, at, 0) for at, column in enumerate(columns)]
        names, second = [], [target]
    else:
        found = correlations([values[column.name] for column in columns])
        chosen = _most_telling(columns, found)
        second = [columns[at] for at in chosen]
        groups = [_pair(columns[a], columns[b], found, a, b) for at, a in enumerate(chosen) for b in chosen[at + 1 :]]
        if len(chosen) < len(columns):
            notices.append(
                f"{len(chosen)} of {len(columns)} columns of numbers are shown: those that correlate most with a loss"
                " or metric. Name one as y to see each with it."
            )
    groups = sorted((group for group in groups if group.value is not None), key=_by_strength)
    names = (
        [group.x for group in groups if isinstance(group.x, str)] if target is not None else [c.name for c in second]
    )
    alone = groups[0] if target is not None and question.x is not None and question.y is not None and groups else None
    axis = Axis("", "category", None, names)
    return Chart(
        kind=question.kind,
        x=question.x,
        y=question.y,
        split=None,
        aggregate="correlation",
        of=question.of,
        x_axis=axis,
        y_axis=Axis(f"correlation with {target.label}", "number", None, None, -1.0, 1.0) if target else axis,
        count=max((group.count for group in groups), default=0),
        absent=len(asked.rows) - max((group.count for group in groups), default=0),
        groups=groups,
        correlation=None if alone is None else alone.value,
        correlation_low=None if alone is None else alone.low,
        correlation_high=None if alone is None else alone.high,
        told=_table_told(asked, groups, target),
        notices=notices,
    )


def _table_told(asked: Charted, groups: "Sequence[Group]", target: Column | None) -> str:
    if not len(asked.rows):
        return nothing_told(asked, {})
    if not groups:
        wanted = "no other column" if target is None else f"no column that could correlate with '{target.name}'"
        return f"There is {wanted} of numbers that differ: nothing correlates."
    first = groups[0]
    assert first.value is not None
    ends = "" if first.low is None or first.high is None else f", {first.low:.2f} to {first.high:.2f}"
    return (
        f"The strongest of {len(groups):,} correlations is that of '{first.x}' with '{first.y}': r ="
        f" {first.value:.2f}{ends}, over {first.count:,} {asked.question.of}."
    )


def _is_measured(column: Column) -> bool:
    """Whether its numbers measure something: a label's and a cluster's do not."""
    return is_number(column) and (column.kind == "continuous" or column.meaning == "ordinal")


def _varies(values: NDArray[np.float64]) -> bool:
    present = values[np.isfinite(values)]
    return len(present) > 1 and bool(present.max() > present.min())


def _most_telling(columns: "Sequence[Column]", found: Correlations) -> list[int]:
    """Places of the columns that correlate most with a loss or metric other than themselves, in their order."""
    strength = np.abs(np.nan_to_num(found.r))
    np.fill_diagonal(strength, 0)
    scores = [at for at, column in enumerate(columns) if column.group in (LOSS, METRIC)] or list(range(len(columns)))
    telling = strength[:, scores].max(axis=1) if columns else np.zeros(0)
    return sorted(np.argsort(-telling, kind="stable")[:MOST_OF_TABLE].tolist())


def _pair(first: Column, second: Column, found: Correlations, a: int, b: int) -> Group:
    r, count = float(found.r[a, b]), int(found.count[a, b])
    low, high = fisher_interval(r, count)
    name = f"{first.label} and {second.label}"
    return Group(name, count, _known(r), _known(low), _known(high), x=first.name, y=second.name)


def _by_strength(group: Group) -> tuple[float, str]:
    assert group.value is not None
    return -abs(group.value), group.name


def _interval(found: Aggregated, at: int) -> tuple[float | None, float | None, float | None]:
    return _known(float(found.value[at])), _known(float(found.low[at])), _known(float(found.high[at]))


def _ends(groups: "Sequence[Group]") -> list[float]:
    return [end for group in groups for end in (group.value, group.low, group.high) if end is not None]


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
