"""How much of the class a single column gives away."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.differences import Values

FOLDS = 5
FITTED = 10_000
"""Rows that are looked at at most."""
BINS = 64
"""Values of a column that a tree tells apart at most: quantiles, or categories."""
DEPTH = 3
MOST_CLASSES = 32
LEAST_OF_A_CLASS = 10
PERMUTATIONS = 499
LEVEL = 0.05
HALF_OF_THE_WAY = 0.5
"""From chance to 1."""
TINY = float(np.finfo(np.float64).tiny)
EPSILON = 1e-12
"""A gain that is no more than rounding."""
AT_A_TIME = 1 << 18
"""Numbers that trees which are grown side by side hold."""


@dataclass(frozen=True)
class Shortcut:
    """A column that gives the class away.

    Attributes:
        column: its name.
        balanced_accuracy: in [0, 1], of a tree that sees nothing else, on samples that it was not fitted on.
        chance: 1 / the number of classes.
        p: that permuted labels are told as well, corrected for all columns.
        told: [n] the share of the weight that a sample's own class has among those that the tree puts with it, fitted
            on all; NaN where the column has no value.
        right: [n] whether that class is the heaviest there.
    """

    column: str
    balanced_accuracy: float
    chance: float
    p: float
    told: NDArray[np.float64]
    right: NDArray[np.bool_]


def describes(values: Values, labels: NDArray[np.int64]) -> bool:
    """Whether a column says what the class is by definition, as its name, its number or a group of classes does.

    That is: all samples of a class have the same value; or, for categories that two samples have on average, all of a
    category have the same class.

    Args:
        labels: [n] classes; -1 where there is none.
    """
    known = np.isfinite(values.numbers) & (labels >= 0)
    if not known.any():
        return False
    numbers, classes = values.numbers[known], labels[known]
    if (numbers == numbers[0]).all() or (classes == classes[0]).all():
        return False
    distinct, codes = np.unique(numbers, return_inverse=True)
    pairs = len(np.unique(codes * (int(classes.max()) + 1) + classes))
    of_categories = values.categories is not None and 2 * len(distinct) <= len(numbers)
    return pairs == len(np.unique(classes)) or (of_categories and pairs == len(distinct))


def shortcuts(columns: dict[str, Values], labels: NDArray[np.int64], seed: int = 0) -> list[Shortcut]:
    """The columns that alone tell the class more than half of the way from chance to certainty.

    A tree (Quinlan, "Induction of decision trees", Mach. Learn. 1, 1986: information gain; classes of equal weight) of
    depth 3, or as deep as it takes for a leaf a class, is fitted on one number, cut at 63 quantiles; a category is a
    leaf of its own. Its balanced accuracy is that of 5 folds. Where it exceeds the bound, so often as is needed for
    all columns to be corrected for (Bonferroni), and at least 499 times, the labels are permuted (Ojala and Garriga,
    JMLR 11, 2010).

    Args:
        columns: name -> [n] values.
        labels: [n] classes; -1 where there is none. Those of fewer than 10 samples do not count.
        seed: of rows, folds and permutations.

    Returns:
        The strongest first, equal ones by name; none where there are fewer than 2 classes, or more than 32.
    """
    found = []
    for name, values in columns.items():
        each = _shortcut(name, values, labels, len(columns), np.random.default_rng(seed))
        if each is not None:
            found.append(each)
    return sorted(found, key=lambda each: (-each.balanced_accuracy, each.column))


def _shortcut(
    name: str, values: Values, labels: NDArray[np.int64], tried: int, generator: np.random.Generator
) -> Shortcut | None:
    known = np.flatnonzero(np.isfinite(values.numbers) & (labels >= 0))
    sizes = np.bincount(labels[known])
    known = known[sizes[labels[known]] >= LEAST_OF_A_CLASS]
    if not len(known):
        return None
    bins_of_all, ordered = _binned(values, known)
    classes_of_all = np.unique(labels[known], return_inverse=True)[1]
    classes, bins = int(classes_of_all.max()) + 1, int(bins_of_all.max()) + 1
    if not 2 <= classes <= MOST_CLASSES or not 2 <= bins <= BINS:
        return None
    taken = np.sort(generator.permutation(len(known))[:FITTED])
    sample, truth = bins_of_all[taken], classes_of_all[taken]
    folds = generator.permutation(len(taken)) % FOLDS
    trees = _Trees(sample, folds, bins, classes, ordered)
    accuracy = float(trees.balanced_accuracies(truth[None])[0])
    chance = 1 / classes
    if accuracy <= chance + HALF_OF_THE_WAY * (1 - chance):
        return None
    # As many as let the smallest p be half of the level, after it is multiplied by the columns.
    permutations = max(PERMUTATIONS, int(np.ceil(2 * tried / LEVEL)) - 1)
    batch = max(1, AT_A_TIME // max(FOLDS * bins * classes, len(taken)))
    as_good, done = 0, 0
    while done < permutations:
        count = min(batch, permutations - done)
        permuted = generator.permuted(np.broadcast_to(truth, (count, len(truth))), axis=1)
        as_good += int((trees.balanced_accuracies(permuted) >= accuracy).sum())
        done += count
    p = min(1.0, (as_good + 1) / (permutations + 1) * tried)
    if p >= LEVEL:
        return None
    weights = trees.of_all(truth)[bins_of_all]
    told, right = np.full(len(labels), np.nan), np.zeros(len(labels), np.bool_)
    told[known] = weights[np.arange(len(known)), classes_of_all]
    right[known] = weights.argmax(axis=1) == classes_of_all
    return Shortcut(name, accuracy, chance, p, told, right)


def _binned(values: Values, known: NDArray[np.int64]) -> tuple[NDArray[np.int64], bool]:
    # [n] the bin of each known value, and whether the bins have an order
    numbers = values.numbers[known]
    distinct, places = np.unique(numbers, return_inverse=True)
    if values.categories is not None or len(distinct) <= BINS:
        return places, values.categories is None
    edges = np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS))
    return np.unique(np.searchsorted(edges, numbers, side="left"), return_inverse=True)[1], True


@dataclass(frozen=True)
class _Trees:
    """Trees on one column of m rows that are grown side by side, for several labellings of these."""

    sample: NDArray[np.int64]
    folds: NDArray[np.int64]
    bins: int
    classes: int
    ordered: bool

    def balanced_accuracies(self, labellings: NDArray[np.int64]) -> NDArray[np.float64]:
        """[B] of [B, m] classes, out of fold."""
        held_out = self._counted(labellings)
        weight = np.bincount(labellings[0], minlength=self.classes)
        fitted = (held_out.sum(axis=1, keepdims=True) - held_out) / weight
        predicted = self._grown(fitted.reshape(-1, self.bins, self.classes)).argmax(axis=2)
        right = np.take_along_axis(held_out, predicted.reshape(*held_out.shape[:3], 1), 3)[..., 0]
        # Each sample that is right counts by how few of its class there are.
        shares = right / weight[predicted.reshape(right.shape)]
        return np.asarray(shares.sum(axis=(1, 2)) / self.classes)

    def of_all(self, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """[bins, K] the share of each class in the leaf of each bin, fitted on all rows."""
        counted = self._counted(labels[None]).sum(axis=1) / np.bincount(labels, minlength=self.classes)
        leaves = self._grown(counted)[0]
        return np.asarray(leaves / np.maximum(leaves.sum(axis=1, keepdims=True), TINY))

    def _counted(self, labellings: NDArray[np.int64]) -> NDArray[np.float64]:
        # [B, folds, bins, K] rows of each
        cells = self.folds * self.bins + self.sample
        shape = (len(labellings), FOLDS, self.bins, self.classes)
        keys = (np.arange(len(labellings))[:, None] * FOLDS * self.bins + cells) * self.classes + labellings
        return np.bincount(keys.ravel(), minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)

    def _grown(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        # [T, bins, K] weights -> the same of the leaf that each bin is in
        if not self.ordered:
            return weights
        trees, bins, _ = weights.shape
        sums = np.concatenate([np.zeros((trees, 1, self.classes)), np.cumsum(weights, axis=1)], axis=1)
        starts = np.zeros((trees, bins), np.int64)
        ends = np.full((trees, bins), bins)
        cuts = np.arange(1, bins + 1)
        for _ in range(max(DEPTH, int(np.ceil(np.log2(self.classes))))):
            before = np.take_along_axis(sums, starts[..., None], 1)
            after = np.take_along_axis(sums, ends[..., None], 1)
            left, right = sums[:, 1:] - before, after - sums[:, 1:]
            gain = _purity(left) + _purity(right) - _purity(after - before)
            gain[cuts >= ends] = -np.inf
            _cut(gain, starts, ends)
        leaves: NDArray[np.float64] = np.take_along_axis(sums, ends[..., None], 1)
        return np.asarray(leaves - np.take_along_axis(sums, starts[..., None], 1))


def _purity(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    # The weight times the entropy, negative: what a split raises. Gini impurity would not care where to cut many pure
    # classes in two, and so reach few of them.
    total = weights.sum(axis=-1)
    logarithms = np.log(np.maximum(weights, TINY))
    by_class: NDArray[np.float64] = np.einsum("...k,...k->...", weights, logarithms)
    return np.asarray(by_class - total * np.log(np.maximum(total, TINY)))


def _cut(gain: NDArray[np.float64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
    # Each node, a run of bins with one start, is cut behind the bin of its greatest gain.
    trees, bins = gain.shape
    flat, own = gain.ravel(), (np.arange(trees)[:, None] * bins + starts).ravel()
    heads = np.flatnonzero(own == np.arange(trees * bins))
    greatest = np.maximum.reduceat(flat, heads)
    node = np.repeat(np.arange(len(heads)), np.diff(np.append(heads, trees * bins)))
    # Of equal gains the first: later ones are written over by earlier ones.
    best = np.flatnonzero((flat == greatest[node]) & (flat > EPSILON))[::-1]
    cuts = np.full(len(heads), -1)
    cuts[node[best]] = best % bins
    cut = cuts[node].reshape(trees, bins)
    divided, behind = cut >= 0, np.arange(bins) > cut
    starts[divided & behind] = cut[divided & behind] + 1
    ends[divided & ~behind] = cut[divided & ~behind] + 1
