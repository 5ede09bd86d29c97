"""Gaps of small populations, and of columns and vectors that a test may stumble over."""

import numpy as np
import pytest
from scipy.stats import PermutationMethod, chi2_contingency, ks_2samp
from sklearn.linear_model import LogisticRegression

from leaplab.analysis.differences import Values
from leaplab.analysis.gap import column_gaps, gap_test, pooled_components, separation


def test_two_of_ten_that_lie_apart_are_found():
    """With as many components as samples all distances are alike after whitening, and nothing is ever found."""
    hits = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        source, target = generator.normal(size=(10, 40)), generator.normal(size=(10, 40)) + 1.5
        hits += gap_test(*pooled_components(source, target), 199).p <= 0.05
    assert hits >= 18


@pytest.mark.parametrize(("count", "other"), [(5, 200), (12, 12), (40, 400)])
def test_rare_categories_raise_no_alarm(count, other):
    alarms = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        codes = np.minimum(generator.geometric(0.3, (5, count + other)) - 1, 19).astype(float)
        columns = {f"c{place}": Values(row, list("abcdefghijklmnopqrst")) for place, row in enumerate(codes)}
        source = np.arange(count + other) < count
        alarms += len(column_gaps(columns, source, ~source)) > 0
    assert alarms <= 6  # two are what a level of .05 gives; the chi-squared distribution gives 10 and more


def test_p_of_rare_categories_is_that_of_permuted_labels():
    source = np.arange(60) < 12
    codes = np.where(source, np.arange(60) % 3, np.arange(60) % 9).astype(float)
    (found,) = column_gaps({"kind": Values(codes, list("abcdefghi"))}, source, ~source)

    table = np.stack([np.bincount(codes[side].astype(int), minlength=9) for side in (source, ~source)])
    wanted = chi2_contingency(table, correction=False, method=PermutationMethod(n_resamples=20_000, rng=1))
    assert found.p == pytest.approx(wanted.pvalue, rel=0.25)
    assert found.effect == pytest.approx(np.sqrt(wanted.statistic / 60))
    assert found.told() == ("a: 33%", "a: 10%")


def test_p_of_few_numbers_is_exact():
    generator = np.random.default_rng(0)
    numbers = np.concatenate([generator.normal(3, 1, 6), generator.normal(size=30)])
    source = np.arange(36) < 6
    (found,) = column_gaps({"n": Values(numbers)}, source, ~source)

    assert found.p == pytest.approx(ks_2samp(numbers[source], numbers[~source], method="exact").pvalue)


def test_vectors_whose_dimensions_say_the_same_are_tested():
    alarms, hits = 0, 0
    for seed in range(100, 110):
        generator = np.random.default_rng(seed)
        plane = generator.normal(size=(3, 40))
        source, target = generator.normal(size=(80, 3)) @ plane, generator.normal(size=(70, 3)) @ plane
        alarms += gap_test(*pooled_components(source, target), 99).p <= 0.05
        hits += gap_test(*pooled_components(source, target + plane[0]), 99).p <= 0.05
    assert alarms <= 2
    assert hits >= 9


def test_others_are_judged_by_the_mean_of_the_models():
    generator = np.random.default_rng(0)
    source, target = generator.normal(size=(90, 3)), generator.normal(0.8, 1, (60, 3))
    others = generator.normal(0.4, 1, (500, 3))
    found = separation(source, target, others=others)

    truth = np.repeat([0, 1], [90, 60])
    model = LogisticRegression(C=0.1, class_weight="balanced").fit(np.concatenate([source, target]), truth)
    wanted = model.decision_function(others)
    assert np.corrcoef(found.others, wanted)[0, 1] > 0.999
    assert np.abs(found.others - wanted).max() < 0.25
    assert separation(source, target).others.shape == (0,)
