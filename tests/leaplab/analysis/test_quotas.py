"""Shares of groups."""

import numpy as np
import pytest

from leaplab.analysis.quotas import equal_shares, interleaved


@pytest.mark.parametrize(
    ("available", "total", "shares"),
    [
        ([100, 100, 100], 30, [10, 10, 10]),
        ([100, 4, 100], 30, [13, 4, 13]),
        ([100, 4, 100], 31, [14, 4, 13]),  # what does not divide goes to who has most, the first of equals
        ([5, 9, 7], 4, [1, 2, 1]),
        ([3, 0, 2], 5, [3, 0, 2]),
        ([8], 0, [0]),
        ([1, 2, 50], 50, [1, 2, 47]),
    ],
)
def test_shares_are_equal_as_far_as_there_is_enough(available, total, shares):
    assert equal_shares(np.array(available), total).tolist() == shares


def test_more_than_there_is_is_refused():
    with pytest.raises(AssertionError):
        equal_shares(np.array([1, 2]), 4)


def test_every_beginning_has_the_groups_in_proportion():
    generator = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2], [600, 300, 100])
    order = interleaved(groups, generator.permutation(1000))

    assert sorted(order.tolist()) == list(range(1000))
    for length in (10, 50, 333, 700):
        counted = np.bincount(groups[order[:length]], minlength=3)
        assert np.abs(counted - length * np.array([0.6, 0.3, 0.1])).max() <= 1


def test_samples_of_a_group_keep_their_order():
    groups = np.array([0, 1, 0, 1, 1, 0])
    order = np.array([4, 5, 0, 1, 2, 3])
    found = interleaved(groups, order)

    for group in (0, 1):
        assert found[groups[found] == group].tolist() == order[groups[order] == group].tolist()


def test_random_starts_give_samples_of_small_groups_the_same_chance():
    groups = np.array([0, 1, 2, 3, *[4] * 96])  # four of one each
    generator = np.random.default_rng(1)
    taken = np.zeros(100)
    for _ in range(600):
        starts = generator.random(5)
        taken[interleaved(groups, generator.permutation(100), starts)[:30]] += 1

    assert taken[:4] / 600 == pytest.approx(0.3, abs=0.08)
    # By the middle of each place they would never be there.
    assert not (interleaved(groups, np.arange(100))[:30] < 4).any()
