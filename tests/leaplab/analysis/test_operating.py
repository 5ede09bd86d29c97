"""Thresholds, ROC and precision-recall, against scikit-learn, formulas written out, and drawing samples anew."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from leaplab.analysis.charting.operating import PLACES, Claims, average_precision, roc_area, sweep

Drawn = tuple[NDArray[np.float64], NDArray[np.bool_]]


def drawn(seed: int, count: int = 300, ties: int | None = 40, share: float = 0.3) -> Drawn:
    """Scores, of which many are equal where ties are given, and what is right."""
    generator = np.random.default_rng(seed)
    right = generator.random(count) < share
    scores = generator.normal(right * 1.2, 1)
    return (scores if ties is None else np.round(scores * ties / 10) / ties), right


def claims(
    scores: NDArray[np.float64],
    right: NDArray[np.bool_],
    cluster: NDArray[np.int64] | None = None,
    missed: NDArray[np.int64] | None = None,
    has_negatives: bool = True,
) -> Claims:
    order = np.argsort(-scores, kind="stable")
    whose = np.arange(len(scores)) if cluster is None else cluster
    lost = np.zeros(0, np.int64) if missed is None else missed
    return Claims(scores[order], right[order], whose[order], lost, has_negatives)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("ties", [None, 40, 3])
def test_areas_are_those_of_scikit_learn(seed: int, ties: int | None) -> None:
    scores, right = drawn(seed, ties=ties)
    found = claims(scores, right)

    assert roc_area(found).value == pytest.approx(roc_auc_score(right, scores), abs=1e-12)
    assert average_precision(found).value == pytest.approx(average_precision_score(right, scores), abs=1e-12)


@pytest.mark.parametrize("ties", [None, 3])
def test_the_counts_at_a_threshold_are_those_of_scikit_learn(ties: int | None) -> None:
    scores, right = drawn(5, ties=ties)
    swept = sweep(claims(scores, right))

    for threshold in (*np.quantile(scores, [0, 0.2, 0.5, 0.9, 1]), scores[7], scores.max() + 1, scores.min() - 1):
        outcome, claimed = swept.outcome("cat", float(threshold)), scores >= threshold
        assert outcome.true_positives == (claimed & right).sum()
        assert outcome.false_positives == (claimed & ~right).sum()
        assert outcome.false_negatives == (~claimed & right).sum()
        assert outcome.true_negatives == (~claimed & ~right).sum()
        assert outcome.recall == pytest.approx(recall_score(right, claimed))
        if claimed.any():
            assert outcome.precision == pytest.approx(precision_score(right, claimed))
            assert outcome.f1 == pytest.approx(f1_score(right, claimed))
        else:
            assert (outcome.precision, outcome.f1) == (None, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_the_best_threshold_has_the_highest_f1_of_all(seed: int) -> None:
    scores, right = drawn(seed, ties=20)
    precision, recall, thresholds = precision_recall_curve(right, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)

    best = sweep(claims(scores, right)).best_threshold
    assert best is not None
    assert best in thresholds
    assert f1_score(right, scores >= best) == pytest.approx(f1.max(), abs=1e-12)


def test_curves_that_are_short_have_every_place_of_scikit_learn() -> None:
    scores, right = drawn(2, 100, ties=10)
    swept = sweep(claims(scores, right))
    false, true, thresholds = roc_curve(right, scores, drop_intermediate=False)
    precision, recall, at = precision_recall_curve(right, scores)

    np.testing.assert_allclose(swept.roc[0], false)
    np.testing.assert_allclose(swept.roc[1], true)
    np.testing.assert_allclose(swept.roc[2][1:], thresholds[1:])
    assert swept.outcome("none", float(swept.roc[2][0])).true_positives == 0
    x, y, threshold = swept.precision_recall
    kept = np.isin(at, threshold)
    assert kept.sum() == len(threshold)
    np.testing.assert_allclose(x[::-1], recall[:-1][kept])
    np.testing.assert_allclose(y[::-1], precision[:-1][kept])


def test_a_long_curve_is_thinned_to_places_of_its_own_and_keeps_its_ends_and_shape() -> None:
    scores, right = drawn(3, 20_000, ties=None)
    swept = sweep(claims(scores, right))

    x, y, threshold = swept.roc
    assert len(x) <= PLACES
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert threshold[-1] == scores.min()
    for place in range(1, len(x), 13):
        outcome = swept.outcome("", float(threshold[place]))
        assert y[place] == outcome.recall
        assert x[place] == outcome.false_positives / (~right).sum()
    assert np.trapezoid(y, x) == pytest.approx(roc_auc_score(right, scores), abs=1e-3)
    x, y, _ = swept.precision_recall
    assert len(x) <= PLACES
    assert (x[-1], y[-1]) == (1, right.mean())


def test_the_interval_of_the_roc_area_is_delongs() -> None:
    scores, right = drawn(4, 120, ties=15)
    positive, negative = scores[right], scores[~right]
    # Every pair, written out.
    pairs = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    variance = pairs.mean(axis=1).var(ddof=1) / len(positive) + pairs.mean(axis=0).var(ddof=1) / len(negative)
    area = pairs.mean()
    half = 1.959963984540054 * np.sqrt(variance) / (area * (1 - area))

    found = roc_area(claims(scores, right))
    assert found.value == pytest.approx(area)
    assert (found.low, found.high) == pytest.approx((expit(logit(area) - half), expit(logit(area) + half)))


def spread_of_draws(scores: NDArray[np.float64], right: NDArray[np.bool_], size: int, measure: object) -> float:
    """Standard deviation of an area where whole clusters of `size` claims are drawn anew."""
    generator = np.random.default_rng(0)
    clusters = len(scores) // size
    found = []
    for _ in range(400):
        chosen = (generator.integers(0, clusters, clusters)[:, None] * size + np.arange(size)).ravel()
        found.append(measure(right[chosen], scores[chosen]))  # type: ignore[operator]
    return float(np.std(found, ddof=1))


def standard_error(low: float, high: float, value: float) -> float:
    return float((logit(high) - logit(low)) / (2 * 1.959963984540054) * value * (1 - value))


@pytest.mark.parametrize("size", [1, 8])
def test_intervals_are_as_wide_as_drawing_samples_anew_makes_them(size: int) -> None:
    """Of claims that are copies of each other, an interval that takes them as independent is 2.8 times too narrow."""
    scores, right = drawn(6, 400, ties=None)
    scores, right = np.repeat(scores, size), np.repeat(right, size)
    found = claims(scores, right, np.arange(len(scores)) // size)

    for area, measure in (
        (roc_area(found), roc_auc_score),
        (average_precision(found), average_precision_score),
    ):
        wanted = spread_of_draws(scores, right, size, measure)
        assert standard_error(area.low, area.high, area.value) == pytest.approx(wanted, rel=0.15)
        assert area.low < area.value < area.high


@pytest.mark.parametrize("ties", [None, 3])
def test_the_variance_of_average_precision_is_how_it_moves_with_each_weight(ties: int | None) -> None:
    """The derivatives by scikit-learn's own weights, by finite differences."""
    scores, right = drawn(8, 80, ties=ties)
    cluster = np.arange(80) // 2
    step = 1e-6
    whole = average_precision_score(right, scores)
    moved = np.empty(40)
    for number in range(40):
        weights = np.where(cluster == number, 1 + step, 1.0)
        moved[number] = (average_precision_score(right, scores, sample_weight=weights) - whole) / step
    wanted = np.sqrt((moved**2).sum() * 40 / 39)

    area = average_precision(claims(scores, right, cluster))
    assert standard_error(area.low, area.high, area.value) == pytest.approx(wanted, rel=1e-4)


