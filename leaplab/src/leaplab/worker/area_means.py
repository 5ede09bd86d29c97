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
    edges = np.arange(count + 1) * side / count
    starts = np.floor(edges).astype(np.intp)
    sums = np.add.reduceat(values, starts[:-1], axis=axis)
    shape = [1] * values.ndim
    shape[axis] = count - 1
    # Of what lies across a border, this part belongs to the share before it.
    parts = (edges - starts)[1:-1].astype(values.dtype).reshape(shape)
    across = np.take(values, starts[1:-1], axis=axis) * parts
    before, after = [[slice(None)] * values.ndim for _ in range(2)]
    before[axis], after[axis] = slice(None, -1), slice(1, None)
    sums[tuple(before)] += across
    sums[tuple(after)] -= across
    means: NDArray[Any] = sums * values.dtype.type(count / side)
    return means
