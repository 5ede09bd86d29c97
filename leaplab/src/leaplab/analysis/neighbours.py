"""The samples nearest to others, found exactly."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.parted import PartedVectors, blocks_of

Metric = Literal["cosine", "euclidean"]
METRICS: tuple[Metric, ...] = get_args(Metric)
ROUNDING = 1e-5
"""Bound of the error of a squared distance in float32, as a share of the greatest squared length."""


class Neighbours:
    """Exact search among vectors: every one of them is compared.

    A first pass in float32 leaves out what cannot be among the nearest, by more than its rounding; the rest is compared
    in float64. So the answer is that of float64 whatever the processor, and equal distances come by row.

    Args:
        vectors: [n, W] finite.
        metric: `cosine`, 1 less the cosine of the angle (1 where a vector is zero); or `euclidean`.
    """

    def __init__(self, vectors: NDArray[np.floating], metric: Metric = "cosine") -> None:
        self.metric = metric
        # A dimension a row: the product of a query with all of them is twice as fast so.
        self._dimensions = np.ascontiguousarray(np.asarray(vectors, np.float32).T)
        squared = np.einsum("wn,wn->n", self._dimensions, self._dimensions, dtype=np.float64)
        lengths = np.sqrt(squared)
        # Twice the inner product with the query is taken from these; the query's own length is the same for all.
        self._offsets = np.zeros(len(squared), np.float32) if metric == "cosine" else squared.astype(np.float32)
        self._factors = (
            np.divide(-1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0).astype(np.float32)
            if metric == "cosine"
            else np.full(len(squared), -2, np.float32)
        )
        self._longest = float(lengths.max(initial=0))

    def nearest(
        self, query: NDArray[np.floating], count: int, among: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The vectors nearest to one.

        Args:
            query: [W] finite.
            count: the most that are wanted.
            among: [n] which may be found; None takes all.

        Returns:
            Their rows, nearest first, and their distances.
        """
        rough = (query.astype(np.float32) @ self._dimensions) * self._factors + self._offsets
        if among is not None:
            rough[~among] = np.inf
        count = min(count, len(rough) if among is None else int(among.sum()))
        if count < 1:
            return np.zeros(0, np.int64), np.zeros(0)
        reach = float(np.linalg.norm(query.astype(np.float64)))
        scale = reach if self.metric == "cosine" else reach**2 + self._longest**2
        bound = np.partition(rough, count - 1)[count - 1] + ROUNDING * scale
        rows = np.flatnonzero(rough <= bound)
        distances = distances_to(self._dimensions[:, rows].T, query, self.metric)
        order = np.lexsort((rows, distances))[:count]
        return rows[order], distances[order]


class NeighboursByBlocks:
    """The same search, with the same answers, among vectors that do not fit in memory: all are read for each query.

    Args:
        vectors: [n, W] finite.
        metric: see `Neighbours`.
    """

    def __init__(self, vectors: PartedVectors, metric: Metric = "cosine") -> None:
        self.metric = metric
        self._vectors = vectors

    def nearest(
        self, query: NDArray[np.floating], count: int, among: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """See `Neighbours.nearest`: the nearest so far are kept from block to block."""
        rows, distances = np.zeros(0, np.int64), np.zeros(0)
        for first, block in blocks_of(self._vectors):
            here = None if among is None else among[first : first + len(block)]
            if here is not None and not here.any():
                continue
            found, apart = Neighbours(block, self.metric).nearest(query, count, here)
            rows, distances = np.append(rows, found + first), np.append(distances, apart)
            kept = np.lexsort((rows, distances))[:count]
            rows, distances = rows[kept], distances[kept]
        return rows, distances


def distances_to(vectors: NDArray[np.floating], query: NDArray[np.floating], metric: Metric) -> NDArray[np.float64]:
    """[n] distances of [n, W] vectors to one of [W], in float64.

    Args:
        metric: see `Neighbours`.
    """
    exact, one = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(exact - one, axis=1))
    lengths = np.linalg.norm(exact, axis=1) * np.linalg.norm(one)
    cosines = np.divide(exact @ one, lengths, out=np.zeros(len(exact)), where=lengths > 0)
    return np.asarray(1 - np.clip(cosines, -1, 1))


def centre_of(vectors: NDArray[np.floating], metric: Metric) -> NDArray[np.float64]:
    """[W] what several vectors have in common: their mean, by `cosine` that of their directions."""
    exact = vectors.astype(np.float64)
    if metric == "cosine":
        lengths = np.linalg.norm(exact, axis=1, keepdims=True)
        exact = np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0)
    return np.asarray(exact.mean(axis=0))
