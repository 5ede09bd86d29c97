from typing import Any

import numpy as np
import pytest

from leaplab.analysis.insight import correlated_metadata
from tests.leaplab.analysis.insight.labels_and_columns import BAD, NAN, assert_well_formed, reordered, samples_of


def find(samples) -> Any:
    return correlated_metadata.find(samples)


def planted(seed, count=400, strength=1.0, states=("training", "validation")) -> Any:
    generator = np.random.default_rng(seed)
    columns = {f"metadata.n{place}": generator.normal(size=count) for place in range(8)}
    columns["metadata.k"] = (generator.integers(0, 4, count), list("abcd"))
    loss = generator.exponential(size=count) + strength * np.maximum(columns["metadata.n2"], 0)
    return samples_of(np.resize(states, count).tolist(), columns, loss)


def test_a_planted_column_is_found():
    hits = 0
    for seed in range(10):
        samples = planted(seed)
        found = find(samples)
        assert_well_formed(found, samples)
        hits += [insight.statistics["columns"] for insight in found.insights] == ["metadata.n2"]
        assert all(insight.state == "validation" for insight in found.insights)
    assert hits >= 9


def test_a_permuted_score_gives_no_insight():
    reports = 0
    for seed in range(20):
        samples = planted(seed)
        permuted = np.random.default_rng(seed).permutation(samples.score.badness)
        columns = {
            name: (v.numbers, v.categories) if v.categories else v.numbers for name, v in samples.columns.items()
        }
        found = find(samples_of(samples.states, columns, permuted))
        reports += bool(found.insights)
    assert reports <= 1
    assert "9 columns compared" in found.silent


def test_members_are_the_worst_fifth_of_the_worse_half():
    count = 1000
    generator = np.random.default_rng(0)
    values = generator.permutation(count).astype(float)
    loss = np.where(values >= 500, 1.0, 0.0) + generator.random(count)
    (insight,) = find(samples_of(["validation"] * count, {"a": values}, loss)).insights

    # The 200 worst all lie in the upper half.
    assert np.array_equal(insight.members, np.argsort(-loss, kind="stable")[:200])
    assert insight.population == 500
    assert insight.inside == {"loss.l": pytest.approx(loss[values >= 500].mean())}
    assert insight.baseline == {"loss.l": pytest.approx(loss[values < 500].mean())}
    assert insight.severity == pytest.approx(abs(insight.statistics["rho"]))
    assert set(insight.differences_from.tolist()) == set(np.flatnonzero(values < 500).tolist())
    assert insight.action.label == 200


def test_a_column_that_falls_is_told_from_below():
    values = np.arange(300.0)
    (insight,) = find(samples_of(["test"] * 300, {"a": values}, -values)).insights

    assert insight.state == "test"
    assert set(insight.members.tolist()) == set(range(60))
    assert "gets worse as a falls" in insight.explanation
    assert "a is at most 150" in insight.explanation


def test_many_equal_values_are_divided_as_evenly_as_can_be():
    values = np.repeat([0.0, 1, 2, 3], [130, 30, 20, 20])  # the median is 0, and so is most
    (insight,) = find(samples_of(["test"] * 200, {"metadata.x": values}, values + np.arange(200) / 1000)).insights

    assert insight.population == 70
    assert "above 0" in insight.explanation
    largest = np.repeat([0.0, 1], [60, 140])  # nothing is above the median
    (insight,) = find(samples_of(["test"] * 200, {"metadata.x": largest}, largest + np.arange(200) / 1000)).insights
    assert insight.population == 140


def test_a_category_is_told_with_its_worst():
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 3, 300)
    loss = generator.random(300) + 2.0 * (codes == 1)
    loss[0], codes[0] = 50.0, 0  # one outlier makes no category the worst
    (insight,) = find(samples_of(["validation"] * 300, {"k": (codes, ["x", "yak", "z"])}, loss)).insights

    assert "k is yak" in insight.explanation
    assert set(insight.members.tolist()) <= set(np.flatnonzero(codes == 1).tolist())
    assert insight.population == (codes == 1).sum()
    assert insight.severity == pytest.approx(insight.statistics["eta squared"] ** 0.5)


def test_columns_that_go_together_are_one_insight():
    samples = planted(0, strength=2)
    columns = {name: v.numbers for name, v in samples.columns.items() if v.categories is None}
    columns["metadata.twin"] = columns["metadata.n2"] ** 3
    columns["metadata.opposite"] = -columns["metadata.n2"]
    (insight,) = find(samples_of(samples.states, columns, samples.score.badness)).insights

    assert sorted(insight.statistics["columns"].split(", ")) == ["metadata.n2", "metadata.opposite", "metadata.twin"]
    assert "say nearly the same" in insight.explanation


@pytest.mark.parametrize(
    ("name", "told"),
    [("metadata.objects_all", True), ("metadata.n_boxes", True), ("metadata.year", False), ("metadata.counter", False)],
)
def test_a_count_is_told_as_one(name, told):
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 9, 300)
    loss = codes + generator.random(300)
    (insight,) = find(samples_of(["test"] * 300, {name: (codes, [str(code) for code in range(9)])}, loss)).insights

    assert ("count's effect" in insight.explanation) == told
    assert "rho" in insight.statistics


def test_a_failure_rate_above_a_fifth_has_members_that_fail():
    generator = np.random.default_rng(0)
    values = generator.normal(size=400)
    failed = (values + generator.normal(size=400) > 0.2) * 1.0
    (insight,) = find(samples_of(["validation"] * 400, {"a": values}, failed)).insights

    assert (failed[insight.members] == 1).all()
    assert len(insight.members) == (failed[values > np.median(values)] == 1).sum()


def test_a_failure_rate_below_a_fifth_has_no_members_that_do_not_fail():
    generator = np.random.default_rng(0)
    values = generator.normal(size=400)
    failed = (values + 0.5 * generator.normal(size=400) > 1.4) * 1.0
    (insight,) = find(samples_of(["validation"] * 400, {"a": values}, failed)).insights

    assert 0 < failed.mean() < 0.2
    assert set(insight.members.tolist()) == set(np.flatnonzero((failed == 1) & (values > np.median(values))).tolist())


def test_validation_comes_before_test_and_training():
    assert find(planted(0, states=("test", "training"))).insights[0].state == "test"
    all_three = planted(0, count=1200, states=("test", "training", "validation"))
    assert find(all_three).insights[0].state == "validation"
    only = find(planted(0, states=("training",))).insights[0]
    assert only.state == "training"
    assert "no validation and no test" in only.explanation
    without = samples_of(["validation"] * 5 + ["test"] * 100, {"a": np.arange(105.0)}, [NAN] * 5 + list(range(100)))
    assert find(without).insights[0].state == "test"


def test_the_order_of_the_samples_decides_nothing_but_the_interval():
    samples = planted(1, strength=2)
    order = np.random.default_rng(0).permutation(len(samples))
    (straight,), (shuffled,) = find(samples).insights, find(reordered(samples, order)).insights

    assert np.array_equal(straight.members, order[shuffled.members])
    assert straight.severity == pytest.approx(shuffled.severity, rel=1e-12)


@pytest.mark.parametrize("name", BAD)
def test_what_nothing_can_be_said_of_gives_a_reason(name):
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        found = find(BAD[name])
    assert_well_formed(found, BAD[name])


def test_the_reason_is_that_of_the_run():
    assert find(BAD["no score"]).silent == "No score, says the run."
