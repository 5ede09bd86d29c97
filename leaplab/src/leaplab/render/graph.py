"""LeapGraph."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from leaplab.errors import LeaplabError
from leaplab.render.axes import Axes, padded
from leaplab.render.canvas import blank, numbers, plural
from leaplab.render.colours import Colour, index_colour
from leaplab.render.legend import Entry, below

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 20, 28, 44
SCALE = 2  # lines are drawn larger and averaged
MOST_LINES = 100


def draw_graph(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """`data` [M, N] as N lines over `x_range` or the point's number; NaN and infinity break a line.

    Raises:
        LeaplabError: there is no value, no line, or the x range is not finite.
    """
    values = numbers(fields["data"], "The graph")
    if values.ndim != 2 or 0 in values.shape:
        raise LeaplabError(f"A graph of shape {values.shape} cannot be drawn; return [points, lines], both at least 1.")
    lines = values[:, :MOST_LINES]
    positions = _positions(fields.get("x_range"), len(values))
    axes = axes_of(positions, lines)
    picture, draw = blank(WIDTH, HEIGHT)
    axes.draw(draw, fields.get("x_label"), fields.get("y_label"))
    colours = [index_colour(line) for line in range(lines.shape[1])]
    picture = with_lines(picture, axes, positions, lines, colours)

    names = fields.get("legend") or []
    legend = [Entry(str(name), colour) for name, colour in zip(names, colours, strict=False)]
    notes = []
    if values.shape[1] > MOST_LINES:
        notes.append(f"The first {MOST_LINES} of {plural(values.shape[1], 'line')} are drawn.")
    if missing := int((~np.isfinite(lines)).sum()):
        notes.append(f"{missing:,} of {plural(lines.size, 'value')} NaN or infinite: gaps.")
    return below(picture, legend, notes), {}


def axes_of(positions: NDArray[np.float64], lines: NDArray[np.float64]) -> Axes:
    """Axes on which all finite values have room."""
    finite = lines[np.isfinite(lines)]
    y_range = padded(float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    low, high = float(positions.min()), float(positions.max())
    x_range = padded(low, high, 0.0) if high > low else padded(low, high)
    return Axes(LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM, x_range, y_range)


def with_lines(
    picture: Image.Image,
    axes: Axes,
    positions: NDArray[np.float64],
    lines: NDArray[np.float64],
    colours: list[Colour],
) -> Image.Image:
    """The picture with lines [M, N] at positions [M]."""
    large = picture.resize((picture.width * SCALE, picture.height * SCALE), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(large)
    x = axes.x(positions)
    for line, colour in zip(lines.T, colours, strict=True):
        for places in _stretches(line):
            points = np.stack([x[places], axes.y(line[places])], axis=1)
            _stroke(draw, (_thinned(points) + 0.5) * SCALE, colour)
    return large.reduce(SCALE)


def _positions(x_range: Any, count: int) -> NDArray[np.float64]:
    if x_range is None:
        return np.arange(count, dtype=np.float64)
    try:
        low, high = (float(end) for end in x_range)
    except (TypeError, ValueError, OverflowError):
        low = high = np.nan
    if not np.isfinite(high / 2 - low / 2) or abs(low) > 1e300 or abs(high) > 1e300:
        raise LeaplabError(f"The graph's x_range is {x_range}; return two finite numbers.")
    return np.linspace(low, high, count)


def _stretches(line: NDArray[np.float64]) -> Iterator[NDArray[np.intp]]:
    """Places of finite values that follow each other."""
    places = np.flatnonzero(np.isfinite(line))
    breaks = np.flatnonzero(np.diff(places) > 1) + 1
    return (stretch for stretch in np.split(places, breaks) if stretch.size)


def _thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same stroke with at most four points a pixel column: first, lowest, highest, last."""
    if len(points) <= 4 * WIDTH:
        return points
    column = points[:, 0].astype(np.int64)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    kept = []
    for start, end in zip(starts, [*starts[1:], len(points)], strict=True):
        heights = points[start:end, 1]
        kept.append(np.unique([start, start + heights.argmin(), start + heights.argmax(), end - 1]))
    return np.asarray(points[np.concatenate(kept)], np.float64)


def _stroke(draw: ImageDraw.ImageDraw, points: NDArray[np.float64], colour: Colour) -> None:
    if len(points) == 1:
        x, y = points[0]
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
        return
    draw.line([(float(x), float(y)) for x, y in points], colour, 3, joint="curve")
