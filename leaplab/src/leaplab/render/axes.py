"""Axes: where values lie on a picture, with ticks and grid lines at round numbers."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from leaplab.render.canvas import cut, write
from leaplab.render.colours import INK, LINE, MUTED


@dataclass(frozen=True)
class Axes:
    """A rectangle of a picture, in pixels, and the values at its edges; y grows upwards.

    Attributes:
        left, top, width, height: of the rectangle.
        x_range, y_range: the values at its left and right, bottom and top edge.
    """

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, values: Any) -> NDArray[np.float64]:
        """Pixels of values along x."""
        return self.left + self.width * _share(values, self.x_range)

    def y(self, values: Any) -> NDArray[np.float64]:
        """Pixels of values along y."""
        return self.top + self.height * (1 - _share(values, self.y_range))

    def draw(self, draw: ImageDraw.ImageDraw, x_label: Any = None, y_label: Any = None) -> None:
        """Grid lines, ticks and frame; the labels lie under the x axis and over the y axis."""
        bottom, right = self.top + self.height, self.left + self.width
        for value, text in ticks(*self.x_range, most=max(2, int(self.width // 80))):
            x = round(float(self.x(value)))
            draw.line((x, self.top, x, bottom), fill=LINE)
            write(draw, (x, bottom + 10), text, MUTED, align="m")
        for value, text in ticks(*self.y_range, most=max(2, int(self.height // 36))):
            y = round(float(self.y(value)))
            draw.line((self.left, y, right, y), fill=LINE)
            write(draw, (self.left - 6, y), text, MUTED, align="r")
        draw.rectangle((self.left, self.top, right, bottom), outline=MUTED)
        if x_label:
            write(draw, (self.left + self.width / 2, bottom + 27), cut(x_label, self.width), INK, align="m")
        if y_label:
            write(draw, (self.left, self.top - 12), cut(y_label, self.width), INK)


def padded(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    """The range a little wider; a single value, which has none, gets room on both sides."""
    size = max(abs(low), abs(high))
    room = (high - low) * share if high - low > size * 1e-9 else size * 0.1 or 1.0
    return low - room, high + room


def ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """At most `most` + 1 multiples of 1, 2 or 5 times a power of ten within low..high, each with its text."""
    low, high = min(low, high), max(low, high)
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return []
    rough = span / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999), 10 * power)
    if step == 0 or not math.isfinite(high / step):
        return []
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    size = max(abs(low), abs(high))
    digits = min(max(math.ceil(math.log10(size / step)) + 1, 5), 12)
    values = [number * step for number in range(first, last + 1)]
    return [(value, _short(value, digits)) for value in values]


def _share(values: Any, bounds: tuple[float, float]) -> NDArray[np.float64]:
    low, high = bounds
    return np.asarray((np.asarray(values, np.float64) - low) / (high - low), np.float64)


def _short(value: float, digits: int) -> str:
    return f"{value:.{digits}g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
