"""The sheet that a chart is drawn on: title and sentence, room for the axes, a legend of its series."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Chart
from leaplab.render.colours import INK, LINE, MUTED, Colour
from leaplab.render.figure import SMALL, TEXT, WIDTH, fitted, place, share, sheet, width_of, wrapped, write
from leaplab.render.maps import GROUPS

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Drawn
    from matplotlib.figure import Figure

MARGIN, HEAD, LINE_HEIGHT, MOST_LINES = 0.12, 0.42, 0.17, 3
LEGEND, FOOT, TALL = 0.24, 0.5, 3.6
LEFT = 0.78
"""Inches for the numbers along the second axis, and its name."""
LONGEST = 2.2
"""Inches of the longest category's name."""
OTHERS = "others"


def laid_out(
    chart: Chart, title: str, left: float = LEFT, tall: float = TALL, foot: float = FOOT
) -> "tuple[Figure, Drawn]":
    """A figure with the chart's title, sentence and legend, and empty axes with names along both.

    Args:
        left: inches before the axes.
        tall: inches of the axes.
        foot: inches under them.
    """
    lines = wrapped(chart.told, WIDTH - 2 * MARGIN, TEXT, MOST_LINES) if chart.told else []
    legend = _legend_rows(chart.series)
    height = HEAD + LINE_HEIGHT * len(lines) + LEGEND * len(legend) + tall + foot
    figure = sheet(height, title)
    top = height - HEAD
    for number, line in enumerate(lines):
        write(figure, MARGIN, top - LINE_HEIGHT * number, line, TEXT, MUTED)
    top -= LINE_HEIGHT * len(lines)
    for number, row in enumerate(legend):
        _draw_legend(figure, top - LEGEND * number - 0.02, row, chart.series)
    axes = place(figure, left, foot, WIDTH - left - 2 * MARGIN, tall)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=SMALL, colors=share(MUTED), length=2)
    axes.set_axisbelow(True)
    return figure, axes


def scaled(axes: "Drawn", which: str, name: str, bins: int = 6, grid: bool = False) -> None:
    """Numbers along an axis, its name, and lines across where they help to read it."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(bins))
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    if max(abs(low), abs(high)) >= 10_000:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    named(axes, which, name)
    if grid:
        axis.grid(visible=True, color=share(LINE), lw=0.6)


def named(axes: "Drawn", which: str, name: str) -> None:
    """The name of an axis."""
    whole = axes.get_figure(root=True)
    assert whole is not None
    width, height = whole.get_size_inches()
    box = axes.get_position()
    room = box.width * width if which == "x" else box.height * height
    write_name = axes.set_xlabel if which == "x" else axes.set_ylabel
    write_name(fitted(name, room, SMALL, both_ends=True), fontsize=SMALL, color=share(INK), labelpad=3)


def label_room(names: Sequence[str]) -> float:
    """Inches for the longest of some names beside an axis, at most `LONGEST`."""
    return min(max((width_of(name, SMALL) for name in names), default=0.0), LONGEST) + 0.1


def each_series(chart: Chart) -> list[str | None]:
    """The series; None alone of a chart that is not split."""
    return [*chart.series] or [None]


def numbers(values: Iterable[object]) -> NDArray[np.float64]:
    """Places or values of marks; NaN where there is none."""
    return np.array([value if isinstance(value, int | float) else np.nan for value in values], np.float64)


def colour_of_series(chart: Chart, series: str | None) -> Colour:
    """The colour of a series, as the legend tells it."""
    if series is None or series not in chart.series:
        return GROUPS[0]
    return GROUPS[chart.series.index(series) % len(GROUPS)]


def _legend_rows(series: Sequence[str]) -> list[list[str]]:
    rows: list[list[str]] = []
    room = 0.0
    for name in series:
        needed = _width_of_entry(name)
        if not rows or room + needed > WIDTH - 2 * MARGIN:
            rows.append([])
            room = 0.0
        rows[-1].append(name)
        room += needed
    return rows


def _width_of_entry(name: str) -> float:
    return min(width_of(name, SMALL), LONGEST) + 0.4


def _draw_legend(figure: "Figure", middle: float, names: Sequence[str], series: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    at = MARGIN
    for name in names:
        mark = Line2D([(at + 0.06) / width], [middle / height], marker="s", ls="", ms=6, mew=0)
        mark.set_color(share(GROUPS[list(series).index(name) % len(GROUPS)]))
        figure.add_artist(mark)
        write(figure, at + 0.18, middle, fitted(name, LONGEST, SMALL), SMALL)
        at += _width_of_entry(name)
