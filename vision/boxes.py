"""Axis-aligned boxes and how much they overlap.

A box is its edges (x1, y1, x2, y2) in pixels: continuous coordinates, 0 the left or upper edge of the first pixel and
the width or height of the image the far edge of the last. `Boxes` converts from and to the other forms that files and
models use; everything that computes takes the edges.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Boxes:
    """N boxes.

    Attributes:
        edges: [N, 4] float, x1 <= x2 and y1 <= y2 for a box that is one; nothing here repairs another.
    """

    edges: Array

    def __post_init__(self) -> None:
        if self.edges.ndim != 2 or self.edges.shape[1] != 4:
            raise ValueError(f"Boxes are [N, 4], got {list(self.edges.shape)}.")

    @classmethod
    def from_corner_and_size(cls, boxes: Array) -> "Boxes":
        """From [N, 4] (left, top, width, height) in pixels, COCO's form."""
        return cls(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1))

    @classmethod
    def from_centre_and_size(cls, boxes: Array) -> "Boxes":
        """From [N, 4] (centre x, centre y, width, height) in pixels."""
        half = boxes[:, 2:] / 2
        return cls(np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1))

    @classmethod
    def from_normalised(cls, boxes: Array, width: float, height: float) -> "Boxes":
        """From [N, 4] (centre x, centre y, width, height) as shares of an image's width and height, YOLO's form."""
        return cls.from_centre_and_size(boxes * np.array([width, height, width, height], boxes.dtype))

    @property
    def sizes(self) -> Array:
        """[N, 2] widths and heights."""
        return self.edges[:, 2:] - self.edges[:, :2]

    @property
    def areas(self) -> Array:
        """[N]."""
        return area(self.edges)

    def corner_and_size(self) -> Array:
        """[N, 4] (left, top, width, height) in pixels."""
        return np.concatenate([self.edges[:, :2], self.sizes], axis=1)

    def centre_and_size(self) -> Array:
        """[N, 4] (centre x, centre y, width, height) in pixels."""
        return np.concatenate([(self.edges[:, :2] + self.edges[:, 2:]) / 2, self.sizes], axis=1)

    def normalised(self, width: float, height: float) -> Array:
        """[N, 4] (centre x, centre y, width, height) as shares of an image's width and height."""
        return self.centre_and_size() / np.array([width, height, width, height], self.edges.dtype)

    def clipped(self, width: float, height: float) -> "Boxes":
        """The parts that lie inside the image; a box outside of it becomes an empty one at the border."""
        return Boxes(np.clip(self.edges, 0, np.array([width, height, width, height], self.edges.dtype)))


def area(edges: Array) -> Array:
    """[..., 4] -> [...]; 0 for a box whose edges are crossed."""
    sizes = np.maximum(edges[..., 2:] - edges[..., :2], 0)
    return np.asarray(sizes[..., 0] * sizes[..., 1])


def intersection(one: Array, other: Array) -> Array:
    """Areas that boxes share, by pairs that broadcast: [..., 4] and [..., 4] -> [...].

    `intersection(a[:, np.newaxis], b)` is the [N, M] of every pair.
    """
    # Side by side, not as pairs of numbers: three times as fast for many boxes.
    sides = [
        np.maximum(np.minimum(one[..., far], other[..., far]) - np.maximum(one[..., near], other[..., near]), 0)
        for near, far in ((0, 2), (1, 3))
    ]
    return np.asarray(sides[0] * sides[1])


def iou(one: Array, other: Array) -> Array:
    """Intersection over union, in [0, 1], by pairs that broadcast as in `intersection`; 0 for two empty boxes."""
    shared = intersection(one, other)
    union = area(one) + area(other) - shared
    return _ratio(shared, union)


def ioa(one: Array, other: Array) -> Array:
    """Intersection over the area of the first box, in [0, 1]: how much of it the other one covers; 0 if it is empty."""
    shared = intersection(one, other)
    return _ratio(shared, np.broadcast_to(area(one), shared.shape))


def giou(one: Array, other: Array) -> Array:
    """Generalised IoU, in [-1, 1], by pairs that broadcast: falls as boxes that do not overlap move apart.

    Rezatofighi et al., "Generalized intersection over union", CVPR 2019, algorithm 1.
    """
    shared = intersection(one, other)
    union = area(one) + area(other) - shared
    hull = area(_hull(one, other))
    return np.asarray(_ratio(shared, union) - _ratio(hull - union, hull))


def ciou(one: Array, other: Array) -> Array:
    """Complete IoU, at most 1, by pairs that broadcast: IoU less penalties for distance and for another aspect ratio.

    Zheng et al., "Distance-IoU loss: faster and better learning for bounding box regression", AAAI 2020, equations 7
    to 11. The penalty of the aspect ratio is symmetric here, as the formula has it. An empty box has no aspect ratio:
    it counts as a diagonal of 45 degrees.
    """
    overlap = iou(one, other)
    hull = _hull(one, other)
    span = hull[..., 2:] - hull[..., :2]
    between = (one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) / 2
    distance = _ratio((between**2).sum(axis=-1), (span**2).sum(axis=-1))
    aspect = 4 / np.pi**2 * (_diagonal(one) - _diagonal(other)) ** 2
    weight = _ratio(aspect, 1 - overlap + aspect)
    return np.asarray(overlap - distance - weight * aspect)


def _hull(one: Array, other: Array) -> Array:
    lower, upper = np.minimum(one[..., :2], other[..., :2]), np.maximum(one[..., 2:], other[..., 2:])
    return np.concatenate([lower, upper], axis=-1)


def _diagonal(edges: Array) -> Array:
    """The angle of the diagonal, in [0, pi / 2]."""
    sizes = np.maximum(edges[..., 2:] - edges[..., :2], 0)
    empty = (sizes == 0).all(axis=-1)
    return np.asarray(np.where(empty, np.pi / 4, np.arctan2(sizes[..., 0], sizes[..., 1])))


def _ratio(numerator: Array, denominator: Array) -> Array:
    """Their quotient; 0 where the denominator is not above 0."""
    positive = denominator > 0
    return np.asarray(np.where(positive, numerator / np.where(positive, denominator, 1), 0))
