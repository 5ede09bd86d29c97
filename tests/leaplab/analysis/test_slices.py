from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ttest_ind

from leaplab.analysis.differences import Values
from leaplab.analysis.excess import z_of
from leaplab.analysis.rules import Condition
from leaplab.analysis.slices import find_slices

COUNT = 1500
SEEDS = range(10)


def columns_of(generator) -> dict[str, Values]:
    return {
        "metadata.light": Values(generator.normal(size=COUNT)),
        "metadata.speed": Values(generator.exponential(size=COUNT)),
        "metadata.city": Values(generator.integers(0, 5, COUNT).astype(float), ["A", "B", "C", "D", "E"]),
        "metadata.absent": Values(np.full(COUNT, np.nan)),
        "metadata.constant": Values(np.ones(COUNT)),
        "metadata.unique": Values(generator.permutation(COUNT).astype(float), [str(n) for n in range(COUNT)]),
    }


def planted_in(kind, columns, components, generator) -> Any:
    light, city = columns["metadata.light"].numbers, columns["metadata.city"].numbers
    if kind == "category":
        return city == 2
    if kind == "range":
        return (light > 0.5) & (light < 1.0)
    if kind == "pair":
        return (city == 1) & (light < -0.3)
    distances = np.linalg.norm(components - components[generator.integers(COUNT)], axis=1)
    return distances <= np.sort(distances)[110]


def jaccard(one, other) -> float:
    return float((one & other).sum() / (one | other).sum())


def everything() -> NDArray[np.bool_]:
    return np.ones(COUNT, bool)


@pytest.mark.parametrize("kind", ["category", "range", "pair", "ball"])
def test_a_planted_slice_is_found_first(kind):
    found = 0
    for seed in SEEDS:
        generator = np.random.default_rng(seed)
        columns = columns_of(generator)
        components = generator.normal(size=(COUNT, 4)).astype(np.float32)
        loss = generator.exponential(size=COUNT)
        planted = planted_in(kind, columns, components, generator)
        loss[planted] += 1.5
        slices = find_slices(loss, columns, everything(), components, np.arange(COUNT))
        found += bool(slices) and jaccard(slices[0].covers, planted) >= 0.5
    assert found >= 9


def test_chance_is_no_slice():
    reported = 0
    for seed in range(20):
        generator = np.random.default_rng(100 + seed)
        columns = columns_of(generator)
        components = generator.normal(size=(COUNT, 4)).astype(np.float32)
        loss = generator.exponential(size=COUNT) ** 2
        reported += bool(find_slices(loss, columns, everything(), components, np.arange(COUNT)))
    assert reported <= 1


def test_numbers_of_a_slice_are_those_of_its_members():
    generator = np.random.default_rng(3)
    columns = columns_of(generator)
    loss = generator.exponential(size=COUNT)
    inside = columns["metadata.city"].numbers == 4
    loss[inside] += 2
    (found,) = find_slices(loss, {"metadata.city": columns["metadata.city"]}, everything())

    assert found.conditions == (Condition("metadata.city", category=4, text="E"),)
    assert (found.covers == inside).all()
    assert found.size == inside.sum()
    assert found.mean == pytest.approx(loss[inside].mean())
    assert found.rest == pytest.approx(loss[~inside].mean())
    assert found.excess == pytest.approx((loss[inside].mean() - loss[~inside].mean()) * inside.sum())
    assert found.effect == pytest.approx((loss[inside].mean() - loss[~inside].mean()) / loss.std(), abs=0.25)
    # One candidate was suggested, so nothing is corrected: about the p of a test on any half of the samples.
    half = ttest_ind(loss[inside][::2], loss[~inside][::2], equal_var=False, alternative="greater").pvalue
    assert np.log10(found.p) == pytest.approx(np.log10(half), rel=0.5)


def test_all_that_are_suggested_count_in_the_correction():
    generator = np.random.default_rng(0)
    city = generator.integers(0, 8, COUNT)
    loss = generator.exponential(size=COUNT) + np.array([3.0, 1.6, 0.9, 0, 0, 0, 0, 0])[city]
    is_a = Values((city == 0).astype(float), ["no", "yes"])
    (alone,) = find_slices(loss, {"metadata.is_a": is_a}, everything())
    among = find_slices(loss, {"metadata.city": Values(city.astype(float), list("abcdefgh"))}, everything())

    assert [each.conditions[0].text for each in among] == ["a", "b", "c"]
    assert among[0].p == pytest.approx(3 * alone.p, rel=1e-6, abs=0)


