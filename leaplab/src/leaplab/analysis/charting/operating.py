"""What claims of at least some confidence come to: every threshold at once, ROC and precision-recall, their areas."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Outcome
from leaplab.analysis.charting.proportions import LEVEL

PLACES = 200
"""Of a curve that is drawn, at most."""
Places = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Of a curve: x, y and threshold."""


@dataclass(frozen=True)
class Claims:
    """Claims of a label, or of all, the surest first.

    Attributes:
        score: [k] descending, finite.
        right: [k] whether each is one of the positives.
        cluster: [k] what they belong to, from 0 on: claims of one sample are not independent.
        missed: [m] the clusters of the positives that nothing claims at any confidence.
        has_negatives: whether what is not right was there to be left alone: every label of a sample, but no objects.
    """

    score: NDArray[np.float64]
    right: NDArray[np.bool_]
    cluster: NDArray[np.integer]
    missed: NDArray[np.integer]
    has_negatives: bool

    @property
    def positives(self) -> int:
        """How many there are to be found."""
        return int(np.count_nonzero(self.right)) + len(self.missed)


@dataclass(frozen=True)
class Sweep:
    """The counts at each of the t distinct scores, the highest first.

    Attributes:
        threshold: [t] descending; a claim counts from its own score on.
        true, false: [t] claims that count and are right, or wrong.
        positives: to be found.
        negatives: to be left alone; None where they cannot be counted.
    """

    threshold: NDArray[np.float64]
    true: NDArray[np.int64]
    false: NDArray[np.int64]
    positives: int
    negatives: int | None

    @property
    def recall(self) -> NDArray[np.float64]:
        """[t] NaN where there is nothing to be found."""
        return _ratio(self.true, np.full(len(self.true), self.positives))

    @property
    def precision(self) -> NDArray[np.float64]:
        """[t] in (0, 1]."""
        return _ratio(self.true, self.true + self.false)

    def outcome(self, name: str, threshold: float) -> Outcome:
        """What the claims of at least a confidence come to."""
        place = int(np.searchsorted(-self.threshold, -threshold, side="right")) - 1
        true, false = (int(self.true[place]), int(self.false[place])) if place >= 0 else (0, 0)
        negatives = None if self.negatives is None else self.negatives - false
        return outcome_of(name, threshold, true, false, self.positives - true, negatives)

    @cached_property
    def best_threshold(self) -> float | None:
        """The one of the highest F1, of equal ones the highest; None where nothing can be found."""
        if not self.positives or not len(self.threshold):
            return None
        # F1 falls wherever nothing more is found.
        gains = np.flatnonzero(np.diff(self.true, prepend=0))
        if not len(gains):
            return float(self.threshold[0])
        true = self.true[gains]
        return float(self.threshold[gains][np.argmax(2 * true / (true + self.false[gains] + self.positives))])

    @cached_property
    def roc(self) -> Places:
        """False positive rate and true positive rate, from no claim at all to all of them."""
        above = np.nextafter(self.threshold[:1], np.inf)
        false = np.concatenate([[0], self.false]) / max(self.negatives or 0, 1)
        true = np.concatenate([[0], self.true]) / max(self.positives, 1)
        return _thinned(false, true, np.concatenate([above, self.threshold]))

    @cached_property
    def precision_recall(self) -> Places:
        """Recall and precision, from the surest claim on."""
        return _thinned(self.recall, self.precision, self.threshold)


@dataclass(frozen=True)
class Area:
    """An area under a curve, with its 95 % interval: NaN where there is none."""

    value: float
    low: float
    high: float


def outcome_of(name: str, threshold: float, true: int, false: int, missed: int, spared: int | None) -> Outcome:
    """The counts with precision, recall and F1."""
    return Outcome(
        name,
        threshold,
        true,
        false,
        missed,
        spared,
        true / (true + false) if true + false else None,
        true / (true + missed) if true + missed else None,
        2 * true / (2 * true + false + missed) if true + false + missed else None,
    )


def sweep(claims: Claims) -> Sweep:
    """The counts at every threshold."""
    last = _last_of_equal(claims.score)
    true = np.cumsum(claims.right, dtype=np.int64)[last]
    negatives = int(len(claims.right) - np.count_nonzero(claims.right)) if claims.has_negatives else None
    return Sweep(claims.score[last], true, last + 1 - true, claims.positives, negatives)


