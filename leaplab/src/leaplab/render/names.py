"""Names of boxes, written where they cover no other name."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from leaplab.render.canvas import cut, width_of, write
from leaplab.render.colours import Colour, ink_on

HEIGHT, PADDING, MOST_WIDTH = 16, 3, 240

Rectangle = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Name:
    """A label with its confidence, the rectangle around what it names, and its colour."""

    label: str
    confidence: float
    of: Rectangle
    colour: Colour


def confidence_text(confidence: float) -> str:
    """Two decimals; only 1 itself reads as 1."""
    if confidence == 1:
        return "1"
    text = f"{confidence:.2f}"
    return ">0.99" if text == "1.00" and confidence < 1 else text


def write_names(draw: ImageDraw.ImageDraw, names: Sequence[Name], area: Rectangle) -> int:
    """Write names beside their rectangles within `area`, the first before the others; returns how many had no room."""
    taken = np.zeros((0, 4))
    unnamed = 0
    for name in names:
        room = min(max(area[2] - area[0] - 2 * PADDING, 24), MOST_WIDTH)
        ending = f": {confidence_text(name.confidence)}"
        text = cut(cut(name.label, max(room - width_of(ending), 16)) + ending, room)
        width = width_of(text) + 2 * PADDING
        for left, top in _places(name.of, width):
            x = round(min(max(left, area[0]), max(area[2] - width, area[0])))
            y = round(min(max(top, area[1]), max(area[3] - HEIGHT, area[1])))
            chip = np.array([x, y, x + width, y + HEIGHT])
            if not ((taken[:, :2] < chip[2:]).all(axis=1) & (taken[:, 2:] > chip[:2]).all(axis=1)).any():
                taken = np.vstack([taken, chip])
                draw.rectangle((x, y, x + width - 1, y + HEIGHT - 1), fill=name.colour)
                write(draw, (x + PADDING, y + HEIGHT / 2), text, ink_on(name.colour))
                break
        else:
            unnamed += 1
    return unnamed


def _places(of: Rectangle, width: float) -> list[tuple[float, float]]:
    """Left and top of a name, the best place first: above, inside, below."""
    left, top, right, bottom = of
    return [
        (left, top - HEIGHT),
        (left, top),
        (left, bottom),
        (right - width, top - HEIGHT),
        (left, bottom - HEIGHT),
        (right - width, bottom),
    ]