def test_what_earlier_slices_hold_does_not_confirm_a_later_one():
    generator = np.random.default_rng(0)
    night = generator.random(COUNT) < 0.2
    rain = generator.random(COUNT) < np.where(night, 0.8, 0.12)
    loss = generator.normal(size=COUNT) + 4.0 * night + 1.5 * rain
    columns = {name: Values(each.astype(float), ["no", "yes"]) for name, each in (("night", night), ("rain", rain))}
    found = {each.conditions[0].column: each for each in find_slices(loss, columns, everything())}

    assert set(found) == {"night", "rain"}
    # By day alone; with the nights it would be more than twice as much.
    assert found["rain"].effect == pytest.approx(1.5 / loss.std(), rel=0.3)


def test_a_sure_but_slight_slice_is_not_told():
    generator = np.random.default_rng(0)
    night = generator.random(20_000) < 0.3
    columns = {"night": Values(night.astype(float), ["no", "yes"])}
    noise = generator.normal(size=20_000)
    assert ttest_ind(noise[night] + 0.1, noise[~night]).pvalue < 1e-9

    assert find_slices(noise + 0.1 * night, columns, np.ones(20_000, bool)) == []
    assert len(find_slices(noise + 0.3 * night, columns, np.ones(20_000, bool))) == 1


def test_single_samples_that_are_very_bad_hide_no_slice():
    generator = np.random.default_rng(0)
    city = generator.integers(0, 5, COUNT)
    loss = generator.exponential(size=COUNT) + 1.5 * (city == 2)
    loss[np.flatnonzero(city != 2)[:5]] = 200
    slices = find_slices(loss, {"metadata.city": Values(city.astype(float), list("ABCDE"))}, everything())

    assert [each.conditions[0].text for each in slices] == ["C"]


def test_what_is_easier_to_say_is_told_where_two_conditions_are_hardly_better():
    generator = np.random.default_rng(0)
    city = generator.integers(0, 5, COUNT)
    day = generator.random(COUNT) < np.where(city == 1, 0.9, 0.3)  # less than half, so that it may be a condition
    loss = generator.normal(size=COUNT) + 2.2 * ((city == 1) & day)
    columns = {
        "city": Values(city.astype(float), list("ABCDE")),
        "light": Values(day.astype(float), ["night", "day"]),
    }
    found = find_slices(loss, columns, everything())

    assert [condition.told() for condition in found[0].conditions] == ["city is B"]


def test_what_is_better_than_the_rest_with_its_slices_is_not_told():
    generator = np.random.default_rng(0)
    city = generator.choice(3, COUNT, p=[0.3, 0.2, 0.5])
    loss = generator.normal(size=COUNT) + np.array([10.0, 1.3, 0.0])[city]
    found = find_slices(loss, {"city": Values(city.astype(float), list("ABC"))}, everything())

    assert [each.conditions[0].text for each in found] == ["A"]


def test_a_place_holds_nothing_of_earlier_slices():
    generator = np.random.default_rng(0)
    city, group = generator.integers(0, 5, COUNT), generator.integers(0, 12, COUNT)
    components = (generator.normal(0, 9, (12, 4))[group] + generator.normal(size=(COUNT, 4))).astype(np.float32)
    loss = generator.exponential(size=COUNT) + 3.0 * (city == 1) + 2.5 * (group == 4)
    columns = {"metadata.city": Values(city.astype(float), list("abcde"))}
    found = find_slices(loss, columns, everything(), components, np.arange(COUNT))
    (rule,), (place,) = ([each for each in found if bool(each.place) == is_place] for is_place in (False, True))

    assert (rule.covers == (city == 1)).all()
    assert not (rule.covers & place.covers).any()
    assert jaccard(place.covers, (group == 4) & (city != 1)) > 0.9
    assert place.size == place.covers.sum()


def test_what_only_overlaps_with_a_worse_slice_is_not_told():
    generator = np.random.default_rng(5)
    city = generator.integers(0, 4, COUNT)
    country = (city >= 2).astype(float)  # half of it is the worse city
    loss = generator.exponential(size=COUNT) + 3.0 * (city == 3)
    columns = {
        "metadata.city": Values(city.astype(float), ["A", "B", "C", "D"]),
        "metadata.country": Values(country, ["X", "Y"]),
    }
    slices = find_slices(loss, columns, everything())

    assert [each.conditions[0].text for each in slices] == ["D"]


