"""LeapText and LeapTextMask."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.render.canvas import MARGIN, blank, fitting, numbers, plural, printable, width_of, write
from leaplab.render.colours import INK, PAPER, Colour, blended, heat_of, ink_on, warmed
from leaplab.render.legend import Entry, below, heat_bar
from leaplab.render.masks import mask_entry

WIDTH, MOST_HEIGHT = 560, 1700
LINE_HEIGHT, PADDING, SPACE = 24, 4, 3
LONGEST_TOKEN = 20_000
PALE = 0.45  # of white in a label's colour behind text


def draw_text(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """Tokens `data` in lines; `heatmap` [L], where given, colours what lies behind each.

    Both signs: red raises, blue lowers; else from the smallest value, white, to the largest, dark red. Empty tokens,
    which are padding, are not drawn.

    Raises:
        LeaplabError: there are not as many heat-map values as tokens.
    """
    tokens = fields["data"]
    if fields.get("heatmap") is None:
        page, notes = _page(tokens, [None] * len(tokens))
        return below(page, notes=notes), {}
    values = numbers(fields["heatmap"], "The heat-map of a text")
    if len(values) != len(tokens):
        raise LeaplabError(f"A text has {len(tokens)} tokens and {len(values)} heat values; return as many of each.")
    behind: list[Colour | None] = [None] * len(tokens)
    written = [place for place, token in enumerate(tokens) if token != ""]
    heat = heat_of(values[written])
    for place, (red, green, blue) in zip(written, warmed(np.array(PAPER), heat.share).tolist(), strict=True):
        behind[place] = (red, green, blue)
    page, notes = _page(tokens, behind)
    if heat.unknown:
        notes.append(f"{plural(heat.unknown, 'value')} NaN, without colour.")
    if heat.low == heat.high and written:
        notes.append(f"The heat-map is {heat.low:.3g} everywhere.")
    if heat.low < heat.high:
        scale = heat_bar(heat, 320)
        sheet, _ = blank(page.width, page.height + scale.height)
        sheet.paste(page, (0, 0))
        sheet.paste(scale, (0, page.height))
        page = sheet
    return below(page, notes=notes), {}


def draw_text_mask(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """Tokens `text` [L] in lines, each on the colour of its label `labels[mask[i]]`; the legend has those that occur.

    Labels such as "O" or "background" mark nothing.

    Raises:
        LeaplabError: there are not as many mask values as tokens.
    """
    tokens, mask, labels = fields["text"], np.asarray(fields["mask"]), fields["labels"]
    if mask.shape != (len(tokens),):
        raise LeaplabError(f"A text has {len(tokens)} tokens and {mask.size} mask values; return as many of each.")
    entries = {int(value): mask_entry(int(value), labels) for value in np.unique(mask)}
    colours = {
        value: None if colour is None else blended(colour, PAPER, PALE) for value, (_, colour) in entries.items()
    }
    counts = np.bincount(mask, minlength=1)
    legend = [Entry(f"{name} ({counts[value]:,})", colours[value]) for value, (name, _) in entries.items()]
    page, notes = _page(tokens, [colours[int(value)] for value in mask])
    return below(page, legend, notes), {}


def _page(tokens: Sequence[str], behind: Sequence[Colour | None]) -> tuple[Image.Image, list[str]]:
    """The tokens in lines, a colour behind each, and notes on what is not drawn."""
    placed: list[tuple[float, int, int, str, Colour | None]] = []
    x, row, width = 0.0, 0, WIDTH - 2 * MARGIN
    drawn = 0
    for token, colour in zip(tokens, behind, strict=True):
        for starts_line, word in _words(token, width - 2 * PADDING):
            length = width_of(word) + 2 * PADDING
            if starts_line or (x and x + length > width):
                x, row = 0.0, row + 1
            placed.append((x, row, length, word, colour))
            x += length + SPACE
        if (row + 1) * LINE_HEIGHT > MOST_HEIGHT:
            break
        drawn += 1
    left, empty = len(tokens) - drawn, sum(token == "" for token in tokens)
    rows = min(row + 1, MOST_HEIGHT // LINE_HEIGHT) if placed else 0
    sheet, draw = blank(WIDTH, 2 * MARGIN + rows * LINE_HEIGHT)
    for x, row, length, word, colour in placed:
        if row < rows:
            top, left_edge = MARGIN + row * LINE_HEIGHT, MARGIN + x
            if colour is not None:
                draw.rounded_rectangle((left_edge, top + 2, left_edge + length - 1, top + LINE_HEIGHT - 3), 3, colour)
            ink = INK if colour is None else ink_on(colour)
            write(draw, (left_edge + PADDING, top + LINE_HEIGHT / 2), word, ink)
    notes = [f"{left:,} of {plural(len(tokens), 'token')} not drawn or cut off: the text is too long."] if left else []
    if not placed:
        notes.append("No text.")
    elif empty:
        notes.append(f"{empty:,} of {plural(len(tokens), 'token')} empty.")
    return sheet, notes


def _words(token: str, width: float) -> Iterator[tuple[bool, str]]:
    """A token's words, each short enough for a line, and whether a line starts with it."""
    if len(token) > LONGEST_TOKEN:
        token = token[:LONGEST_TOKEN] + " ..."
    for place, line in enumerate(token.splitlines() or [token]):
        starts_line = place > 0
        text = printable(line)
        words = [text] if width_of(text[:400]) <= width and len(text) <= 400 else text.split(" ")
        for word in words:
            rest = word
            while len(rest) > 1 and (len(rest) > 200 or width_of(rest) > width):
                end = max(1, fitting(rest[:200], width))
                yield starts_line, rest[:end]
                starts_line, rest = False, rest[end:]
            if rest:
                yield starts_line, rest
                starts_line = False
