"""Clusters of latent vectors: how many there are, how sure that is, and into what each divides."""

import warnings
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order, standard_components, standard_components_by_blocks
from leaplab.analysis.parted import PartedVectors, blocks_of

GRID = (*range(2, 17), 20, 24, 32, 48, 64)
"""Numbers of clusters that are tried."""
STARTS = 3
FITTED = 10_000
"""Rows that choosing the number takes at most."""
JUDGED = 3_000
"""Rows that a silhouette takes at most: it compares all with all."""
MANY = 200_000
"""Vectors up to which k-means looks at all of them in each round; of more it looks at one small batch after another."""
BATCH = 10_000
"""Vectors of such a batch."""
SMALLEST_SPLIT = 30
"""Samples of a cluster that is small enough to be left whole."""
LEAST_SILHOUETTE = 0.1
"""Of a division in two that is worth telling."""


@dataclass(frozen=True)
class Clustering:
    """Clusters of n vectors, the largest first; the subclusters of some behind them.

    Attributes:
        numbers: [n] int32 of each vector's cluster.
        subclusters: [n] int32 of the subcluster of its cluster; -1 where that is not divided.
        distances: [n] from each vector to its cluster's centre, in principal components.
        sizes: cluster or subcluster -> number of vectors.
        parents: cluster or subcluster -> the cluster that it is of; None for a cluster.
        chosen_by: `silhouette`, or `given`.
        silhouette: mean silhouette, in [-1, 1]; None for a single cluster.
        stability: adjusted Rand index of two clusterings that two halves of the vectors give, on all; None likewise.
    """

    numbers: NDArray[np.int32]
    subclusters: NDArray[np.int32]
    distances: NDArray[np.float64]
    sizes: list[int] = field(default_factory=list)
    parents: list[int | None] = field(default_factory=list)
    chosen_by: str = "silhouette"
    silhouette: float | None = None
    stability: float | None = None


def cluster(vectors: NDArray[np.floating] | PartedVectors, clusters: int | None = None, seed: int = 0) -> Clustering:
    """k-means on the standardised vectors' first 32 principal components.

    The number of clusters is that of `GRID` with the largest mean silhouette (Rousseeuw, "Silhouettes", J. Comput.
    Appl. Math. 20, 1987). Each cluster is divided in two once more, where that division's silhouette says it is one.
    What comes out does not depend on the order of the vectors. Of more than `MANY` they are taken as they come: read by
    blocks, and clustered by mini-batches (Sculley, "Web-Scale K-Means Clustering", WWW 2010).

    Args:
        vectors: [n, W] finite.
        clusters: their number; None chooses it.
        seed: of samples and of the k-means++ starts (Arthur and Vassilvitskii, SODA 2007).
    """
    if len(vectors) > MANY:
        return _clustered(standard_components_by_blocks(vectors), clusters, np.random.default_rng(seed))
    order = canonical_order(np.asarray(vectors))
    components = standard_components(np.asarray(vectors)[order])
    found = _clustered(components, clusters, np.random.default_rng(seed))
    back = np.argsort(order)
    return replace(
        found,
        numbers=found.numbers[back],
        subclusters=found.subclusters[back],
        distances=found.distances[back],
    )


def cluster_numbers(vectors: NDArray[np.floating] | PartedVectors, clusters: int) -> NDArray[np.int32]:
    """[n] the numbers that `cluster` gives for that many clusters, without what else it says of them."""
    if len(vectors) > MANY:
        components = standard_components_by_blocks(vectors)
        return _numbered(components, clusters) if components.shape[1] else np.zeros(len(vectors), np.int32)
    order = canonical_order(np.asarray(vectors))
    components = standard_components(np.asarray(vectors)[order])
    distinct = len(np.unique(components, axis=0)) if components.shape[1] else 1
    if min(clusters, distinct) < 2:
        return np.zeros(len(vectors), np.int32)
    return _numbered(components, min(clusters, distinct))[np.argsort(order)]


def _numbered(components: NDArray[np.float32], clusters: int) -> NDArray[np.int32]:
    """[n] the cluster of each, the largest 0."""
    numbers = assigned(centres(components, clusters), components)
    by_size = np.argsort(-np.bincount(numbers, minlength=clusters), kind="stable")
    return np.argsort(by_size)[numbers].astype(np.int32)


