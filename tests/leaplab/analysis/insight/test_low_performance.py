from typing import Any

import numpy as np
import pytest

from leaplab.analysis.differences import Values
from leaplab.analysis.insight import low_performance
from leaplab.analysis.insight.samples import Labels, Samples, Score, Space

COUNT = 1200
STATES = np.array(["training", "validation", "test"], object)[np.arange(COUNT) % 3]


def find(samples) -> Any:
    return low_performance.find(samples)


def score_of(badness, failed=None, column="loss.a") -> Score:
    return Score(column, badness, badness, failed)


def planted(seed=0, state="validation", **changes) -> Any:
    """Samples of which those at night in one state have a higher loss, and which these are."""
    generator = np.random.default_rng(seed)
    night = generator.random(COUNT) < 0.3
    loss = generator.exponential(size=COUNT)
    worse = night & (state == STATES)
    loss[worse] += 2
    columns = {
        "metadata.time": Values(night.astype(float), ["day", "night"]),
        "metadata.objects": Values(generator.integers(0, 9, COUNT).astype(float)),
    }
    return Samples(STATES, columns, **{"score": score_of(loss), **changes}), worse


def test_a_slice_is_told_with_its_numbers():
    samples, worse = planted()
    (insight,) = find(samples).insights
    loss = samples.score.badness
    in_state = STATES == "validation"
    others = in_state & ~worse

    assert insight.title == "metadata.time is night"
    assert (insight.state, insight.population) == ("validation", worse.sum())
    # Members: those of the slice among the worst fifth of the state, the worst first.
    failing = worse & (loss > np.quantile(loss[in_state], 0.8))
    assert set(insight.members.tolist()) == set(np.flatnonzero(failing).tolist())
    assert insight.scores.tolist() == sorted(loss[failing].tolist(), reverse=True)
    assert insight.inside == {"loss.a": pytest.approx(loss[worse].mean()), "failing": failing.sum() / worse.sum()}
    assert insight.baseline["loss.a"] == pytest.approx(loss[others].mean())
    above = np.maximum(loss - np.median(loss[in_state]), 0)
    assert insight.severity == pytest.approx(above[failing].sum() / above[in_state].sum())
    in_training = ((STATES == "training") & (samples.columns["metadata.time"].numbers == 1)).sum()
    assert (insight.action.label, insight.action.acquire) == (failing.sum(), in_training)
    assert f"{in_training:,} more for training" in insight.action.do
    (test,) = insight.tests
    assert test.where == "state = 'validation' and (metadata.time = 'night')"
    assert (test.column, test.aggregate) == ("loss.a", "mean")
    assert float(test.bound.removeprefix("<= ")) == pytest.approx(loss[others].mean(), rel=1e-5)


def test_what_fails_is_said_by_a_metric_that_is_0_or_1():
    samples, worse = planted()
    failed = np.arange(COUNT) % 2 == 0
    (insight,) = find(planted(score=score_of(samples.score.badness, failed))[0]).insights

    assert set(insight.members.tolist()) == set(np.flatnonzero(worse & failed).tolist())


def test_a_metric_of_which_more_is_better_is_told_as_it_is_stored():
    samples, worse = planted()
    accuracy = -samples.score.badness
    (insight,) = find(planted(score=Score("metric.iou", accuracy, -accuracy))[0]).insights

    assert insight.inside["metric.iou"] == pytest.approx(accuracy[worse].mean())
    assert insight.tests[0].bound.startswith(">= ")


def test_the_most_frequent_error_is_named():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3, COUNT)
    wrong = (truth == 0) & (generator.random(COUNT) < 0.5)
    predicted = np.where(wrong, 2, truth)
    loss = generator.exponential(size=COUNT) + 3 * wrong
    labels = Labels("animal", truth, ["cat", "bird", "dog"], predicted)
    columns = {"metadata.class": Values(truth.astype(float), ["cat", "bird", "dog"])}
    samples = Samples(STATES, columns, score_of(loss, wrong), labels)
    insights = find(samples).insights

    assert {(each.title, each.state) for each in insights} == {
        ("metadata.class is cat", state) for state in ("training", "validation", "test")
    }
    for each in insights:
        count = (wrong & (each.state == STATES)).sum()
        assert f"Of the {count:,} that it gets wrong, {count:,} are cat taken for dog." in each.explanation


def test_a_slice_of_a_count_says_so():
    generator = np.random.default_rng(1)
    objects = generator.integers(0, 10, COUNT).astype(float)
    samples = Samples(
        STATES, {"metadata.object_count": Values(objects)}, score_of(objects + generator.normal(size=COUNT))
    )

    insights = find(samples).insights
    assert insights
    assert all("This is a slice of a count" in each.explanation for each in insights)


def test_a_place_in_latent_space_is_found_without_any_column():
    generator = np.random.default_rng(2)
    group = generator.integers(0, 6, COUNT)
    vectors = (generator.normal(0, 9, (6, 8))[group] + generator.normal(size=(COUNT, 8))).astype(np.float32)
    loss = generator.exponential(size=COUNT) + 2.0 * (group == 4)
    samples = Samples(STATES, {}, score_of(loss), space=Space("model", np.arange(COUNT), vectors))
    insights = find(samples).insights

    assert {each.state for each in insights} == {"training", "validation", "test"}
    for each in insights:
        assert (group[each.members] == 4).mean() > 0.95
        assert each.title.endswith("a region of the latent space")
        assert each.tests == ()


def test_the_most_severe_state_comes_first():
    samples, _ = planted()
    loss = samples.score.badness + 4.0 * ((STATES == "training") & (samples.columns["metadata.time"].numbers == 1))
    insights = find(planted(score=score_of(loss))[0]).insights

    assert [each.state for each in insights] == ["training", "validation"]
    assert insights[0].severity > insights[1].severity


def test_nothing_acquires_where_training_itself_is_worse():
    (insight,) = find(planted(state="training")[0]).insights

    assert insight.action.acquire == 0


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (Samples(STATES, {}, absent={"score": "The run has no loss."}), "The run has no loss."),
        (Samples(STATES, {}), "There is no loss or metric"),
        (
            Samples(np.full(COUNT, "unlabeled", object), {}, score_of(np.arange(COUNT) * 1.0)),
            "No labelled state has 60",
        ),
        (Samples(STATES[:30], {}, score_of(np.arange(30.0))), "No labelled state has 60"),
        (Samples(STATES[:1], {}, score_of(np.ones(1))), "No labelled state has 60"),
        (Samples(STATES[:0], {}, score_of(np.ones(0))), "No labelled state has 60"),
        (Samples(STATES, {}, score_of(np.full(COUNT, np.nan))), "No labelled state has 60"),
        (Samples(STATES, {"a": Values(np.full(COUNT, np.nan))}, score_of(np.ones(COUNT))), "No group of 30 or more"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_silence_has_a_reason(samples, reason):
    found = find(samples)

    assert not found.insights
    assert reason in found.silent
    assert found.silent.endswith(".")
