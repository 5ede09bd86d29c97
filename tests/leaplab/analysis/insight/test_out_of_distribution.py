import warnings
from typing import Any

import numpy as np
import pytest

from leaplab.analysis.insight import out_of_distribution
from tests.leaplab.analysis.insight.odd_samples import assert_sound, odd_samples, samples_of


def find(samples) -> Any:
    return out_of_distribution.find(samples)


WIDTH = 6


def planted(seed=0, state="validation", strange=30, among=270) -> Any:
    """Training, and a state of the same kind with some that lie elsewhere: the last of it."""
    generator = np.random.default_rng(seed)
    usual = generator.normal(size=(400 + among, WIDTH))
    elsewhere = 12 + generator.normal(size=(strange, WIDTH))
    states = ["training"] * 400 + [state] * (among + strange)
    return samples_of(states, np.concatenate([usual, elsewhere])), np.arange(400 + among, 400 + among + strange)


def test_what_lies_elsewhere_is_found():
    hits = 0
    for seed in range(10):
        samples, strange = planted(seed)
        (insight,) = find(samples).insights
        hits += set(insight.members.tolist()) == set(strange.tolist())
    assert hits >= 9


def test_the_numbers_are_those_of_their_definitions():
    samples, _ = planted()
    found = find(samples)
    (insight,) = found.insights

    assert_sound(found, samples)
    # 30 of 300 lie where training has none: .1 x (1 - 0).
    assert insight.severity == pytest.approx(0.1)
    parts = [value for name, value in insight.statistics.items() if name.endswith(": severity")]
    assert sum(parts) == pytest.approx(insight.severity)
    assert len(parts) == insight.statistics["clusters"]
    assert (insight.state, insight.population) == ("validation", 300)
    assert (insight.baseline, insight.inside) == ({"share of training": 0.0}, {"share of validation": 0.1})
    assert insight.statistics["rate ratio"] == 0
    assert insight.statistics["share of novel samples among the members"] == 1
    assert insight.statistics["share of novel samples"] == np.mean(found.scores[400:] > 0.99)
    # x / (400 + x) = .05
    assert (insight.action.label, insight.action.acquire) == (0, 22)
    assert "10.0% of validation (30 of 300) and 0.0% of training (0 of 400)" in insight.explanation


def test_members_come_with_the_most_novel_first_and_every_other_state_has_scores():
    samples, strange = planted()
    found = find(samples)
    distances = np.linalg.norm(samples.space.components[:, None] - samples.space.components[:400], axis=2)
    tenth = np.sort(distances, axis=1)[:, 9]

    members = found.insights[0].members
    assert np.array_equal(members, strange[np.argsort(-tenth[strange])])
    assert np.isnan(found.scores[:400]).all()
    assert np.isfinite(found.scores[400:]).all()
    assert np.array_equal(found.insights[0].scores, found.scores[members])


def test_of_an_unlabeled_state_samples_are_to_be_labelled_before_others_are_acquired():
    few, _ = planted(state="unlabeled")
    many, _ = planted(state="unlabeled", strange=150, among=50)

    action = find(few).insights[0].action
    assert (action.label, action.acquire) == (22, 0)
    assert action.do.startswith("Label 22 of these samples and train on them")
    # x / (400 + x) = .375, and 150 are there.
    action = find(many).insights[0].action
    assert (action.label, action.acquire) == (150, 90)
    assert action.do.startswith("Label these 150 samples and train on them, and acquire 90 more")


def test_another_mix_of_known_kinds_is_not_called_new():
    generator = np.random.default_rng(0)
    places = np.eye(5, WIDTH) * 20
    training = np.repeat(places, [400, 400, 400, 400, 300], axis=0)
    other = np.repeat(places, [20, 20, 20, 20, 220], axis=0)
    vectors = np.concatenate([training, other])
    vectors += generator.normal(size=vectors.shape)
    states = ["training"] * len(training) + ["test"] * len(other)
    (insight,) = find(samples_of(states, vectors)).insights

    assert insight.severity > 0.5
    assert insight.statistics["share of novel samples"] < 0.1
    assert "it is the mix that differs" in insight.explanation
    assert "most are unlike anything in training" in find(planted(strange=200, among=50)[0]).insights[0].explanation


def test_halves_of_one_population_lack_nothing():
    alarms = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        vectors = generator.normal(size=(600, WIDTH)) + 10 * generator.integers(0, 3, (600, 1))
        found = find(samples_of(["training"] * 300 + ["validation"] * 300, vectors))
        alarms += bool(found.insights)
    assert alarms <= 1


def test_each_state_is_compared_by_itself_and_small_ones_are_not():
    samples, strange = planted()
    states = samples.states.copy()
    states[strange[:1]] = "additional"
    states[400:500] = "test"
    found = find(samples_of(states, samples.space.vectors))

    assert [insight.state for insight in found.insights] == ["validation"]
    assert np.isnan(found.scores[strange[0]])
    assert np.isfinite(found.scores[400:500]).all()


def test_rows_without_a_vector_are_left_out():
    samples, strange = planted()
    count = len(samples)
    moved = samples_of(
        np.concatenate([np.full(7, "training", object), samples.states]), samples.space.vectors, 7 + np.arange(count)
    )

    assert set(find(moved).insights[0].members.tolist()) == set((7 + strange).tolist())


def test_the_order_does_not_matter():
    samples, _ = planted(3)
    order = np.random.default_rng(0).permutation(len(samples))
    turned = find(samples_of(samples.states[order], samples.space.vectors[order]))
    found = find(samples)

    assert turned.insights[0].severity == found.insights[0].severity
    assert set(order[turned.insights[0].members].tolist()) == set(found.insights[0].members.tolist())
    assert turned.scores == pytest.approx(found.scores[order], nan_ok=True)


@pytest.mark.parametrize("name", odd_samples())
def test_odd_samples_are_survived(name):
    samples = odd_samples()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_sound(find(samples), samples)


def test_silence_says_why():
    odd = odd_samples()

    assert find(odd["no space"]).silent == "No space, said the run."
    assert find(odd["no training"]).silent == (
        "0 training samples have a latent vector; the states are compared with 30 at least."
    )
    assert find(odd["one"]).silent.startswith("1 training sample has a latent vector;")
    assert find(odd["one state"]).silent == "No state beside training has 30 samples with a latent vector."
    assert find(odd["identical"]).silent.startswith(
        "Training has enough of every kind of sample: of 1 cluster there is"
    )
