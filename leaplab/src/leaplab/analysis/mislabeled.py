"""How much each label is contradicted by what a latent space holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import CONSTANT, canonical_order

FOLDS = 5
SMALLEST_CLASS = 5
"""Samples of a class that is ranked at least: one a fold."""
MOST_CLASSES = 1000
FITTED = 10_000
"""Rows that one fit takes at most."""
REGULARISATION = 0.01
TOL = 1e-3
SUSPICIOUS = 0.1
"""Share of the samples that the second fit leaves out."""
PSEUDO_COUNTS = 20
TEMPER = 0.25
"""Exponent of the counted noise: classes that are merely alike look like noise to it, so that 1 is too much."""
LEAST_PROBABILITY = 1e-12
SCORED = 8192
"""Rows that are scored at a time."""


@dataclass(frozen=True)
class LabelScores:
    """How much n labels are contradicted.

    Attributes:
        scores: [n] log-odds of the likeliest other class against the label; above 0 the other one is likelier.
        likely: [n] int64, the likeliest other class.
        balanced_accuracy: in [0, 1], mean over the classes of the share of their samples that a classifier, which was
            fitted without them, gives the class that their label says.
    """

    scores: NDArray[np.float64]
    likely: NDArray[np.int64]
    balanced_accuracy: float


def label_scores(vectors: NDArray[np.floating], labels: NDArray[np.integer], seed: int = 0) -> LabelScores:
    """Rank labels by how much a classifier that was fitted without them disagrees.

    Logistic regression on the standardised vectors gives each sample probabilities out of fold, twice: the second time
    fitted without the most suspicious tenth. With P_k the probability of class k and T(y | k) that of the label y where
    k is true, the score of a sample is log max_{k != y} P_k T(y | k) - log P_y T(y | y). T is counted on samples that
    are surer than the median of their predicted class (Northcutt et al., "Confident learning", JAIR 70, 2021), with 20
    pseudo-counts towards symmetric noise, and tempered: the fourth root of each entry is taken.

    Args:
        vectors: [n, W] finite.
        labels: [n] classes, of 5 samples at least each; two classes at least.
        seed: of the folds.

    Returns:
        The same for the same samples in any order, but for those that are equal in vector and label.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    order = canonical_order(np.column_stack([vectors, codes]).astype(np.float32))
    inputs, codes = _standardised(np.asarray(vectors)[order]), codes[order]
    ranks = _ranks_within(codes, np.random.default_rng(seed).permutation(len(codes)))
    folds = ranks % FOLDS
    # By the rank's share of its class, so that a part of the rows holds all classes, each as often as all rows do.
    shares = ranks / np.bincount(codes)[codes]
    everything = np.ones(len(codes), np.bool_)
    first, _ = _scored(_probabilities(inputs, codes, folds, shares, everything), codes)
    trusted = _without_suspicious(first, codes)
    probabilities = _probabilities(inputs, codes, folds, shares, trusted)
    scores, likely = _scored(probabilities, codes)
    right = np.bincount(codes, weights=probabilities.argmax(axis=1) == codes) / np.bincount(codes)
    back = np.argsort(order)
    return LabelScores(scores[back], classes[likely].astype(np.int64)[back], float(right.mean()))


def neighbours_majority(
    neighbours: NDArray[np.int64], labels: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """[m] the class that more than half of a sample's labelled neighbours bear, -1 where none does.

    Args:
        neighbours: [n, k] each sample's nearest others.
        labels: [n] classes; -1 where there is none.
        rows: [m] of the samples that are asked for.
    """
    around = np.sort(labels[neighbours[rows]], axis=1)
    count = around.shape[1]
    if not count:
        return np.full(len(rows), -1, np.int64)
    labelled = (around >= 0).sum(axis=1)
    # What fills more than half of a sorted list stands in its middle.
    middle = np.minimum(count - labelled + labelled // 2, count - 1)
    candidate = np.take_along_axis(around, middle[:, None], 1)
    carried = (around == candidate).sum(axis=1)
    return np.where(carried * 2 > labelled, candidate[:, 0], -1)


def _standardised(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    means, spread = vectors.mean(axis=0, dtype=np.float64), vectors.std(axis=0, dtype=np.float64)
    kept = spread > CONSTANT * max(spread.max(initial=0), np.finfo(np.float64).tiny)
    return np.asarray((vectors[:, kept] - means[kept]) / spread[kept], np.float32)


def _ranks_within(codes: NDArray[np.integer], keys: NDArray[np.number]) -> NDArray[np.int64]:
    # [n] each row's place among those of its class, by key
    order = np.lexsort((keys, codes))
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes))[:-1]])
    ranks = np.empty(len(codes), np.int64)
    ranks[order] = np.arange(len(codes)) - starts[codes[order]]
    return ranks


