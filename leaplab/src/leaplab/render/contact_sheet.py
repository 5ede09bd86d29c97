"""Pictures of samples in a grid, each with a few words under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from leaplab.render.colours import INK, LINE, MUTED
from leaplab.render.figure import SMALL, WIDTH, fitted, place, share, sheet, style, write
from leaplab.render.maps import MARKED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, HEAD, GAP, LINE_HEIGHT = 0.12, 0.62, 0.14, 0.15
SQUARE, WIDE = 7, 4
"""Columns of pictures."""


@dataclass(frozen=True)
class Shown:
    """A sample.

    Attributes:
        png: its picture; None leaves its place empty.
        lines: under it; the first, its id, stands out.
        is_query: whether it was looked from; its frame stands out.
        marked: left, top, right and bottom of a place in it, as shares of the picture; None marks none.
    """

    png: bytes | None
    lines: tuple[str, ...]
    is_query: bool = False
    marked: tuple[float, float, float, float] | None = None


@style()
def contact_sheet(samples: Sequence[Shown], title: str, below: str) -> "Figure":
    """The samples in rows, in their order. The widest picture decides how many stand in a row."""
    from PIL import Image

    pictures = [None if each.png is None else Image.open(BytesIO(each.png)).convert("RGB") for each in samples]
    aspect = max((picture.height / picture.width for picture in pictures if picture is not None), default=1.0)
    columns = SQUARE if aspect > 0.8 else WIDE
    width = (WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns
    tall = min(aspect, 2.0) * width
    lines = max(len(each.lines) for each in samples)
    step = tall + LINE_HEIGHT * lines + 0.08 + GAP
    rows = -(-len(samples) // columns)
    height = HEAD + rows * step - GAP + MARGIN
    figure = sheet(height, title, below)
    for number, (sample, picture) in enumerate(zip(samples, pictures, strict=True)):
        left = MARGIN + number % columns * (width + GAP)
        top = height - HEAD - number // columns * step
        axes = place(figure, left, top - tall, width, tall)
        if picture is None:
            axes.text(0.5, 0.5, "no picture", ha="center", va="center", fontsize=SMALL, color=share(MUTED))
        else:
            axes.imshow(np.asarray(picture), aspect="equal")
            if sample.marked is not None:
                _mark(axes, sample.marked, picture.width, picture.height)
        axes.set_gid("query" if sample.is_query else "similar")
        for spine in axes.spines.values():
            spine.set_color(share(MARKED if sample.is_query else LINE))
            spine.set_linewidth(2.5 if sample.is_query else 0.8)
        for place_of, text in enumerate(sample.lines):
            y = top - tall - 0.06 - LINE_HEIGHT * (place_of + 0.5)
            line = fitted(text, width, SMALL, both_ends=place_of == 0)
            write(figure, left, y, line, SMALL, INK if place_of == 0 else MUTED)
    return figure


def _mark(axes: "Axes", marked: tuple[float, float, float, float], width: int, height: int) -> None:
    from matplotlib.patches import Rectangle

    left, top, right, bottom = marked
    corner, sides = (left * width - 0.5, top * height - 0.5), ((right - left) * width, (bottom - top) * height)
    for colour, line in (((1.0, 1.0, 1.0), 2.6), (share(MARKED), 1.4)):  # on any picture one of the two can be seen
        axes.add_patch(Rectangle(corner, *sides, fill=False, edgecolor=colour, linewidth=line))
