from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from leaplab.analysis.conformal import Expected, deciles, expected_losses, skill, unlike


def skewed(seed, count=2000) -> Any:
    """Ranking and loss: the mean loss is exp(ranking) / 10, and most of it comes from a few samples."""
    generator = np.random.default_rng(seed)
    ranking = generator.uniform(0, 3, count)
    return ranking, np.exp(ranking) / 10 * generator.lognormal(-0.5, 1, count)


def test_steps_are_joined_from_middle_to_middle():
    ranking, loss = np.arange(20.0), np.repeat([0.0, 1.0], 10)
    found = expected_losses(ranking, loss, np.array([-5, 4.5, 7, 9.5, 14.5, 40]))

    assert found.values == pytest.approx([0, 0, 0.25, 0.5, 1, 1])


def test_losses_that_fall_with_the_ranking_are_all_expected_to_be_the_mean():
    found = expected_losses(np.arange(40.0), np.arange(40.0)[::-1], np.array([0.0, 20, 39]))

    assert found.values == pytest.approx(19.5)


def test_an_interval_ends_at_the_fifth_losses_of_99():
    loss = np.random.default_rng(0).permutation(np.arange(1.0, 100))
    found = expected_losses(np.zeros(99), loss, np.zeros(1))

    assert (found.values[0], found.low[0], found.high[0]) == pytest.approx((50, 5, 95))


def test_an_interval_holds_the_mean_and_still_nine_of_ten():
    loss = np.concatenate([np.arange(1.0, 98), [5000, 6000]])
    found = expected_losses(np.zeros(99), loss, np.zeros(1))

    # Two losses lie above the mean of about 158: the eight others are left out below.
    assert found.values[0] == pytest.approx(loss.mean())
    assert (found.low[0], found.high[0]) == (8, 5000)


def test_expected_losses_rise_and_are_those_of_the_truth():
    ranking, loss = skewed(0, 20_000)
    asked = np.linspace(0.1, 2.9, 15)
    found = expected_losses(ranking, loss, asked)

    assert (np.diff(found.values) > 0).all()
    assert found.values == pytest.approx(np.exp(asked) / 10, rel=0.15)
    assert (found.low <= found.values).all()
    assert (found.high >= found.values).all()


def test_nine_of_ten_new_losses_lie_in_their_interval_wherever_they_are_in_the_ranking():
    inside, places = [], []
    for seed in range(5):
        ranking, loss = skewed(seed)
        asked, truth = skewed(100 + seed)
        found = expected_losses(ranking, loss, asked)
        inside.append((truth >= found.low) & (truth <= found.high))
        places.append(asked)
    held, place = np.concatenate(inside), np.concatenate(places)

    assert held.mean() == pytest.approx(0.9, abs=0.02)
    shares = [held[(place >= least) & (place < least + 0.5)].mean() for least in np.arange(0, 3, 0.5)]
    assert shares == pytest.approx([0.9] * 6, abs=0.04)


def test_out_of_fold_a_ranking_of_noise_says_nothing():
    correlations, coverage = [], []
    for seed in range(10):
        generator = np.random.default_rng(seed)
        ranking, loss = generator.normal(size=200), generator.exponential(size=200)
        found = expected_losses(ranking, loss, None)
        correlations.append(np.corrcoef(found.values, loss)[0, 1])
        coverage.append(((loss >= found.low) & (loss <= found.high)).mean())

    assert np.mean(correlations) < 0.03, "of its own samples it would be .2"
    assert np.mean(coverage) == pytest.approx(0.9, abs=0.02)


def test_the_order_of_the_samples_changes_nothing():
    ranking, loss = skewed(3, 300)
    order = np.random.default_rng(0).permutation(300)
    found, again = expected_losses(ranking, loss, None), expected_losses(ranking[order], loss[order], None)
    other, same = expected_losses(ranking, loss, ranking), expected_losses(ranking[order], loss[order], ranking)

    for name in ("values", "low", "high"):
        assert np.array_equal(getattr(found, name)[order], getattr(again, name))
        assert np.array_equal(getattr(other, name), getattr(same, name))


