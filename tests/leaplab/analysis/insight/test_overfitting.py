from typing import Any

import numpy as np
import pytest

from leaplab.analysis.insight import overfitting
from tests.leaplab.analysis.insight.labels_and_columns import BAD, NAN, assert_well_formed, reordered, samples_of


def find(samples) -> Any:
    return overfitting.find(samples)


def planted(seed, count=1000, lower=0.05, states=("training", "validation"), overall=1.0) -> Any:
    generator = np.random.default_rng(seed)
    of = generator.permutation(np.resize(states, count))
    kinds = generator.integers(0, 5, count)
    loss = generator.exponential(size=count)
    loss[of == "training"] *= overall
    loss[(of == "training") & (kinds == 3)] *= lower
    columns = {
        "metadata.kind": (kinds, list("abcde")),
        "metadata.other": (generator.integers(0, 6, count), list("uvwxyz")),
    }
    return samples_of(of.tolist(), columns, loss)


def test_a_planted_category_is_found():
    hits = 0
    for seed in range(10):
        samples = planted(seed)
        found = find(samples)
        assert_well_formed(found, samples)
        hits += [insight.title for insight in found.insights if "all" not in insight.title] == [
            "overfitting: metadata.kind d"
        ]
    assert hits >= 9


def test_permuted_states_give_no_insight():
    reports = 0
    for seed in range(20):
        samples = planted(seed)
        order = np.random.default_rng(seed + 50).permutation(len(samples))
        columns = {name: (v.numbers, v.categories) for name, v in samples.columns.items()}
        found = find(samples_of(samples.states[order].tolist(), columns, samples.score.badness))
        reports += bool(found.insights)
    assert reports <= 1
    assert "in any of 11 clusters and categories" in found.silent


def test_the_numbers_are_those_of_the_losses():
    samples = planted(0)
    insight = next(each for each in find(samples).insights if "kind d" in each.title)
    inside = samples.columns["metadata.kind"].numbers == 3
    training, validation = inside & (samples.states == "training"), inside & (samples.states == "validation")
    loss = samples.score.badness
    own, others = loss[validation].mean(), loss[training].mean()
    overall = loss[samples.states == "validation"].mean() - loss[samples.states == "training"].mean()

    assert insight.severity == pytest.approx(1 - others / own)
    assert insight.inside == {"loss.l of validation": pytest.approx(own)}
    assert insight.baseline == {"loss.l of training": pytest.approx(others)}
    assert insight.statistics["excess"] == pytest.approx(own - others - overall)
    assert insight.population == inside.sum()
    wanted = np.flatnonzero(validation & (loss > np.quantile(loss[training], 0.8)))
    assert np.array_equal(insight.members, wanted[np.argsort(-loss[wanted])])
    assert 0 < insight.action.acquire <= training.sum()
    assert set(insight.differences_from.tolist()) == set(np.flatnonzero((samples.states == "validation") & ~inside))


def test_a_model_that_overfits_everywhere_is_told_of_all_samples():
    samples = planted(1, lower=1.0, overall=0.1)
    (insight,) = find(samples).insights

    assert insight.title == "overfitting: all samples"
    assert insight.severity == pytest.approx(0.9, abs=0.04)
    assert insight.population == 1000


def test_a_cluster_is_found():
    generator = np.random.default_rng(0)
    kinds = generator.integers(0, 3, 900)
    vectors = 20.0 * np.eye(3, 5)[kinds] + generator.normal(size=(900, 5))
    states = np.resize(["training", "validation"], 900)
    loss = generator.exponential(size=900)
    loss[(kinds == 1) & (states == "training")] *= 0.05
    found = find(samples_of(states.tolist(), {}, loss, vectors=vectors))
    insight = next(each for each in found.insights if "cluster" in each.title)

    assert set(insight.members.tolist()) <= set(np.flatnonzero(kinds == 1).tolist())
    assert insight.population == (kinds == 1).sum()


def test_groups_of_the_same_samples_are_told_once():
    samples = planted(0)
    kinds = samples.columns["metadata.kind"].numbers
    columns = {"metadata.kind": (kinds, list("abcde")), "metadata.name": (4 - kinds, ["five", "four", "3", "2", "1"])}
    found = find(samples_of(samples.states, columns, samples.score.badness))
    (insight,) = [each for each in found.insights if "all" not in each.title]

    assert insight.title == "overfitting: metadata.kind d"
    assert "Mostly the same samples: metadata.name four." in insight.explanation


def test_a_group_of_most_samples_does_not_stand_for_all():
    generator = np.random.default_rng(0)
    kinds, states = generator.integers(0, 10, 1000) // 6, np.resize(["training", "validation"], 1000)
    loss = generator.exponential(size=1000)
    loss[(kinds == 0) & (states == "training")] *= 0.05
    found = find(samples_of(states.tolist(), {"metadata.kind": (kinds, ["most", "other"])}, loss))

    assert [each.title for each in found.insights] == ["overfitting: metadata.kind most", "overfitting: all samples"]


def test_a_metric_that_is_better_when_greater_is_counted_from_its_best():
    # 0 for right and -1 for wrong, turned: badness -1 for right and 0 for wrong; errors 10 % and 40 %.
    states = np.repeat(["training", "validation"], 500)
    wrong = np.concatenate([np.arange(500) < 50, np.arange(500) < 200])
    samples = samples_of(states.tolist(), {}, np.where(wrong, 0.0, -1.0))
    (insight,) = find(samples).insights

    assert insight.severity == pytest.approx(0.75)
    assert set(insight.members.tolist()) == set(range(500, 700))


def test_test_stands_in_for_validation():
    assert find(planted(0, states=("training", "test"))).insights[0].state == "test"
    both = planted(0, states=("training", "validation", "test"), count=1500)
    assert {insight.state for insight in find(both).insights} == {"validation"}


def test_what_is_missing_is_said():
    assert "No sample of training" in find(planted(0, states=("validation", "test"))).silent
    assert "No sample of validation or test" in find(planted(0, states=("training",))).silent
    few = samples_of(["training"] * 14 + ["validation"] * 99, {}, np.ones(113))
    assert "14 and 99 samples" in find(few).silent
    absent = samples_of(["training"] * 30 + ["validation"] * 30, {}, [1.0] * 30 + [NAN] * 30)
    assert "No sample of validation or test has a value of loss.l" in find(absent).silent


def test_the_order_of_the_samples_decides_nothing_but_the_permutations():
    samples = planted(2)
    order = np.random.default_rng(0).permutation(len(samples))
    straight, shuffled = find(samples).insights, find(reordered(samples, order)).insights

    assert [each.title for each in straight] == [each.title for each in shuffled]
    assert [each.severity for each in straight] == pytest.approx([each.severity for each in shuffled])
    assert np.array_equal(straight[0].members, order[shuffled[0].members])


@pytest.mark.parametrize("name", BAD)
def test_what_nothing_can_be_said_of_gives_a_reason(name):
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        found = find(BAD[name])
    assert_well_formed(found, BAD[name])


def test_the_reason_is_that_of_the_run():
    assert find(BAD["no score"]).silent == "No score, says the run."
