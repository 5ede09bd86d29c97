"""Charts as figures, drawn of the numbers that `leaplab chart --json` prints."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from leaplab.analysis.charting.chart import Chart, Group
from leaplab.render.chart_curves import draw_calibration, draw_lines, draw_trade_off
from leaplab.render.chart_grids import draw_confusion, draw_correlations, draw_heatmap
from leaplab.render.chart_sheet import (
    MARGIN,
    colour_of_series,
    each_series,
    label_room,
    laid_out,
    numbers,
    scaled,
)
from leaplab.render.colours import INK, LINE, MUTED, PAPER
from leaplab.render.figure import SMALL, TEXT, WIDTH, fitted, share, sheet, style, wrapped, write
from leaplab.render.maps import GROUPS, VECTORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR = 0.26
"""Inches of a category's bars, the least."""
CLOSE = 0.8
"""Of a category's room, what its bars fill."""
MOST_NAMED = 40
"""Dots that have their name beside them."""


@style()
def chart_figure(chart: Chart, title: str) -> "Figure":
    """The figure of a chart: its title, what it tells, and its marks with their intervals.

    Args:
        title: of the figure; what it is of.
    """
    if not (chart.groups or chart.curves):
        return _empty(chart, title)
    return _DRAWN[chart.kind](chart, title)


def _empty(chart: Chart, title: str) -> "Figure":
    lines = wrapped(chart.told, WIDTH - 2 * MARGIN, TEXT, 6)
    height = 0.62 + 0.17 * len(lines)
    figure = sheet(height, title)
    for number, line in enumerate(lines):
        write(figure, MARGIN, height - 0.48 - 0.17 * number, line, TEXT, MUTED)
    return figure


def _bars(chart: Chart, title: str) -> "Figure":
    """Lying bars of categories, so that their names can be read; standing ones of ranges."""
    if chart.x_axis.type == "number":
        return _columns(chart, title)
    categories = [name for name in chart.x_axis.categories or [] if any(group.x == name for group in chart.groups)]
    series = each_series(chart)
    thick = max(BAR, 0.11 * len(series) + 0.08)
    left = MARGIN + label_room(categories) + 0.05
    figure, axes = laid_out(chart, title, left, max(1.2, thick * len(categories)))
    each = CLOSE / len(series)
    for number, name in enumerate(series):
        groups = [group for group in chart.groups if group.series == name and group.value is not None]
        places = np.array([categories.index(str(group.x)) for group in groups]) - CLOSE / 2 + each * (number + 0.5)
        values = numbers(group.value for group in groups)
        axes.barh(places, values, each * 0.92, color=share(colour_of_series(chart, name)), lw=0, gid=f"bars-{number}")
        _whiskers(axes, groups, places, lying=True)
    axes.set_ylim(len(categories) - 0.5, -0.5)
    axes.set_yticks(range(len(categories)), [fitted(name, left - MARGIN, SMALL) for name in categories])
    axes.tick_params(axis="y", length=0, labelcolor=share(INK))
    scaled(axes, "x", chart.y_axis.label, grid=True)
    return figure


def _columns(chart: Chart, title: str) -> "Figure":
    """Bins of a number: bars side by side, or outlines where there are several series."""
    figure, axes = laid_out(chart, title)
    for number, name in enumerate(each_series(chart)):
        groups = [group for group in chart.groups if group.series == name]
        if not groups:
            continue
        # An outermost bin that gathers what lies far is drawn as far as the axis.
        edges = np.clip(
            numbers([*(group.x_low for group in groups), groups[-1].x_high]), chart.x_axis.low, chart.x_axis.high
        )
        values = np.nan_to_num(numbers(group.value for group in groups))
        colour = share(colour_of_series(chart, name))
        alone = len(chart.series) < 2
        axes.stairs(values, edges, fill=True, color=colour, alpha=0.85 if alone else 0.2, gid=f"bars-{number}")
        if not alone:
            axes.stairs(values, edges, color=colour, lw=1.4)
        middles = (edges[:-1] + edges[1:]) / 2
        if chart.aggregate not in ("count", "share"):
            _whiskers(axes, groups, middles)
    scaled(axes, "x", chart.x_axis.label)
    scaled(axes, "y", chart.y_axis.label, grid=True)
    return figure


def _line(chart: Chart, title: str) -> "Figure":
    if chart.x_axis.type == "category":
        return _bars(chart, title)
    figure, axes = laid_out(chart, title)
    for number, name in enumerate(each_series(chart)):
        groups = [group for group in chart.groups if group.series == name and group.value is not None]
        x, y, low, high = (numbers(getattr(group, name) for group in groups) for name in ("x", "value", "low", "high"))
        colour = share(colour_of_series(chart, name))
        axes.fill_between(x, low, high, color=colour, alpha=0.18, lw=0, gid=f"interval-{number}")
        axes.plot(x, y, "o-", ms=3, lw=1.4, mew=0, color=colour, gid=f"line-{number}")
    scaled(axes, "x", chart.x_axis.label)
    scaled(axes, "y", chart.y_axis.label, grid=True)
    return figure


