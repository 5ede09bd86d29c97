"""What a slice may be: each kind of candidate by itself."""

from typing import Any

import numpy as np
import pytest

from leaplab.analysis.balls import Balls
from leaplab.analysis.candidates import Pairs, Ranges, Singles
from leaplab.analysis.differences import Values
from leaplab.analysis.excess import NONE
from leaplab.analysis.rules import range_of_bins
from leaplab.analysis.slices import find_slices

COUNT, LEAST = 2000, 15
ROWS = np.arange(COUNT)
EVEN = ROWS % 2 == 0


def spread_of(badness, half) -> Any:
    return (badness - badness[half].mean())[half]


def ranges_of(numbers, half) -> Ranges:
    return Ranges({"a": Values(np.asarray(numbers, np.float64))}, ROWS, half, LEAST, 0.5)


@pytest.mark.parametrize("own", [True, False])
def test_a_range_needs_members_in_both_halves(own):
    worst = ROWS < 100
    half = np.where(worst, own, EVEN)
    badness = np.where(worst, 5.0, 0.0) + (ROWS < 300)
    found = ranges_of(ROWS * 1.0, half).best_of_all(spread_of(badness, half))

    assert found is not None
    condition, inside, _ = found
    assert min((inside & half).sum(), (inside & ~half).sum()) >= LEAST
    assert (condition.covers({"a": Values(ROWS.astype(float))}) == inside).all()


def test_a_range_has_half_of_the_samples_at_most():
    found = ranges_of(ROWS * 1.0, EVEN).best_of_all(spread_of((ROWS > 600) * 1.0, EVEN))

    assert found is not None
    assert 0 < found[1].sum() <= COUNT / 2


def test_all_values_of_a_number_that_most_samples_lack_are_no_range():
    known = ROWS < 800
    found = ranges_of(np.where(known, ROWS, np.nan), EVEN).best_of_all(spread_of(known * 1.0, EVEN))

    assert found is not None
    assert np.isfinite([found[0].low, found[0].high]).any()


def test_a_range_ends_before_the_next_bin():
    edges, numbers = np.array([0.0, 1.0, 2.0, 3.0]), Values(np.array([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 9.0, np.nan]))

    def covered(first, last) -> Any:
        return numbers.numbers[range_of_bins("a", edges, first, last).covers({"a": numbers})].tolist()

    assert covered(1, 1) == [1.0, 1.5]
    assert covered(0, 0) == [-1.0, 0.0, 0.5]
    assert covered(2, 2) == [2.0, 3.0, 9.0]
    assert range_of_bins("a", edges, 0, 1).told() == "a below 2"
    assert range_of_bins("a", edges, 0, 1).where() == "a < 2.0"
    assert range_of_bins("a", edges, 1, 2).where() == "a >= 1.0"


def test_single_conditions_have_enough_members_and_not_too_many():
    codes = np.where(ROWS < 1200, 0, np.where(ROWS < 1220, 1, np.where(ROWS < 1700, 2, 3)))
    half = np.where(ROWS < 1220, EVEN, (ROWS % 3 == 0))
    singles = Singles({"k": Values(codes * 1.0, list("abcd"))}, ROWS, half, LEAST, 0.5)

    # Of a there are more than half, and of b 10 in each half.
    assert [rule.condition.text for rule in singles.rules if rule.condition is not None] == ["c", "d"]


def pairs_of(half, spread, columns) -> Any:
    singles = Singles(columns, ROWS, half, LEAST, 0.6)
    one, other, z = Pairs(singles, half, LEAST).best(spread, singles.z(spread))
    return singles, one, other, z


@pytest.mark.parametrize("own", [True, False])
def test_a_pair_needs_members_in_both_halves(own):
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 2, (2, COUNT))
    both = (first == 1) & (second == 1)
    half = np.where(both, own, EVEN)
    few = np.flatnonzero(both)[:10]
    half[few] = ~half[few]
    columns = {"k": Values(first * 1.0, ["no", "yes"]), "l": Values(second * 1.0, ["no", "yes"])}
    spread = spread_of(both + 0.1 * generator.normal(size=COUNT), half)
    singles, one, other, z = pairs_of(half, spread, columns)

    assert z > NONE
    members = singles.inside(one) & singles.inside(other)
    assert min((members & half).sum(), (members & ~half).sum()) >= LEAST


def test_a_pair_is_of_two_columns():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 4, (2, COUNT))
    columns = {name: Values(each * 1.0, list("abcd")) for name, each in zip("kl", codes, strict=True)}
    singles, one, other, _ = pairs_of(EVEN, spread_of((codes[0] == 2) * 1.0, EVEN), columns)

    assert {singles.rules[each].condition.column for each in (one, other)} == {"k", "l"}


def balls_of(vectors, half, badness) -> Balls:
    return Balls(vectors.astype(np.float32), ROWS, ROWS, half, badness, LEAST, np.random.default_rng(0))


@pytest.mark.parametrize("own", [40, 5])
def test_a_ball_needs_members_in_both_halves(own):
    # Of the 40 in the very middle, which alone are bad, most are of one half; 60 of both lie around them.
    generator = np.random.default_rng(0)
    vectors = 50 + 20 * generator.normal(size=(COUNT, 2))
    vectors[:40], vectors[40:100] = 0.01 * generator.normal(size=(40, 2)), generator.normal(size=(60, 2))
    half = np.where(ROWS < 40, own > ROWS, EVEN)
    badness = np.where(ROWS < 40, 5.0, 0.0)
    balls = balls_of(vectors, half, badness)
    centre, radius, z = balls.best(spread_of(badness, half))
    inside = balls.inside(centre, radius)

    assert z > 3
    assert inside[:40].all()
    assert min((inside & half).sum(), (inside & ~half).sum()) >= LEAST
    assert (balls.covers(centre, radius, COUNT) == inside).all()


def test_a_ball_moves_to_where_the_bad_ones_lie():
    # They lie on a circle within a wider one, so that a ball around any of them holds others or lacks some.
    generator = np.random.default_rng(0)
    angles = generator.uniform(0, 2 * np.pi, 40)
    vectors = 6 * generator.normal(size=(COUNT, 2)) + 20
    vectors[:40] = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    vectors[40:120] = 2.0 * np.stack([np.cos(2 * np.arange(80)), np.sin(2 * np.arange(80))], axis=1)
    badness = np.where(ROWS < 40, 5.0, 0.0)
    balls = balls_of(vectors, EVEN, badness)
    centre, radius, _ = balls.best(spread_of(badness, EVEN))
    inside = balls.inside(centre, radius)

    assert inside[:40].mean() > 0.9
    assert inside[40:].sum() <= 4


def test_of_equal_conditions_the_one_with_a_name_is_told():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 4, COUNT)
    known = codes.astype(float)
    loss = generator.exponential(size=COUNT) + 2.0 * (codes == 1)
    columns = {"a.code": Values(known, list("0123")), "b.name": Values(known, ["x", "y", "z", "w"])}
    (found,) = find_slices(loss, columns, np.ones(COUNT, bool))

    assert found.conditions[0].told() == "b.name is y"
