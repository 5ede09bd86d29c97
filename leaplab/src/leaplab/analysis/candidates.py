"""What a slice may be: categories, ranges, pairs of these, and k-means clusters; `leaplab.analysis.balls` has more.

Half of the samples, the *discovery* half, says how good a candidate is, by its z: see `leaplab.analysis.excess`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.clustering import assigned, centres
from leaplab.analysis.differences import Values
from leaplab.analysis.excess import NONE, z_of
from leaplab.analysis.rules import Condition, range_of_bins

FIXED_BINS = 8
"""Quantile bins of a number of which every range is a candidate, by itself and in pairs."""
FINE_BINS = 64
"""Quantile bins of a number on which the best range of a candidate is looked for."""
CLUSTERINGS = (8, 24, 64, 160)
FITTED = 10_000
"""Samples that clusters are fitted on at most."""
PAIRED = 96
"""Best conditions that are paired with all others."""
BLOCK = 256


@dataclass(frozen=True)
class Rule:
    """One condition, or one cluster."""

    condition: Condition | None
    clustering: int = -1
    cluster: int = -1


class Singles:
    """Candidates of one condition or one cluster.

    Args:
        columns: name -> [n] values.
        looked_at: [p] rows of the samples that are looked at.
        half: [p] which of them are of the discovery half.
        least: members that a candidate needs in each half.
        largest: share of the samples that it may have.
    """

    def __init__(
        self,
        columns: Mapping[str, Values],
        looked_at: NDArray[np.int64],
        half: NDArray[np.bool_],
        least: int,
        largest: float,
    ) -> None:
        self.rules: list[Rule] = []
        self._columns, self.looked_at, self._half = columns, looked_at, half
        self._least, self._most = least, largest * len(looked_at)
        self._assigned: list[NDArray[np.int32]] = []
        self._inside: list[NDArray[np.bool_]] = []
        # Of equal candidates the first one is told: names before numbers.
        by_name = sorted(columns.items(), key=lambda item: not _is_named(item[1]))
        for name, values in by_name:
            for condition in _conditions(name, values.of(looked_at)):
                inside = condition.covers({name: values.of(looked_at)})
                self._add(Rule(condition), inside)

    def add_clusters(
        self, components: NDArray[np.float32], rows: NDArray[np.int64], count: int, generator: np.random.Generator
    ) -> None:
        """Clusters of the samples that have a vector, in several sizes, among `count` samples in all."""
        chosen = np.flatnonzero(np.isin(rows, self.looked_at))
        fitted = components[chosen[generator.permutation(len(chosen))[:FITTED]]]
        for clusters in CLUSTERINGS:
            if clusters * self._least * 2 > len(chosen):
                break
            numbers = np.full(count, -1, np.int32)
            numbers[rows] = assigned(centres(fitted, clusters, starts=1), components)
            self._assigned.append(numbers)
            here = numbers[self.looked_at]
            for cluster in range(clusters):
                self._add(Rule(None, len(self._assigned) - 1, cluster), here == cluster)

    def _add(self, rule: Rule, inside: NDArray[np.bool_]) -> None:
        in_half = int((inside & self._half).sum())
        in_other = int(inside.sum()) - in_half
        if min(in_half, in_other) >= self._least and int(inside.sum()) <= self._most:
            self.rules.append(rule)
            self._inside.append(inside)

    @property
    def is_rule(self) -> NDArray[np.bool_]:
        """Which are conditions; the others are clusters."""
        return np.array([rule.condition is not None for rule in self.rules], bool)

    def inside(self, single: int) -> NDArray[np.bool_]:
        """[p] its members among those looked at."""
        return self._inside[single]

    def covers(self, single: int) -> NDArray[np.bool_]:
        """[n] its members among all samples."""
        rule = self.rules[single]
        if rule.condition is not None:
            return rule.condition.covers(self._columns)
        return np.asarray(self._assigned[rule.clustering] == rule.cluster)

    @cached_property
    def blocks(self) -> list[NDArray[np.bool_]]:
        """[<= 256, p / 2] their members in the discovery half, block by block."""
        of_half = [inside[self._half] for inside in self._inside]
        return [np.array(of_half[at : at + BLOCK]) for at in range(0, len(of_half), BLOCK)]

    @cached_property
    def _counts(self) -> NDArray[np.float64]:
        return np.array([int((inside & self._half).sum()) for inside in self._inside], np.float64)

    def z(self, spread: NDArray[np.float64]) -> NDArray[np.float64]:
        """The z of each."""
        weights = spread.astype(np.float32)
        sums = [block.astype(np.float32) @ weights for block in self.blocks]
        return z_of(np.concatenate(sums).astype(np.float64), self._counts, spread) if sums else np.zeros(0)


class Ranges:
    """The best range of each number, among all samples or among those that meet another condition.

    Args:
        columns, looked_at, half, least, largest: see `Singles`.
    """

    def __init__(
        self,
        columns: Mapping[str, Values],
        looked_at: NDArray[np.int64],
        half: NDArray[np.bool_],
        least: int,
        largest: float,
    ) -> None:
        self._half, self._least, self._most = half, least, largest * len(looked_at)
        self._edges: dict[str, NDArray[np.float64]] = {}
        self._places: dict[str, NDArray[np.int16]] = {}
        for name, values in columns.items():
            numbers = values.numbers[looked_at]
            edges = _edges(numbers, FINE_BINS) if values.categories is None else np.zeros(0)
            if len(edges) > 2:
                places = np.clip(np.searchsorted(edges, numbers, "right") - 1, 0, len(edges) - 2)
                self._edges[name] = edges
                self._places[name] = np.where(np.isfinite(numbers), places, -1).astype(np.int16)

    def best_of_all(self, spread: NDArray[np.float64]) -> "tuple[Condition, NDArray[np.bool_], float] | None":
        """The best range of any number: the condition, [p] its members, and its z."""
        found = [self.best(name, spread) for name in self._edges]
        known = [each for each in found if each is not None]
        return max(known, key=lambda each: each[2], default=None)

    def best(
        self, column: str, spread: NDArray[np.float64], within: NDArray[np.bool_] | None = None
    ) -> "tuple[Condition, NDArray[np.bool_], float] | None":
        """The range of a number with the highest z, of samples within [p] others.

        Returns:
            The condition, [p] its members, and its z; None where no range has enough members.
        """
        if column not in self._edges:
            return None
        edges, places = self._edges[column], self._places[column]
        count = len(edges) - 1
        known = places >= 0 if within is None else (places >= 0) & within
        chosen = known & self._half
        of_half = known[self._half]
        sums = np.bincount(places[chosen], spread[of_half], count)
        sizes = np.bincount(places[chosen], minlength=count)
        others = np.bincount(places[known & ~self._half], minlength=count)
        cumulated = [np.concatenate([[0], np.cumsum(each)]) for each in (sums, sizes, others)]
        firsts, lasts = np.triu_indices(count)
        total, size, other = (each[lasts + 1] - each[firsts] for each in cumulated)
        z = z_of(total, size.astype(np.float64), spread)
        z[(np.minimum(size, other) < self._least) | (size + other > self._most)] = NONE
        # All values of a number that many samples lack are no range of it.
        z[(firsts == 0) & (lasts == count - 1)] = NONE
        best = int(z.argmax())
        if z[best] == NONE:
            return None
        first, last = int(firsts[best]), int(lasts[best])
        inside = known & (places >= first) & (places <= last)
        return range_of_bins(column, edges, first, last), inside, float(z[best])


class Pairs:
    """Two conditions of different columns together."""

    def __init__(self, singles: Singles, half: NDArray[np.bool_], least: int) -> None:
        self._singles, self._half, self._least = singles, half, least
        names = [rule.condition.column if rule.condition else "" for rule in singles.rules]
        codes = {name: code for code, name in enumerate(sorted(set(names)))}
        self._columns = np.array([codes[name] if name else -1 for name in names])
        self._counts: dict[int, NDArray[np.float32]] = {}

    def best(self, spread: NDArray[np.float64], z_of_singles: NDArray[np.float64]) -> tuple[int, int, float]:
        """The two, and their z."""
        paired = np.flatnonzero(self._columns >= 0)
        first = paired[np.argsort(-z_of_singles[paired], kind="stable")[:PAIRED]]
        if len(first) < 1 or len(set(self._columns[paired].tolist())) < 2:
            return -1, -1, NONE
        blocks = self._singles.blocks
        rows = np.array([blocks[each // BLOCK][each % BLOCK] for each in first])
        self._count([each for each in first.tolist() if each not in self._counts])
        weighted = rows * spread.astype(np.float32)
        sums = np.concatenate([weighted @ block.T.astype(np.float32) for block in blocks], axis=1)
        counts = np.array([self._counts[each] for each in first.tolist()])
        z = z_of(sums.astype(np.float64), counts, spread)
        z[(counts < self._least) | (self._columns[None] == self._columns[first][:, None])] = NONE
        z[:, self._columns < 0] = NONE
        while True:
            place = int(z.argmax())
            one, other = int(first[place // z.shape[1]]), place % z.shape[1]
            best = float(z.flat[place])
            if best == NONE:
                return -1, -1, NONE
            both = self._singles.inside(one) & self._singles.inside(other)
            if int((both & ~self._half).sum()) >= self._least:
                return one, other, best
            z.flat[place] = NONE

    def _count(self, singles: list[int]) -> None:
        if singles:
            blocks = self._singles.blocks
            rows = np.array([blocks[each // BLOCK][each % BLOCK] for each in singles], np.float32)
            counts = np.concatenate([rows @ block.T.astype(np.float32) for block in blocks], axis=1)
            self._counts.update(zip(singles, counts, strict=True))


def _is_named(values: Values) -> bool:
    return values.categories is not None and not all(text.lstrip("-").isdigit() for text in values.categories)


def _conditions(name: str, values: Values) -> list[Condition]:
    if values.categories is not None:
        codes = np.unique(values.numbers[np.isfinite(values.numbers)]).astype(np.int64)
        return [Condition(name, category=int(code), text=values.categories[code]) for code in codes]
    edges = _edges(values.numbers, FIXED_BINS)
    count = len(edges) - 1
    ranges = [(first, last) for first in range(count) for last in range(first, count)]
    return [range_of_bins(name, edges, first, last) for first, last in ranges if (first, last) != (0, count - 1)]


def _edges(numbers: NDArray[np.float64], bins: int) -> NDArray[np.float64]:
    """Ascending edges between which about as many of the numbers lie; fewer than two where all are equal or absent."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return np.zeros(0)
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1), method="lower"))
