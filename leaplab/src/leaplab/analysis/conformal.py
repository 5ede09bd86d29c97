"""From a ranking of samples to the loss that each is expected to have, an interval for it, and how good both are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order
from leaplab.analysis.novelty import novelty

FOLDS = 5
FEWEST = 20
"""Samples with a known loss, below which nothing is fitted: with 19 an interval of 90 % is their whole range."""
TAIL = 0.05
"""Share of the losses below an interval, and above it."""
SAMPLES_A_BIN, MOST_BINS = 100, 20
"""Of the ranking: inside a bin all samples have one interval, but for the expected value."""
MOST_TOGETHER = 20
"""Samples next to each other in the ranking whose losses are averaged first, so that no single one makes a step."""
DECILES = 10
TOP = 0.1
"""Share of the samples that a person looks at first."""
FARTHEST = 0.99
"""Percentile of the fitted samples' own distances beyond which a sample is unlike them."""


@dataclass(frozen=True)
class Expected:
    """The loss that k samples are expected to have.

    Attributes:
        values: [k] float64, rising with the ranking.
        low: [k] lower end of an interval that holds nine of ten losses; at most the value.
        high: [k] its upper end.
    """

    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def of(self, rows: NDArray[np.int64]) -> "Expected":
        """Those of some samples."""
        return Expected(self.values[rows], self.low[rows], self.high[rows])


@dataclass(frozen=True)
class Skill:
    """How good predictions are on samples whose loss is known and was not used for them.

    Attributes:
        top_tenth_share: of the whole loss, what the first tenth of the samples by prediction holds, in [0, 1].
        top_tenth_best: what the tenth with the greatest losses holds, so the most that is possible.
        spearman: rank correlation of prediction and loss, in [-1, 1]; NaN where either is constant.
        auroc_wrong: the share of pairs of a failed and another sample in which the failed one is predicted to be worse;
            None where it is not known which fail, or all do, or none.
        coverage: share of the losses that lie in their interval, where that is not withheld; NaN where all are.
    """

    top_tenth_share: float
    top_tenth_best: float
    spearman: float
    auroc_wrong: float | None
    coverage: float


@dataclass(frozen=True)
class Decile:
    """A tenth of the samples by prediction.

    Attributes:
        predicted: mean of the predictions.
        real: mean of the losses.
        count: samples.
    """

    predicted: float
    real: float
    count: int


def folds_of(keys: NDArray[np.floating], seed: int = 0) -> NDArray[np.int64]:
    """[n] one of five folds for each row of [n, W] keys, by what the rows hold and not by their order."""
    folds = np.empty(len(keys), np.int64)
    folds[canonical_order(keys)] = np.random.default_rng(seed).permutation(len(keys)) % FOLDS
    return folds


def expected_losses(
    ranking: NDArray[np.floating], loss: NDArray[np.floating], asked: NDArray[np.floating] | None, seed: int = 0
) -> Expected:
    """The loss that a place in a ranking stands for.

    Isotonic regression of the loss on the ranking, centred (Oron and Flournoy, "Centered isotonic regression", Stat.
    Biopharm. Res. 9, 2017): between the middles of its steps it is interpolated, so that it rises with the ranking.
    The interval is that of a split-conformal predictor by groups (Vovk, Gammerman and Shafer, "Algorithmic learning in
    a random world", 2005, 4.5: Mondrian), which are bins of the ranking: its ends are the losses of rank .05 (k + 1)
    and .95 (k + 1) of the k samples of a bin. Where a few great losses make the expected value greater than that, the
    interval ends above it, and begins higher by as many samples.

    Args:
        ranking: [n] finite, the greater the worse, n >= 20; of a sample it must not be made with its loss.
        loss: [n] finite.
        asked: [m] of other samples; None asks for the n themselves, each by the four folds that it is not in.

    Returns:
        For n or m samples.
    """
    rank, losses = np.asarray(ranking, np.float64), np.asarray(loss, np.float64)
    if asked is not None:
        return _expected(rank, losses, np.asarray(asked, np.float64))
    folds = folds_of(np.column_stack([losses, rank]), seed)
    made = Expected(*(np.empty(len(rank)) for _ in range(3)))
    for fold in range(FOLDS):
        held = folds == fold
        part = _expected(rank[~held], losses[~held], rank[held])
        made.values[held], made.low[held], made.high[held] = part.values, part.low, part.high
    return made


