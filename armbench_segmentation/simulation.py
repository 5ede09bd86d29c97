"""Drawn totes seen from above: what lies in them, and exactly which pixels each thing has.

Objects are laid one after the other, so a later one hides what it covers of an earlier one. Some are made hard on
purpose: twins of one colour that touch, which look like one object, and striped ones, which look like several.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from armbench_segmentation.drawn_objects import KINDS, Colour, Design, Patch, random_design, rounded, shade

OUTSIDE, TOTE = -1, 0
"""In `Scene.owners`; objects count from 1."""

TOTE_COLOURS: dict[str, Colour] = {"yellow": (232, 194, 40), "blue": (38, 84, 168)}
DESIGNED_FOR = 536
"""Height of an image in which the sizes below are in pixels."""
MOST_OBJECTS = 26
LEAST_VISIBLE = 0.25
"""Share of an object that the others leave to be seen."""
WHOLE = 0.97
"""Share of its pixels that an object must have in the image; turning it makes some more or fewer."""
ATTEMPTS = 6
"""At placing an object, which is left out after them."""
TWINS = 0.16
"""Share of the objects that touch one of their kind and colour."""
SHADOW = 0.5
"""How much light a shadow takes at its darkest."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A tote as drawn.

    Attributes:
        pixels: [H, W, 3] uint8, RGB.
        owners: [H, W] int16, what each pixel shows: `OUTSIDE`, `TOTE`, or an object, counted from 1 as they were laid.
        kinds: of the objects, in that order.
        areas: pixels that each of them had before others were laid on it.
        colour: of the tote.
    """

    pixels: NDArray[np.uint8]
    owners: NDArray[np.int16]
    kinds: tuple[str, ...]
    areas: tuple[int, ...]
    colour: str


@dataclass(frozen=True)
class _Place:
    """Where an object lies: its middle, in pixels of the image, and its turn in radians."""

    x: float
    y: float
    angle: float


@dataclass(frozen=True, eq=False)
class _Inside:
    """The inside of the tote: a turned rectangle, its middle [2] and from there to its sides [2], x before y."""

    middle: NDArray[np.float64]
    sides: NDArray[np.float64]
    angle: float


def draw_tote(width: int, height: int, mean_objects: float, rng: np.random.Generator) -> Scene:
    """A tote with a Poisson number of objects, at least one and at most `MOST_OBJECTS`.

    Args:
        width: of the image, in pixels, as is `height`.
    """
    colour = str(rng.choice(list(TOTE_COLOURS)))
    pixels, owners, inside = _empty_tote(width, height, colour, rng)
    pile = _Pile(pixels, owners, height / DESIGNED_FOR, float(rng.uniform(0, 2 * np.pi)))
    kinds: list[str] = []
    latest: tuple[Design, _Place] | None = None
    for _ in range(int(np.clip(rng.poisson(mean_objects), 1, MOST_OBJECTS))):
        twin = latest if latest is not None and rng.random() < TWINS else None
        design = random_design(rng, pile.unit) if twin is None else twin[0]
        patch = KINDS[design.kind](design, rng)
        for attempt in range(ATTEMPTS):
            beside = twin[1] if twin is not None and attempt < 2 else None
            place = _place(patch, inside, rng) if beside is None else _beside(beside, patch, attempt)
            if pile.lay(patch, place):
                kinds.append(design.kind)
                latest = design, place
                break
    return Scene(_photographed(pixels, rng), owners, tuple(kinds), tuple(pile.areas[1:]), colour)


def _place(patch: Patch, inside: _Inside, rng: np.random.Generator) -> _Place:
    """Somewhere inside, whole where it fits."""
    height, width = patch[1].shape
    angle = float(rng.uniform(0, 2 * np.pi))
    cos, sin = abs(np.cos(angle - inside.angle)), abs(np.sin(angle - inside.angle))
    needed = np.array([width * cos + height * sin, width * sin + height * cos]) / 2
    x, y = rng.uniform(-1, 1, 2) * np.maximum(0, inside.sides - needed)
    turn_x, turn_y = np.cos(inside.angle), np.sin(inside.angle)
    middle_x, middle_y = inside.middle.tolist()
    return _Place(float(middle_x + x * turn_x - y * turn_y), float(middle_y + x * turn_y + y * turn_x), angle)


def _beside(other: _Place, patch: Patch, attempt: int) -> _Place:
    """Long side against long side, at one side of the other object or at its other."""
    distance = (patch[1].shape[0] - 2.0) * (1 if attempt == 0 else -1)
    return _Place(other.x - np.sin(other.angle) * distance, other.y + np.cos(other.angle) * distance, other.angle)


class _Pile:
    """The image of a tote while objects are laid into it; pixels and owners are drawn in place."""

    def __init__(self, pixels: NDArray[np.uint8], owners: NDArray[np.int16], unit: float, light: float) -> None:
        self.pixels, self.owners, self.unit = pixels, owners, unit
        self.areas = [0]  # of each object when it was laid; the tote's does not matter
        self.visible = [0]
        self.reach = 10 * unit  # of a shadow, in pixels
        self.light = np.array([[1, 0, np.cos(light) * self.reach / 2], [0, 1, np.sin(light) * self.reach / 2]])

    def lay(self, patch: Patch, place: _Place) -> bool:
        """Paint an object, and its shadow on what lies below; False, and nothing painted, where it does not fit."""
        texture, opacity = patch
        height, width = opacity.shape
        half = int(np.ceil(np.hypot(width, height) / 2 + self.reach)) + 2
        left, top = max(0, int(place.x) - half), max(0, int(place.y) - half)
        part = np.s_[top : max(0, int(place.y) + half), left : max(0, int(place.x) + half)]
        canvas, below = self.pixels[part], self.owners[part]
        window = below.shape[::-1]
        if 0 in window:
            return False

        cos, sin = np.cos(place.angle), np.sin(place.angle)
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = (place.x - left, place.y - top) - turn @ ((width - 1) / 2, (height - 1) / 2)
        matrix = np.column_stack([turn, shift])
        alpha = cv2.warpAffine(opacity, matrix, window, flags=cv2.INTER_LINEAR)
        covered = alpha >= 128
        if not self._takes(below[covered], int(np.count_nonzero(opacity >= 128))):
            return False

        turned = cv2.warpAffine(texture, matrix, window, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        blur = 2 * int(self.reach / 2) + 1
        shadow = cv2.blur(cv2.warpAffine(alpha, self.light, window), (blur, blur))
        light = 1 - shadow.astype(np.float32)[..., np.newaxis] * np.float32(SHADOW / 255)
        share = alpha.astype(np.float32)[..., np.newaxis] / np.float32(255)
        canvas[:] = canvas * light * (1 - share) + turned * share
        below[covered] = len(self.areas) - 1
        return True

    def _takes(self, hit: NDArray[np.int16], area: int) -> bool:
        """Whether an object over these pixels lies in the tote whole and leaves enough to be seen of each other one.

        If so, it is counted.
        """
        if len(hit) < WHOLE * area or (hit == OUTSIDE).any():
            return False
        hidden = np.bincount(hit, minlength=len(self.areas))
        hidden[TOTE] = 0
        left = np.array(self.visible) - hidden
        if (left[hidden > 0] < LEAST_VISIBLE * np.array(self.areas)[hidden > 0]).any():
            return False
        self.areas.append(len(hit))
        self.visible = [*left.tolist(), len(hit)]
        return True


def _empty_tote(
    width: int, height: int, colour: str, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.int16], _Inside]:
    unit = height / DESIGNED_FOR
    ground = int(rng.integers(60, 130))
    pixels = np.full((height, width, 3), ground, np.uint8)
    for line in range(int(rng.integers(0, 40)), width, max(8, int(46 * unit))):  # rollers of the conveyor
        cv2.line(pixels, (line, 0), (line, height), (ground - 22,) * 3, max(1, int(6 * unit)))
    owners = np.full((height, width), OUTSIDE, np.int16)

    angle = float(rng.uniform(-0.04, 0.04))
    middle = np.array([width, height]) / 2 + rng.uniform(-0.012, 0.012, 2) * width
    sides = np.array([width * rng.uniform(0.44, 0.475), height * rng.uniform(0.44, 0.475)])
    rim, depth = 15 * unit, rng.uniform(24, 40) * unit
    view = rng.uniform(-9, 9, 2) * unit  # the camera is not quite above the middle
    base = np.array(TOTE_COLOURS[colour]) + rng.integers(-10, 11)
    outer = _rectangle(middle, sides, angle)
    inner = _rectangle(middle, sides - rim, angle)
    floor = _rectangle(middle + view, sides - rim - depth, angle)

    cv2.fillPoly(pixels, [rounded(outer)], shade(base, 1.06), cv2.LINE_AA)
    cv2.fillPoly(owners, [rounded(outer)], TOTE)
    start = rng.uniform(0, 2 * np.pi)
    for side in range(4):
        following = (side + 1) % 4
        wall = np.array([inner[side], inner[following], floor[following], floor[side]])
        cv2.fillPoly(pixels, [rounded(wall)], shade(base, 0.78 + 0.12 * np.cos(start + side * np.pi / 2)), cv2.LINE_AA)
    cv2.fillPoly(pixels, [rounded(floor)], shade(base, 0.9), cv2.LINE_AA)
    for share in np.linspace(0, 1, 9)[1:-1]:  # ribs of the floor
        for first, second, third, fourth in ((0, 1, 3, 2), (1, 2, 0, 3)):
            start_of, end_of = (floor[a] + (floor[b] - floor[a]) * share for a, b in ((first, second), (third, fourth)))
            thickness = max(1, int(2 * unit))
            cv2.line(pixels, _point(start_of), _point(end_of), shade(base, 0.83), thickness, cv2.LINE_AA)
    cv2.polylines(pixels, [rounded(inner)], True, shade(base, 0.6), max(1, int(2 * unit)), cv2.LINE_AA)
    cv2.polylines(pixels, [rounded(outer)], True, shade(base, 0.7), max(1, int(2 * unit)), cv2.LINE_AA)
    # What is long may lean on the walls.
    return pixels, owners, _Inside(middle + view / 2, sides - rim - 0.45 * depth, angle)


def _photographed(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Under a lamp that stands somewhere, with the noise of a sensor."""
    height, width = pixels.shape[:2]
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    lamp_x, lamp_y = rng.uniform(-0.7, 0.7, 2).astype(np.float32)
    fall, level = np.float32(rng.uniform(0.05, 0.16)), np.float32(rng.uniform(0.86, 1.12))
    gain = level * (1 + fall / 2 - fall * ((x - lamp_x) ** 2 + (y - lamp_y)[:, np.newaxis] ** 2) / 2)
    noise = _noise(height, width, rng)
    lit = pixels * gain[..., np.newaxis]
    lit += noise[..., np.newaxis]
    photographed: NDArray[np.uint8] = np.clip(lit, 0, 255, out=lit).astype(np.uint8)
    return photographed


@cache
def _noise_field(side: int) -> NDArray[np.float32]:
    return np.random.default_rng(side).normal(0, 3.5, (side, side)).astype(np.float32)


def _noise(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A window of a field that is drawn once: drawing numbers takes longer than drawing a tote."""
    side = 128 * (-(-max(height, width) // 128) + 2)
    top, left = int(rng.integers(side - height)), int(rng.integers(side - width))
    return _noise_field(side)[top : top + height, left : left + width]


def _rectangle(middle: NDArray[np.float64], sides: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * sides
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(corners @ np.array([[cos, sin], [-sin, cos]]) + middle, np.float64)


def _point(point: NDArray[np.float64]) -> tuple[int, int]:
    x, y = np.rint(point).astype(int).tolist()
    return x, y
