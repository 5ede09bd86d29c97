"""The nearest of many vectors, found among those of a few cells: for maps, which want many neighbours and not all."""

import numpy as np
from numpy.typing import NDArray

EXACT = 10_000
"""Vectors that are all compared: there are no cells of so few."""
CELLS = 2
"""As many cells as this times the square root of the number of vectors."""
LOOKED_INTO = 12
"""Cells next to each query: of the 10 nearest of 70,000 digits, 99 in 100 are in them."""
TRAINED_ON, ROUNDS = 32, 6
"""Vectors a cell and rounds of the k-means that makes them."""


class Cells:
    """A search among vectors (an inverted file: Jegou, Douze and Schmid, PAMI 33, 2011). It depends on no order of
    threads.

    Args:
        vectors: [n, W] float32, finite.
    """

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        import faiss
        from threadpoolctl import threadpool_limits

        vectors = np.ascontiguousarray(vectors, np.float32)
        width = vectors.shape[1]
        self._cells: faiss.IndexIVFFlat | None = None
        flat = faiss.IndexFlatL2(width)
        if len(vectors) > EXACT:
            count = int(CELLS * len(vectors) ** 0.5)
            self._cells = faiss.IndexIVFFlat(flat, width, count, faiss.METRIC_L2)
            made = self._cells.cp
            made.niter, made.seed = ROUNDS, 1
            made.min_points_per_centroid, made.max_points_per_centroid = 1, TRAINED_ON
            self._cells.nprobe = LOOKED_INTO
            with threadpool_limits(1):  # sums of cells must not depend on how many threads there are
                self._cells.train(vectors)
        self._index: faiss.Index = self._cells or flat
        self._index.add(vectors)

    def nearest(self, queries: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The nearest vectors of each of [m, W] queries.

        Args:
            count: how many of each, at most n.

        Returns:
            [m, count] Euclidean distances, nearest first, and the vectors' rows.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        squared, rows = self._index.search(queries, count)
        if self._cells is not None and (short := np.flatnonzero(rows[:, -1] < 0)).size:
            # The cells around hold too few: all are looked into.
            self._cells.nprobe = self._cells.nlist
            squared[short], rows[short] = self._cells.search(queries[short], count)
            self._cells.nprobe = LOOKED_INTO
        return np.sqrt(np.maximum(squared, 0)), rows

    def nearest_others(self, vectors: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """As `nearest`, of the vectors themselves, none of which is its own neighbour; at most n - 1."""
        distances, rows = self.nearest(vectors, count + 1)
        own = rows == np.arange(len(rows))[:, None]
        # Among more equal vectors than neighbours a row may be missing from its own list: its last one goes.
        own[~own.any(axis=1), -1] = True
        return distances[~own].reshape(-1, count), rows[~own].reshape(-1, count)
