"""Which samples to label first: those that stand for many others, the more so where the loss is high."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order, standard_components
from leaplab.analysis.covering import cover, covering_order, nearest_centre
from leaplab.analysis.quotas import equal_shares, interleaved

if TYPE_CHECKING:
    from scipy.spatial import KDTree

FOCUS = 1 / 3
"""The share of the weight that goes by the loss."""
REGIONS, OF_A_REGION = 500, 40
"""The most regions over which a loss is averaged, and the samples of one, on the average."""
FITTED = 10_000
"""Samples that regions are made of, at most."""
COMPARED = 2_000
"""Samples whose nearest ones of other clusters set the bound of near-duplicates."""
ORDERED = 1_000
"""Samples at the head of a list that are ordered by what they cover."""
NEAR = 0.001
"""Quantile of those distances."""
AROUND = 10
"""The neighbour whose distance says how densely samples lie."""
BLOCK = 2**24
"""Distances that are held at once."""


@dataclass(frozen=True)
class Pool:
    """n samples to choose from. What is made of them does not depend on their order.

    Attributes:
        vectors: [n, W] finite.
        losses: [n] predicted loss; what is not finite counts as the mean. None: all weigh alike.
        groups: [n] equally many are chosen of each of these, numbered from 0; None has one group.
        apart: [n] no two are chosen of one of these before all are used; -1 is unlike any other. None: no such wish.
        copies: [n] equal where the inputs are; None: they are not known.
        former: [m, W] vectors of samples that were chosen before.
        copied: [n] whether one of those has the same inputs; None: no sample.
    """

    vectors: NDArray[np.floating]
    losses: NDArray[np.float64] | None = None
    groups: NDArray[np.int64] | None = None
    apart: NDArray[np.int64] | None = None
    copies: NDArray[np.int64] | None = None
    former: NDArray[np.floating] | None = None
    copied: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Chosen:
    """b of n samples, in the order in which to label them.

    Attributes:
        places: [b] int64.
        clusters: [b] the cluster that each stands for: its own, but for the few whose cluster has no sample left that
            may be chosen. The heaviest cluster is 0.
        numbers: [n] the cluster of each sample, -1 for those that a former sample stands for.
        near: how many samples are left out since their inputs are those of a chosen or former one, or since their
            vectors are nearer to it than `bound`.
        repeated: how many of such are chosen all the same, since nothing else is left.
        bound: the distance of near-duplicates, in principal components: a thousandth of the samples lies nearer to
            one of another cluster; and at most a quarter of the median distance to the tenth nearest sample.
        components: [n, D] float32.
        former: [m, D] float32, the former samples in the same components.
    """

    places: NDArray[np.int64]
    clusters: NDArray[np.int64]
    numbers: NDArray[np.int64]
    near: int
    repeated: int
    bound: float
    components: NDArray[np.float32]
    former: NDArray[np.float32]


@dataclass(frozen=True)
class Coverage:
    """How well some samples stand for all.

    Attributes:
        distance: mean distance of all samples to the nearest of these, or of the former ones.
        where_loss_is: the same, each sample weighted by its predicted loss; None where none is known.
        loss: mean predicted loss of these; None likewise.
        clusters: share of the list's clusters that one of these is in.
        near_pairs: how many pairs of these are near-duplicates.
    """

    distance: float
    where_loss_is: float | None
    loss: float | None
    clusters: float
    near_pairs: int


def choose(pool: Pool, budget: int, focus: float = FOCUS, seed: int = 0) -> Chosen:
    """Choose samples to label.

    k-means on the first 32 principal components of the standardised vectors, with as many clusters as samples are
    wanted; of each the sample nearest to its centre. A sample weighs `(1 - focus) + focus x loss of its region / mean
    loss`, where a region is one of up to 500 k-means clusters: the loss of a single sample is too noisy, and too
    uneven, to weigh by (docs/analyses.md has both). Former samples are centres that stay. The list is ordered
    such that its beginning is a good list, too: each next sample takes away most of what is left of (weight of a
    cluster x its distance from the list), see `leaplab.analysis.covering`.

    Args:
        budget: b, from 1 to n.
        focus: in [0, 1].
    """
    order = canonical_order(pool.vectors)
    former = np.zeros((0, pool.vectors.shape[1])) if pool.former is None else np.asarray(pool.former)
    former = former[canonical_order(former)] if len(former) else former
    components = standard_components(np.concatenate([np.asarray(pool.vectors)[order], former]))
    if not components.shape[1]:  # all are equal
        components = np.zeros((len(components), 1), np.float32)
    components, held = components[: len(order)], components[len(order) :]
    weights = _weights(components, None if pool.losses is None else pool.losses[order], focus, seed)
    groups = np.zeros(len(order), np.int64) if pool.groups is None else pool.groups[order]
    numbers, centres, own = _clusters(components, weights, groups, budget, held, seed)
    bound = _bound(components, numbers, seed)
    picking = _Picking(components, bound, held, groups, _of(pool.apart, order), _of(pool.copies, order))
    if pool.copied is not None:
        picking.blocked |= pool.copied[order]
    picked = picking.pick(numbers, centres, own)
    masses = np.bincount(numbers[numbers >= 0], weights[numbers >= 0], budget).astype(np.float64)
    ranked = _ranked(components, picked, masses, held, groups, _of(pool.apart, order))
    back = np.argsort(order)
    return Chosen(
        places=order[picked[ranked]],
        clusters=ranked,
        numbers=numbers[back],
        near=int((picking.blocked & ~picking.chosen).sum()),
        repeated=picking.repeated,
        bound=bound,
        components=components[back],
        former=held,
    )


def coverage(pool: Pool, chosen: Chosen, places: NDArray[np.int64]) -> Coverage:
    """How well any samples of a pool stand for all of it, beside those of a list.

    Args:
        places: [k] these samples.
    """
    these = chosen.components[places]
    away = np.sqrt(nearest_centre(chosen.components, np.concatenate([these, chosen.former]))[1])
    losses = None if pool.losses is None else _losses(pool.losses)
    weighted = losses is not None and losses.sum() > 0
    near = _tree(these).query_pairs(chosen.bound, output_type="ndarray")
    pairs = {(int(a), int(b)) for a, b in near}
    if pool.copies is not None:
        of = pool.copies[places]
        by_copy = np.argsort(of, kind="stable")
        for part in np.split(by_copy, np.flatnonzero(np.diff(of[by_copy])) + 1):
            pairs |= {(int(a), int(b)) for at, a in enumerate(part) for b in part[at + 1 :]}
    touched = np.unique(chosen.numbers[places])
    return Coverage(
        distance=float(away.mean()),
        where_loss_is=float(np.average(away, weights=losses)) if weighted else None,
        loss=None if pool.losses is None else float(np.nanmean(pool.losses[places])),
        clusters=int((touched >= 0).sum()) / len(chosen.places),
        near_pairs=len(pairs),
    )


def _of(codes: NDArray[np.int64] | None, order: NDArray[np.int64]) -> NDArray[np.int64] | None:
    return None if codes is None else codes[order]


def _losses(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n] from 0 on, the mean where there is none; equal where nothing is known."""
    known = np.isfinite(losses)
    if not known.any():
        return np.ones(len(losses))
    filled = np.where(known, losses, losses[known].mean())
    return np.asarray(filled - min(filled.min(), 0.0))


