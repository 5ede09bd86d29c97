"""The figure of predicted losses: where on the map they are great, and what came of former ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.numerals import numeral
from leaplab.render.colours import INK, LINE, MUTED, Colour, scalar_colours
from leaplab.render.figure import SMALL, TEXT, WIDTH, fitted, place, share, sheet, style, width_of, wrapped, write
from leaplab.render.maps import MARKED, OTHERS, Places, Points, frame, scatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, HEAD, NAME = 0.12, 0.76, 0.26
SIDES = {0: 0.0, 1: 4.4, 2: 2.85}
"""Inches of a map, by how many there are."""
GAP, SCALE, STEPS = 0.2, 0.36, 64
LEFT, FOOT = 0.55, 0.4
"""Room for the numbers at the chart's axes."""
LARGEST, LINE_HEIGHT, MOST_LINES = 3.3, 0.165, 12
GREATEST = 0.98
"""Quantile of the values that has the darkest colour, or a single great loss would leave all others pale."""


@dataclass(frozen=True)
class Coloured:
    """Losses of samples, on a map.

    Attributes:
        name: what they are.
        members: [k] places of the samples.
        values: [k] the loss of each.
    """

    name: str
    members: Places
    values: NDArray[np.float64]


@style()
def predicted_loss_chart(
    points: Points | None,
    maps: Sequence[Coloured],
    predicted: Sequence[float],
    real: Sequence[float],
    measured: str,
    told: Sequence[str],
    title: str,
    below: str,
) -> "Figure":
    """One or two maps coloured by loss, on one scale, and beside them the predicted and the real loss by tenths.

    Args:
        points: [N, 2], NaN for what has no place; None where there is no map.
        maps: at most two.
        predicted: mean prediction of each tenth of the samples, rising.
        real: mean loss of the same.
        measured: on which samples that was measured, in words.
        told: sentences that stand beside it.
    """
    shown = list(maps) if points is not None else []
    side = SIDES[len(shown)]
    left = MARGIN + len(shown) * (side + GAP)
    room = WIDTH - left - MARGIN
    width = min(room - LEFT, LARGEST)
    # Beside one map there is room for the sentences, under two of them, and under the chart where there is none.
    texts = {0: WIDTH - 2 * MARGIN, 1: room, 2: 2 * side + GAP}[len(shown)]
    lines = [line for each in told for line in wrapped(each, texts, SMALL, MOST_LINES)]
    block = LINE_HEIGHT * len(lines)
    maps_height = NAME + side + SCALE + (block if len(shown) > 1 else 0.0) if shown else 0.0
    height = HEAD + max(maps_height, NAME + width + FOOT + (block if len(shown) < 2 else 0.0)) + MARGIN
    figure = sheet(height, title, below)
    top = height - HEAD
    if points is not None and shown:
        low, high = _ends(shown)
        for number, each in enumerate(shown):
            at = MARGIN + number * (side + GAP)
            write(figure, at, top, fitted(each.name, side, TEXT, "bold"), TEXT, weight="bold")
            axes = place(figure, at, top - NAME + 0.1 - side, side, side)
            frame(axes, points)
            scatter(axes, points, np.setdiff1d(np.arange(len(points)), each.members), [OTHERS])
            colours = _colours(np.clip((each.values - low) / max(high - low, np.finfo(np.float64).tiny), 0, 1))
            scatter(axes, points, each.members, colours, gid=f"losses-{number}", least=3.0)
        _scale(figure, MARGIN, top - NAME - side - 0.02, low, high)
    write(figure, left, top, fitted(measured, room, TEXT, "bold"), TEXT, weight="bold")
    axes = place(figure, left + LEFT, top - NAME + 0.1 - width, width, width)
    _calibration(axes, np.asarray(predicted, np.float64), np.asarray(real, np.float64))
    first = top - NAME - (side + SCALE if len(shown) > 1 else width + FOOT)
    for number, line in enumerate(lines):
        at = left if len(shown) == 1 else MARGIN
        write(figure, at, first - LINE_HEIGHT * number, line, SMALL, MUTED)
    return figure


def _ends(maps: Sequence[Coloured]) -> tuple[float, float]:
    """What the scale of all maps goes from and to."""
    values = np.concatenate([each.values[np.isfinite(each.values)] for each in maps])
    if not len(values):
        return 0.0, 1.0
    return float(values.min()), float(np.quantile(values, GREATEST))


def _colours(shares: NDArray[np.float64]) -> list[Colour]:
    return [(red, green, blue) for red, green, blue in scalar_colours(1 - shares).tolist()]


def _scale(figure: "Figure", left: float, middle: float, low: float, high: float) -> None:
    """The colours from the least to the greatest value."""
    from matplotlib.patches import Rectangle

    width, height = figure.get_size_inches()
    write(figure, left, middle, numeral(low), SMALL, MUTED)
    start, step = left + width_of(numeral(low), SMALL) + 0.1, 1.6 / STEPS
    for number, colour in enumerate(_colours(np.linspace(0, 1, STEPS))):
        corner = ((start + number * step) / width, (middle - 0.05) / height)
        bar = Rectangle(corner, 1.1 * step / width, 0.1 / height, color=share(colour), lw=0, gid=f"scale-{number}")
        figure.add_artist(bar)
    write(figure, start + 1.7, middle, f"{numeral(high)} and more", SMALL, MUTED)


def _calibration(axes: "Axes", predicted: NDArray[np.float64], real: NDArray[np.float64]) -> None:
    from matplotlib.ticker import MaxNLocator

    whole = np.concatenate([predicted, real])
    low, high = float(whole.min()), float(whole.max())
    edge = 0.06 * (high - low) or 1.0
    axes.plot([low - edge, high + edge], [low - edge, high + edge], "-", lw=1, color=share(LINE), gid="as-predicted")
    axes.plot(predicted, real, "o-", lw=1.4, ms=4.5, mew=0, color=share(MARKED), gid="tenths")
    axes.set_xlim(low - edge, high + edge)
    axes.set_ylim(low - edge, high + edge)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("mean predicted, by tenths of the samples", fontsize=SMALL, color=share(INK), labelpad=2)
    axes.set_ylabel("mean real", fontsize=SMALL, color=share(INK), labelpad=2)
    axes.tick_params(labelsize=SMALL, colors=share(MUTED), length=2)
