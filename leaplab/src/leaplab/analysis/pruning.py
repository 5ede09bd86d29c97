"""Which samples to keep of many: of each kind, near and far from the centre of its cluster, its share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order, standard_components
from leaplab.analysis.covering import cover
from leaplab.analysis.quotas import equal_shares, interleaved

STRATA = 4
"""Of the distance from a cluster's centre, with equally many samples."""
OF_A_SUBGROUP, MOST_SUBGROUPS = 25, 8
"""Samples of one, about, and how many a stratum is divided into at most."""


@dataclass(frozen=True)
class Crowd:
    """n samples to prune. What is made of them does not depend on their order.

    Attributes:
        vectors: [n, W] finite.
        clusters: [n] the cluster of each, from 0.
        distances: [n] to its centre.
        groups: [n] equally many are kept of each of these, numbered from 0; None has one group.
        first: [n] the greatest of these are kept first within a subgroup, NaN last; None keeps a random sample.
    """

    vectors: NDArray[np.floating]
    clusters: NDArray[np.integer]
    distances: NDArray[np.float64]
    groups: NDArray[np.int64] | None = None
    first: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Steps:
    """How a crowd is pruned.

    Attributes:
        cluster: prune this one only, and keep the others whole; None prunes all.
        least: what lies nearer than this to its centre goes first of all.
        strata: into how many the distance is divided in each cluster.
        subgroups: into how many each stratum is divided; None: one for 25 samples, eight at most.
    """

    cluster: int | None = None
    least: float = 0.0
    strata: int = STRATA
    subgroups: int | None = None


@dataclass(frozen=True)
class PrunedCluster:
    """What became of a cluster.

    Attributes:
        number: of the cluster.
        size: samples of it.
        central: how many went first, since they lie too near to its centre.
        bounds: [strata + 1] of the distances of the strata, ascending; none where nothing of it was pruned.
        strata: [strata] samples of each.
        subgroups: into how many the strata are divided, all together.
        kept: samples that are kept.
    """

    number: int
    size: int
    central: int
    bounds: tuple[float, ...]
    strata: tuple[int, ...]
    subgroups: int
    kept: int


@dataclass(frozen=True)
class Pruned:
    """What is kept of n samples.

    Attributes:
        kept: [k] int64 places that are kept of what was pruned, the first to keep first: every beginning of it is
            pruned in the same way.
        whole: [w] places that are kept since their cluster is not pruned.
        subgroups: [n] the subgroup of each, -1 for what went first or is kept whole.
        clusters: what became of each.
    """

    kept: NDArray[np.int64]
    whole: NDArray[np.int64]
    subgroups: NDArray[np.int64]
    clusters: Sequence[PrunedCluster]


def candidates(crowd: Crowd, steps: Steps) -> NDArray[np.bool_]:
    """[n] what may be kept of what is pruned."""
    inside = np.ones(len(crowd.clusters), np.bool_) if steps.cluster is None else crowd.clusters == steps.cluster
    return np.asarray(inside & (crowd.distances >= steps.least))


def prune(crowd: Crowd, keep: int, steps: Steps | None = None, seed: int = 0) -> Pruned:
    """Keep so many samples, of every kind its share.

    In each cluster: strata of the distance from its centre; each stratum divided into subgroups (k-means on the
    first 32 principal components); of each subgroup its share, those first that `first` says, else a seeded random
    sample. So a part of the samples has the clusters, the distances and the subgroups of all of them: a stratified
    sample (Neyman, J. R. Stat. Soc. 97, 1934).

    Args:
        keep: from 1 to the number of `candidates`.
    """
    steps = steps or Steps()
    order = canonical_order(crowd.vectors)
    components = standard_components(np.asarray(crowd.vectors)[order])
    if not components.shape[1]:  # all are equal
        components = np.zeros((len(components), 1), np.float32)
    clusters, distances = np.asarray(crowd.clusters)[order], crowd.distances[order]
    may = candidates(crowd, steps)[order]
    assert 0 < keep <= may.sum(), (keep, may.sum())
    pruned = np.unique(clusters[may])
    subgroups, strata = np.full(len(order), -1), np.full(len(order), -1)
    bounds: dict[int, tuple[float, ...]] = {}
    found = 0
    for cluster in pruned.tolist():
        rows = np.flatnonzero(may & (clusters == cluster))
        edges = np.quantile(distances[rows], np.linspace(0, 1, steps.strata + 1))
        bounds[cluster] = tuple(edges.tolist())
        strata[rows] = np.searchsorted(edges[1:-1], distances[rows], side="right")
        for stratum in np.unique(strata[rows]).tolist():
            inside = rows[strata[rows] == stratum]
            numbers = _divided(components[inside], steps.subgroups, seed)
            subgroups[inside] = numbers + found
            found += int(numbers.max()) + 1
    groups = np.zeros(len(order), np.int64) if crowd.groups is None else crowd.groups[order]
    first = None if crowd.first is None else crowd.first[order]
    kept = _kept(may, subgroups, groups, first, keep, seed)
    back = np.argsort(order)
    whole = np.zeros(0, np.int64) if steps.cluster is None else np.flatnonzero(crowd.clusters != steps.cluster)
    chosen = np.zeros(len(order), np.bool_)
    chosen[kept] = True
    told = []
    for cluster in np.unique(clusters).tolist():
        rows = clusters == cluster
        is_whole = steps.cluster not in (None, cluster)
        told.append(
            PrunedCluster(
                cluster,
                int(rows.sum()),
                0 if is_whole else int((rows & ~may).sum()),
                bounds.get(cluster, ()),
                tuple(np.bincount(strata[rows & may], minlength=steps.strata).tolist()) if cluster in bounds else (),
                len(np.unique(subgroups[rows & may])),
                int(rows.sum()) if is_whole else int(chosen[rows].sum()),
            )
        )
    return Pruned(order[kept], whole, subgroups[back], told)


def _divided(components: NDArray[np.float32], count: int | None, seed: int) -> NDArray[np.int64]:
    """[n] numbers from 0 of k-means clusters."""
    wanted = round(len(components) / OF_A_SUBGROUP) if count is None else count
    wanted = min(max(wanted, 1), len(components), MOST_SUBGROUPS if count is None else count)
    if wanted == 1:
        return np.zeros(len(components), np.int64)
    numbers = cover(components, np.ones(len(components)), wanted, seed=seed).numbers
    return np.unique(numbers, return_inverse=True)[1].astype(np.int64)


def _kept(
    may: NDArray[np.bool_],
    subgroups: NDArray[np.int64],
    groups: NDArray[np.int64],
    first: NDArray[np.float64] | None,
    keep: int,
    seed: int,
) -> NDArray[np.int64]:
    """[keep] the first to keep first."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(may))
    order = order[may[order]]
    if first is not None:
        order = order[np.argsort(-first[order], kind="stable")]  # NaN comes last
    shares = equal_shares(np.bincount(groups[may]), keep)
    taken = []
    for group in np.flatnonzero(shares).tolist():
        inside = order[groups[order] == group]
        starts = generator.random(len(np.unique(subgroups[inside])))
        taken.append(interleaved(subgroups, inside, starts)[: shares[group]])
    return interleaved(groups, np.concatenate(taken))
