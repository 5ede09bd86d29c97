"""Colours of all pictures: of labels, of values, of heat. They stay apart for the colour-blind and on white."""

import colorsys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

PAPER: Colour = (255, 255, 255)
INK: Colour = (32, 36, 44)
MUTED: Colour = (104, 111, 124)
LINE: Colour = (222, 225, 230)

# Paul Tol's "bright" scheme without its grey (personal.sron.nl/~pault): told apart with any colour vision.
BRIGHT: tuple[Colour, ...] = (
    (68, 119, 170),
    (238, 102, 119),
    (34, 136, 51),
    (204, 187, 68),
    (170, 51, 119),
    (102, 204, 238),
)

# After ColorBrewer's YlOrRd and Blues: red raises, blue lowers, dark is much.
_RAISES = np.array([(253, 190, 90), (253, 141, 60), (227, 26, 28), (150, 0, 38)], np.float64)
_LOWERS = np.array([(120, 182, 222), (66, 146, 198), (8, 81, 156), (8, 48, 107)], np.float64)
HEAT_OPACITY = 0.9
# Viridis without its yellow end, which is lost on white.
_SCALAR = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98)], np.float64)


def index_colour(index: int) -> Colour:
    """The colour of the label number `index`: six that differ most, their dark and light variants, then others."""
    if index < 6:
        return BRIGHT[index]
    if index < 12:
        return blended(BRIGHT[index - 6], (0, 0, 0), 0.45)
    if index < 18:
        return blended(BRIGHT[index - 12], PAPER, 0.5)
    # Steps of the golden ratio never come back to a hue.
    hue, strength = (index * 0.618034) % 1.0, (0.85, 0.6, 0.72)[index % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.7, strength)
    return round(255 * red), round(255 * green), round(255 * blue)


def label_colours(labels: Iterable[str]) -> dict[str, Colour]:
    """Labels -> colours, all different up to 256 labels.

    A label's text chooses its colour, so that a class keeps it from picture to picture; where two choose the same,
    the one later in the alphabet takes the next free one.
    """
    taken: set[int] = set()
    colours = {}
    for label in sorted(set(labels)):
        first = zlib.crc32(label.encode("utf-8", "surrogatepass")) % len(BRIGHT)
        wanted = [*range(first, len(BRIGHT)), *range(first), *range(len(BRIGHT), 256)]
        index = next((index for index in wanted if index not in taken), first)
        taken.add(index)
        colours[label] = index_colour(index)
    return colours


def blended(colour: Colour, other: Colour, share: float) -> Colour:
    """`share` 0..1 of `other` in `colour`."""
    red, green, blue = (round((1 - share) * a + share * b) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def ink_on(colour: Colour) -> Colour:
    """Dark or white, whichever has more contrast on `colour`."""
    light = _luminance(colour)
    return INK if (light + 0.05) / (_luminance(INK) + 0.05) > 1.05 / (light + 0.05) else PAPER


def scalar_colours(share: NDArray[Any]) -> NDArray[np.uint8]:
    """0..1 of any shape -> RGB of the same shape, dark violet to green."""
    return _along(_SCALAR, share)


@dataclass(frozen=True)
class Heat:
    """Values made ready to be coloured.

    Attributes:
        share: -1..1, of the values' shape: 0 has no colour, 1 the strongest red, -1 the strongest blue.
        low, high: the smallest and the largest finite value; both 0 where there is none.
        is_signed: the values have both signs, so that the colour tells the sign.
        unknown: how many values are NaN; they have no colour.
    """

    share: NDArray[np.float64]
    low: float
    high: float
    is_signed: bool
    unknown: int


def heat_of(values: NDArray[Any]) -> Heat:
    """Scale values: by the largest magnitude where both signs occur, else from the smallest to the largest.

    Infinities count as the largest or smallest finite value.
    """
    exact = np.asarray(values, np.float64)
    finite = exact[np.isfinite(exact)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    unknown = int(np.isnan(exact).sum())
    is_signed = low < 0 < high
    clear = np.nan_to_num(exact, nan=0.0 if is_signed else low, posinf=high, neginf=low)
    if is_signed:
        share = clear / max(-low, high)
    elif high > low:
        # Halved, for the span of the largest numbers is none.
        share = (clear / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else np.zeros_like(clear)
    else:
        share = np.zeros_like(clear)
    return Heat(np.clip(share, -1.0, 1.0), low, high, is_signed, unknown)


def warmed(base: NDArray[Any], share: NDArray[Any]) -> NDArray[np.uint8]:
    """-1..1 of any shape over `base`, RGB that broadcasts with it: clear at 0, denser red towards 1, blue to -1."""
    tint, opacity = _tinted(share)
    return np.asarray(((1 - opacity) * base + opacity * tint).round(), np.uint8)


def warmth(share: NDArray[Any]) -> NDArray[np.uint8]:
    """The colours of `warmed` alone: RGBA, clear at 0."""
    tint, opacity = _tinted(share)
    return np.concatenate([tint, (255 * opacity).round().astype(np.uint8)], axis=-1)


def _tinted(share: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    strength = np.abs(np.asarray(share, np.float64))
    tint = np.where(np.asarray(share)[..., None] >= 0, _along(_RAISES, strength), _along(_LOWERS, strength))
    return tint, HEAT_OPACITY * strength[..., None] ** 0.6


def _along(anchors: NDArray[np.float64], share: NDArray[Any]) -> NDArray[np.uint8]:
    places = np.linspace(0, 1, len(anchors))
    channels = [np.interp(share, places, anchors[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def _luminance(colour: Colour) -> float:
    """Relative luminance 0..1 (WCAG 2.1)."""
    shares = [value / 255 for value in colour]
    linear = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
