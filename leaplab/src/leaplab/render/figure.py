"""Figures by matplotlib: one style whatever the reader's own settings are, and the same bytes each time."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from leaplab.render.canvas import printable
from leaplab.render.colours import INK, LINE, MUTED, PAPER, Colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = Literal["png", "svg"]
WIDTH = 9.0
"""Inches of every figure: 900 pixels in a README, at 100 an inch."""
DENSITY = 200
"""Pixels an inch in a file, for screens that show two of them for one."""
TITLE, TEXT, SMALL = 11.0, 8.5, 7.5
POINTS = 72.0
"""An inch has so many."""
SETTINGS: Any = {
    "font.size": TEXT,
    "text.parse_math": False,  # a dollar sign in an id is a dollar sign
    "text.hinting": "no_hinting",  # a line is as wide as it was measured, or its end is cut off
    "svg.fonttype": "none",
    "svg.hashsalt": "leaplab",
}


@contextmanager
def style() -> Iterator[None]:
    """What is drawn within looks the same on every machine."""
    import matplotlib

    # Other scripts than the font has are boxes in a PNG, which needs no telling; an SVG holds the text itself.
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def sheet(height: float, title: str, below: str = "") -> "Figure":
    """A white figure with its title, and a muted line under that.

    Args:
        height: inches.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), facecolor=share(PAPER))
    write(figure, 0.12, height - 0.22, fitted(title, WIDTH - 0.24, TITLE, "bold"), TITLE, weight="bold")
    if below:
        write(figure, 0.12, height - 0.45, fitted(below, WIDTH - 0.24, TEXT), TEXT, MUTED)
    return figure


def write(
    figure: "Figure", x: float, y: float, text: str, size: float = TEXT, colour: Colour = INK, **how: Any
) -> None:
    """A line of text, its left end and middle at inches from the figure's lower left corner."""
    width, height = figure.get_size_inches()
    how = {"ha": "left", "va": "center_baseline", **how}
    figure.text(x / width, y / height, text, fontsize=size, color=share(colour), **how)


def place(figure: "Figure", left: float, bottom: float, width: float, height: float) -> "Axes":
    """Empty axes, in inches from the figure's lower left corner."""
    whole_width, whole_height = figure.get_size_inches()
    axes = figure.add_axes((left / whole_width, bottom / whole_height, width / whole_width, height / whole_height))
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(share(LINE))
    return axes


def encoded(figure: "Figure", kind: Kind) -> bytes:
    """The figure as a file, the same bytes for the same figure."""
    file = BytesIO()
    with style():
        # Either format would write the time, or matplotlib's version.
        metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
        figure.savefig(file, format=kind, dpi=DENSITY, metadata=metadata)
    return file.getvalue()


def width_of(text: str, size: float, weight: str = "normal") -> float:
    """Inches that a line of text takes."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0]) / POINTS if text else 0.0


def fitted(text: object, width: float, size: float, weight: str = "normal", both_ends: bool = False) -> str:
    """The text as one line, with an ellipsis where it is wider than `width` inches.

    Args:
        both_ends: leave out the middle, as of an id, whose end tells it from others.
    """
    line = printable(text)
    if width_of(line, size, weight) <= width:
        return line

    def shortened(kept: int) -> str:
        first = kept // 2 if both_ends else kept
        return f"{line[:first].rstrip()}…{line[len(line) - kept + first :].lstrip()}"

    low, high = 0, len(line)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_of(shortened(middle), size, weight) <= width else (low, middle - 1)
    return shortened(low)


def wrapped(text: object, width: float, size: float, most: int, weight: str = "normal") -> list[str]:
    """The text in at most `most` lines, broken at spaces, the last with an ellipsis where there is more."""
    words = printable(text).split()
    lines: list[str] = []
    while words and len(lines) < most - 1:
        count = 1
        while count < len(words) and width_of(" ".join(words[: count + 1]), size, weight) <= width:
            count += 1
        lines.append(fitted(" ".join(words[:count]), width, size, weight))
        words = words[count:]
    return [*lines, fitted(" ".join(words), width, size, weight)] if words else lines


def share(colour: Colour) -> tuple[float, float, float]:
    """0..255 -> 0..1."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255