def test_objects_that_nothing_claims_count_in_recall_and_average_precision() -> None:
    scores, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    found = claims(scores, right, missed=np.array([9, 9]), has_negatives=False)
    swept = sweep(found)

    # found at 0.9 with a precision of 1, and at 0.7 with one of 2/3; four objects
    assert average_precision(found).value == pytest.approx((1 + 2 / 3) / 4)
    np.testing.assert_allclose(swept.recall, [0.25, 0.25, 0.5, 0.5])
    outcome = swept.outcome("car", 0.75)
    assert (outcome.true_positives, outcome.false_positives, outcome.false_negatives) == (1, 1, 3)
    assert outcome.true_negatives is None
    assert np.isnan(roc_area(found).value)


def test_what_cannot_be_told_is_no_number() -> None:
    scores = np.array([0.3, 0.2])
    every, none = np.ones(2, bool), np.zeros(2, bool)

    assert np.isnan(roc_area(claims(scores, every)).value)
    assert np.isnan(roc_area(claims(scores, none)).value)
    assert np.isnan(average_precision(claims(scores, none)).value)
    assert sweep(claims(scores, none)).best_threshold is None
    apart = roc_area(claims(scores, np.array([True, False])))
    assert apart.value == 1
    assert np.isnan(apart.low)
    nothing = claims(np.zeros(0), np.zeros(0, bool), missed=np.array([0]), has_negatives=False)
    assert average_precision(nothing).value == 0
    assert sweep(nothing).outcome("car", 0.5).false_negatives == 1
    assert len(sweep(nothing).precision_recall[0]) == 0
