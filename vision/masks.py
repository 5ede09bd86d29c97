"""Masks: which pixels of an image belong to each of N things, and how much those things overlap.

Masks are [N, H, W] bool, true inside. Where a function gives coordinates they are those of `vision.boxes`: continuous,
the middle of the first pixel at 0.5.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Value = TypeVar("Value", bound=np.generic)

_BAND = 4096
"""Pixels that are multiplied at once: what a row of each mask has in them stays in the cache."""


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How much each of N masks shares with each of M others.

    Attributes:
        shared: [N, M] float64, pixels in both; exact.
        areas: [N] int64, pixels of the N masks.
        other_areas: [M] int64, of the others.
    """

    shared: NDArray[np.float64]
    areas: NDArray[np.int64]
    other_areas: NDArray[np.int64]

    @classmethod
    def between(cls, one: Masks, other: Masks) -> "Overlaps":
        """Of masks [N, H, W] with masks [M, H, W].

        Raises:
            ValueError: they are no masks, or of images of two sizes.
        """
        return cls(intersection(one, other), areas(one), areas(other))

    @property
    def iou(self) -> NDArray[np.float64]:
        """[N, M] intersection over union, in [0, 1]; 0 for two empty masks."""
        return _ratio(self.shared, self.areas[:, np.newaxis] + self.other_areas - self.shared)

    @property
    def ioa(self) -> NDArray[np.float64]:
        """[N, M] intersection over the area of the first, in [0, 1]: how much of it the other covers; 0 if empty."""
        return _ratio(self.shared, self.areas[:, np.newaxis])

    @property
    def other_ioa(self) -> NDArray[np.float64]:
        """[N, M] intersection over the area of the other, in [0, 1]: how much of it the first covers; 0 if empty."""
        return _ratio(self.shared, self.other_areas)


def intersection(one: Masks, other: Masks) -> NDArray[np.float64]:
    """[N, H, W] and [M, H, W] -> [N, M] pixels that masks share, of every pair; exact.

    A product of matrices, [N, pixels] with [pixels, M], taken band by band of the image and of those masks alone that
    reach into the band. A band counts in float32, which is exact to 2^24 pixels, and the bands are added in float64.

    Raises:
        ValueError: they are no masks, or of images of two sizes.
    """
    _check(one)
    _check(other)
    if one.shape[1:] != other.shape[1:]:
        raise ValueError(f"Masks of {list(one.shape[1:])} and of {list(other.shape[1:])} pixels cannot be compared.")
    shared = np.zeros((len(one), len(other)))
    height, width = one.shape[1:]
    if not shared.size or not height * width:
        return shared
    # Masks with themselves need half of the work, and half of the product too.
    stacks = [one] if other is one else [one, other]
    reaches = [np.asarray(stack.any(axis=2)) for stack in stacks]
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        band = slice(top, top + rows)
        chosen = [np.flatnonzero(each[:, band].any(axis=1)) for each in reaches]
        if all(map(len, chosen)):
            packed = [_packed(stack[some, band]) for stack, some in zip(stacks, chosen, strict=True)]
            shared[np.ix_(chosen[0], chosen[-1])] += packed[0] @ packed[-1].T
    return shared


def areas(masks: Masks) -> NDArray[np.int64]:
    """[N, H, W] -> [N] pixels of each."""
    _check(masks)
    # One by one, because of a single mask numpy counts bytes, a multiple faster than along axes.
    return np.array([np.count_nonzero(mask) for mask in masks], np.int64)


def edges(masks: Masks) -> NDArray[np.float64]:
    """[N, H, W] -> [N, 4] the tight box (x1, y1, x2, y2) around all pixels of each; zeros for an empty mask."""
    _check(masks)
    found = np.zeros((len(masks), 4))
    filled = np.flatnonzero(masks.any(axis=(1, 2)))
    if len(filled):
        for axis, (near, far) in ((1, (0, 2)), (2, (1, 3))):
            reaches = np.asarray(masks[filled].any(axis=axis))
            found[filled, near] = reaches.argmax(axis=1)
            found[filled, far] = reaches.shape[1] - reaches[:, ::-1].argmax(axis=1)
    return found


def touches_border(masks: Masks) -> NDArray[np.bool_]:
    """[N, H, W] -> [N]: whether a mask has a pixel in the image's outermost rows or columns."""
    _check(masks)
    if not masks.size:
        return np.zeros(len(masks), bool)
    sides = masks[:, 0], masks[:, -1], masks[:, :, 0], masks[:, :, -1]
    return np.asarray(np.logical_or.reduce([side.any(axis=1) for side in sides]))


def hulls(masks: Masks) -> Masks:
    """[N, H, W] -> [N, H, W]: the convex hull of the middles of each mask's pixels, as pixels; of none it is empty."""
    _check(masks)
    filled = np.zeros(masks.shape, np.uint8)
    for shape, hull in zip(np.ascontiguousarray(masks).view(np.uint8), filled, strict=True):
        if (points := cv2.findNonZero(shape)) is not None:
            cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return filled.astype(bool)


def resized(masks: NDArray[Value], height: int, width: int) -> NDArray[Value]:
    """[N, H, W] of any type -> [N, height, width]: a pixel has the value that lies under its middle.

    So values stay what they are, and no new one appears between two. OpenCV's nearest neighbour takes what lies under
    the upper left corner: half a pixel aside where masks shrink.
    """
    if masks.ndim != 3 or min(masks.shape[1:]) < 1:
        raise ValueError(f"Masks are [N, H, W], each of at least a pixel, got {list(masks.shape)}.")
    rows, columns = (
        ((np.arange(side) + 0.5) * given / side).astype(np.intp)
        for side, given in zip((height, width), masks.shape[1:], strict=True)
    )
    return np.asarray(masks.take(rows, axis=1).take(columns, axis=2))


def _packed(masks: Masks) -> NDArray[np.float32]:
    return masks.reshape(len(masks), -1).astype(np.float32)


def _check(masks: NDArray[Any]) -> None:
    # Zeros and ones of another type would be indices, or be added, where masks choose.
    if masks.ndim != 3 or masks.dtype != np.bool_:
        raise ValueError(f"Masks are [N, H, W] of bool, got {list(masks.shape)} of {masks.dtype}.")


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(numerator / np.maximum(denominator, 1))
