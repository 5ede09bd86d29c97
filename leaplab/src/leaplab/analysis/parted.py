"""Vectors that lie in several files and do not fit in memory, read block by block."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 2**15
"""Vectors that are read at once."""
Rows = slice | list[int] | NDArray[np.integer] | NDArray[np.bool_]


class PartedVectors:
    """Some rows of arrays that lie one behind another, as if they were one. What is asked for is read, and copied.

    Args:
        parts: [n_i, W] float32 each, at least one; memory-mapped, so that only what is asked for is read.
        rows: [m] of all n rows, those that these vectors are; None takes all.
    """

    def __init__(self, parts: Sequence[NDArray[np.float32]], rows: NDArray[np.int64] | None = None) -> None:
        self._parts = list(parts)
        self._bounds = np.cumsum([0, *(len(part) for part in parts)])
        self._rows = rows
        self.shape: tuple[int, int] = (int(self._bounds[-1]) if rows is None else len(rows), int(parts[0].shape[1]))
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """What all of them would take in memory."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    def __getitem__(self, key: int | Rows) -> NDArray[np.float32]:
        """As numpy's: [W] for a number, [k, W] for a slice, k rows or a mask."""
        if isinstance(key, int | np.integer):
            return np.asarray(self._read(self._wanted(np.array([key])))[0])
        if isinstance(key, slice) and self._rows is None:
            first, last, stride = key.indices(len(self))
            if stride == 1:
                return self._between(first, max(first, last))
        return self._read(self._wanted(key))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.float32]:
        """All of them, for what cannot do with less."""
        return np.asarray(self[:], dtype)

    def of(self, rows: NDArray[np.int64]) -> "PartedVectors":
        """Some of these vectors, none of which is read yet."""
        return PartedVectors(self._parts, self._wanted(rows))

    def _wanted(self, key: Rows) -> NDArray[np.int64]:
        """The rows of the parts."""
        if self._rows is not None:
            return self._rows[key]
        if isinstance(key, slice):
            return np.arange(*key.indices(len(self)))
        rows = np.asarray(key)
        if rows.dtype == bool:
            return np.flatnonzero(rows)
        return np.where(rows < 0, rows + len(self), rows).astype(np.int64)

    def _between(self, first: int, last: int) -> NDArray[np.float32]:
        found = np.empty((last - first, self.shape[1]), np.float32)
        for part, start in zip(self._parts, self._bounds, strict=False):
            low, high = max(first, int(start)), min(last, int(start) + len(part))
            if low < high:
                found[low - first : high - first] = part[low - start : high - start]
        return found

    def _read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        found = np.empty((len(rows), self.shape[1]), np.float32)
        of_part = np.searchsorted(self._bounds, rows, side="right") - 1
        for number in np.unique(of_part):
            here = np.flatnonzero(of_part == number)
            found[here] = self._parts[number][rows[here] - self._bounds[number]]
        return found


def blocks_of(vectors: NDArray[np.floating] | PartedVectors) -> Iterator[tuple[int, NDArray[np.floating]]]:
    """The number of the first, and [k, W], of one block after another."""
    for first in range(0, len(vectors), BLOCK):
        yield first, vectors[first : first + BLOCK]