def test_a_few_outliers_of_the_rest_hide_no_slice():
    generator = np.random.default_rng(11)
    columns = columns_of(generator)
    loss = generator.exponential(size=COUNT)
    inside = columns["metadata.city"].numbers == 2
    loss[inside] += 2
    loss[np.flatnonzero(~inside)[:5]] = 1e4

    assert find_slices(loss, columns, everything())[0].conditions[0].text == "C"


def test_the_greatest_excess_comes_first():
    generator = np.random.default_rng(12)
    city = generator.choice(5, COUNT, p=(0.3, 0.3, 0.2, 0.1, 0.1)).astype(float)
    loss = generator.normal(size=COUNT) + 3.0 * (city == 3) + 2.0 * (city == 2)
    slices = find_slices(loss, {"metadata.city": Values(city, ["A", "B", "C", "D", "E"])}, everything())

    assert [each.conditions[0].text for each in slices] == ["C", "D"]  # D was suggested first: its z is higher
    assert slices[0].excess > slices[1].excess


def test_only_the_state_that_is_looked_at_counts_and_others_are_covered():
    generator = np.random.default_rng(6)
    city = generator.integers(0, 4, COUNT).astype(float)
    loss = generator.exponential(size=COUNT)
    validation = np.arange(COUNT) % 2 == 0
    loss[validation & (city == 1)] += 3
    loss[~validation & (city == 2)] += 100
    (found,) = find_slices(loss, {"metadata.city": Values(city, ["A", "B", "C", "D"])}, validation)

    assert found.conditions[0].text == "B"
    assert (found.covers == (city == 1)).all()
    assert found.size == (validation & (city == 1)).sum()


def test_samples_without_a_loss_or_a_vector_are_left_out():
    generator = np.random.default_rng(7)
    columns = columns_of(generator)
    components = generator.normal(size=(COUNT - 100, 4)).astype(np.float32)
    loss = generator.exponential(size=COUNT)
    loss[columns["metadata.city"].numbers == 2] += 2
    loss[::10] = np.nan
    slices = find_slices(loss, columns, everything(), components, np.arange(100, COUNT))

    assert slices[0].conditions[0].text == "C"
    assert slices[0].size == (np.isfinite(loss) & (columns["metadata.city"].numbers == 2)).sum()


@pytest.mark.parametrize(
    "loss",
    [
        np.full(COUNT, 0.5),
        np.full(COUNT, np.nan),
        np.concatenate([[1.0], np.full(COUNT - 1, np.nan)]),
        np.concatenate([[1e300], np.zeros(COUNT - 1)]),
    ],
)
def test_a_loss_that_says_nothing_has_no_slice(loss):
    columns = columns_of(np.random.default_rng(8))

    assert find_slices(loss, columns, everything()) == []


def test_all_vectors_alike_and_no_columns():
    loss = np.random.default_rng(9).exponential(size=COUNT)

    assert find_slices(loss, {}, everything(), np.zeros((COUNT, 3), np.float32), np.arange(COUNT)) == []
    assert find_slices(loss, {}, everything(), np.zeros((COUNT, 0), np.float32), np.arange(COUNT)) == []
    assert find_slices(loss[:40], {}, np.ones(40, bool)) == []


def test_z_is_that_of_drawing_without_replacement():
    generator = np.random.default_rng(0)
    values = generator.exponential(size=200)
    spread = values - values.mean()
    sums = np.array([generator.permutation(spread)[:30].sum() for _ in range(20_000)])
    z = z_of(sums, np.array(30.0), spread)

    assert z.std() == pytest.approx(1, abs=0.02)
    assert z.mean() == pytest.approx(0, abs=0.03)


def test_conditions_speak_and_cover_their_ends():
    numbers = {"a": Values(np.array([1.0, 2.0, 3.0, np.nan])), "k": Values(np.array([0, 1, 1, np.nan]), ["x", "it's"])}
    half_open = Condition("a", low=1.0, high=3.0, closed=False)
    upper = Condition("a", low=2.0)

    assert half_open.covers(numbers).tolist() == [True, True, False, False]
    assert upper.covers(numbers).tolist() == [False, True, True, False]
    assert Condition("k", category=1, text="it's").covers(numbers).tolist() == [False, True, True, False]
    assert Condition("k", category=1, text="it's").where() == "k = 'it''s'"
    assert half_open.where() == "a >= 1.0 and a < 3.0"
    assert (upper.where(), upper.told()) == ("a >= 2.0", "a from 2")
    assert Condition("a", high=3.0, closed=False).told() == "a below 3"
