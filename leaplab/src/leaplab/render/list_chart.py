"""A list of samples as a figure: where they lie on the map, and how they share out, as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from leaplab.render.colours import MUTED, Colour
from leaplab.render.figure import SMALL, TEXT, WIDTH, fitted, place, share, sheet, style, width_of, write
from leaplab.render.maps import MARKED, NEAR, OTHERS, Places, Points, frame, scatter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARGIN, HEAD, MAP = 0.12, 0.62, 4.7
LINE, THICK, THIN = 0.15, 0.1, 0.075
FEW = 500
"""Chosen samples that are drawn large."""
MOST_ROWS = 14
COLOURS: tuple[Colour, ...] = (OTHERS, MARKED)
"""Of what is there, and of what is chosen."""


@dataclass(frozen=True)
class Row:
    """A bar, or a pair of bars that are compared.

    Attributes:
        name: what they are of.
        values: [1 or 2] numbers of at least 0: what is there, and what is chosen.
        told: [1 or 2] the same in words.
    """

    name: str
    values: Sequence[float]
    told: Sequence[str]


@style()
def list_chart(
    points: Points,
    pool: Places,
    chosen: Places,
    rows: Sequence[Row],
    names: Sequence[str],
    title: str,
    below: str,
    words: tuple[str, str] = ("chosen", "not chosen"),
) -> "Figure":
    """The chosen stand out of what could be chosen, and that out of all; beside it the bars.

    Args:
        points: [N, 2], NaN for what has no place.
        pool: [n] places of what could be chosen.
        chosen: [k] places of what is.
        rows: the first fourteen are shown, the others counted.
        names: of the values of a row; one for a single bar.
        words: what the chosen are called, and the others that could be.
    """
    shown = rows if len(rows) <= MOST_ROWS else rows[: MOST_ROWS - 1]
    height = HEAD + MARGIN + MAP
    figure = sheet(height, title, below)
    axes = place(figure, MARGIN, MARGIN, MAP, MAP)
    frame(axes, points)
    others = np.setdiff1d(np.arange(len(points)), pool)
    scatter(axes, points, others, [OTHERS])
    scatter(axes, points, np.setdiff1d(pool, chosen), [NEAR], gid="pool")
    scatter(axes, points, chosen, [MARKED], gid="chosen", least=7.0 if len(chosen) <= FEW else 0.0)
    left, top = MARGIN + MAP + 0.3, height - HEAD
    room = WIDTH - left - MARGIN
    for number, (name, colour) in enumerate(((words[0], MARKED), (words[1], NEAR), ("other samples", OTHERS))):
        if number < 2 or len(others):
            _mark(figure, left + 0.06 + 1.0 * number, top - 0.1, colour)
            write(figure, left + 0.16 + 1.0 * number, top - 0.1, name, SMALL, MUTED)
    top -= 0.38
    longest = max((value for row in shown for value in row.values), default=1.0) or 1.0
    longest_told = max((width_of(told, SMALL) for row in shown for told in row.told), default=0.0)
    if len(names) > 1:
        pair = " and ".join(names)
        write(figure, left, top, fitted(f"Grey and red: {pair}", room, SMALL), SMALL, MUTED)
        top -= 0.26
    step = min(0.52, (top - MARGIN) / max(len(shown) + (len(rows) > len(shown)), 1))
    bar = THICK if len(names) == 1 else THIN
    for row in shown:
        write(figure, left, top, fitted(row.name, room, TEXT), TEXT)
        for line, (value, told) in enumerate(zip(row.values, row.told, strict=True)):
            middle = top - LINE - (bar + 0.03) * line
            length = (room - longest_told - 0.1) * value / longest
            colour = COLOURS[line] if len(row.values) > 1 else MARKED
            _bar(figure, left, middle - bar / 2, length, bar, colour, f"bar-{row.name}-{line}")
            write(figure, left + length + 0.07, middle, told, SMALL if bar == THICK else SMALL - 1, MUTED)
        top -= step
    if len(rows) > len(shown):
        write(figure, left, top, f"and {len(rows) - len(shown):,} more", SMALL, MUTED)
    return figure


def _mark(figure: "Figure", left: float, middle: float, colour: Colour) -> None:
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    mark = Line2D([left / width], [middle / height], marker="o", ls="", ms=5, mew=0)
    mark.set_color(share(colour))
    figure.add_artist(mark)


def _bar(figure: "Figure", left: float, bottom: float, length: float, thick: float, colour: Colour, gid: str) -> None:
    from matplotlib.patches import Rectangle

    width, height = figure.get_size_inches()
    corner = left / width, bottom / height
    figure.add_artist(Rectangle(corner, length / width, thick / height, color=share(colour), lw=0, gid=gid))
