"""Charts of cells: a heat-map of two columns, what was taken for what, and how columns go together."""

from typing import TYPE_CHECKING, Any

import numpy as np

from leaplab.analysis.charting.chart import Axis, Chart, Group
from leaplab.analysis.numerals import numeral
from leaplab.render.chart_sheet import FOOT, MARGIN, label_room, laid_out, named, scaled
from leaplab.render.colours import INK, PAPER, Colour, ink_on
from leaplab.render.figure import SMALL, WIDTH, fitted, share, width_of
from leaplab.render.maps import GROUPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL, MOST_TALL = 0.4, 6.0
TEXT_ROOM = 0.06
RIGHT: Colour = GROUPS[0]
WRONG: Colour = GROUPS[2]
ROW = 0.26


def draw_heatmap(chart: Chart, title: str) -> "Figure":
    """Cells of two columns, the darker the more; the number of each where there is room."""
    values = [group.value for group in chart.groups if group.value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if chart.aggregate in ("count", "share", "sum"):
        low = min(low, 0.0)

    def shade(group: Group) -> tuple[Colour, str]:
        part = 0.0 if group.value is None or high <= low else (group.value - low) / (high - low)
        return _blended(RIGHT, part), "" if group.value is None else numeral(group.value)

    return _cells(chart, title, shade)


def draw_confusion(chart: Chart, title: str) -> "Figure":
    """A row a true class, a column a predicted one: blue what is right, red what is not."""

    def shade(group: Group) -> tuple[Colour, str]:
        # Errors are few, so their red grows fast.
        part = 0.0 if group.value is None else group.value
        right = group.x == group.y
        return _blended(RIGHT if right else WRONG, part if right else part**0.5), f"{group.count:,}"

    return _cells(chart, title, shade)


def draw_correlations(chart: Chart, title: str) -> "Figure":
    """Every pair of columns as a cell, or, of one column with all others, bars from -1 to 1."""
    if chart.y is None:

        def shade(group: Group) -> tuple[Colour, str]:
            value = group.value or 0.0
            return _blended(RIGHT if value > 0 else WRONG, abs(value)), f"{value:.2f}"

        return _cells(chart, title, shade)
    names = [str(group.x) for group in chart.groups]
    left = MARGIN + label_room(names) + 0.05
    figure, axes = laid_out(chart, title, left, max(1.0, ROW * len(names)))
    for place, group in enumerate(chart.groups):
        value = group.value or 0.0
        axes.barh(place, value, 0.7, color=share(RIGHT if value > 0 else WRONG), lw=0, gid=f"bar-{place}")
        if group.low is not None and group.high is not None:
            axes.plot([group.low, group.high], [place, place], "-", lw=1, color=share(INK))
    axes.axvline(0, color=share(INK), lw=0.8)
    axes.set_xlim(-1, 1)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks(range(len(names)), [fitted(name, left - MARGIN, SMALL, both_ends=True) for name in names])
    axes.tick_params(axis="y", length=0, labelcolor=share(INK))
    scaled(axes, "x", chart.y_axis.label, grid=True)
    return figure


def _cells(chart: Chart, title: str, shade: Any) -> "Figure":
    columns, rows = _places(chart.x_axis, chart.groups, "x"), _places(chart.y_axis, chart.groups, "y")
    row_names = [name for name, _ in rows]
    left = MARGIN + label_room(row_names) + 0.25
    room = WIDTH - left - 2 * MARGIN
    upright = max(width_of(name, SMALL) for name, _ in columns) > room / len(columns) - 0.08
    foot = FOOT + (label_room([name for name, _ in columns]) if upright else 0.0)
    figure, axes = laid_out(chart, title, left, min(MOST_TALL, max(1.2, CELL * len(rows))), foot)
    across = {place: number for number, (_, place) in enumerate(columns)}
    down = {place: number for number, (_, place) in enumerate(rows)}
    cell = room / len(columns)
    for group in chart.groups:
        if group.x not in across or group.y not in down:
            continue
        colour, text = shade(group)
        _cell(axes, across[group.x], down[group.y], colour, text if width_of(text, SMALL) < cell - TEXT_ROOM else "")
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), [fitted(name, 2.2 if upright else cell, SMALL) for name, _ in columns])
    axes.set_yticks(range(len(rows)), [fitted(name, left - MARGIN - 0.25, SMALL) for name in row_names])
    axes.tick_params(length=0, labelcolor=share(INK))
    if upright:
        for label in axes.get_xticklabels():
            label.set_rotation(90)
    named(axes, "x", chart.x_axis.label)
    named(axes, "y", chart.y_axis.label)
    return figure


def _places(axis: Axis, groups: list[Group], which: str) -> list[tuple[str, Any]]:
    """Name and place of each column or row, in its order."""
    if axis.categories is not None:
        # A triangle of pairs has one row and one column less than columns.
        used = {getattr(group, which) for group in groups}
        return [(name, name) for name in axis.categories if name in used]
    found = {
        getattr(group, which): (getattr(group, f"{which}_low"), getattr(group, f"{which}_high")) for group in groups
    }
    return [(_range(*found[place]), place) for place in sorted(found)]


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{numeral(low)} to {numeral(high)}"


def _cell(axes: "Axes", column: int, row: int, colour: Colour, text: str) -> None:
    from matplotlib.patches import Rectangle

    square = Rectangle((column - 0.5, row - 0.5), 1, 1, fc=share(colour), ec=share(PAPER), lw=1, gid=f"{row}-{column}")
    axes.add_patch(square)
    if text:
        how: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
        axes.text(column, row, text, color=share(ink_on(colour)), **how)


def _blended(colour: Colour, part: float) -> Colour:
    red, green, blue = (
        round(one + (other - one) * float(np.clip(part, 0, 1))) for one, other in zip(PAPER, colour, strict=True)
    )
    return red, green, blue
