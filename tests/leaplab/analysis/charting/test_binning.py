"""Ranges of a number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaplab.analysis.charting.binning import equal_bins, even_bins, places_in

FLOATS = st.lists(st.floats(-1e9, 1e9) | st.integers(-3, 3).map(float), min_size=1, max_size=50)
ANY_FLOATS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20)


@given(FLOATS, st.one_of(st.none(), st.integers(1, 40)), st.booleans(), st.one_of(st.none(), st.just(12)))
@settings(max_examples=300)
def test_each_value_lies_within_the_edges_of_its_bin(values, bins, whole, usual):
    numbers = np.round(values) if whole else np.array(values)
    found = equal_bins(numbers, whole, bins, usual)
    with_odd = np.concatenate([numbers, [np.nan, np.inf, -np.inf, found.edges[0] - 1, found.edges[-1] + 1]])
    places = places_in(found, with_odd)

    assert (np.diff(found.edges) > 0).all()
    assert (places[-5:] == -1).all() or abs(found.edges).max() > 1e15
    for value, place in zip(numbers, places, strict=False):
        low, high = found.edges[place : place + 2]
        assert low <= value < high or (value == high and place == len(found) - 1)
    if whole:
        assert not np.isin(numbers, found.edges).any()
        assert ((found.edges + 0.5) % 1 == 0).all()
    if bins is not None:
        assert len(found) <= bins
        assert (found.gathers_low, found.gathers_high) == (False, False)


@given(ANY_FLOATS)
@settings(max_examples=300)
def test_numbers_of_any_size_have_bins(values):
    numbers = np.array(values)
    for found in (equal_bins(numbers, False), equal_bins(numbers, False, 5), even_bins(numbers, 7)):
        places = places_in(found, numbers)
        assert ((places >= 0) & (places < len(found))).all()
        assert (found.edges[places] <= numbers).all()
        assert (numbers <= found.edges[places + 1]).all()


@given(FLOATS, st.integers(1, 30))
def test_even_bins_hold_their_values(values, number):
    numbers = np.array(values)
    found = even_bins(numbers, number)
    places = places_in(found, numbers)

    assert len(found) <= max(number, 1)
    assert (np.bincount(places, minlength=len(found)) > 0).all()
    inside = (found.edges[places] <= numbers) & (numbers < found.edges[places + 1])
    assert (inside | (numbers == found.edges[-1])).all()


def test_even_bins_hold_as_many_each():
    values = np.random.default_rng(0).exponential(size=1000) ** 3
    count = np.bincount(places_in(even_bins(values, 10), values))

    assert len(count) == 10
    assert count.min() >= 95
    assert count.max() <= 105


@pytest.mark.parametrize("seed", range(3))
def test_a_histogram_has_the_bins_of_freedman_and_diaconis(seed):
    """numpy has the rule, too; ten at least and sixty at most are ours."""
    generator = np.random.default_rng(seed)
    for values in (generator.uniform(size=5000), generator.normal(size=400), generator.uniform(size=20)):
        expected = len(np.histogram_bin_edges(values, "fd")) - 1
        assert len(equal_bins(values, False)) == pytest.approx(min(max(expected, 10), 60), abs=1)
    assert len(equal_bins(generator.uniform(size=10**6), False)) == 60


def test_whole_numbers_have_a_bin_each_where_they_are_few():
    found = equal_bins(np.array([3.0, 7, 5, 3]), True)

    assert found.edges.tolist() == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    wide = equal_bins(np.arange(1000.0), True, 10)
    assert wide.edges.tolist() == [-0.5 + 100 * each for each in range(11)]


def test_one_far_value_does_not_put_all_others_into_one_bin():
    values = np.concatenate([np.random.default_rng(0).normal(size=2000), [1e6]])
    found = equal_bins(values, False)
    count = np.bincount(places_in(found, values), minlength=len(found))

    assert found.gathers_high
    assert not found.gathers_low
    assert found.edges[-1] == 1e6
    assert found.high < 4
    assert count.max() < 400
    assert 1 <= count[-1] <= 21
    assert count.sum() == 2001
    mirrored = equal_bins(-values, False)
    assert mirrored.gathers_low
    assert mirrored.edges[0] == -1e6
    whole = equal_bins(np.round(10 * values), True)
    assert whole.gathers_high
    assert whole.edges[-1] == 1e7 + 0.5


def test_one_value_lies_in_the_middle_of_one_bin():
    found = equal_bins(np.full(5, 3.0), False)

    assert len(found) == 1
    assert found.edges.mean() == 3
    assert equal_bins(np.full(5, 3.0), True).edges.tolist() == [2.5, 3.5]


@pytest.mark.parametrize("seed", range(4))
def test_what_lies_beside_an_edge_lies_in_the_bin_that_the_edges_say(seed):
    """Equal widths are found by a division, whose rounding decides nothing; so is what is gathered beside them."""
    generator = np.random.default_rng(seed)
    values = np.concatenate([generator.normal(generator.normal(), 1, 500), [-90.0, -4.1, 4.1, 90.0]])
    for found in (equal_bins(values, False), equal_bins(values, False, 37), even_bins(values, 11)):
        edges = found.edges
        beside = np.concatenate([np.nextafter(edges, -np.inf), edges, np.nextafter(edges, np.inf), values])
        expected = np.searchsorted(edges, beside, side="right") - 1
        expected[beside == edges[-1]] = len(found) - 1
        expected[(beside < edges[0]) | (beside > edges[-1])] = -1
        assert places_in(found, beside).tolist() == expected.tolist()