@pytest.mark.parametrize("ranking", [np.zeros(500), np.repeat([0.0, 1.0], [480, 20]), np.repeat([0.0, 1.0], [20, 480])])
def test_equal_places_have_one_interval_each(ranking):
    loss = np.random.default_rng(0).exponential(size=500)
    found = expected_losses(ranking, loss, np.array([-1.0, 0, 0.5, 1, 2]))

    assert np.isfinite([found.values, found.low, found.high]).all()
    assert (found.low <= found.high).all()


def test_skill_by_a_worked_example():
    loss = np.array([5.0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 4, 2, 1, 1, 1, 1, 0, 0, 0, 0])
    ranking = np.array([9.0, *range(8), 0, 1, 8.5, *range(8)])
    expected = Expected(loss, np.zeros(20), np.where(loss > 3, 3, loss))
    withheld = np.arange(20) == 10
    found = skill(ranking, expected, loss, withheld)

    assert (found.top_tenth_share, found.top_tenth_best) == pytest.approx((7 / 20, 9 / 20))
    assert found.spearman == pytest.approx(spearmanr(ranking, loss).statistic)
    assert found.coverage == pytest.approx(18 / 19)
    assert found.auroc_wrong is None


def test_losses_below_nothing_are_counted_from_the_least():
    loss = np.arange(-10.0, 10)
    found = skill(loss, Expected(loss, loss, loss), loss, np.zeros(20, bool))

    assert found.top_tenth_share == pytest.approx((19 + 18) / sum(range(20)))


def test_auroc_is_that_of_its_definition_with_ties():
    generator = np.random.default_rng(0)
    ranking, failed = generator.integers(0, 6, 80).astype(float), generator.random(80) < 0.3
    flat = Expected(ranking, ranking, ranking)
    found = skill(ranking, flat, ranking, np.ones(80, bool), failed)

    assert found.auroc_wrong == pytest.approx(roc_auc_score(failed, ranking))
    assert np.isnan(found.coverage), "all intervals are withheld"
    for nobody in (np.zeros(80, bool), np.ones(80, bool)):
        assert skill(ranking, flat, ranking, nobody, nobody).auroc_wrong is None


def test_a_flat_ranking_has_no_correlation():
    flat = np.zeros(20)
    found = skill(flat, Expected(flat, flat, flat), np.arange(20.0), np.zeros(20, bool))

    assert np.isnan(found.spearman)
    assert np.isnan(skill(np.arange(20.0), Expected(flat, flat, flat), flat, np.zeros(20, bool)).top_tenth_share)


def test_tenths_by_a_worked_example():
    values = np.random.default_rng(0).permutation(np.arange(25.0))
    found = deciles(values, 2 * values)

    assert [each.count for each in found] == [3] * 5 + [2] * 5
    assert (found[0].predicted, found[0].real) == (1, 2)
    assert (found[-1].predicted, found[-1].real) == (23.5, 47)


def test_what_lies_far_from_the_known_is_unlike_them():
    generator = np.random.default_rng(0)
    components = generator.normal(size=(1200, 5))
    components[1000:1100, 2] += 9
    of_known, of_asked = unlike(components, np.arange(600), np.arange(600, 1000), np.arange(1000, 1200))

    assert of_known.mean() == pytest.approx(0.01, abs=0.01)
    fitted = components[:1000]
    among = np.sort(cdist(fitted, fitted), axis=1)[:, 10]  # the first is the sample itself
    away = np.sort(cdist(components[1000:], fitted), axis=1)[:, 9]
    assert np.array_equal(of_asked, away > np.quantile(among, 0.99, method="inverted_cdf"))
    assert of_asked[:100].all()
    assert of_asked[100:].mean() < 0.05


def test_known_samples_are_compared_with_others_than_themselves():
    components = np.random.default_rng(1).normal(size=(600, 3))
    components[:3] += 30
    alone, of_none = unlike(components, np.arange(600), np.zeros(0, np.int64), np.zeros(0, np.int64))

    assert alone[:3].all()
    assert alone[3:].mean() < 0.02
    assert len(of_none) == 0
    more = components[:1] + np.random.default_rng(2).normal(size=(200, 3))
    together, _ = unlike(np.vstack([components, more]), np.arange(600), np.arange(600, 800), np.zeros(0, np.int64))
    assert not together[0], "further samples were fitted on where it lies"
