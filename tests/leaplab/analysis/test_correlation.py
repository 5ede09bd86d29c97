import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kruskal, spearmanr

from leaplab.analysis.correlation import correlations, numbers_of, together
from leaplab.analysis.differences import Values

NAN = float("nan")


def numbers(values) -> Values:
    return Values(np.asarray(values, np.float64))


def coded(codes, categories) -> Values:
    return Values(np.asarray(codes, np.float64), categories)


@given(seed=st.integers(0, 2**32 - 1), levels=st.integers(3, 40), sign=st.sampled_from([-1, 1]))
def test_a_number_is_judged_as_scipy_does(seed, levels, sign):
    generator = np.random.default_rng(seed)
    values = generator.integers(0, levels, 120)
    score = sign * values + generator.normal(size=120) * levels / 4
    (found,) = correlations({"a": numbers(values)}, score)

    wanted = spearmanr(values, score)
    assert found.effect == pytest.approx(wanted.statistic, abs=1e-9)
    assert found.strength == pytest.approx(abs(wanted.statistic), abs=1e-9)
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-6)
    assert found.samples == 120
    assert found.interval[0] <= found.effect <= found.interval[1]


@given(seed=st.integers(0, 2**32 - 1), kinds=st.integers(2, 8))
def test_categories_are_judged_as_scipy_does(seed, kinds):
    generator = np.random.default_rng(seed)
    codes = np.concatenate([np.repeat(np.arange(kinds), 5), generator.integers(0, kinds, 200)])
    score = np.round(codes % 3 + codes / 9 + generator.normal(size=len(codes)), 1)
    (found,) = correlations({"k": Values(codes.astype(float), [f"k{code}" for code in range(kinds)])}, score)

    wanted = kruskal(*(score[codes == kind] for kind in range(kinds)))
    eta_squared = (wanted.statistic - kinds + 1) / (len(codes) - kinds)
    assert found.of_categories
    assert found.effect == pytest.approx(eta_squared, rel=1e-9)
    assert found.strength == pytest.approx(eta_squared**0.5, rel=1e-9)
    assert found.p == pytest.approx(wanted.pvalue, rel=1e-6)


def test_all_columns_count_in_the_correction():
    generator = np.random.default_rng(0)
    values = generator.normal(size=200)
    score = 0.4 * values + generator.normal(size=200)
    alone = correlations({"a": numbers(values)}, score)[0]
    others = {f"n{place}": numbers(generator.normal(size=200)) for place in range(9)}
    among = correlations({"a": numbers(values)} | others, score)[0]

    assert among.p == pytest.approx(10 * alone.p)


def test_a_planted_column_is_found_and_no_other():
    hits = 0
    for seed in range(10):
        generator = np.random.default_rng(seed)
        columns = {f"n{place}": numbers(generator.normal(size=400)) for place in range(20)}
        columns |= {f"k{place}": coded(generator.integers(0, 5, 400), list("abcde")) for place in range(10)}
        score = columns["n3"].numbers * 0.5 + generator.exponential(size=400)
        hits += [each.column for each in correlations(columns, score)] == ["n3"]
    assert hits >= 9


def test_a_permuted_score_goes_with_nothing():
    reports = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        columns = {f"n{place}": numbers(generator.normal(size=100)) for place in range(30)}
        columns["many"] = coded(generator.integers(0, 20, 100), [f"k{code}" for code in range(20)])
        columns["whole"] = coded(generator.integers(0, 6, 100), [str(code) for code in range(6)])
        reports += bool(correlations(columns, generator.exponential(size=100)))
    assert reports <= 1


def test_a_sure_but_slight_correlation_is_not_told():
    generator = np.random.default_rng(0)
    values = generator.normal(size=20_000)
    score = 0.1 * values + generator.normal(size=20_000)
    assert spearmanr(values, score).pvalue < 1e-20

    assert correlations({"a": numbers(values)}, score) == []


def test_the_interval_covers_the_truth():
    # Of two normal variables with the correlation r, Spearman's rho is 6 / pi asin(r / 2).
    truth = 6 / np.pi * np.arcsin(0.6 / 2)
    covered, widths = 0, []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        values = generator.normal(size=150)
        score = 0.6 * values + 0.8 * generator.normal(size=150)
        low, high = correlations({"a": numbers(values)}, score)[0].interval
        covered += low <= truth <= high
        widths.append(high - low)
    assert covered >= 53
    # Fisher's z with Bonett and Wright's variance (Psychometrika 65, 2000)
    error = np.sqrt((1 + truth**2 / 2) / 147)
    wanted = np.tanh(np.arctanh(truth) + 1.96 * error) - np.tanh(np.arctanh(truth) - 1.96 * error)
    assert np.mean(widths) == pytest.approx(wanted, rel=0.15)


def test_the_interval_of_many_rows_is_as_narrow_as_they_make_it():
    generator = np.random.default_rng(0)
    values = generator.normal(size=40_000)
    score = 0.6 * values + 0.8 * generator.normal(size=40_000)
    found = correlations({"a": numbers(values)}, score)[0]

    error = np.sqrt((1 + found.effect**2 / 2) / 39_997) * (1 - found.effect**2)
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * error, rel=0.25)


