"""Drawn objects of six kinds, each lying straight in a patch of its own: boxes, books, bottles, tubes, bags, rolls."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Patch = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""An object that lies straight: [h, w, 3] uint8, RGB, and its opacity [h, w] uint8."""

OBJECT_COLOURS: tuple[Colour, ...] = (
    (201, 52, 48),
    (228, 126, 44),
    (74, 146, 78),
    (44, 120, 160),
    (112, 70, 140),
    (178, 142, 102),
    (142, 106, 72),
    (226, 222, 214),
    (62, 62, 66),
    (236, 176, 190),
    (232, 206, 74),
    (120, 178, 200),
)
STRIPED = 0.22
"""Share of the objects that have stripes."""


@dataclass(frozen=True)
class Design:
    """What a twin has in common with the first one."""

    kind: str
    length: float
    width: float
    colour: Colour
    striped: bool


def random_design(rng: np.random.Generator, unit: float) -> Design:
    """Some object; `unit` is the factor on the sizes of `SIZES`."""
    kind = str(rng.choice(list(KINDS)))
    (shortest, longest), (thinnest, thickest) = SIZES[kind]
    length = float(rng.uniform(shortest, longest)) * unit
    width = min(float(rng.uniform(thinnest, thickest)) * unit, length)
    red, green, blue = (int(np.clip(value + rng.integers(-18, 19), 15, 245)) for value in _any_colour(rng))
    return Design(kind, length, width, (red, green, blue), bool(rng.random() < STRIPED))


def _any_colour(rng: np.random.Generator) -> Colour:
    return OBJECT_COLOURS[int(rng.integers(len(OBJECT_COLOURS)))]


def shade(colour: NDArray[np.integer] | Colour, factor: float) -> Colour:
    """A colour under more or less light."""
    red, green, blue = np.clip(np.asarray(colour) * factor, 0, 255).astype(int).tolist()
    return red, green, blue


