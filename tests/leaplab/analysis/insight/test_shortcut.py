from typing import Any

import numpy as np
import pytest

from leaplab.analysis.insight.shortcut import find
from tests.leaplab.analysis.insight.labels_and_columns import BAD, assert_well_formed, reordered, samples_of


def planted(seed, count=300, states=("training", "validation"), kinds=3, apart=4.0) -> Any:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, kinds, count)
    columns = {f"input.n{place}": generator.normal(size=count) for place in range(6)}
    columns["input.brightness"] = generator.normal(size=count) + apart * labels
    columns["metadata.name"] = (labels, [f"class {code}" for code in range(kinds)])
    columns["metadata.is_first"] = ((labels == 0) * 1, ["no", "yes"])
    return samples_of(np.resize(states, count).tolist(), columns, labels=labels)


def test_a_planted_property_is_found():
    hits = 0
    for seed in range(10):
        samples = planted(seed)
        found = find(samples)
        assert_well_formed(found, samples)
        hits += [insight.statistics["columns"] for insight in found.insights] == ["input.brightness"]
    (insight,) = found.insights
    assert hits >= 9
    assert insight.state == "training"
    assert insight.population == 150
    assert "metadata.name, metadata.is_first" in insight.explanation
    accuracy = insight.inside["balanced accuracy"]
    assert accuracy > 0.9
    assert insight.severity == pytest.approx((accuracy - 1 / 3) / (2 / 3))


def test_permuted_labels_give_no_insight():
    reports = 0
    for seed in range(20):
        samples = planted(seed)
        columns = {name: v.numbers for name, v in samples.columns.items() if v.categories is None}
        labels = np.random.default_rng(seed).permutation(samples.labels.codes)
        found = find(samples_of(samples.states, columns, labels=labels))
        reports += bool(found.insights)
    assert reports <= 1
    assert "None of 7 columns of training" in found.silent


def test_columns_that_describe_the_label_are_named_and_nothing_more():
    samples = planted(0, apart=0)
    found = find(samples)

    assert not found.insights
    assert "they say what the label (truth) is by definition: metadata.name, metadata.is_first." in found.silent


def test_a_guess_of_the_label_is_no_property():
    samples = planted(0, apart=0)
    guess = np.where(np.arange(300) % 5, samples.labels.codes, (samples.labels.codes + 1) % 3)
    columns = {"metadata.nearest": (guess, ["class 2", "class 1", "class 0"])}
    columns["metadata.camera"] = (guess, ["left", "right", "back"])
    (insight,) = find(samples_of(samples.states, columns, labels=samples.labels.codes)).insights

    assert insight.statistics["columns"] == "metadata.camera"
    assert "it says what the label (truth) is by definition: metadata.nearest." in insight.explanation


def test_properties_that_go_together_are_one_insight():
    samples = planted(0)
    brightness = samples.columns["input.brightness"].numbers
    noise = np.random.default_rng(1).normal(size=300)
    columns = {
        "input.brightness": brightness,
        "input.dark": -(brightness**3),
        "input.contrast": samples.labels.codes * 3 + noise,
    }
    found = find(samples_of(samples.states, columns, labels=samples.labels.codes))

    together = {str(insight.statistics["columns"]) for insight in found.insights}
    assert any(set(each.split(", ")) >= {"input.brightness", "input.dark"} for each in together)


def test_members_are_told_by_the_column_and_the_rest_has_to_be_outweighed():
    labels = np.repeat([0, 1], 100)
    values = labels * 1.0
    values[:10] = 1.0
    (insight,) = find(samples_of(["training"] * 200, {"a": values}, labels=labels)).insights

    # 190 are told and 10 are not: 180 more that are not told make both as many.
    assert set(insight.members.tolist()) == set(range(10, 200))
    assert insight.members[0] == 10  # the pure leaf comes first
    assert insight.action.acquire == 180
    assert insight.statistics["told"] == 190


def test_without_training_it_is_the_largest_labelled_state():
    states = ["validation"] * 60 + ["test"] * 140
    labels = np.arange(200) % 2
    found = find(samples_of(states, {"a": labels + np.arange(200) / 1000}, labels=labels))
    assert found.insights[0].state == "test"
    unlabeled = samples_of(["unlabeled"] * 200, {"a": labels * 1.0}, labels=labels)
    assert not find(unlabeled).insights


def test_training_without_labels_is_passed_over():
    labels = np.where(np.arange(300) < 100, -1, np.arange(300) % 2)
    states = ["training"] * 100 + ["validation"] * 200
    found = find(samples_of(states, {"a": np.arange(300) % 2 + np.arange(300) / 1000}, labels=labels))

    assert found.insights[0].state == "validation"


def test_more_than_32_classes_are_not_tried():
    labels = np.repeat(np.arange(33), 10)
    assert "33 classes" in find(samples_of(["training"] * 330, {"a": labels}, labels=labels)).silent


def test_the_order_of_the_samples_changes_little():
    samples = planted(3)
    order = np.random.default_rng(0).permutation(len(samples))
    (straight,), (shuffled,) = find(samples).insights, find(reordered(samples, order)).insights

    assert straight.severity == pytest.approx(shuffled.severity, abs=0.05)
    assert set(straight.members.tolist()) == set(order[shuffled.members].tolist())
    assert find(samples).insights[0].explanation == straight.explanation


@pytest.mark.parametrize("name", BAD)
def test_what_nothing_can_be_said_of_gives_a_reason(name):
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        assert_well_formed(find(BAD[name]), BAD[name])


def test_the_reason_is_that_of_the_run():
    assert find(BAD["no labels"]).silent == "No labels, says the run."
