"""Which samples a model probably does badly on, where no label says it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order, standard_components
from leaplab.analysis.conformal import FOLDS, folds_of
from leaplab.analysis.differences import Values

SUM_OF_PROBABILITIES = 1e-3
"""How far the sum of a row of probabilities may be from 1."""
FITTED = 10_000
"""Rows that one fit takes at most."""
LINEAR_WIDTH, TREE_WIDTH = 256, 16
"""Principal components of the latent vectors that the two regressions see."""
MOST_CATEGORIES = 16
"""Of one column that have a feature each: the most frequent ones."""
PENALTIES = tuple(10.0**power for power in range(7))
TREES, LEAVES, LEARNING_RATE, SMALLEST_LEAF, TREE_PENALTY = 150, 15, 0.05, 20, 1.0


@dataclass(frozen=True)
class Features:
    """What the two regressions see of n samples.

    Attributes:
        linear: [n, P] float64, standardised, absent values at the middle.
        trees: [n, Q] float64, NaN where absent.
        exact: [n, R] float32, what both are made of, by which samples are put in an order that is always the same.
    """

    linear: NDArray[np.float64]
    trees: NDArray[np.float64]
    exact: NDArray[np.float32]


@dataclass(frozen=True)
class Ranking:
    """How bad samples probably are; of its numbers the order counts alone.

    Attributes:
        out_of_fold: [n] of the samples whose loss is known, each by models that were fitted without it.
        asked: [m] of the samples that are asked for.
        with_more: whether the further samples helped, and were fitted on as well.
    """

    out_of_fold: NDArray[np.float64]
    asked: NDArray[np.float64]
    with_more: bool


def are_probabilities(outputs: NDArray[np.floating]) -> bool:
    """Whether no finite row of [n, K] outputs has a negative value, or a sum that differs from 1 by more than .001."""
    finite = outputs[np.isfinite(outputs).all(axis=1)]
    return bool(len(finite)) and bool(
        (finite >= 0).all() and (np.abs(finite.sum(axis=1) - 1) <= SUM_OF_PROBABILITIES).all()
    )


def entropies(outputs: NDArray[np.floating]) -> NDArray[np.float64]:
    """How undecided a classifier is: the entropy of its probabilities, in nats (Shannon 1948).

    Args:
        outputs: [n, K], K >= 2: probabilities, where no row of finite values has a negative one or a sum that differs
            from 1 by more than .001; else logits, of which the softmax is taken.

    Returns:
        [n] in [0, log K]; NaN where a row is not finite.
    """
    values = np.asarray(outputs, np.float64)
    finite = np.isfinite(values).all(axis=1)
    known = values[finite]
    if not are_probabilities(known):
        known = np.exp(known - known.max(axis=1, keepdims=True))
        known /= known.sum(axis=1, keepdims=True)
    found = np.full(len(values), np.nan)
    found[finite] = -(known * np.log(np.where(known > 0, known, 1))).sum(axis=1)
    return found


def features(vectors: NDArray[np.floating] | None, columns: Mapping[str, Values], known: NDArray[np.int64]) -> Features:
    """What is known of samples without their labels, as two regressions take it.

    The linear one sees 256 principal components of the standardised vectors, the trees 16; both see the columns, a
    category of a column as 0 or 1.

    Args:
        vectors: [n, W] finite; None where there are none.
        columns: name -> [n] values.
        known: rows whose loss is known: by these columns are standardised, and categories are chosen.
    """
    numbers, dummies = [], []
    for _, values in sorted(columns.items()):
        if values.categories is None:
            numbers.append(np.where(np.isfinite(values.numbers), values.numbers, np.nan))
            continue
        codes = np.where(np.isfinite(values.numbers), values.numbers, -1).astype(np.int64)
        counts = np.bincount(codes[known] + 1, minlength=len(values.categories) + 1)[1:]
        chosen = np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]
        dummies += [(codes == code).astype(np.float64) for code in chosen if 0 < counts[code] < len(known)]
    count = len(vectors) if vectors is not None else len(next(iter(columns.values())).numbers)
    empty = np.zeros((count, 0))
    plain, one_hot = (np.column_stack(each) if each else empty for each in (numbers, dummies))
    wide = empty if vectors is None else standard_components(vectors, LINEAR_WIDTH).astype(np.float64)
    narrow = wide[:, :TREE_WIDTH]
    # What is unlike all known samples must not be extrapolated to.
    wide = np.clip(wide, wide[known].min(axis=0, initial=np.inf), wide[known].max(axis=0, initial=-np.inf))
    linear = np.concatenate([wide, _standardised(plain, known), _standardised(one_hot, known)], axis=1)
    exact = [plain, one_hot, empty if vectors is None else vectors]
    trees = np.concatenate([narrow, plain, one_hot], axis=1)
    return Features(linear, trees, np.concatenate(exact, axis=1, dtype=np.float32))


def regression_ranking(
    given: Features,
    loss: NDArray[np.floating],
    known: NDArray[np.int64],
    asked: NDArray[np.int64],
    more: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Ranking:
    """Rank samples by two regressions of the loss, which are averaged.

    Ridge regression (Hoerl and Kennard 1970; its penalty by leaving one out) and gradient-boosted trees on histograms
    (Friedman 2001, Ke et al. 2017) predict the rank of the loss, so that a few great losses do not decide all. A fit
    takes 10,000 rows at most, the known ones first. Where further samples, such as those of training, raise the rank
    correlation out of five folds, they are fitted on as well.

    Args:
        given: of all N samples; one feature at least.
        loss: [N] finite where a sample is in `known` or `more`.
        known: [n] rows of samples that the model has not learned, 20 at least.
        asked: [m] rows, none of them known.
        more: rows of further samples with a loss.
        seed: of the folds and of the rows that are fitted on.

    Returns:
        The same for the same samples in any order, but for those that are equal in everything.
    """
    from scipy.stats import spearmanr

    keys = np.column_stack([loss, given.exact]).astype(np.float32)
    places = np.empty(len(keys), np.int64)
    places[canonical_order(keys)] = np.arange(len(keys))
    known_first, folds = known[np.argsort(places[known])], folds_of(keys[known], seed)
    further = np.zeros(0, np.int64) if more is None else more[np.argsort(places[more])]
    tried = []
    for added in [further[:0], further] if len(further) and len(known) < FITTED else [further[:0]]:
        found = np.zeros(len(known))
        for fold in range(FOLDS):
            held = np.isin(known_first, known[folds == fold])
            found[folds == fold] = _fitted(given, loss, known_first[~held], added, known[folds == fold], seed)
        agreement = spearmanr(found, loss[known]).statistic if np.ptp(found) > 0 else 0.0
        tried.append((float(agreement), found, added))
    _, found, added = max(tried, key=lambda each: each[0])
    answer = _fitted(given, loss, known_first, added, asked, seed) if len(asked) else np.zeros(0)
    return Ranking(found, answer, len(added) > 0)


def _fitted(
    given: Features,
    loss: NDArray[np.floating],
    known: NDArray[np.int64],
    more: NDArray[np.int64],
    asked: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float64]:
    """Of the rows that are asked for, by regressions on the known ones, and on others where there is room for them."""
    from scipy.stats import rankdata
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import RidgeCV
    from threadpoolctl import threadpool_limits

    rows = _drawn(known, FITTED, seed)
    rows = np.concatenate([rows, _drawn(more, FITTED - len(rows), seed)])
    target = rankdata(loss[rows]) / len(rows)
    ridge = RidgeCV(PENALTIES)
    trees = HistGradientBoostingRegressor(
        max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=LEARNING_RATE, min_samples_leaf=SMALLEST_LEAF,
        l2_regularization=TREE_PENALTY, early_stopping=False, random_state=seed,
    )  # fmt: skip
    # A tree of so few rows takes less time than its threads take to meet.
    with threadpool_limits(1):
        by_ridge = ridge.fit(given.linear[rows], target).predict(given.linear[asked])
        by_trees = trees.fit(given.trees[rows], target).predict(given.trees[asked])
    return np.asarray((by_ridge + by_trees) / 2, np.float64)


def _drawn(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]


def _standardised(values: NDArray[np.float64], known: NDArray[np.int64]) -> NDArray[np.float64]:
    """Each column by its mean and spread among the known rows, and within their range; 0 where absent."""
    made = np.zeros_like(values)
    for number, column in enumerate(values.T):
        part = column[known]
        part = part[np.isfinite(part)]
        if len(part) and part.std() > 0:
            within = np.clip(column, part.min(), part.max())
            made[:, number] = np.nan_to_num((within - part.mean()) / part.std())
    return made