def _scatter(chart: Chart, title: str) -> "Figure":
    figure, axes = laid_out(chart, title)
    points = chart.points
    assert points is not None
    order = np.random.default_rng(0).permutation(len(points.x))  # no series hides behind another
    colours = [share(GROUPS[0])] if points.series is None else [_series_colour(chart, each) for each in points.series]
    axes.scatter(
        np.array(points.x)[order],
        np.array(points.y)[order],
        s=max(3.0, min(16.0, 12_000 / max(len(points.x), 1))),
        c=colours if len(colours) == 1 else [colours[at] for at in order],
        alpha=0.6,
        linewidths=0,
        rasterized=len(points.x) > VECTORS,
        gid="points",
    )
    scaled(axes, "x", chart.x_axis.label, grid=True)
    scaled(axes, "y", chart.y_axis.label, grid=True)
    return figure


def _series_colour(chart: Chart, at: int) -> tuple[float, float, float]:
    return share(colour_of_series(chart, chart.series[at]))


def _group_means(chart: Chart, title: str) -> "Figure":
    figure, axes = laid_out(chart, title)
    groups = [group for group in chart.groups if group.value is not None and isinstance(group.x, float)]
    x, y = numbers(group.x for group in groups), numbers(group.value for group in groups)
    for group, across, up in zip(groups, x, y, strict=True):
        for ends, how in (((group.x_low, group.x_high), "x"), ((group.low, group.high), "y")):
            if ends[0] is None or ends[1] is None:
                continue
            along = ([ends[0], ends[1]], [up, up]) if how == "x" else ([across, across], [ends[0], ends[1]])
            axes.plot(*along, "-", lw=1, color=share(LINE), zorder=1)
    axes.scatter(x, y, s=42, color=share(GROUPS[0]), linewidths=0.8, edgecolors=share(PAPER), gid="means", zorder=2)
    for group in groups[:MOST_NAMED]:
        place = (float(group.x or 0), float(group.value or 0))
        axes.annotate(group.name, place, (5, 4), textcoords="offset points", fontsize=SMALL, color=share(INK))
    if chart.correlation is not None and len(groups) > 2:
        slope, level = np.polyfit(x, y, 1)
        ends_x = np.array([x.min(), x.max()])
        axes.plot(ends_x, level + slope * ends_x, "--", lw=1, color=share(MUTED), gid="trend", zorder=1)
    scaled(axes, "x", chart.x_axis.label, grid=True)
    scaled(axes, "y", chart.y_axis.label, grid=True)
    return figure


def _box(chart: Chart, title: str) -> "Figure":
    names = chart.x_axis.categories
    if names is None:
        names = [group.name for group in chart.groups if group.series == chart.groups[0].series]
    shown = [name for name in names if any(name in (group.x, group.name) for group in chart.groups)]
    series = each_series(chart)
    left = MARGIN + label_room(shown) + 0.05
    thick = max(BAR, 0.13 * len(series) + 0.08)
    figure, axes = laid_out(chart, title, left, max(1.2, thick * len(shown)))
    each = CLOSE / len(series)
    for number, name in enumerate(series):
        colour = share(colour_of_series(chart, name))
        for group in chart.groups:
            if group.series != name or group.box is None:
                continue
            at = next(n for n, one in enumerate(shown) if one in (group.x, group.name))
            middle = at - CLOSE / 2 + each * (number + 0.5)
            low, first, median, third, high = group.box
            axes.plot([low, high], [middle, middle], "-", lw=1, color=share(MUTED), zorder=1)
            axes.barh(middle, third - first, each * 0.8, left=first, color=colour, alpha=0.75, lw=0, zorder=2)
            axes.plot([median] * 2, [middle - each * 0.4, middle + each * 0.4], "-", lw=1.8, color=share(INK), zorder=3)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_yticks(range(len(shown)), [fitted(name, left - MARGIN, SMALL) for name in shown])
    axes.tick_params(axis="y", length=0, labelcolor=share(INK))
    scaled(axes, "x", chart.y_axis.label, grid=True)
    return figure


def _whiskers(axes: "Axes", groups: list[Group], places: np.ndarray, lying: bool = False) -> None:
    for group, at in zip(groups, places.tolist(), strict=True):
        if group.low is None or group.high is None:
            continue
        ends, across = [group.low, group.high], [at, at]
        axes.plot(*((ends, across) if lying else (across, ends)), "-", lw=1, color=share(INK))


_DRAWN: Mapping[str, Callable[[Chart, str], "Figure"]] = {
    "bar": _bars,
    "line": _line,
    "scatter": _scatter,
    "histogram": _bars,
    "box": _box,
    "heatmap": draw_heatmap,
    "group-means": _group_means,
    "correlation": draw_correlations,
    "confusion": draw_confusion,
    "roc": draw_trade_off,
    "precision-recall": draw_trade_off,
    "calibration": draw_calibration,
    "curves": draw_lines,
}
