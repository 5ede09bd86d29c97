"""Aggregates of groups, against scipy and plain numpy, a group at a time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leaplab.analysis.charting.aggregates import Aggregated, aggregated, counts, require_aggregate
from leaplab.analysis.charting.boxes import boxes
from leaplab.errors import QuestionError

PLAIN: dict[str, Any] = {
    "mean": np.mean,
    "median": np.median,
    "sum": np.sum,
    "min": np.min,
    "max": np.max,
    "quantile:0.9": lambda values: np.quantile(values, 0.9),
    "quantile:.05": lambda values: np.quantile(values, 0.05),
    "quantile:0": np.min,
    "quantile:1": np.max,
    "count": len,
}
SAMPLES = st.lists(
    st.tuples(
        st.integers(-1, 4),
        st.one_of(
            st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, 1.0, 2.5]), st.sampled_from([np.nan, np.inf, -np.inf])
        ),
    ),
    max_size=60,
)


def _told(found: Aggregated, group: int) -> tuple[float, float, float]:
    return float(found.value[group]), float(found.low[group]), float(found.high[group])


@pytest.mark.parametrize("name", PLAIN)
@given(SAMPLES)
@settings(max_examples=60)
def test_each_group_has_what_it_has_alone(name, samples):
    codes = np.array([code for code, _ in samples], np.int32)
    values = np.array([value for _, value in samples], np.float64)
    found = aggregated(name, codes, values, 5)

    for group in range(5):
        members = values[(codes == group) & np.isfinite(values)]
        assert found.count[group] == len(members)
        if len(members) or name == "count":
            assert found.value[group] == pytest.approx(PLAIN[name](members), rel=1e-9, abs=1e-6)
        else:
            assert np.isnan([found.value[group], found.low[group], found.high[group]]).all()


def test_a_mean_has_students_interval():
    generator = np.random.default_rng(3)
    codes, values = generator.integers(0, 4, 200), generator.normal(7, 3, 200) + 1e6
    codes[0] = 4
    found = aggregated("mean", codes, values, 6)

    for group in range(4):
        members = values[codes == group]
        interval = stats.t.interval(0.95, len(members) - 1, members.mean(), stats.sem(members))
        assert _told(found, group) == pytest.approx((members.mean(), *interval), rel=1e-12)
    assert found.value[4] == values[0]
    assert np.isnan([found.low[4], found.high[4], found.value[5]]).all()  # of one, and of none


@pytest.mark.parametrize("name", ["mean", "share"])
def test_zeros_and_ones_have_wilsons_interval(name):
    codes = np.repeat([0, 1, 2, 3], [50, 20, 7, 1])
    values = np.concatenate([np.arange(50) % 5 == 0, np.zeros(20), np.ones(7), [1.0]]).astype(float)
    found = aggregated(name, codes, values, 4)

    for group, (some, of) in enumerate([(10, 50), (0, 20), (7, 7), (1, 1)]):
        interval = stats.binomtest(some, of).proportion_ci(0.95, "wilson")
        assert _told(found, group) == pytest.approx((some / of, interval.low, interval.high), abs=1e-12)


def test_a_share_of_other_numbers_is_refused():
    with pytest.raises(QuestionError, match="not 0 and 1"):
        aggregated("share", np.zeros(2, int), np.array([0.0, 2.0]), 1)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.9])
def test_a_quantile_lies_within_its_interval_as_often_as_told(share):
    """Drawn anew a thousand times from a skewed distribution: the true quantile is inside 95 times of 100, or more."""
    number, times = 80, 1000
    values = np.random.default_rng(1).exponential(size=number * times)
    found = aggregated(f"quantile:{share}", np.repeat(np.arange(times), number), values, times)
    true = stats.expon.ppf(share)

    inside = ((found.low <= true) & (true <= found.high)).mean()
    assert 0.94 < inside < 0.985
    ordered = np.sort(values[:number])
    assert found.low[0] in ordered
    assert found.high[0] in ordered


def test_a_median_of_few_has_no_interval():
    """Of five values none is surely below and above the median: twice 2 to the power of -5 is more than .05."""
    found = aggregated("median", np.repeat([0, 1], [5, 6]), np.arange(11.0), 2)

    assert np.isnan([found.low[0], found.high[0]]).all()
    assert _told(found, 1) == (7.5, 5.0, 10.0)


def test_counts_leave_out_what_is_in_no_group():
    found = counts(np.array([2, -1, 0, 2]), 4)

    assert found.count.tolist() == found.value.tolist() == [1, 0, 2, 0]
    assert np.isnan(found.low).all()


@pytest.mark.parametrize("name", ["", "average", "quantile", "quantile:", "quantile:2", "quantile:1.5", "quantile:-1"])
def test_an_unknown_aggregate_is_told_with_those_that_there_are(name):
    with pytest.raises(QuestionError, match="median, count, share, sum"):
        require_aggregate(name)


@given(SAMPLES)
@settings(max_examples=150)
def test_a_box_has_quartiles_and_whiskers_that_reach_to_a_value(samples):
    codes = np.array([code for code, _ in samples], np.int32)
    values = np.array([value for _, value in samples], np.float64)

    for group, found in enumerate(boxes(codes, values, 5)):
        members = values[(codes == group) & np.isfinite(values)]
        if not len(members):
            assert found is None
            continue
        assert found is not None
        low, middle, high = np.quantile(members, [0.25, 0.5, 0.75])
        assert found[1:4] == pytest.approx((low, middle, high), rel=1e-9, abs=1e-9)
        reach = 1.5 * (found[3] - found[1])
        below = [value for value in members if found[1] - reach <= value <= found[1]]
        above = [value for value in members if found[3] <= value <= found[3] + reach]
        assert found[0] == (min(below) if below else found[1])
        assert found[4] == (max(above) if above else found[3])


def test_a_box_by_hand():
    found = boxes(np.zeros(10, int), np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 30]), 1)

    assert found == [(1.0, 3.25, 5.5, 7.75, 9.0)]