def test_the_interval_of_categories_covers_the_truth():
    # Two equal halves a distance apart, that never overlap: eta squared of the ranks is 3/4.
    covered = 0
    for seed in range(30):
        generator = np.random.default_rng(seed)
        codes = generator.integers(0, 2, 300)
        low, high = correlations({"k": coded(codes, ["a", "b"])}, codes * 9 + generator.random(300))[0].interval
        covered += low <= 0.75 + 0.005
        assert high <= 1
    assert covered == 30


def test_whole_numbers_count_as_numbers_where_their_order_tells():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 10, 500)
    whole = coded(codes, [str(9 - code) for code in range(10)])  # the code is not the number
    (ordered,) = correlations({"k": whole}, codes + generator.normal(size=500))
    (not_ordered,) = correlations({"k": whole}, codes % 2 + 0.2 * generator.normal(size=500))

    assert not ordered.of_categories
    assert ordered.effect < -0.8
    assert not_ordered.of_categories
    assert not_ordered.effect > 0.5


def test_categories_are_numbers_only_where_all_are():
    assert numbers_of(numbers([1, 2])) is None
    assert numbers_of(Values(np.array([0.0, 1]), ["1", "two"])) is None
    read = numbers_of(Values(np.array([0.0, 1, NAN, 1]), ["7", "-3"]))
    assert read is not None
    assert read.categories is None
    assert np.array_equal(read.numbers, [7, -3, NAN, -3], equal_nan=True)


def test_absent_values_and_small_categories_do_not_count():
    generator = np.random.default_rng(0)
    codes = np.repeat([0.0, 1, 2], [60, 60, 4])
    score = np.repeat([0.0, 1, 99], [60, 60, 4]) + generator.random(124)
    with_absent = np.concatenate([codes, np.full(40, NAN), [0.0, 1.0]])
    found = correlations(
        {"k": Values(with_absent, ["a", "b", "c"])}, np.concatenate([score, generator.random(40) * 9, [NAN, NAN]])
    )[0]

    wanted = kruskal(score[:60], score[60:120])
    assert found.samples == 120
    assert found.effect == pytest.approx((wanted.statistic - 1) / 118)


def test_what_is_absent_constant_or_few_says_nothing():
    score = np.arange(100.0)
    columns = {
        "absent": numbers(np.full(100, NAN)),
        "constant": numbers(np.ones(100)),
        "few": numbers(np.where(np.arange(100) < 19, np.arange(100), NAN)),
        "ids": Values(np.arange(100.0), [f"id {code}" for code in range(100)]),
        "one": Values(np.zeros(100), ["one"]),
        "none": Values(np.full(100, NAN), []),
    }
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        assert correlations(columns, score) == []
        assert correlations({"a": numbers(score)}, np.ones(100)) == []
        assert correlations({"a": numbers(score)}, np.full(100, NAN)) == []
        assert correlations({}, score) == []


def test_a_perfect_correlation_is_sure():
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        (found,) = correlations({"a": numbers(np.arange(50))}, np.exp(np.arange(50) / 10))
    assert found.effect == pytest.approx(1)
    assert found.p < 1e-12
    assert found.interval == pytest.approx((1, 1))


def test_columns_that_say_the_same_are_one_group():
    generator = np.random.default_rng(0)
    base, other = generator.normal(size=3000), generator.normal(size=3000)
    codes = (base > 0) * 1.0
    columns = {
        "base": numbers(base),
        "other": numbers(other),
        "opposite": numbers(-np.exp(base) + 0.01 * other),
        "code": coded(codes, ["a", "b"]),
        "renamed": coded(1 - codes, ["no", "yes"]),
        "weaker": numbers(base + other),  # correlates by .7
        "absent": numbers(np.full(3000, NAN)),
        "fine": Values(np.clip(np.floor(2 * other), -3, 3) + 3, [f"part {code}" for code in range(7)]),
    }

    assert together(columns) == [
        ["base", "opposite"],
        ["other", "fine"],
        ["code", "renamed"],
        ["weaker"],
        ["absent"],
    ]
    assert together({}) == []


def test_unrelated_categories_are_not_one_group():
    generator = np.random.default_rng(0)
    # 40 x 40 cells of 42 samples: without the correction chance alone gives V = .97.
    columns = {name: coded(generator.integers(0, 40, 42), [f"k{code}" for code in range(40)]) for name in ("a", "b")}
    assert together(columns) == [["a"], ["b"]]


def test_a_column_of_many_categories_and_the_same_renamed_are_one_group():
    # Of 42 samples in 10 categories V would be .88 at most, were only its numerator corrected for chance.
    codes, names = np.arange(42) % 10, [f"k{code}" for code in range(10)]

    assert together({"a": coded(codes, names), "b": coded((codes + 3) % 10, names)}) == [["a", "b"]]
