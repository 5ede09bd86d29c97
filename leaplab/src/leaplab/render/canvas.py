"""What all pictures share: sizes, text and grids of panels, on white."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from leaplab.errors import LeaplabError
from leaplab.render.colours import INK, PAPER, Colour

MAX_SIDE = 2048
MARGIN, GAP = 8, 12
TEXT, ROW = 12, 18
LONGEST_LINE = 400
_JOINERS = "\u200c\u200d"
_LETTERS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_RIGHT_TO_LEFT = re.compile(f"[{_LETTERS}](?:[{_LETTERS} ]*[{_LETTERS}])?")


def numbers(values: Any, what: str) -> NDArray[np.float64]:
    """Any array of integers, floats or truth values as float64.

    Raises:
        LeaplabError: it holds something else; `what` begins the sentence.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise LeaplabError(f"{what} has values of type {array.dtype}; return integers or floats.")
    return array.astype(np.float64)


def printable(text: object) -> str:
    """One line that can be drawn: line breaks and tabs are spaces, other control characters their escapes."""
    plain = str(text)
    if plain.isprintable():
        return plain
    return "".join(
        char if char.isprintable() or char in _JOINERS else " " if char.isspace() else ascii(char)[1:-1]
        for char in plain
    )


def width_of(text: str) -> int:
    """Pixels that a line of text takes."""
    if text.isascii() or not hasattr(cv2, "FontFace"):
        return math.ceil(_font().getlength(text))
    return int(_glyphs(text).width)


def cut(text: object, width: float) -> str:
    """The text as one line, with an ellipsis where it is wider than `width` pixels."""
    line = printable(text)
    if len(line) <= LONGEST_LINE and width_of(line) <= width:
        return line
    return line[: fitting(line, width - width_of("..."))].rstrip() + "..."


def fitting(text: str, width: float) -> int:
    """How many of the first characters fit into `width` pixels."""
    low, high = 0, min(len(text), LONGEST_LINE)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(text[:middle]) <= width else (low, middle - 1)
    return low


def wrapped(text: object, width: float) -> list[str]:
    """The text in lines of at most `width` pixels, broken at spaces."""
    lines = [""]
    for word in printable(text).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer) > width:
            lines.append(cut(word, width))
        else:
            lines[-1] = cut(longer, width)
    return lines


def write(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, colour: Colour = INK, align: str = "l"
) -> None:
    """One line of text, centred on `place`'s height; `align` l, m or r says which of its ends lies there."""
    x, y = place
    if text.isascii() or not hasattr(cv2, "FontFace"):
        draw.text((x, y), text, colour, _font(), anchor=f"{align}m")
        return
    glyphs = _glyphs(text)
    left = x - {"l": 0.0, "m": 0.5, "r": 1.0}[align] * glyphs.width
    draw.bitmap((round(left), round(y - glyphs.height / 2)), glyphs, fill=colour)


def blank(width: float, height: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A white picture and what draws on it."""
    picture = Image.new("RGB", (max(1, math.ceil(width)), max(1, math.ceil(height))), PAPER)
    return picture, ImageDraw.Draw(picture)


def grid(panels: Sequence[Image.Image], most_columns: int = MAX_SIDE) -> Image.Image:
    """Panels in rows, as many beside each other as fit."""
    width, height = max(panel.width for panel in panels), max(panel.height for panel in panels)
    fitting = (MAX_SIDE + GAP) // (width + GAP)
    columns = max(1, min(len(panels), most_columns, fitting))
    rows = -(-len(panels) // columns)
    sheet, _ = blank(columns * (width + GAP) - GAP, rows * (height + GAP) - GAP)
    for place, panel in enumerate(panels):
        sheet.paste(panel, (place % columns * (width + GAP), place // columns * (height + GAP)))
    return sheet


def plural(count: int, what: str) -> str:
    """`1 box`, `2,000 boxes`."""
    ending = "" if count == 1 else "es" if what.endswith("x") else "s"
    return f"{count:,} {what}{ending}"


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(TEXT)
    assert isinstance(font, ImageFont.FreeTypeFont)
    # The other layout closes up the spaces of small text.
    return font.font_variant(layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _glyphs(text: str) -> Image.Image:
    # Pillow's own font knows ASCII only and machines have other fonts or none; OpenCV 5 brings all scripts along. It
    # writes from left to right only.
    seen = _RIGHT_TO_LEFT.sub(lambda run: run[0][::-1], text)
    canvas = np.zeros((TEXT * 2, TEXT * 2 * len(text) + 2), np.uint8)
    (end, _), drawn = cv2.putText(canvas, seen, (0, round(TEXT * 1.35)), (255,), cv2.FontFace("uni"), TEXT, 400)
    return Image.fromarray(np.asarray(drawn, np.uint8)[:, : max(1, end)])