def skill(
    ranking: NDArray[np.floating],
    expected: Expected,
    loss: NDArray[np.floating],
    withheld: NDArray[np.bool_],
    failed: NDArray[np.bool_] | None = None,
) -> Skill:
    """How good predictions are.

    Args:
        ranking: [n] the greater the worse; ties count as half.
        expected: of the n samples.
        loss: [n] finite; counted from 0, or from the least one where that is less.
        withheld: [n] whose interval is not told.
        failed: [n] whether the model is wrong; None where that is not known.
    """
    from scipy.stats import rankdata, spearmanr

    above = loss - min(0.0, float(loss.min()))
    count = max(1, round(TOP * len(loss)))
    whole = float(above.sum())
    varied = np.ptp(ranking) > 0 and np.ptp(loss) > 0
    inside = ((loss >= expected.low) & (loss <= expected.high))[~withheld]
    auroc = None
    if failed is not None and 0 < failed.sum() < len(failed):
        ranks, wrong = rankdata(ranking), int(failed.sum())
        auroc = float((ranks[failed].sum() - wrong * (wrong + 1) / 2) / (wrong * (len(failed) - wrong)))
    return Skill(
        float(above[np.lexsort((above, -ranking))[:count]].sum() / whole) if whole > 0 else float("nan"),
        float(np.sort(above)[::-1][:count].sum() / whole) if whole > 0 else float("nan"),
        float(spearmanr(ranking, loss).statistic) if varied else float("nan"),
        auroc,
        float(inside.mean()) if len(inside) else float("nan"),
    )


def deciles(values: NDArray[np.floating], loss: NDArray[np.floating]) -> list[Decile]:
    """Predicted and real loss of each tenth of the samples by prediction, the least first.

    Args:
        values: [n] predictions.
        loss: [n] finite.
    """
    parts = np.array_split(np.lexsort((loss, values)), min(DECILES, len(values)))
    return [Decile(float(values[part].mean()), float(loss[part].mean()), len(part)) for part in parts]


def unlike(
    components: NDArray[np.floating],
    known: NDArray[np.int64],
    more: NDArray[np.int64],
    asked: NDArray[np.int64],
    seed: int = 0,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which samples lie farther from those that were fitted on than nearly all of these lie from each other.

    Farther than the 99th percentile of their own distance to the 10th nearest, see `leaplab.analysis.novelty`.

    Args:
        components: [N, D] finite, of all samples.
        known: [n] rows that were fitted on and are asked for, 20 at least.
        more: rows that were fitted on as well.
        asked: [m] rows, none of them fitted on.

    Returns:
        [n] for the known, each compared with the four folds that it is not in; [m] for those that are asked for.
    """
    others = components[more]
    folds = folds_of(components[known], seed) if components.shape[1] else np.arange(len(known)) % FOLDS
    of_known = np.zeros(len(known), np.bool_)
    for fold in range(FOLDS):
        held = folds == fold
        reference = np.concatenate([components[known[~held]], others])
        of_known[held] = novelty(reference, components[known[held]], seed).percentiles > FARTHEST
    reference = np.concatenate([components[known], others])
    return of_known, novelty(reference, components[asked], seed).percentiles > FARTHEST


def _expected(rank: NDArray[np.float64], loss: NDArray[np.float64], asked: NDArray[np.float64]) -> Expected:
    order = np.lexsort((loss, rank))
    rank, loss = rank[order], loss[order]
    expected = _isotonic(rank, loss)
    values = expected(asked)
    low, high = _interval(rank, loss, expected(rank), asked)
    return Expected(values, np.minimum(low, values), np.maximum(high, values))


def _isotonic(
    rank: NDArray[np.float64], loss: NDArray[np.float64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Of samples in the order of their rank: rank -> expected loss."""
    from sklearn.isotonic import IsotonicRegression

    parts = np.array_split(np.arange(len(rank)), max(1, len(rank) // min(MOST_TOGETHER, max(1, len(rank) // FEWEST))))
    sizes = np.array([len(part) for part in parts], np.float64)
    places = np.array([rank[part].mean() for part in parts])
    means = np.array([loss[part].mean() for part in parts])
    steps = IsotonicRegression().fit(places, means, sample_weight=sizes).predict(places)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(steps) > 0) + 1])
    weights = np.add.reduceat(sizes, starts)
    middles = np.add.reduceat(places * sizes, starts) / weights
    return lambda asked: np.interp(asked, middles, steps[starts])


def _interval(
    rank: NDArray[np.float64], loss: NDArray[np.float64], expected: NDArray[np.float64], asked: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of samples in the order of their rank: the conformal interval of those that are asked for."""
    bins = int(np.clip(len(rank) // SAMPLES_A_BIN, 1, MOST_BINS))
    # A border is a rank, so that equal ranks are in one bin and none is empty.
    borders = rank[[len(rank) * number // bins for number in range(1, bins)]]
    borders = np.unique(borders[borders > rank[0]])
    own, theirs = (np.searchsorted(borders, each, side="right") for each in (rank, asked))
    low, high = np.empty(len(borders) + 1), np.empty(len(borders) + 1)
    for number in range(len(low)):
        losses = np.sort(loss[own == number])
        below, above = _tails(losses, expected[own == number])
        low[number], high[number] = losses[max(below - 1, 0)], losses[len(losses) - max(above, 1)]
    return low[theirs], high[theirs]


def _tails(losses: NDArray[np.float64], expected: NDArray[np.float64]) -> tuple[int, int]:
    """How many losses of a bin are left below an interval and above it, so that what is expected there lies inside."""
    each = int(np.floor(TAIL * (len(losses) + 1)))
    greater, less = int((losses > expected.max()).sum()), int((losses < expected.min()).sum())
    below = min(2 * each - min(each, greater), less)
    return below, min(2 * each - below, greater)
