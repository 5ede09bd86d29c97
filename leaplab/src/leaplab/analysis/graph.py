"""The graph of nearest neighbours among latent vectors, made once a space for all that need it."""

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 20
ROWS_A_THREAD = 1024
"""scikit-learn gives each thread its own rows from four blocks of 256 on; with fewer, ties depend on the threads."""


@dataclass(frozen=True)
class NeighbourGraph:
    """For each of n vectors the nearest others, the nearest first.

    Attributes:
        rows: [n, k] int64, k = min(20, n - 1).
        distances: [n, k] float64, Euclidean.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]


def neighbour_graph(vectors: NDArray[np.floating], neighbours: int = NEIGHBOURS) -> NeighbourGraph:
    """Each vector's nearest others, found exactly: all are compared with all, in float64.

    Args:
        vectors: [n, W] finite; principal components, see `leaplab.analysis.components`.
        neighbours: the most of each.

    Returns:
        Equal distances by row.
    """
    return nearest_among(vectors, vectors, neighbours, to_itself=True)


def nearest_among(
    vectors: NDArray[np.floating], queries: NDArray[np.floating], neighbours: int, *, to_itself: bool = False
) -> NeighbourGraph:
    """The nearest of [n, W] vectors to each of [m, W] queries, as `neighbour_graph` finds them.

    Args:
        to_itself: the queries are the vectors, and none is a neighbour of itself.
    """
    count = min(neighbours, len(vectors) - to_itself)
    if count < 1 or not len(queries):
        return NeighbourGraph(np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0)))
    if not vectors.shape[1]:  # all are equal
        rows = np.broadcast_to(np.arange(count), (len(queries), count)).astype(np.int64)
        if to_itself:
            rows = rows + (rows >= np.arange(len(queries))[:, None])
        return NeighbourGraph(rows, np.zeros(rows.shape))
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    few = len(queries) <= ROWS_A_THREAD * (os.cpu_count() or 1)
    with threadpool_limits(1 if few else None):
        search = NearestNeighbors(n_neighbors=count + to_itself, algorithm="brute").fit(vectors)
        distances, rows = search.kneighbors(queries)
    rows = rows.astype(np.int64)
    if to_itself:
        own = rows == np.arange(len(rows))[:, None]
        # Among more equal vectors than neighbours a row may be missing from its own list: its last one goes.
        own[~own.any(axis=1), -1] = True
        rows = rows[~own].reshape(len(rows), count)
        distances = distances[~own].reshape(len(rows), count)
    order = np.lexsort((rows, distances))
    return NeighbourGraph(np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1))
