"""Legends, notes and colour scales under a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from leaplab.render.canvas import GAP, MARGIN, ROW, blank, cut, width_of, wrapped, write
from leaplab.render.colours import INK, LINE, MUTED, PAPER, Colour, Heat, warmed

MIN_WIDTH = 260  # a legend below a narrow picture needs it
LEGEND_ROWS, NOTE_ROWS = 6, 4


@dataclass(frozen=True)
class Entry:
    """One name of a legend.

    Attributes:
        text: the name.
        colour: its swatch's; None where the swatch is empty.
        has_swatch: False where the text stands alone.
    """

    text: str
    colour: Colour | None
    has_swatch: bool = True


def below(picture: Image.Image, legend: Sequence[Entry] = (), notes: Sequence[str] = ()) -> Image.Image:
    """The picture with a legend and notes on white under it; as it is where there are neither."""
    if not legend and not notes:
        return picture
    width = max(picture.width, MIN_WIDTH)
    rows = _flowed(legend, width - 2 * MARGIN)
    lines = [line for note in notes for line in wrapped(note, width - 2 * MARGIN)][:NOTE_ROWS]
    sheet, draw = blank(width, picture.height + 2 * MARGIN + ROW * (len(rows) + len(lines)))
    sheet.paste(picture, (0, 0))
    y = picture.height + MARGIN + ROW / 2
    for row in rows:
        x = float(MARGIN)
        for entry in row:
            if entry.has_swatch:
                draw.rectangle((x, y - 5, x + 10, y + 5), fill=entry.colour or PAPER, outline=entry.colour or MUTED)
            write(draw, (x + 16, y), entry.text, INK if entry.has_swatch else MUTED)
            x += 16 + width_of(entry.text) + GAP
        y += ROW
    for line in lines:
        write(draw, (MARGIN, y), line, MUTED)
        y += ROW
    return sheet


def as_data(legend: Sequence[Entry], notes: Sequence[str] = ()) -> dict[str, Any]:
    """The same for a page, which writes it in its own letters: `legend`, a text and a colour each, and `notes`."""
    colours = [None if entry.colour is None else "#{:02x}{:02x}{:02x}".format(*entry.colour) for entry in legend]
    entries = [{"text": entry.text, "colour": colour} for entry, colour in zip(legend, colours, strict=True)]
    return {"legend": entries, "notes": list(notes)}


def heat_bar(heat: Heat, width: int) -> Image.Image:
    """The scale of a heat-map's colours, with its ends' values: 22 pixels high."""
    sheet, draw = blank(width, 22)
    low, high = (-max(-heat.low, heat.high), max(-heat.low, heat.high)) if heat.is_signed else (heat.low, heat.high)
    left_text, right_text = f"{low:.3g}", f"{high:.3g}"
    if heat.is_signed and width >= 240:
        left_text, right_text = f"lowers: {left_text}", f"raises: {right_text}"
    left, right = MARGIN + width_of(left_text) + 6, width - MARGIN - width_of(right_text) - 6
    write(draw, (MARGIN, 11), left_text, MUTED)
    write(draw, (width - MARGIN, 11), right_text, MUTED, align="r")
    if right - left >= 8:
        shares = np.linspace(-1.0 if heat.is_signed else 0.0, 1.0, right - left)
        sheet.paste(Image.fromarray(np.tile(warmed(np.array(PAPER), shares), (8, 1, 1))), (left, 7))
        draw.rectangle((left - 1, 6, right, 15), outline=LINE)
    return sheet


def _flowed(legend: Sequence[Entry], width: float) -> list[list[Entry]]:
    rows: list[list[Entry]] = [[]]
    used = 0.0
    for place, entry in enumerate(legend):
        text = cut(entry.text, min(width - 16, 220))
        needed = 16 + width_of(text) + GAP
        if rows[-1] and used + needed > width + GAP:
            if len(rows) == LEGEND_ROWS:
                # The last place says how many have none.
                while used + 96 > width and len(rows[-1]) > 1:
                    used -= 16 + width_of(rows[-1].pop().text) + GAP
                    place -= 1
                rows[-1].append(Entry(f"and {len(legend) - place:,} more", None, has_swatch=False))
                return rows
            rows.append([])
            used = 0.0
        rows[-1].append(Entry(text, entry.colour))
        used += needed
    return [row for row in rows if row]