def rounded(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Points as OpenCV draws them."""
    return np.rint(points).astype(np.int32)


def _blank(design: Design) -> tuple[Patch, int, int]:
    """A patch of the design's colour that shows nothing yet, its length and its width in pixels."""
    length, width = max(8, round(design.length)), max(6, round(design.width))
    texture = np.empty((width, length, 3), np.uint8)
    texture[:] = design.colour
    return (texture, np.zeros((width, length), np.uint8)), length, width


def _stripe(texture: NDArray[np.uint8], design: Design, rng: np.random.Generator) -> None:
    """Broad bands of another colour across the object."""
    if not design.striped:
        return
    other = _any_colour(rng)
    length = texture.shape[1]
    bands = int(rng.integers(1, 3))
    for band in range(bands):
        middle = length * (band + 1) / (bands + 1)
        texture[:, int(middle - length * 0.09) : int(middle + length * 0.09)] = other


def _print_label(
    texture: NDArray[np.uint8], x: float, y: float, length: float, width: float, rng: np.random.Generator
) -> None:
    """A white label with lines of writing and a bar code."""
    left, top = int(x - length / 2), int(y - width / 2)
    right, bottom = int(x + length / 2), int(y + width / 2)
    if right - left < 10 or bottom - top < 8 or left < 0 or top < 0:
        return
    label = texture[top:bottom, left:right]
    label[:] = (238, 238, 232)
    rows, columns = label.shape[:2]
    for line in range(2, rows // 2, 4):
        label[line : line + 2, 2 : int(columns * rng.uniform(0.5, 0.9))] = (90, 90, 96)
    bars = np.flatnonzero(rng.random(max(1, columns - 8)) < 0.5) + 4
    label[rows // 2 + 2 : rows - 2, bars[bars < columns - 2]] = (25, 25, 28)


def _round_shading(width: int, length: int) -> NDArray[np.float32]:
    """[width, 1, 1] light on a cylinder that lies along the patch."""
    across = np.linspace(-1, 1, width, dtype=np.float32)
    light = 0.55 + 0.45 * np.sqrt(np.maximum(0, 1 - across**2)) + 0.25 * np.exp(-(((across + 0.35) / 0.16) ** 2))
    return np.asarray(light[:, np.newaxis, np.newaxis], np.float32)


def _scaled(texture: NDArray[np.uint8], factor: NDArray[np.float32]) -> None:
    texture[:] = np.clip(texture * factor, 0, 255)


def _box(design: Design, rng: np.random.Generator) -> Patch:
    (texture, opacity), length, width = _blank(design)
    _stripe(texture, design, rng)
    if not design.striped and rng.random() < 0.5:
        texture[int(width * 0.44) : int(width * 0.56)] = shade(design.colour, 1.25)  # tape
    if rng.random() < 0.6:
        _print_label(texture, length * 0.3, width * 0.35, length * 0.36, width * 0.36, rng)
    side = max(2, int(width * rng.uniform(0.08, 0.2)))  # the side that is turned to the camera
    _scaled(texture[width - side :], np.full((side, 1, 1), 0.62, np.float32))
    _scaled(texture, np.linspace(1.08, 0.92, length, dtype=np.float32)[np.newaxis, :, np.newaxis])
    opacity[1:-1, 1:-1] = 255
    return texture, opacity


def _book(design: Design, rng: np.random.Generator) -> Patch:
    (texture, opacity), length, width = _blank(design)
    _stripe(texture, design, rng)
    texture[:, : int(length * 0.07)] = shade(design.colour, 0.65)  # spine
    pages = max(2, int(length * 0.03))
    texture[:, -pages:] = (228, 222, 205)
    ink = shade(design.colour, 1.7 if sum(design.colour) < 330 else 0.4)
    for line in (0.22, 0.34):
        texture[int(width * line) : int(width * line) + max(1, width // 18), int(length * 0.2) : int(length * 0.8)] = (
            ink
        )
    centre = int(length * 0.52), int(width * 0.66)
    cv2.circle(texture, centre, max(2, int(width * 0.16)), shade(ink, 0.9), -1, cv2.LINE_AA)
    opacity[1:-1, 1:-1] = 255
    return texture, opacity


def _bottle(design: Design, rng: np.random.Generator) -> Patch:
    (texture, opacity), length, width = _blank(design)
    _stripe(texture, design, rng)
    neck, shoulder = int(length * 0.2), int(length * 0.14)
    body = length - neck - shoulder
    texture[:, length - neck + int(neck * 0.3) :] = _any_colour(rng)
    _print_label(texture, body * 0.5, width / 2, body * 0.5, width * 0.9, rng)
    _scaled(texture, _round_shading(width, length))
    half, thin = (width - 3) / 2, max(2.0, width * 0.17)
    middle = (width - 1) / 2
    side = [(2, -half * 0.85), (6, -half), (body, -half), (body + shoulder, -thin), (length - 2, -thin)]
    outline = [(x, middle + y) for x, y in side] + [(x, middle - y) for x, y in reversed(side)]
    cv2.fillPoly(opacity, [rounded(np.array(outline))], 255, cv2.LINE_AA)
    return texture, opacity


def _tube(design: Design, rng: np.random.Generator) -> Patch:
    (texture, opacity), length, width = _blank(design)
    _stripe(texture, design, rng)
    _print_label(texture, length * 0.5, width / 2, length * 0.3, width * 0.8, rng)
    for end in (slice(0, int(length * 0.06)), slice(length - int(length * 0.06), length)):
        texture[:, end] = shade(design.colour, 0.7)
    _scaled(texture, _round_shading(width, length))
    opacity[1:-1, 1:-1] = 255
    return texture, opacity


def _bag(design: Design, rng: np.random.Generator) -> Patch:
    (texture, opacity), length, width = _blank(design)
    _stripe(texture, design, rng)
    if rng.random() < 0.5:
        _print_label(texture, length * 0.5, width * 0.5, length * 0.34, width * 0.34, rng)
    coarse = rng.normal(0, 1, (max(2, width // 12), max(2, length // 16))).astype(np.float32)
    folds = cv2.resize(coarse, (length, width), interpolation=cv2.INTER_CUBIC)
    _scaled(texture, (1 + 0.13 * folds)[..., np.newaxis])
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 0.93 + sum(rng.uniform(0, 0.05) * np.sin(turn * wave + rng.uniform(0, 6)) for wave in (2, 3, 5, 7))
    # Between an ellipse and a rectangle: a superellipse.
    corner = (np.abs(np.cos(turn)) ** 3.2 + np.abs(np.sin(turn)) ** 3.2) ** (-1 / 3.2)
    scale = np.minimum(radius * corner, 1.0 / np.maximum(np.abs(np.cos(turn)), np.abs(np.sin(turn))))
    points = np.stack([np.cos(turn) * scale * (length - 4) / 2, np.sin(turn) * scale * (width - 4) / 2], axis=1)
    cv2.fillPoly(opacity, [rounded(points + np.array([length - 1, width - 1]) / 2)], 255, cv2.LINE_AA)
    return texture, opacity


def _roll(design: Design, rng: np.random.Generator) -> Patch:
    """A roll of tape: what lies below shows in its hole."""
    (texture, opacity), length, width = _blank(design)
    side = min(length, width)
    centre = (length - 1) / 2, (width - 1) / 2
    y, x = np.ogrid[:width, :length]
    distance = np.hypot(x - centre[0], y - centre[1]) / (side / 2)
    _scaled(texture, (0.85 + 0.2 * np.cos(distance * 40) * (distance > 0.62)).astype(np.float32)[..., np.newaxis])
    texture[distance < 0.6] = (188, 158, 120)
    edge = 2 / side
    inner = rng.uniform(0.42, 0.52)
    opacity[:] = 255 * np.clip((1 - edge - distance) / edge, 0, 1) * np.clip((distance - inner) / edge, 0, 1)
    return texture, opacity


KINDS: dict[str, Callable[[Design, np.random.Generator], Patch]] = {
    "box": _box,
    "book": _book,
    "bottle": _bottle,
    "tube": _tube,
    "bag": _bag,
    "roll": _roll,
}
SIZES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "box": ((70, 180), (50, 130)),
    "book": ((90, 160), (70, 120)),
    "bottle": ((110, 200), (36, 66)),
    "tube": ((90, 190), (22, 44)),
    "bag": ((90, 180), (70, 130)),
    "roll": ((56, 96), (56, 96)),
}
"""Least and greatest length and width."""
