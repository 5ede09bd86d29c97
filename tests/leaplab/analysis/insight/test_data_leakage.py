import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leaplab.analysis.insight import data_leakage
from tests.leaplab.analysis.insight.odd_samples import assert_sound, odd_samples, samples_of
from tests.leaplab.analysis.insight.test_duplication import COUNT, planted


def find(samples) -> Any:
    return data_leakage.find(samples)


def leaking(seed=0, state="test", **given) -> Any:
    """The copies of training's samples lie in another state."""
    samples = planted(seed, **given)
    states = samples.states.copy()
    states[COUNT:] = state
    return replace(samples, states=states)


def test_near_copies_in_a_state_that_is_held_out_are_found():
    hits = 0
    for seed in range(10):
        (insight,) = find(leaking(seed)).insights
        hits += len(set(insight.members.tolist()) & set(range(COUNT, COUNT + 10))) >= 9 and len(insight.members) <= 10
    assert hits >= 9


def test_without_copies_nothing_is_found():
    assert sum(bool(find(leaking(seed, near=0)).insights) for seed in range(20)) <= 1


def test_copies_within_a_state_do_not_leak():
    assert find(planted(near=5, exact=5)).silent.startswith(
        "No sample lies in two states: equal inputs were looked for"
    )


def test_the_numbers_are_those_that_were_planted():
    samples = leaking(near=6, exact=4)
    found = find(samples)
    (insight,) = found.insights

    assert_sound(found, samples)
    assert insight.severity == pytest.approx(10 / 150), "training is the smaller one, of 150"
    assert (insight.state, insight.population) == ("test", 160)
    assert insight.members[:4].tolist() == [306, 307, 308, 309]
    assert set(insight.members[4:].tolist()) == set(range(300, 306))
    assert (insight.statistics["exact pairs"], insight.statistics["near pairs"]) == (4, 6)
    assert insight.explanation.startswith(
        "10 of 160 test samples (6.25 %) have a copy among 10 of 150 training samples: 4 pairs with equal inputs and 6"
    )
    assert "the model has seen them" in insight.action.do


def test_each_pair_of_states_is_told_by_itself_and_members_are_of_the_one_that_is_held_out():
    states = ["training"] * 4 + ["validation"] * 3 + ["test"] * 2 + ["unlabeled"] * 2
    hashes = np.array([*"abcd", *"axy", *"xz", *"bb"], object)
    found = find(samples_of(states, hashes=hashes))
    told = [(insight.title, insight.members.tolist()) for insight in found.insights]

    assert told == [
        ("2 unlabeled samples lie in training as well", [9, 10]),
        ("1 test sample lies in validation as well", [7]),
        ("1 validation sample lies in training as well", [4]),
    ]
    assert [insight.severity for insight in found.insights] == pytest.approx([1, 0.5, 1 / 3])
    assert found.insights[0].action.do.startswith("Drop these 2 samples from unlabeled")
    assert found.insights[0].statistics["exact pairs"] == 2
    assert found.insights[2].action.do.startswith("Drop this sample from validation, or the copies from training")
    assert np.isfinite(found.scores).tolist() == [True, True, False, False, True, True, False, True, False, True, True]


def test_silence_says_why():
    odd = odd_samples()

    assert find(odd["one state"]).silent == "All 100 samples are of one state, so none can leak into another."
    assert find(odd["one"]).silent == "There is one sample, so none can be a copy of another."
    assert find(odd["absent hashes"]).silent.startswith("Neither a hash of the inputs nor a picture")


@pytest.mark.parametrize("name", odd_samples())
def test_odd_samples_are_survived(name):
    samples = odd_samples()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = find(samples)
    assert_sound(found, samples)
    assert not found.insights, "there is no copy among them"