def _without_suspicious(scores: NDArray[np.float64], codes: NDArray[np.integer]) -> NDArray[np.bool_]:
    count = int(SUSPICIOUS * len(scores))
    suspicious = np.zeros(len(scores), np.bool_)
    suspicious[np.argsort(-scores, kind="stable")[:count]] = True
    # A class keeps half of its samples, or a small one would be lost whole.
    kept = _ranks_within(codes, scores) < (np.bincount(codes)[codes] + 1) // 2
    return np.asarray(kept | ~suspicious)


def _probabilities(
    inputs: NDArray[np.float32],
    codes: NDArray[np.integer],
    folds: NDArray[np.int64],
    shares: NDArray[np.float64],
    trusted: NDArray[np.bool_],
) -> NDArray[np.float32]:
    # [n, K] of each sample, by a classifier of the other folds
    from sklearn.linear_model import LogisticRegression

    probabilities = np.zeros((len(codes), int(codes.max()) + 1), np.float32)
    for fold in range(FOLDS):
        fitted = np.flatnonzero((folds != fold) & trusted)
        fitted = np.sort(fitted[np.argsort(shares[fitted], kind="stable")[:FITTED]])
        asked = np.flatnonzero(folds == fold)
        model = LogisticRegression(C=REGULARISATION, max_iter=1000, tol=TOL)
        model.fit(inputs[fitted].astype(np.float64), codes[fitted])
        for rows in np.array_split(asked, len(asked) // SCORED + 1):
            probabilities[np.ix_(rows, model.classes_)] = model.predict_proba(inputs[rows].astype(np.float64))
    return probabilities


def _scored(
    probabilities: NDArray[np.float32], codes: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    given_by_true = TEMPER * np.log(_noise(probabilities, codes))
    scores, likely = np.zeros(len(codes)), np.zeros(len(codes), np.int64)
    for rows in np.array_split(np.arange(len(codes)), len(codes) // SCORED + 1):
        each = np.arange(len(rows))
        odds = np.log(np.maximum(probabilities[rows].astype(np.float64), LEAST_PROBABILITY))
        odds += given_by_true[:, codes[rows]].T
        own = odds[each, codes[rows]].copy()
        odds[each, codes[rows]] = -np.inf
        likely[rows] = odds.argmax(axis=1)
        scores[rows] = odds[each, likely[rows]] - own
    return scores, likely


def _noise(probabilities: NDArray[np.float32], codes: NDArray[np.integer]) -> NDArray[np.float64]:
    # [K, K] the probability of each label where a class is true
    predicted, surety = probabilities.argmax(axis=1), probabilities.max(axis=1)
    classes = probabilities.shape[1]
    order = np.lexsort((surety, predicted))
    counts = np.bincount(predicted, minlength=classes)
    occurring = counts > 0
    middles = (np.cumsum(counts) - counts + counts // 2)[occurring]
    medians = np.zeros(classes, np.float32)
    medians[occurring] = surety[order][middles]
    sure = surety >= medians[predicted]
    pairs = predicted[sure] * classes + codes[sure]
    counted = np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.float64)
    # Half a sample keeps the logarithm finite where all labels are as predicted.
    wrong = (counted.sum() - np.trace(counted) + 0.5) / (counted.sum() + 1)
    symmetric = np.full((classes, classes), wrong / (classes - 1))
    np.fill_diagonal(symmetric, 1 - wrong)
    counted += PSEUDO_COUNTS * symmetric
    return np.asarray(counted / counted.sum(axis=1, keepdims=True))
