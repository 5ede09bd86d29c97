"""LeapImageMask."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.protocol.explaining import UNMARKED
from leaplab.render.canvas import numbers, printable
from leaplab.render.colours import Colour, index_colour
from leaplab.render.image import checked, picture_of, placed, resized, shown_size
from leaplab.render.legend import Entry, as_data, below

OPACITY = 0.5
MOST_IMAGE = 1800


def draw_mask(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """`mask` [H, W] of uint8 over `image` [H, W, 1 or 3] of any range, which is stretched to black and white.

    A value v has the name `labels[v]` and its colour: half through, and full at the region's edge. Names such as
    "background" leave the image clear. The legend has the names that occur, with their share of the pixels.

    Raises:
        LeaplabError: mask and image are not of one size, or empty.
    """
    image, mask = fields["image"], np.asarray(fields["mask"])
    checked(image)
    if mask.shape != image.shape[:2]:
        raise LeaplabError(f"The mask has shape {mask.shape} and its image {image.shape}; return both of one size.")
    size = shown_size(image.shape[0], image.shape[1], MOST_IMAGE)
    picture = resized(picture_of(stretched(image), MOST_IMAGE), size)
    shown = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))

    table = np.zeros((256, 3), np.uint8)
    is_marked = np.zeros(256, bool)
    counts = np.bincount(mask.reshape(-1), minlength=256)
    legend = []
    for value in np.flatnonzero(counts):
        name, colour = mask_entry(int(value), fields["labels"])
        legend.append(Entry(f"{name} ({_percent(counts[value] / mask.size)})", colour))
        if colour is not None:
            table[value], is_marked[value] = colour, True
    marked, colours = is_marked[shown], Image.fromarray(table[shown])
    picture.paste(Image.blend(picture, colours, OPACITY), mask=Image.fromarray(marked))
    picture.paste(colours, mask=Image.fromarray(marked & _edges(shown)))
    return below(picture, legend), {**placed(image, size), **as_data(legend)}


def mask_entry(value: int, labels: Sequence[Any]) -> tuple[str, Colour | None]:
    """Name and colour of a mask's value; no colour for what marks nothing."""
    if value >= len(labels):
        return f"value {value}, no label", index_colour(value)
    name = printable(labels[value])
    return name, None if name.strip().casefold() in UNMARKED else index_colour(value)


def stretched(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Any range -> 0..255, the smallest finite value black and the largest white, as the platform does for masks."""
    exact = numbers(image, "The image")
    is_finite = np.isfinite(exact)
    if is_finite.all():
        low, high = float(exact.min()), float(exact.max())
    else:
        known = exact[is_finite]
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        np.nan_to_num(exact, copy=False, nan=low, posinf=high, neginf=low)
    exact -= low
    exact /= high - low + 1e-5  # the platform's own guard against a flat image; it truncates, too
    exact *= 255
    return exact.astype(np.uint8)


def _edges(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a pixel's right, left, upper or lower neighbour has another value."""
    edges = np.zeros(values.shape, bool)
    across, down = values[:, 1:] != values[:, :-1], values[1:] != values[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges


def _percent(share: float) -> str:
    return "<1%" if share < 0.01 else f"{100 * share:.0f}%" if share == 1 or share < 0.99 else ">99%"
