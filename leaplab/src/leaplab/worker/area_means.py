"""Arrays made smaller by taking means over areas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def area_means(values: NDArray[Any], axis: int, count: int) -> NDArray[Any]:
    """An axis in `count` equal shares, the mean of each; what lies across a border counts on both sides, by its part.

    By sums, not by a matrix product: the threads of one would wait for the model's, which run at the same time.

    Args:
        values: of any float type.
        axis: not negative.
    """
    side = values.shape[axis]
    if side < count:
        return area_means(np.repeat(values, -(-count // side), axis=axis), axis, count)
    if side % count == 0:
        before, after = values.shape[:axis], values.shape[axis + 1 :]
        split: NDArray[Any] = values.reshape(*before, count, side // count, *after)
        means: NDArray[Any] = split.mean(axis=axis + 1)
        return means
    edges = np.arange(count + 1) * side / count
    starts = np.floor(edges).astype(np.intp)
    first = np.moveaxis(values, axis, 0)
    sums = np.empty((count, *first.shape[1:]), values.dtype)
    # Not `np.add.reduceat`, which sums the few values of each share one column after another.
    for share in range(count):
        np.add.reduce(first[starts[share] : starts[share + 1]], axis=0, out=sums[share])
    # Of what lies across a border, this part belongs to the share before it.
    parts = (edges - starts)[1:-1].astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    across = first[starts[1:-1]] * parts
    sums[:-1] += across
    sums[1:] -= across
    sums *= values.dtype.type(count / side)
    return np.moveaxis(sums, 0, axis)


def grid_means(values: NDArray[Any], sides: tuple[int, ...]) -> NDArray[Any]:
    """The means of the cells of a grid of `sides` over [H, W], see `area_means`."""
    return area_means(area_means(values, 0, sides[0]), 1, sides[1])
