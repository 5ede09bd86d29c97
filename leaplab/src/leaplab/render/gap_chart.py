"""The figures of a domain gap: populations on the map beside their columns, and a matrix of many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.render.axes import ticks
from leaplab.render.colours import INK, MUTED, PAPER, Colour
from leaplab.render.figure import SMALL, TEXT, WIDTH, fitted, place, share, sheet, style, width_of, write
from leaplab.render.maps import GROUPS, OTHERS, Places, Points, frame, scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, HEAD, GAP = 0.12, 0.74, 0.3
MAP, LEGEND = 4.7, 0.24
PANELS = 4
PANEL_HEAD, PANEL_FOOT = 0.42, 0.2
BINS, TAIL = 40, 0.5
"""Bars of a histogram, and the per cent of the values beyond either end that it leaves out."""
MOST_CATEGORIES = 5
COLOURS: tuple[Colour, ...] = (GROUPS[0], GROUPS[2], GROUPS[1])
"""Of the source, the target, and the ranked samples."""
LARGEST_CELL = 0.85
LABEL = 1.9
"""Inches of the longest name beside a matrix."""


@dataclass(frozen=True)
class Shown:
    """A population.

    Attributes:
        name: what it is, with its condition.
        members: [k] places of its samples.
    """

    name: str
    members: Places


@dataclass(frozen=True)
class Panel:
    """A column, as each population has it.

    Attributes:
        title: its name.
        told: its numbers in words.
        values: of each population; NaN where absent. Of categories, codes.
        categories: their texts by code; None for numbers.
    """

    title: str
    told: str
    values: Sequence[NDArray[np.float64]]
    categories: Sequence[str] | None = None


@style()
def gap_chart(points: Points, shown: Sequence[Shown], panels: Sequence[Panel], title: str, below: str) -> "Figure":
    """The populations on the map, and beside it how they differ in the first four columns.

    Args:
        points: [N, 2], NaN for what has no place; samples of no population are grey.
        shown: source, target, and what was ranked where there is that.
        panels: the column with the largest effect first.
    """
    legend = LEGEND * len(shown)
    height = HEAD + legend + MARGIN + MAP
    figure = sheet(height, title, below)
    for number, each in enumerate(shown):
        middle = height - HEAD - LEGEND * number
        _mark(figure, MARGIN, middle, COLOURS[number])
        counted = f"{each.name} ({len(each.members):,})"
        write(figure, MARGIN + 0.2, middle, fitted(counted, WIDTH - 2 * MARGIN - 0.2, TEXT), TEXT)
    axes = place(figure, MARGIN, MARGIN, MAP, MAP)
    frame(axes, points)
    members = np.concatenate([each.members for each in shown])
    scatter(axes, points, np.setdiff1d(np.arange(len(points)), members), [OTHERS])
    # The ranked samples may be of the source or the target, which are drawn over them.
    for number in reversed(range(2, len(shown))):
        scatter(axes, points, shown[number].members, [COLOURS[number]], gid=f"population-{number}", least=4.0)
    both = np.concatenate([each.members for each in shown[:2]])
    colours = np.repeat([0, 1], [len(each.members) for each in shown[:2]])
    scatter(axes, points, both, [COLOURS[each] for each in colours], gid="populations", least=4.0)
    left = MARGIN + MAP + GAP
    room, tall = WIDTH - left - MARGIN, MAP / PANELS
    if not panels:
        write(figure, left, MARGIN + MAP - 0.2, "They differ in no column.", TEXT, MUTED)
    for number, panel in enumerate(panels[:PANELS]):
        _draw_panel(figure, panel, left, MARGIN + MAP - tall * number, room, tall, number)
    return figure


@style()
def matrix_chart(
    names: Sequence[str],
    values: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
    title: str,
    below: str,
) -> "Figure":
    """A square a pair, the darker the farther apart it is, with its number in it.

    Args:
        names: of the rows, and of the columns.
        values: [k][k] AUC, .5 to 1; None is left white.
        texts: [k][k] what stands in each square.
    """
    from matplotlib.patches import Rectangle

    label = min(max(width_of(name, TEXT) for name in names), LABEL) + 0.1
    cell = min(LARGEST_CELL, (WIDTH - 2 * MARGIN - label) / len(names))
    # Names that are wider than a column stand upright.
    upright = max(width_of(name, TEXT) for name in names) > cell - 0.08
    top = label if upright else 0.25
    height = HEAD + top + cell * len(names) + MARGIN
    figure = sheet(height, title, below)
    axes = place(figure, MARGIN + label, MARGIN, cell * len(names), cell * len(names))
    axes.set_xlim(0, len(names))
    axes.set_ylim(len(names), 0)
    for row, name in enumerate(names):
        middle = MARGIN + cell * (len(names) - row - 0.5)
        write(figure, MARGIN, middle, fitted(name, label - 0.08, TEXT), TEXT)
        across = MARGIN + label + cell * (row + 0.5)
        how: dict[str, Any] = {"rotation": 90, "va": "bottom"} if upright else {}
        text = fitted(name, (label if upright else cell) - 0.08, TEXT)
        write(figure, across, MARGIN + cell * len(names) + (0.05 if upright else 0.12), text, TEXT, ha="center", **how)
        for column, value in enumerate(values[row]):
            if value is None:
                continue
            dark = float(np.clip(2 * value - 1, 0, 1))
            colour = tuple(round(one + (other - one) * dark) for one, other in zip(PAPER, COLOURS[0], strict=True))
            fill = [each / 255 for each in colour]
            square = Rectangle((column, row), 1, 1, fc=fill, ec=share(PAPER), lw=1.5, gid=f"{row}-{column}")
            axes.add_patch(square)
            axes.text(
                column + 0.5, row + 0.5, texts[row][column], ha="center", va="center", fontsize=TEXT, color=share(INK)
            )
    return figure


def _draw_panel(figure: "Figure", panel: Panel, left: float, top: float, room: float, tall: float, number: int) -> None:
    write(figure, left, top - 0.1, fitted(panel.title, room, TEXT, "bold"), TEXT, weight="bold")
    write(figure, left, top - 0.28, fitted(panel.told, room, SMALL), SMALL, MUTED)
    foot = top - tall + PANEL_FOOT
    if panel.categories is not None:
        _draw_shares(figure, panel, panel.categories, left, top - PANEL_HEAD, room, foot - 0.1, number)
        return
    axes = place(figure, left, foot, room, tall - PANEL_HEAD - PANEL_FOOT)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    low, high = _draw_histograms(axes, panel, number)
    for value, text in ticks(low, high, 5):
        across = left + room * (value - low) / (high - low)
        half = width_of(text, SMALL) / 2
        across = min(max(across, left + half), left + room - half)
        write(figure, across, foot - 0.1, text, SMALL, MUTED, ha="center")


def _draw_histograms(axes: "Axes", panel: Panel, number: int) -> tuple[float, float]:
    """One outline a population, each of the same area; the range that they are of."""
    finite = [values[np.isfinite(values)] for values in panel.values]
    ends = [np.percentile(values, [TAIL, 100 - TAIL]) for values in finite if len(values)]
    low, high = float(min(end[0] for end in ends)), float(max(end[1] for end in ends))
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    for place_, values in reversed(list(enumerate(finite))):
        heights = np.histogram(values, edges)[0] / max(len(values), 1)
        colour = share(COLOURS[place_])
        axes.stairs(heights, edges, fill=True, color=colour, alpha=0.3, gid=f"column-{number}-{place_}")
        axes.stairs(heights, edges, color=colour, lw=1.2)
    axes.set_xlim(low, high)
    axes.set_ylim(0, None)
    return low, high


def _draw_shares(
    figure: "Figure",
    panel: Panel,
    categories: Sequence[str],
    left: float,
    top: float,
    room: float,
    bottom: float,
    number: int,
) -> None:
    """A bar a population for each of the categories whose shares differ most."""
    from matplotlib.patches import Rectangle

    codes = [values[np.isfinite(values)].astype(np.int64) for values in panel.values]
    shares = np.stack([np.bincount(each, minlength=len(categories)) / max(len(each), 1) for each in codes])
    apart = np.abs(shares[0] - shares[1])
    chosen = np.sort(np.argsort(-apart, kind="stable")[: min(MOST_CATEGORIES, int((shares.sum(axis=0) > 0).sum()))])
    row = (top - bottom) / max(len(chosen), 3)
    names = [fitted(categories[code], 0.35 * room, SMALL) for code in chosen]
    start = left + max(width_of(name, SMALL) for name in names) + 0.1
    width, height = figure.get_size_inches()
    bar = row * 0.8 / len(shares)
    for place_, code in enumerate(chosen):
        upper = top - row * place_
        write(figure, left, upper - row * 0.4, names[place_], SMALL)
        for population, of_population in enumerate(shares[:, code]):
            length = (left + room - start) * float(of_population)
            corner = start / width, (upper - bar * (population + 1)) / height
            figure.add_artist(
                Rectangle(
                    corner,
                    length / width,
                    bar / height,
                    color=share(COLOURS[population]),
                    lw=0,
                    gid=f"share-{number}-{place_}-{population}",
                )
            )


def _mark(figure: "Figure", left: float, middle: float, colour: Colour) -> None:
    from matplotlib.lines import Line2D

    width, height = figure.get_size_inches()
    mark = Line2D([(left + 0.06) / width], [middle / height], marker="o", ls="", ms=6, mew=0)
    mark.set_color(share(colour))
    figure.add_artist(mark)
