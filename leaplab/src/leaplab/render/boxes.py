"""LeapImageWithBBox."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from leaplab.errors import LeaplabError
from leaplab.render.canvas import cut, plural, printable
from leaplab.render.colours import INK, Colour, label_colours
from leaplab.render.image import displayable, picture_of, placed, resized, shown_size
from leaplab.render.legend import Entry, as_data, below
from leaplab.render.names import Name, write_names

MOST_BOXES = 300
MOST_IMAGE = 1800  # leaves room for the legend


@dataclass(frozen=True)
class Box:
    """A box with its corners [4, 2], x and y, in pixels of an image of width and height."""

    corners: NDArray[np.float64]
    is_upright: bool
    label: str
    confidence: float


def draw_boxes(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """`bounding_boxes` on `data` [H, W, 1 or 3].

    Centres and sizes are shares of the image's width and height; `rotation` is in degrees, clockwise as seen. Boxes
    end at the image's edge. Of more than 300 the most confident are drawn. A confidence of exactly 1, which ground
    truth has, is written `1`; others have two decimals and never read as 1.

    Returns:
        The picture, and as data `boxes`, those that are drawn: label, confidence and the outline's corners in shares of
        the image's width and height; with what `placed` and `as_data` say.

    Raises:
        LeaplabError: no image, or a box whose fields are no numbers.
    """
    pixels = displayable(fields["data"])
    size = shown_size(pixels.shape[0], pixels.shape[1], MOST_IMAGE)
    picture = resized(picture_of(pixels, MOST_IMAGE), size)
    if not isinstance(fields["bounding_boxes"], list):
        raise LeaplabError("The boxes are no list; return a list of BoundingBox, empty where there are none.")
    boxes = [_read(number, box, size) for number, box in enumerate(fields["bounding_boxes"])]
    known = [box for box in boxes if box is not None]
    inside = [(box, outline) for box in known if len(outline := clipped(box.corners, size)) > 2]
    inside.sort(key=lambda item: -np.nan_to_num(item[0].confidence, nan=-np.inf))
    shown = inside[:MOST_BOXES]
    colours = label_colours(box.label for box, _ in inside)

    draw = ImageDraw.Draw(picture)
    for box, outline in reversed(shown):
        _outline(draw, outline, box.is_upright, colours[box.label])
    names = [
        Name(box.label, box.confidence, (*outline.min(axis=0), *outline.max(axis=0)), colours[box.label])
        for box, outline in shown
    ]
    unnamed = write_names(draw, names, (0, 0, *size))

    counts = Counter(box.label for box, _ in inside)
    legend = [Entry(f"{cut(label, 160)} ({count:,})", colours[label]) for label, count in counts.most_common()]
    notes = [f"{len(shown)} of {plural(len(inside), 'box')} drawn: the most confident."] if inside[MOST_BOXES:] else []
    if not boxes:
        notes.append("No boxes.")
    if len(boxes) > len(known):
        notes.append(f"{plural(len(boxes) - len(known), 'box')} without area or finite coordinates left out.")
    if len(known) > len(inside):
        notes.append(f"{plural(len(known) - len(inside), 'box')} outside the image; coordinates are shares, 0 to 1.")
    if unnamed:
        notes.append(f"No room for the names of {plural(unnamed, 'box')}.")
    told = [
        {
            "label": box.label,
            "confidence": box.confidence if np.isfinite(box.confidence) else None,
            "outline": (outline / size).round(5).tolist(),
        }
        for box, outline in shown
    ]
    return below(picture, legend, notes), {**placed(pixels, size), **as_data(legend, notes), "boxes": told}


def clipped(corners: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """What of a convex polygon [N, 2] lies within 0..width, 0..height (Sutherland and Hodgman 1974); may be empty."""
    polygon = [(float(x), float(y)) for x, y in corners]
    for axis, bound, sign in ((0, 0.0, 1.0), (0, size[0], -1.0), (1, 0.0, 1.0), (1, size[1], -1.0)):
        cut_polygon: list[tuple[float, float]] = []
        for start, end in zip(polygon[-1:] + polygon[:-1], polygon, strict=True):
            before, after = sign * (start[axis] - bound), sign * (end[axis] - bound)
            if (before < 0) != (after < 0):
                share = before / (before - after)
                cut_polygon.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
            if after >= 0:
                cut_polygon.append(end)
        polygon = cut_polygon
    flat = np.array(polygon, np.float64).reshape(-1, 2)
    return flat if len(flat) > 2 and (flat.max(axis=0) > flat.min(axis=0)).all() else flat[:0]


def _read(number: int, box: Any, size: tuple[int, int]) -> Box | None:
    try:
        x, y, width, height, confidence = (float(box[name]) for name in ("x", "y", "width", "height", "confidence"))
        angle = float(box.get("rotation") or 0.0)
        label = printable(box["label"])
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError):
        raise LeaplabError(
            f"Box {number} is no BoundingBox with numbers; return x, y, width, height and confidence as floats."
        ) from None
    with np.errstate(all="ignore"):
        turn = np.radians(np.float64(angle) % 360)
        half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * (width * size[0], height * size[1])
        rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        corners = half @ rotation + (x * size[0], y * size[1])
    # Beyond this, differences of corners lose the pixels.
    if not (np.abs(corners) < 1e12).all() or width <= 0 or height <= 0:
        return None
    return Box(corners, angle % 360 == 0, label, confidence)


def _outline(draw: ImageDraw.ImageDraw, outline: NDArray[np.float64], is_upright: bool, colour: Colour) -> None:
    if is_upright:
        (left, top), (right, bottom) = np.round(outline.min(axis=0)), np.round(outline.max(axis=0))
        right, bottom = max(left, right - 1), max(top, bottom - 1)
        if min(right - left, bottom - top) >= 12:
            draw.rectangle((left + 2, top + 2, right - 2, bottom - 2), outline=INK)
        draw.rectangle((left, top, right, bottom), outline=colour, width=2)
        return
    points = [(float(x), float(y)) for x, y in np.vstack([outline, outline[:2]])]
    draw.line(points, INK, 4, joint="curve")
    draw.line(points, colour, 2, joint="curve")
