"""What a state has that training lacks: samples far from all of training's, and clusters where training has few."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order
from leaplab.analysis.graph import nearest_among, neighbour_graph

NEAREST = 10
"""The neighbour whose distance says how novel a sample is: by the first alone, two odd samples hide each other."""
FITTED = 10_000
"""Rows of training that others are compared with, and rows that the clusters are fitted on, at most."""
FEWEST_CLUSTERS, MOST_CLUSTERS = 20, 40
SAMPLES_A_CLUSTER = 50
STARTS = 3
LEVEL = 0.01
"""Of significance, of all clusters together (Bonferroni)."""
CONFIDENCE = 0.995
"""Of the upper bound of a ratio."""
LARGEST_RATIO = 0.5
"""That training may have of a state's share in a cluster, for the cluster to be under-represented."""


@dataclass(frozen=True)
class Novelty:
    """How far m samples lie from a reference.

    Attributes:
        distances: [m] to the 10th nearest of the reference.
        percentiles: [m] in [0, 1]: the share of the reference's own samples that lie nearer to the rest of it.
    """

    distances: NDArray[np.float64]
    percentiles: NDArray[np.float64]


@dataclass(frozen=True)
class RareClusters:
    """Clusters of two populations, and those of which the reference has too little.

    Attributes:
        numbers: [m] the cluster of each sample of the other population.
        rare: [c] the clusters that are under-represented, those that weigh most first.
        reference_counts: [c] samples of the reference in each of these.
        other_counts: [c] samples of the other population.
        ratios: [c] share of the reference / share of the other population.
        p: [c] corrected for all clusters.
        clusters: how many there are in all.
    """

    numbers: NDArray[np.int64]
    rare: NDArray[np.int64]
    reference_counts: NDArray[np.int64]
    other_counts: NDArray[np.int64]
    ratios: NDArray[np.float64]
    p: NDArray[np.float64]
    clusters: int


def novelty(reference: NDArray[np.floating], others: NDArray[np.floating], seed: int = 0) -> Novelty:
    """The distance to the 10th nearest of a reference, as a percentile of the reference's own.

    The distance to the k-th nearest neighbour as a measure of outliers is by Ramaswamy, Rastogi and Shim, "Efficient
    algorithms for mining outliers from large data sets" (SIGMOD 2000). The reference's own distances leave the sample
    itself out, so that others drawn like it have percentiles that are uniform. It does not depend on the rows' order.

    Args:
        reference: [n, D] finite, n >= 2; of more than 10,000 rows a seeded sample is taken.
        others: [m, D] finite.
    """
    if len(reference) > FITTED:
        order = canonical_order(reference)
        chosen = np.random.default_rng(seed).choice(len(reference), FITTED, replace=False)
        reference = reference[order[chosen]]
    own = np.sort(_last(neighbour_graph(reference, NEAREST).distances))
    # As many neighbours as the reference's own samples have, of which it lacks one.
    distances = _last(nearest_among(reference, others, min(NEAREST, len(reference) - 1)).distances)
    return Novelty(distances, np.searchsorted(own, distances, side="left") / len(own))


def _last(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(distances[:, -1]) if distances.shape[1] else np.zeros(len(distances))


def rare_clusters(
    reference: NDArray[np.floating], others: NDArray[np.floating], tried: int = 1, seed: int = 0
) -> RareClusters:
    """Clusters in which a reference has less than half of the share that another population has.

    k-means on both, weighted to equal mass, with 20 to 40 clusters: one for 50 samples of the other population. A
    cluster is under-represented where the number of the reference's samples among its own is too small for the same
    share (binomial, one-sided, p x clusters < .01), and the ratio of the two shares is below .5 at its upper bound of
    99.5 % (Clopper and Pearson, Biometrika 26, 1934). It does not depend on the rows' order.

    Args:
        reference: [n, D] finite, n >= 1.
        others: [m, D] finite, m >= 1.
        tried: how many populations are compared with the reference; p is corrected for them, too.
    """
    from scipy.stats import beta, binom

    numbers, of_others = _clustered(reference, others, seed)
    clusters = int(max(numbers.max(), of_others.max())) + 1
    here, there = (np.bincount(found, minlength=clusters).astype(np.int64) for found in (numbers, of_others))
    occurring = here + there
    expected = len(reference) / (len(reference) + len(others))
    p = np.minimum(binom.cdf(here, occurring, expected) * clusters * tried, 1)
    # The bound of the share of the reference among a cluster's samples; 1, so no bound, where it has them all.
    bound = np.where(there > 0, beta.ppf(CONFIDENCE, here + 1, np.maximum(there, 1)), 1)
    odds = len(others) / len(reference)
    highest = np.divide(bound, 1 - bound, out=np.full(clusters, np.inf), where=bound < 1) * odds
    ratios = np.divide(here, there, out=np.full(clusters, np.inf), where=there > 0) * odds
    found = np.flatnonzero((p < LEVEL) & (highest < LARGEST_RATIO))
    weights = there[found] * (1 - ratios[found])
    rare = found[np.lexsort((found, -weights))]
    return RareClusters(of_others, rare, here[rare], there[rare], ratios[rare], p[rare], clusters)


def _clustered(
    reference: NDArray[np.floating], others: NDArray[np.floating], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cluster of each row of the reference and of the others."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import pairwise_distances_argmin

    generator = np.random.default_rng(seed)
    parts, weights = [], []
    for rows in (reference, others):
        order = canonical_order(rows) if rows.shape[1] else np.arange(len(rows))
        chosen = order[generator.permutation(len(rows))[: FITTED // 2]]
        parts.append(rows[chosen])
        weights.append(np.full(len(chosen), 1 / len(chosen)))
    pool, weight = np.concatenate(parts).astype(np.float64), np.concatenate(weights)
    distinct = len(np.unique(pool, axis=0)) if pool.shape[1] else 1
    clusters = min(int(np.clip(len(others) // SAMPLES_A_CLUSTER, FEWEST_CLUSTERS, MOST_CLUSTERS)), distinct)
    if clusters < 2:
        return np.zeros(len(reference), np.int64), np.zeros(len(others), np.int64)
    weight *= len(pool) / weight.sum()
    fitted = KMeans(clusters, n_init=STARTS, random_state=seed).fit(pool, sample_weight=weight)
    assigned = [
        pairwise_distances_argmin(rows.astype(np.float64), fitted.cluster_centers_).astype(np.int64)
        for rows in (reference, others)
    ]
    return assigned[0], assigned[1]


def samples_to_add(
    reference: int, others: int, reference_counts: NDArray[np.int64], other_counts: NDArray[np.int64]
) -> int:
    """How many samples of some clusters a reference lacks of half of the share that another population has in each.

    Of c clusters with a of n and b of m samples, x more make (a + x) / (n + sum of x) = .5 b / m in each, so that
    sum of x = (.5 n sum(b) / m - sum(a)) / (1 - .5 sum(b) / m).
    """
    wanted = Fraction(LARGEST_RATIO) * int(other_counts.sum()) / others
    return max(0, ceil((wanted * reference - int(reference_counts.sum())) / (1 - wanted)))
