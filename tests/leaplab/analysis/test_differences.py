import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact, mannwhitneyu

from leaplab.analysis.differences import Values, differences

NAN = float("nan")


def numbers(values) -> Values:
    return Values(np.asarray(values, np.float64))


@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(2, 12))
def test_a_number_is_judged_as_scipy_does(seed, levels):
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, 3, 200)
    values = generator.integers(0, levels, 200) + 3.0 * (groups == 1)
    (found,) = differences({"a": numbers(values)}, groups, [1])[1]

    wanted = mannwhitneyu(values[groups == 1], values[groups != 1], method="asymptotic")
    count = (groups == 1).sum()
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-9)
    assert found.effect == pytest.approx(2 * wanted.statistic / (count * (200 - count)) - 1)
    assert found.inside == np.median(values[groups == 1])
    assert found.outside == np.median(values[groups != 1])


def test_a_category_is_judged_as_fisher_does():
    groups = np.repeat([0, 1], [40, 160])
    codes = np.concatenate([np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [20, 140])]).astype(float)
    first, second = differences({"k": Values(codes, ["cat", "dog"])}, groups, [0])[0]

    one_sided = fisher_exact([[30, 10], [20, 140]], alternative="greater").pvalue
    assert (first.inside, first.outside) == ({"cat": 0.75}, {"cat": 0.125})
    assert first.effect == pytest.approx(0.625)
    assert first.p == pytest.approx(2 * one_sided * 2, rel=1e-9)  # either way, and two categories were tried
    assert second.inside == {"dog": 0.25}
    assert second.effect == pytest.approx(-0.625)


def test_the_planted_column_comes_first():
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 5, 3000)
    columns = {f"n{place}": numbers(generator.normal(size=3000)) for place in range(20)}
    columns["planted"] = numbers(generator.normal(size=3000) + 2 * (groups == 3))
    columns["weaker"] = numbers(generator.normal(size=3000) + 0.8 * (groups == 3))
    found = differences(columns, groups)

    assert [each.column for each in found[3]] == ["planted", "weaker"]
    # The others lack what is planted, and no column of chance is named.
    assert {each.column for group in found.values() for each in group} <= {"planted", "weaker"}


def test_random_groups_are_not_set_apart():
    generator = np.random.default_rng(1)
    groups = generator.integers(0, 80, 8000)
    columns = {f"n{place}": numbers(generator.normal(size=8000)) for place in range(30)}
    columns |= {
        f"c{place}": Values(generator.integers(0, 10, 8000).astype(float), [str(code) for code in range(10)])
        for place in range(10)
    }

    assert not any(differences(columns, groups).values())


def test_what_is_absent_constant_or_without_a_rest_says_nothing():
    groups = np.repeat([0, 1], 50)
    columns = {
        "absent": numbers(np.full(100, NAN)),
        "constant": numbers(np.ones(100)),
        "one_sided": numbers(np.where(groups == 0, np.arange(100.0), NAN)),
        "category": Values(np.where(groups == 0, 0, NAN), ["only"]),
    }

    with np.errstate(all="raise"):
        assert differences(columns, groups) == {0: [], 1: []}


def test_absent_values_do_not_count():
    groups = np.repeat([0, 1], [60, 300])
    values = np.where(groups == 0, 5.0, 1.0) + np.arange(360) / 1000
    values[::3] = NAN
    (found,) = differences({"a": numbers(values)}, groups, [0])[0]

    assert found.effect == 1.0
    assert found.inside == np.nanmedian(values[groups == 0])
