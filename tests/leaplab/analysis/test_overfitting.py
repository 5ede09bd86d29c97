from typing import Any

import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_ind

from leaplab.analysis.overfitting import gaps


def states(seed, count=1200, share=0.3, shift=0.0) -> Any:
    """Losses of two states with long tails, and groups that say nothing of them."""
    generator = np.random.default_rng(seed)
    held_out = generator.random(count) < share
    loss = generator.lognormal(size=count)
    loss[held_out] *= 1 + shift
    codes = [generator.integers(0, kinds, count) for kinds in (4, 10)]
    groups = [np.flatnonzero(each == code) for each in codes for code in range(each.max() + 1)]
    return loss, held_out, groups


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_a_planted_group_is_found(shift):
    hits = 0
    for seed in range(10):
        loss, held_out, groups = states(seed, count=5000, shift=shift)
        inside = np.zeros(len(loss), bool)
        inside[groups[7]] = True
        loss[inside & ~held_out] *= 0.1
        found = [each.group for each in gaps(loss, held_out, groups)]
        hits += found == ([7] if shift == 0 else [-1, 7])
    assert hits >= 9


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_groups_as_all_samples_are_not_told(shift):
    reports = 0
    for seed in range(20):
        found = gaps(*states(seed, shift=shift))
        reports += any(each.group >= 0 for each in found)
        assert any(each.group == -1 for each in found) == bool(shift)
    assert reports <= 1


def test_permuted_states_give_nothing():
    reports = 0
    for seed in range(20):
        loss, held_out, groups = states(seed, shift=1)
        reports += bool(gaps(loss, np.random.default_rng(seed + 100).permutation(held_out), groups))
    assert reports <= 1


def test_the_numbers_are_those_of_the_worked_example():
    training, held_out = np.tile([1.0, 5.0], 50), np.tile([5.0, 7.0], 20)
    loss, of = np.concatenate([training, held_out]), np.repeat([False, True], [100, 40])
    # In the group training is always 1, and the others are 5 and 7 in turn.
    group = np.concatenate([np.arange(0, 100, 2), np.arange(100, 140)])
    everything, inside = gaps(loss, of, [group])

    assert (everything.group, everything.training, everything.held_out) == (-1, 3, 6)
    assert everything.excess == everything.difference == 3
    assert (inside.group, inside.training, inside.held_out) == (0, 1, 6)
    assert (inside.difference, inside.excess) == (5, 2)
    assert everything.p == pytest.approx(2 / 500)
    assert inside.p <= 0.05


def test_the_p_value_is_that_of_scipy():
    generator = np.random.default_rng(5)
    training, held_out = generator.exponential(size=60), 1.55 * generator.exponential(size=25)
    loss, of = np.concatenate([training, held_out]), np.repeat([False, True], [60, 25])
    found = gaps(loss, of, [])

    wanted = permutation_test(
        (held_out, training),
        lambda one, other, axis: ttest_ind(one, other, axis=axis, equal_var=False).statistic,
        vectorized=True,
        n_resamples=4999,
        alternative="greater",
        rng=0,
    )
    assert [each.group for each in found] == [-1]
    assert found[0].p == pytest.approx(wanted.pvalue, abs=0.012)


def test_unequal_variances_do_not_mislead():
    # Few held-out samples of the same mean, with ten times the spread: plain differences would be told often.
    reports = 0
    for seed in range(60):
        generator = np.random.default_rng(seed)
        training, held_out = 4 + generator.normal(size=300), 4 + 8 * generator.normal(size=20)
        found = gaps(np.concatenate([training, held_out]), np.repeat([False, True], [300, 20]), [])
        reports += bool(found)
    assert reports <= 9


def test_a_sure_but_slight_gap_is_not_told():
    generator = np.random.default_rng(0)
    training, held_out = 1 + 0.1 * generator.random(5000), 1.1 + 0.1 * generator.random(5000)
    of = np.repeat([False, True], 5000)

    assert gaps(np.concatenate([training, held_out]), of, []) == []
    assert [each.group for each in gaps(np.concatenate([training, held_out + 0.3]), of, [])] == [-1]


def test_all_groups_count_in_the_correction_and_can_still_be_found():
    loss, held_out, _ = states(0, count=4000)
    rest = np.arange(2000, 4000)
    planted = np.arange(100)
    loss[planted[~held_out[planted]]] *= 0.02
    loss[planted[held_out[planted]]] *= 3
    groups = [planted, *np.array_split(rest, 30)]
    found = {each.group: each.p for each in gaps(loss, held_out, groups)}

    assert 0 in found
    # 32 tests of 1,279 permutations: the smallest is half of the level.
    assert found[0] == pytest.approx(32 / 1280)


def test_groups_of_few_samples_do_not_count():
    loss = np.concatenate([np.full(100, 1.0), np.full(100, 1.0)]) + np.arange(200) / 1e4
    held_out = np.repeat([False, True], 100)
    loss[:40], loss[100:140] = 0.0, 2.0
    few = np.concatenate([np.arange(30), np.arange(100, 114)])
    enough = np.concatenate([np.arange(30), np.arange(100, 115)])
    groups = [few, enough]

    assert 0 not in {each.group for each in gaps(loss, held_out, groups)}
    assert 1 in {each.group for each in gaps(loss, held_out, groups)}


def test_equal_losses_and_absent_states_give_nothing():
    half = np.repeat([False, True], 50)
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        assert gaps(np.ones(100), half, [np.arange(20, 80)]) == []
        assert gaps(np.zeros(100), half, [np.arange(20, 80)]) == []
        assert gaps(np.arange(100.0), np.zeros(100, bool), [np.arange(50)]) == []
        assert gaps(np.arange(100.0), np.arange(100) < 14, []) == []
        assert gaps(np.zeros(0), np.zeros(0, bool), []) == []
        # Two constants: there is a gap, and nothing to divide it by.
        assert [each.group for each in gaps(half * 1.0, half, [])] == [-1]


def test_a_model_that_does_better_on_held_out_samples_is_none():
    loss, held_out, groups = states(0, shift=-0.7)
    assert gaps(loss, held_out, groups) == []
