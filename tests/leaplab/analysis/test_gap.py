from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import chi2_contingency, energy_distance, ks_2samp
from sklearn.metrics import roc_auc_score

from leaplab.analysis.differences import Values
from leaplab.analysis.gap import (
    centroid_distance,
    column_gaps,
    drawn,
    gap_test,
    pooled_components,
    separation,
)

NAN = float("nan")


def two(seed, shift=0.0, spread=1.0, count=100, width=6) -> tuple[Any, Any]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, width)), shift + spread * generator.normal(size=(count + 20, width))


def test_the_statistics_are_those_of_their_definitions():
    source, target = two(0, 0.3)
    found = gap_test(source, target, permutations=19)

    energy = 2 * cdist(source, target).mean() - cdist(source, source).mean() - cdist(target, target).mean()
    moments = source.T @ source / len(source) - target.T @ target / len(target)
    assert found.energy == pytest.approx(energy)
    assert found.moments == pytest.approx(np.linalg.norm(moments, "fro") ** 2)


def test_energy_distance_of_one_number_is_that_of_scipy():
    generator = np.random.default_rng(1)
    source, target = generator.normal(size=(50, 1)), generator.exponential(size=(70, 1))
    found = gap_test(source, target, permutations=9)

    assert found.energy == pytest.approx(energy_distance(source[:, 0], target[:, 0]) ** 2)


def test_the_level_is_kept():
    p = np.array([gap_test(*two(seed, count=40), permutations=99, seed=seed).p for seed in range(200)])

    assert 0.01 <= (p <= 0.05).mean() <= 0.09
    assert p.mean() == pytest.approx(0.5, abs=0.08)


def test_the_smaller_p_is_corrected_for_two_tries():
    p = [gap_test(*two(seed, count=40), permutations=99, seed=seed) for seed in range(50)]

    assert all(each.p >= min(each.energy_p, each.moments_p) for each in p)
    assert any(each.p > min(each.energy_p, each.moments_p) for each in p)


def test_a_shift_is_found():
    assert sum(gap_test(*two(seed, 0.35), permutations=199).p <= 0.05 for seed in range(10)) >= 9


def test_a_few_samples_far_away_are_found_by_the_second_moments():
    hits, by_energy = 0, 0
    for seed in range(10):
        source, target = two(seed, count=180)
        target[:20] *= 4
        found = gap_test(source, target, permutations=199)
        hits += found.p <= 0.05
        by_energy += found.energy_p <= 0.05
    assert hits >= 9
    assert hits >= by_energy


def test_p_is_at_least_that_of_all_permutations():
    assert gap_test(*two(0, 9), permutations=99).p == pytest.approx(1 / 100)


def test_equal_samples_have_no_gap():
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        same = np.ones((20, 3))
        found: Any = gap_test(same, same, permutations=19)
        apart: Any = separation(*pooled_components(same, same))

    assert (found.p, found.energy, found.moments) == (1, pytest.approx(0, abs=1e-6), pytest.approx(0))
    assert (apart.auc, apart.low, apart.high) == (0.5, 0.5, 0.5)


def test_components_are_white_over_both():
    source, target = two(0, 2.0)
    one, other = pooled_components(source * [1, 2, 3, 4, 5, 6], target)
    both = np.concatenate([one, other])

    assert (len(one), len(other)) == (len(source), len(target))
    assert np.cov(both.T, bias=True) == pytest.approx(np.eye(6), abs=1e-5)


def test_auc_and_its_interval_are_those_of_their_definitions():
    source, target = two(4, 0.4)
    found = separation(source, target)
    near, far = found.nearness[len(source) :], found.nearness[: len(source)]

    assert found.auc == pytest.approx(roc_auc_score(np.repeat([0, 1], [len(far), len(near)]), found.nearness))
    wins = (near[:, None] > far) + 0.5 * (near[:, None] == far)
    error = np.sqrt(wins.mean(axis=1).var(ddof=1) / len(near) + wins.mean(axis=0).var(ddof=1) / len(far))
    assert (found.low, found.high) == pytest.approx((found.auc - 1.96 * error, found.auc + 1.96 * error))


