"""Correlations against scipy, and which points are drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leaplab.analysis.charting.relations import (
    BLOCK,
    correlation,
    correlations,
    drawn_of,
    fisher_interval,
    rank_correlation,
)


@given(st.integers(0, 10_000), st.integers(4, 60), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_correlation_is_scipys_with_its_interval(seed, number, ties):
    generator = np.random.default_rng(seed)
    x = generator.normal(5, 2, number)
    y = x * generator.normal() + generator.normal(size=number)
    if ties:
        x, y = np.round(x), np.round(y)
    if len(set(x)) < 2 or len(set(y)) < 2:
        assert np.isnan(correlation(x, y))
        assert np.isnan(rank_correlation(x, y))
        return
    expected = stats.pearsonr(x, y)
    r = correlation(x, y)

    assert r == pytest.approx(expected.statistic, abs=1e-12)
    assert rank_correlation(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    interval = expected.confidence_interval(0.95)
    assert fisher_interval(r, number) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_what_has_no_correlation_has_none():
    assert np.isnan(correlation(np.array([1.0]), np.array([2.0])))
    assert np.isnan(correlation(np.full(9, 0.1), np.arange(9.0)))
    assert np.isnan(fisher_interval(0.5, 3)).all()
    assert np.isnan(fisher_interval(float("nan"), 30)).all()
    assert fisher_interval(1.0, 30) == (1.0, 1.0)


@pytest.mark.parametrize("rows", [40, BLOCK + 7])
def test_tables_are_of_the_rows_that_have_both(rows):
    generator = np.random.default_rng(rows)
    hidden = generator.normal(size=rows)
    columns = [1e7 + hidden + generator.normal(size=rows), hidden * 1e-6, generator.normal(size=rows), hidden**2]
    columns[0][generator.random(rows) < 0.2] = np.nan
    columns[2][generator.random(rows) < 0.3] = np.inf
    columns.append(np.full(rows, 0.1))
    columns.append(np.full(rows, np.nan))
    found, against = correlations(columns), correlations(columns[:3], columns[3:5])

    for a, first in enumerate(columns):
        for b, second in enumerate(columns):
            both = np.isfinite(first) & np.isfinite(second)
            assert found.count[a, b] == both.sum()
            if 4 in (a, b) or 5 in (a, b):
                assert np.isnan(found.r[a, b])
            else:
                expected = stats.pearsonr(first[both], second[both]).statistic
                assert found.r[a, b] == pytest.approx(expected, abs=1e-7)
    assert against.r.shape == (3, 2)
    assert np.allclose(against.r, found.r[:3, 3:5], equal_nan=True)
    assert (against.count == found.count[:3, 3:5]).all()


def test_a_column_that_is_constant_where_both_are_there_has_no_correlation():
    first = np.array([0.3, 0.3, 0.3, 0.7, 0.9])
    second = np.array([1.0, 2.0, 3.0, np.nan, np.nan])
    found = correlations([first, second])

    assert np.isnan(found.r[0, 1])
    assert found.count[0, 1] == 3


@given(st.integers(1, 400), st.integers(1, 100), st.integers(1, 6))
def test_drawn_points_are_apart_and_each_series_has_its_share(number, most, kinds):
    series = np.random.default_rng(number).integers(0, kinds, number)
    drawn = drawn_of(series, most)

    assert len(drawn) == min(number, most)
    assert (np.diff(drawn) > 0).all()
    assert drawn.min() >= 0
    assert drawn.max() < number
    assert drawn.tolist() == drawn_of(series, most).tolist()
    for kind in range(kinds):
        share = (series == kind).sum() * len(drawn) / number
        assert abs((series[drawn] == kind).sum() - share) < 2
