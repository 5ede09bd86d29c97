"""Charts of lines that a threshold or a training draws."""

from typing import TYPE_CHECKING, Literal

from leaplab.analysis.charting.chart import Chart, Curve
from leaplab.render.chart_sheet import colour_of_series, laid_out, numbers, scaled
from leaplab.render.colours import INK, LINE, MUTED, PAPER
from leaplab.render.figure import SMALL, share
from leaplab.render.maps import GROUPS, MARKED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TALL = 4.2
ALL = "all"
MOST_NAMED = 12


def draw_trade_off(chart: Chart, title: str) -> "Figure":
    """ROC, or precision against recall: a line a label, and a dot at the threshold."""
    figure, axes = laid_out(chart, title, tall=TALL)
    values = {group.name: group.value for group in chart.groups}
    for number, curve in enumerate(chart.curves):
        whole = curve.name == ALL and len(chart.curves) > 1
        colour = INK if whole else GROUPS[number % len(GROUPS)]
        told = "" if values.get(curve.name) is None else f" {values[curve.name]:.3f}"
        line = axes.plot(curve.x, numbers(curve.y), "-", color=share(colour), gid=f"curve-{number}")[0]
        line.set(label=f"{curve.name}{told}", linewidth=2.2 if whole else 1.3, zorder=3 if whole else 2)
        at = _nearest(curve, chart.threshold)
        if at is not None:
            dot = axes.plot([curve.x[at]], numbers([curve.y[at]]), "o", color=share(colour), zorder=4)[0]
            dot.set(markersize=6, markeredgewidth=1, markeredgecolor=share(PAPER), gid=f"threshold-{number}")
    if chart.kind == "roc":
        axes.plot([0, 1], [0, 1], "--", lw=1, color=share(LINE), gid="chance")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.02)
    scaled(axes, "x", chart.x_axis.label, grid=True)
    scaled(axes, "y", chart.y_axis.label, grid=True)
    _legend(axes, "lower right" if chart.kind == "roc" else "lower left")
    return figure


def draw_calibration(chart: Chart, title: str) -> "Figure":
    """How often claims of a confidence are right, against that confidence; the line is where both are the same."""
    figure, axes = laid_out(chart, title, tall=TALL)
    axes.plot([0, 1], [0, 1], "-", lw=1, color=share(LINE), gid="as-claimed")
    x, y, low, high = (
        numbers(getattr(group, name) for group in chart.groups) for name in ("x", "value", "low", "high")
    )
    axes.vlines(x, low, high, colors=[share(INK)], lw=1, gid="intervals")
    axes.plot(x, y, "o-", lw=1.4, ms=5, mew=0, color=share(MARKED), gid="calibration")
    axes.set_ylim(-0.02, 1.02)
    scaled(axes, "x", chart.x_axis.label, grid=True)
    scaled(axes, "y", chart.y_axis.label, grid=True)
    return figure


def draw_lines(chart: Chart, title: str) -> "Figure":
    """Training curves: a line a state, and its best value."""
    figure, axes = laid_out(chart, title, tall=3.4)
    for number, curve in enumerate(chart.curves):
        colour = share(colour_of_series(chart, curve.name) if chart.series else GROUPS[number % len(GROUPS)])
        axes.plot(curve.x, numbers(curve.y), "-", lw=1.4, color=colour, label=curve.name, gid=f"curve-{number}")
    scaled(axes, "x", chart.x_axis.label)
    scaled(axes, "y", chart.y_axis.label, grid=True)
    if not chart.series:
        _legend(axes, "best")
    return figure


def _nearest(curve: Curve, threshold: float | None) -> int | None:
    """The place of the least threshold that is not below the one asked for."""
    if threshold is None or curve.threshold is None:
        return None
    above = [(each, place) for place, each in enumerate(curve.threshold) if each >= threshold]
    return min(above)[1] if above else None


def _legend(axes: "Axes", where: Literal["lower right", "lower left", "best"]) -> None:
    handles, names = axes.get_legend_handles_labels()
    if not names:
        return
    shown = axes.legend(handles[-MOST_NAMED:], names[-MOST_NAMED:], loc=where, fontsize=SMALL, frameon=False)
    for text in shown.get_texts():
        text.set_color(share(MUTED))
