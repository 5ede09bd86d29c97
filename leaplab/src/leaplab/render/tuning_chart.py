"""The figure of a tuned simulation: how near each trial came, and where in their bounds its parameters lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaplab.render.colours import INK, LINE, MUTED, PAPER
from leaplab.render.figure import SMALL, TEXT, WIDTH, fitted, place, share, sheet, style, width_of, write
from leaplab.render.maps import MARKED, NEAR, OTHERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, HEAD, FOOT = 0.12, 0.95, 0.42
LEFT, GAP = 0.62, 0.5
TALL, STRIP = 3.6, 0.5
FIRST = 10
"""Trials that are shown as the best."""


@dataclass(frozen=True)
class Strip:
    """A parameter.

    Attributes:
        name: its own.
        places: [n] where each trial's value lies between its bounds, in [0, 1].
        ends: its bounds, as texts.
        start: the start's value, as a text.
        best: the best's, likewise.
    """

    name: str
    places: Sequence[float]
    ends: tuple[str, str]
    start: str
    best: str


@style()
def tuning_chart(
    distances: Sequence[float],
    values: Sequence[float],
    noise: float,
    strips: Sequence[Strip],
    title: str,
    below: str,
) -> "Figure":
    """The distance of each trial and of the best so far, and beside it a strip for each parameter.

    Args:
        distances: [n] of the trials in their order; the first is the start's.
        values: [n] that decide which is the best: the least.
        noise: distance below which nothing is to be gained.
        strips: [p] parameters.
    """
    tall = max(TALL, STRIP * len(strips))
    height = HEAD + tall + FOOT
    figure = sheet(height, title, below)
    width = (WIDTH - LEFT - GAP - MARGIN) * 0.5
    axes = place(figure, LEFT, FOOT, width, tall)
    _distances(axes, np.asarray(distances, np.float64), np.asarray(values, np.float64), noise)
    write(figure, LEFT, height - HEAD + 0.17, "Distance to the target, by trial", TEXT, weight="bold")
    left = LEFT + width + GAP
    room = WIDTH - MARGIN - left
    _heading(figure, left, height - HEAD + 0.17, room, len(values))
    order = np.argsort(values, kind="stable")
    for number, strip in enumerate(strips):
        _strip(figure, left, height - HEAD - STRIP * (number + 0.5) - 0.06, room, strip, order)
    return figure


def _distances(axes: "Axes", distances: np.ndarray, values: np.ndarray, noise: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    numbers = np.arange(len(distances))
    floor = max(noise, 1e-9) / 3
    shown = np.maximum(distances, floor)  # what is nearer than nothing lies at the bottom
    leading = np.array([int(np.argmin(values[: last + 1])) for last in numbers])
    axes.axhspan(floor / 2, max(noise, floor), color=share(OTHERS), alpha=0.55, lw=0, gid="noise")
    axes.plot(numbers, shown, "o", ms=3.5, mew=0, color=share(MUTED), alpha=0.6, gid="trials")
    axes.plot(numbers, shown[leading], "-", lw=1.6, color=share(NEAR), drawstyle="steps-post", gid="best-so-far")
    axes.plot(numbers[:1], shown[:1], "D", ms=6, mew=1.2, mfc=share(PAPER), mec=share(INK), gid="start")
    best = leading[-1]
    axes.plot([best], [shown[best]], "*", ms=12, mew=0.5, mec=share(PAPER), color=share(MARKED), gid="best")
    axes.set_yscale("log")
    axes.set_ylim(floor / 1.25, max(shown.max(), noise) * 1.5)
    axes.set_xlim(-0.8, max(len(distances) - 0.2, 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelsize=SMALL, colors=share(MUTED), which="both", length=2)
    axes.grid(visible=True, color=share(LINE), lw=0.6)
    axes.set_axisbelow(True)
    if noise > floor:
        # Early trials are far away: this end of the band is free.
        text = " two halves of the target"
        axes.text(axes.get_xlim()[0], noise * 0.93, text, ha="left", va="top", fontsize=SMALL, color=share(MUTED))


def _heading(figure: "Figure", left: float, middle: float, room: float, trials: int) -> None:
    """What the marks of the strips mean, right over them."""
    write(figure, left, middle, "Parameters", TEXT, weight="bold")
    at = left + width_of("Parameters", TEXT, "bold") + 0.25
    told: list[tuple[str, str, dict[str, object]]] = [
        ("D", "start", {"ms": 5, "mfc": share(PAPER), "mec": share(INK), "mew": 1.2}),
        ("*", "best", {"ms": 9, "color": share(MARKED), "mew": 0}),
    ]
    if trials > FIRST:
        told.append(("o", f"the {FIRST} best", {"ms": 4.5, "color": share(NEAR), "mew": 0}))
    for shape, text, how in told:
        _mark(figure, at, middle, shape, **how)
        write(figure, at + 0.1, middle, text, SMALL, MUTED)
        at += width_of(text, SMALL) + 0.35


def _strip(figure: "Figure", left: float, middle: float, room: float, strip: Strip, order: np.ndarray) -> None:
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    values = f"{strip.start} → {strip.best}"
    write(figure, left + room, middle + 0.14, values, SMALL, ha="right")
    name = fitted(strip.name, room - width_of(values, SMALL) - 0.15, TEXT, both_ends=True)
    write(figure, left, middle + 0.14, name, TEXT, weight="bold")
    ends = [fitted(each, 0.7, SMALL) for each in strip.ends]
    low, high = left + 0.06, left + room - 0.06
    line = Line2D([low / width, high / width], [(middle - 0.03) / height] * 2, lw=3, color=share(LINE))
    figure.add_artist(line)
    write(figure, left, middle - 0.17, ends[0], SMALL, MUTED)
    write(figure, left + room, middle - 0.17, ends[1], SMALL, MUTED, ha="right")

    def mark(trial: int, shape: str, **how: object) -> None:
        _mark(figure, low + (high - low) * strip.places[trial], middle - 0.03, shape, **how)

    if len(order) > FIRST:
        for trial in order[FIRST:][::-1].tolist():
            mark(trial, "o", ms=3.5, mew=0, color=share(MUTED), alpha=0.35)
        for trial in order[1:FIRST][::-1].tolist():
            mark(trial, "o", ms=4.5, mew=0, color=share(NEAR))
    mark(0, "D", ms=5, mew=1.2, mfc=share(PAPER), mec=share(INK))
    mark(int(order[0]), "*", ms=10, mew=0.5, mec=share(PAPER), color=share(MARKED))


def _mark(figure: "Figure", x: float, y: float, shape: str, **how: object) -> None:
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    figure.add_artist(Line2D([x / width], [y / height], marker=shape, ls="", **how))  # type: ignore[arg-type]