def test_nearness_is_of_a_model_that_has_not_seen_the_sample():
    auc = np.array([separation(*two(seed, count=40, width=30)).auc for seed in range(20)])

    assert auc.mean() == pytest.approx(0.5, abs=0.06), "in the sample it would be above .9"
    assert separation(*two(0, 3.0)).auc > 0.99


def test_a_sample_is_drawn_by_what_it_holds():
    vectors = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    order = np.random.default_rng(1).permutation(300)
    chosen, again = drawn(vectors, 50), drawn(vectors[order], 50)

    assert len(set(chosen.tolist())) == 50
    assert set(order[again].tolist()) == set(chosen.tolist())
    assert set(drawn(vectors, 300).tolist()) == set(range(300))


def test_the_distance_of_the_centres_by_a_worked_example():
    assert centroid_distance(np.array([[0.0, 0], [2, 0]]), np.array([[4.0, 4], [4, 4]])) == 5


def columns_of(seed=0) -> Any:
    generator = np.random.default_rng(seed)
    source = np.arange(300) < 120
    numbers = generator.normal(5, 2, 300)
    warm = numbers + 3.0 * source
    kind = np.where(generator.random(300) < np.where(source, 0.7, 0.3), 0, generator.integers(1, 3, 300)).astype(float)
    columns = {
        "flat": Values(numbers),
        "warm": Values(warm),
        "kind": Values(kind, ["day", "dusk", "night", "never"]),
        "absent": Values(np.full(300, NAN)),
        "constant": Values(np.ones(300)),
        "one category": Values(np.zeros(300), ["only"]),
        "of the source alone": Values(np.where(source, 1.0, NAN)),
    }
    return columns, source


def test_columns_that_differ_are_told_with_their_numbers():
    columns, source = columns_of()
    found: Any = column_gaps(columns, source, ~source)
    warm, kind = found

    values = columns["warm"].numbers
    wanted = ks_2samp(values[source], values[~source], method="asymp")
    assert (warm.column, warm.type, warm.effect) == ("warm", "number", pytest.approx(wanted.statistic))
    assert warm.p == pytest.approx(5 * wanted.pvalue, rel=1e-6, abs=0), "five columns can be compared"
    assert (warm.source, warm.target) == (pytest.approx(values[source].mean()), pytest.approx(values[~source].mean()))
    assert warm.shift == pytest.approx((values[source].mean() - values[~source].mean()) / values[~source].std())

    codes = columns["kind"].numbers
    table = [[np.sum(codes[side] == code) for code in range(3)] for side in (source, ~source)]
    statistic, p, _, _ = chi2_contingency(table, correction=False)
    assert (kind.column, kind.type, kind.shift) == ("kind", "category", None)
    assert kind.effect == pytest.approx(np.sqrt(statistic / 300))
    assert kind.p == pytest.approx(4 * p, rel=1e-6, abs=0)
    assert kind.source == pytest.approx(
        {"day": table[0][0] / 120, "dusk": table[0][1] / 120, "night": table[0][2] / 120}
    )


def test_absent_values_do_not_count_in_a_column():
    columns, source = columns_of()
    holed = columns["warm"].numbers.copy()
    holed[::3] = NAN
    (found,) = column_gaps({"warm": Values(holed)}, source, ~source)

    kept = np.isfinite(holed)
    assert found.effect == pytest.approx(ks_2samp(holed[source & kept], holed[~source & kept]).statistic)


def test_populations_of_one_kind_differ_in_no_column():
    alarms = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        columns = {f"n{place}": Values(generator.normal(size=200)) for place in range(20)}
        columns |= {
            f"c{place}": Values(generator.integers(0, 4, 200).astype(float), list("abcd")) for place in range(5)
        }
        source = generator.random(200) < 0.5
        alarms += len(column_gaps(columns, source, ~source)) > 0
    assert alarms <= 3  # of level .05 in each


def test_a_column_of_a_thousand_categories_is_compared():
    codes = np.arange(2000) % 1000
    columns = {"many": Values(codes.astype(float), [f"k{code}" for code in range(1000)])}
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        assert column_gaps(columns, codes < 500, codes >= 500)[0].effect == pytest.approx(1)
