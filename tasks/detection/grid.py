"""The grid of a YOLO detector: what each row of its output stands for.

A level divides the input into square cells of a stride, and each cell makes a prediction for each of the level's
anchors, boxes of a typical size. The output has a row for each, ordered by level, then anchor, then the cell's row,
then its column, as YOLOv7's own export has them; so a loss recovers level, cell and anchor from a row's number alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MOST_ROUNDS = 300
"""Of k-means, which mostly needs some tens."""


@dataclass(frozen=True)
class Grid:
    """The rows of the output for an input of a size.

    Attributes:
        height: of the input in pixels, a multiple of every stride.
        width: of the input in pixels, a multiple of every stride.
        strides: the side of a level's cells in pixels, one a level.
        anchors: (width, height) in pixels of the input, equally many a level.
    """

    height: int
    width: int
    strides: tuple[int, ...]
    anchors: tuple[tuple[tuple[float, float], ...], ...]

    def __post_init__(self) -> None:
        if len(self.strides) != len(self.anchors):
            raise ValueError(f"{len(self.strides)} strides do not fit the anchors of {len(self.anchors)} levels.")
        if len({len(level) for level in self.anchors}) != 1:
            raise ValueError("Every level must have as many anchors as the first.")
        for stride in self.strides:
            if self.height % stride or self.width % stride:
                raise ValueError(f"{self.height} x {self.width} pixels do not divide into cells of {stride}.")

    @property
    def levels(self) -> int:
        """How many there are."""
        return len(self.strides)

    @cached_property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(rows, columns) of cells, one a level."""
        return tuple((self.height // stride, self.width // stride) for stride in self.strides)

    @cached_property
    def rows_of_level(self) -> tuple[int, ...]:
        """How many rows of the output each level has."""
        return tuple(len(self.anchors[0]) * rows * columns for rows, columns in self.shapes)

    @cached_property
    def first_row(self) -> tuple[int, ...]:
        """The first row of the output of each level."""
        return tuple(int(start) for start in np.cumsum([0, *self.rows_of_level[:-1]]))

    @property
    def rows(self) -> int:
        """N, the rows of the output."""
        return sum(self.rows_of_level)

    @cached_property
    def level_of_row(self) -> NDArray[np.int64]:
        """[N]."""
        return np.repeat(np.arange(self.levels), self.rows_of_level)

    @cached_property
    def place_of_row(self) -> NDArray[np.int64]:
        """[N, 4]: level, anchor, row and column of the cell."""
        places = [np.indices((len(self.anchors[0]), *shape)).reshape(3, -1) for shape in self.shapes]
        return np.concatenate([self.level_of_row[np.newaxis], np.concatenate(places, axis=1)]).T

    def row(self, level: int, anchor: int, y: int, x: int) -> int:
        """The row of the output of the cell in row `y` and column `x`."""
        rows, columns = self.shapes[level]
        return self.first_row[level] + (anchor * rows + y) * columns + x

    def require_rows(self, prediction_rows: int) -> None:
        """
        Raises:
            ValueError: an output of so many rows is not of this grid.
        """
        if prediction_rows != self.rows:
            raise ValueError(
                f"The model gives {prediction_rows} rows, but {self.height} x {self.width} pixels with strides "
                f"{list(self.strides)} and {len(self.anchors[0])} anchors each make {self.rows}."
            )


def fit_anchors(
    sizes: NDArray[np.floating], strides: Sequence[int], anchors_a_level: int
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Anchors that fit boxes, by k-means, the small ones on the finest level.

    The distance is 1 - IoU of two boxes with one centre, and a cluster moves to the median of its members: Redmon and
    Farhadi, "YOLO9000", CVPR 2017, section 2.

    Args:
        sizes: [K, 2] widths and heights in pixels of the input; at least as many as anchors.

    Returns:
        (width, height) in whole pixels, one tuple a stride.

    Raises:
        ValueError: there are fewer different sizes than anchors.
    """
    count = len(strides) * anchors_a_level
    distinct = np.unique(sizes, axis=0)
    if len(distinct) < count:
        raise ValueError(f"{len(distinct)} different sizes of boxes are too few for {count} anchors.")
    # Spread over the sizes that are there.
    order = np.argsort(sizes.prod(axis=1), kind="stable")
    centres = sizes[order[np.linspace(0, len(order) - 1, count + 2).astype(int)[1:-1]]].astype(np.float64)
    nearest = np.full(len(sizes), -1)
    for _ in range(MOST_ROUNDS):
        shared = np.minimum(sizes[:, np.newaxis], centres).prod(axis=-1)
        overlap = shared / (sizes.prod(axis=-1)[:, np.newaxis] + centres.prod(axis=-1) - shared)
        chosen, fits = overlap.argmax(axis=1), overlap.max(axis=1)
        empty = np.setdiff1d(np.arange(count), chosen)
        if not len(empty) and (chosen == nearest).all():
            break
        nearest = chosen
        for cluster in np.setdiff1d(np.arange(count), empty).tolist():
            centres[cluster] = np.median(sizes[nearest == cluster], axis=0)
        # Many boxes of one size start as many clusters, of which one gets them all: the others go where nothing fits.
        for cluster in empty.tolist():
            worst = int(fits.argmin())
            centres[cluster] = sizes[worst]
            fits[(sizes == sizes[worst]).all(axis=1)] = 1
    ordered = centres[np.argsort(centres.prod(axis=1), kind="stable")].round().clip(1)
    levels = ordered.reshape(len(strides), anchors_a_level, 2)
    return tuple(tuple((float(width), float(height)) for width, height in level) for level in levels)