def _weights(
    components: NDArray[np.float32], losses: NDArray[np.float64] | None, focus: float, seed: int
) -> NDArray[np.float64]:
    count = len(components)
    filled = None if losses is None else _losses(losses)
    if filled is None or not filled.any():
        return np.ones(count)
    regions = int(np.clip(count // OF_A_REGION, 1, REGIONS))
    fitted = components[np.sort(np.random.default_rng(seed).permutation(count)[:FITTED])]
    numbers, _ = nearest_centre(components, cover(fitted, np.ones(len(fitted)), regions, seed=seed).centres)
    means = np.bincount(numbers, filled, regions) / np.maximum(np.bincount(numbers, minlength=regions), 1)
    return np.asarray((1 - focus) + focus * means[numbers] / filled.mean())


def _clusters(
    components: NDArray[np.float32],
    weights: NDArray[np.float64],
    groups: NDArray[np.int64],
    budget: int,
    held: NDArray[np.float32],
    seed: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int64]]:
    """[n] the cluster of each, -1 where a held centre is nearer; [b, D] centres and [b] groups, the heaviest first."""
    numbers = np.full(len(components), -1)
    centres, own = np.zeros((budget, components.shape[1]), np.float32), np.zeros(budget, np.int64)
    at = 0
    shares = equal_shares(np.bincount(groups), budget)
    for group in np.flatnonzero(shares):
        rows, share = np.flatnonzero(groups == group), int(shares[group])
        found = cover(components[rows], weights[rows], share, held, seed)
        of = found.numbers - len(held)
        numbers[rows] = np.where(of < 0, -1, of + at)
        centres[at : at + share], own[at : at + share] = found.centres[len(held) :], group
        at += share
    inside = numbers >= 0
    heaviest = np.argsort(-np.bincount(numbers[inside], weights[inside], budget), kind="stable")
    numbers[inside] = np.argsort(heaviest)[numbers[inside]]
    return numbers, centres[heaviest], own[heaviest]


def _bound(components: NDArray[np.float32], numbers: NDArray[np.int64], seed: int) -> float:
    """Below which two samples are near-duplicates.

    The thousandth quantile of the distances between samples and the nearest of other clusters; and at most a quarter of
    the median distance to the tenth nearest sample, since clusters may be islands.
    """
    count = len(components)
    rows = np.sort(np.random.default_rng(seed).permutation(count)[:COMPARED])
    halves = np.einsum("nd,nd->n", components, components) / 2
    tenth = max(count - 1 - AROUND, 0)
    apart, around = [], []
    step = max(1, BLOCK // count)
    for at in range(0, len(rows), step):
        some = rows[at : at + step]
        nearness = components[some] @ components.T - halves
        squared = 2 * (halves[some] - np.partition(nearness, tenth, axis=1)[:, tenth])
        around.append(np.sqrt(np.maximum(squared, 0)))
        nearness[numbers[some][:, None] == numbers] = -np.inf
        nearest = nearness.argmax(axis=1)
        other = numbers[nearest] != numbers[some]
        between = components[some[other]].astype(np.float64) - components[nearest[other]]
        apart.append(np.linalg.norm(between, axis=1))
    found = np.concatenate(apart)
    density = float(np.median(np.concatenate(around))) / 4
    return min(float(np.quantile(found, NEAR)), density) if len(found) else density


class _Picking:
    """What may be chosen still, and how one choice rules out others."""

    def __init__(
        self,
        components: NDArray[np.float32],
        bound: float,
        held: NDArray[np.float32],
        groups: NDArray[np.int64],
        apart: NDArray[np.int64] | None,
        copies: NDArray[np.int64] | None,
    ) -> None:
        count = len(components)
        self.components, self.bound, self.groups, self.apart = components, bound, groups, apart
        self.chosen, self.blocked = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        self.repeated = 0
        self._used = np.zeros(1 if apart is None else max(int(apart.max()) + 1, 1), np.int64)
        self._tree = _tree(components)
        self._copies: list[NDArray[np.int64]] | None = None
        if copies is not None:
            codes = np.unique(copies, return_inverse=True)[1]
            self._codes = codes
            self._copies = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
        for each in held:
            self.blocked[self._tree.query_ball_point(each, bound)] = True

    def pick(
        self, numbers: NDArray[np.int64], centres: NDArray[np.float32], own: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """[b] the sample of each cluster, those first whose nearest sample may be taken."""
        picked = np.full(len(centres), -1)
        by_cluster = np.argsort(numbers, kind="stable")
        bounds = np.searchsorted(numbers[by_cluster], np.arange(len(centres) + 1))
        for cluster in range(len(centres)):
            members = by_cluster[bounds[cluster] : bounds[cluster + 1]]
            picked[cluster] = self._take(members, self._open(own[cluster]), centres[cluster])
        for cluster in np.flatnonzero(picked < 0).tolist():
            everywhere = self._open(own[cluster])
            picked[cluster] = self._take(np.flatnonzero(everywhere), everywhere, centres[cluster])
        for cluster in np.flatnonzero(picked < 0).tolist():
            left = np.flatnonzero(~self.chosen & (self.groups == own[cluster]))
            picked[cluster] = self._take(left, ~self.chosen, centres[cluster])
            self.repeated += 1
        return picked

    def _open(self, group: int) -> NDArray[np.bool_]:
        """[n] whether each may be chosen for a group."""
        free: NDArray[np.bool_] = ~self.chosen & ~self.blocked & (self.groups == group)
        if self.apart is None or not free.any():
            return free
        used = np.where(self.apart < 0, 0, self._used[self.apart])
        return np.asarray(free & (used == used[free].min()))

    def _take(self, members: NDArray[np.int64], open_: NDArray[np.bool_], centre: NDArray[np.float32]) -> int:
        """The nearest of some samples that may be taken; -1 where none may."""
        members = members[open_[members]]
        if not len(members):
            return -1
        away = np.linalg.norm(self.components[members].astype(np.float64) - centre, axis=1)
        place = int(members[away.argmin()])
        self.chosen[place] = True
        self.blocked[self._tree.query_ball_point(self.components[place], self.bound)] = True
        if self._copies is not None:
            self.blocked[self._copies[self._codes[place]]] = True
        if self.apart is not None and self.apart[place] >= 0:
            self._used[self.apart[place]] += 1
        return place


def _tree(components: NDArray[np.float32]) -> "KDTree":
    from scipy.spatial import KDTree

    return KDTree(components.astype(np.float64))


def _ranked(
    components: NDArray[np.float32],
    picked: NDArray[np.int64],
    masses: NDArray[np.float64],
    held: NDArray[np.float32],
    groups: NDArray[np.int64],
    apart: NDArray[np.int64] | None,
) -> NDArray[np.int64]:
    """[b] the clusters in the order of the list."""
    order = covering_order(components[picked], masses, held, ORDERED)
    order = interleaved(groups[picked], order)
    if apart is not None:  # the first of each value before the second of any
        order = order[np.argsort(_occurrences(apart[picked[order]]), kind="stable")]
    return order


def _occurrences(values: NDArray[np.int64]) -> Sequence[int]:
    """[n] how many equal values stand before each; of -1, which is unlike any other, none."""
    seen: dict[int, int] = {}
    found = []
    for value in values.tolist():
        found.append(seen.get(value, 0) if value >= 0 else 0)
        seen[value] = seen.get(value, 0) + 1
    return found