def _clustered(components: NDArray[np.float32], clusters: int | None, generator: np.random.Generator) -> Clustering:
    from sklearn.metrics import adjusted_rand_score

    count = len(components)
    shuffled = generator.permutation(count)
    sample = components[shuffled[:FITTED]]
    judged = sample[:JUDGED]
    distinct = len(np.unique(judged, axis=0)) if components.shape[1] else 1
    chosen_by = "silhouette" if clusters is None else "given"
    if clusters is None:
        scores = {k: _silhouette(judged, assigned(centres(sample, k), judged)) for k in GRID if k < distinct}
        clusters = max(scores, key=lambda k: scores[k]) if scores else 1
    clusters = min(clusters, distinct)
    if clusters < 2:
        return _single(components, chosen_by)
    numbers = _numbered(components, clusters)
    sizes = [int(size) for size in np.bincount(numbers) if size]
    halves = [centres(components[half][:FITTED], clusters) for half in np.array_split(shuffled, 2)]
    stability = float(adjusted_rand_score(*(assigned(half, components) for half in halves)))
    means = np.array([components[numbers == number].mean(axis=0, dtype=np.float64) for number in range(len(sizes))])
    distances = np.empty(count)
    for first, block in blocks_of(components):
        here = slice(first, first + len(block))
        distances[here] = np.linalg.norm(block - means[numbers[here]], axis=1)
    subclusters, sizes, parents = _divided(components, numbers, sizes, generator)
    silhouette = _silhouette(judged, numbers[shuffled[: len(judged)]])
    return Clustering(numbers, subclusters, distances, sizes, parents, chosen_by, silhouette, stability)


def _divided(
    components: NDArray[np.float32], numbers: NDArray[np.int32], sizes: list[int], generator: np.random.Generator
) -> tuple[NDArray[np.int32], list[int], list[int | None]]:
    subclusters = np.full(len(numbers), -1, np.int32)
    all_sizes = list(sizes)
    parents: list[int | None] = [None for _ in sizes]
    for number in range(len(sizes)):
        rows = np.flatnonzero(numbers == number)
        halves = in_two(components[rows], generator)
        if halves is None:
            continue
        for half in (0, 1):
            members = rows[halves == half]
            subclusters[members] = len(all_sizes)
            all_sizes.append(len(members))
            parents.append(number)
    return subclusters, all_sizes, parents


def in_two(components: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.int32] | None:
    """[n] 0 for the larger and 1 for the smaller of two k-means clusters; None where that division is none."""
    if len(components) < SMALLEST_SPLIT or not components.shape[1]:
        return None
    judged = generator.permutation(len(components))[:JUDGED]
    halves = assigned(centres(components, 2), components)
    if len(np.unique(halves[judged])) < 2 or _silhouette(components[judged], halves[judged]) < LEAST_SILHOUETTE:
        return None
    larger = int(np.bincount(halves, minlength=2).argmax())
    return np.asarray(halves != larger, np.int32)


def _single(components: NDArray[np.float32], chosen_by: str) -> Clustering:
    count = len(components)
    distances = np.linalg.norm(components - components.mean(axis=0, dtype=np.float64), axis=1) if count else np.zeros(0)
    none = np.full(count, -1, np.int32)
    sizes = [count] if count else []
    return Clustering(np.zeros(count, np.int32), none, distances, sizes, [None] * len(sizes), chosen_by)


def centres(vectors: NDArray[np.float32], clusters: int, starts: int = STARTS) -> NDArray[np.float32]:
    """[k, W] the centres of k-means clusters, at most as many as there are vectors."""
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    kind: Any = partial(MiniBatchKMeans, batch_size=BATCH) if len(vectors) > MANY else KMeans
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct vectors than clusters
        fitted = kind(min(clusters, len(vectors)), n_init=starts, random_state=0).fit(vectors)
    return np.asarray(fitted.cluster_centers_, np.float32)


def assigned(centres: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.int32]:
    """[n] the number of the nearest centre of each vector."""
    from sklearn.metrics import pairwise_distances_argmin

    return np.asarray(pairwise_distances_argmin(vectors, centres), np.int32)


def _silhouette(vectors: NDArray[np.float32], numbers: NDArray[np.int32]) -> float:
    from sklearn.metrics import silhouette_score

    return float(silhouette_score(vectors, numbers)) if 1 < len(np.unique(numbers)) < len(vectors) else -1.0