def average_precision(claims: Claims) -> Area:
    """The precision at each positive's own confidence, on average over all positives; a missed one counts as 0.

    That is the sum of precision times the step in recall, without interpolation, as scikit-learn has it. The interval
    is normal on the logit's scale (Boyd, Eng and Page, ECML PKDD 2013, section 4.2), its variance the infinitesimal
    jackknife's (Efron, SIAM CBMS 38, 1982, chapter 6) over clusters: what drawing samples anew converges to.
    """
    if not claims.positives:
        return Area(np.nan, np.nan, np.nan)
    positives = claims.positives
    last = _last_of_equal(claims.score)
    true = np.cumsum(claims.right, dtype=np.int64)[last]
    gained = np.diff(true, prepend=0)
    gains = np.flatnonzero(gained)  # the thresholds that are some positive's own
    gained, true, claimed = gained[gains], true[gains], last[gains] + 1
    precision = true / claimed
    value = float((gained * precision).sum() / positives)
    # How the average moves with the weight of a claim: with a wrong one's by the precision that it takes from its own
    # threshold and all lower ones, with a positive's by its share, and the precision that it adds.
    down = np.cumsum((gained * true / claimed**2)[::-1])[::-1]
    up = np.cumsum((gained * (claimed - true) / claimed**2)[::-1])[::-1]
    upto = int(claimed[-1]) if len(claimed) else 0  # below the last positive nothing moves it
    moved = np.repeat(-down, np.diff(claimed, prepend=0))
    right = claims.right[:upto]
    moved[right] = np.repeat(precision - value + up, gained)
    cluster = np.concatenate([claims.cluster[:upto], claims.missed])
    sums = np.bincount(cluster, np.concatenate([moved, np.full(len(claims.missed), -value)]))
    clusters = _used(np.concatenate([claims.cluster, claims.missed]))
    variance = float(sums @ sums) / positives**2 * _corrected(clusters)
    return _on_logits(value, variance)


def roc_area(claims: Claims) -> Area:
    """The chance that a positive is surer than a negative, equal ones counting half.

    The variance is DeLong's (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988), of clusters as Obuchowski has it
    (Biometrics 53, 1997); the interval is normal on the logit's scale (Pepe, 2003, section 5.2.4), so that it ends
    before 1.

    Returns:
        NaN where there are no positives, or no negatives, or these cannot be counted.
    """
    right = claims.right
    positives = int(np.count_nonzero(right))
    negatives = len(right) - positives
    if not claims.has_negatives or not positives or not negatives:
        return Area(np.nan, np.nan, np.nan)
    last = _last_of_equal(claims.score)
    true = np.cumsum(right, dtype=np.int64)[last]
    size, gained = np.diff(last, prepend=-1), np.diff(true, prepend=0)
    gains = np.flatnonzero(gained)
    # A positive's share of the negatives that it is surer than, and a negative's of the positives that are surer.
    of_positive = (negatives - (last + 1 - true)[gains] + (size - gained)[gains] / 2) / negatives
    of_negative = (true - gained / 2) / positives
    value = float((gained[gains] * of_positive).sum() / positives)
    cluster, of_right = claims.cluster, claims.cluster[right]
    whole = np.bincount(cluster)
    found = np.bincount(of_right, minlength=len(whole))
    ups = np.bincount(of_right, np.repeat(of_positive - value, gained[gains]), len(whole))
    downs = np.bincount(cluster, np.repeat(of_negative - value, size), len(whole))
    downs -= np.bincount(of_right, np.repeat((of_negative - value)[gains], gained[gains]), len(whole))
    with_positive, with_negative = np.count_nonzero(found), np.count_nonzero(whole - found)
    variance = (
        _corrected(int(with_positive)) * float(ups @ ups) / positives**2
        + _corrected(int(with_negative)) * float(downs @ downs) / negatives**2
        + 2 * _corrected(int(np.count_nonzero(whole))) * float(ups @ downs) / (positives * negatives)
    )
    return _on_logits(value, variance)


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64], threshold: NDArray[np.float64]) -> Places:
    """At most `PLACES` of a curve, evenly along its length, its ends among them."""
    if len(x) > PLACES:
        along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
        found = np.searchsorted(along, np.linspace(0, along[-1], PLACES))
        some = np.unique([0, *found[1:-1], len(x) - 1])
        x, y, threshold = x[some], y[some], threshold[some]
    return x, y, threshold


def _last_of_equal(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """[t] the place of the last of each run of equal scores."""
    if not len(score):
        return np.zeros(0, np.int64)
    return np.append(np.flatnonzero(score[1:] != score[:-1]), len(score) - 1)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _used(clusters: NDArray[np.integer]) -> int:
    return int(np.count_nonzero(np.bincount(clusters)))


def _corrected(clusters: int) -> float:
    return clusters / (clusters - 1) if clusters > 1 else np.nan


def _on_logits(value: float, variance: float) -> Area:
    from scipy.special import expit, logit, ndtri

    if not 0 < value < 1 or not np.isfinite(variance) or variance <= 0:
        return Area(value, np.nan, np.nan)
    half = ndtri((1 + LEVEL) / 2) * np.sqrt(variance) / (value * (1 - value))
    return Area(value, float(expit(logit(value) - half)), float(expit(logit(value) + half)))
