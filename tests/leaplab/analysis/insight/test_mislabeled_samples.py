from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from leaplab.analysis.insight import mislabeled_samples
from tests.leaplab.analysis.insight.labels_and_columns import BAD, assert_well_formed, reordered, samples_of


def find(samples) -> Any:
    return mislabeled_samples.find(samples)


def clusters(seed, count=600, kinds=4, apart=6.0, flips=0, state="validation") -> Any:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, kinds, count)
    centres = np.eye(kinds, 8) * apart
    vectors = centres[labels] + generator.normal(size=(count, 8))
    wrong = generator.permutation(count)[:flips]
    given = labels.copy()
    given[wrong] = (labels[wrong] + generator.integers(1, kinds, flips)) % kinds
    samples = samples_of([state] * count, labels=given, vectors=vectors, badness=generator.exponential(size=count))
    return samples, set(wrong.tolist()), labels


def test_planted_labels_are_found():
    hits = 0
    for seed in range(10):
        samples, wrong, _ = clusters(seed, flips=40)
        found = find(samples)
        (insight,) = found.insights
        members = set(insight.members.tolist())
        hits += len(members & wrong) >= 36 and len(members - wrong) <= 4
        assert_well_formed(found, samples)
        assert insight.action.label == len(members)
        assert insight.population == 600
    assert hits >= 9


def test_right_labels_give_no_insight():
    for seed in range(20):
        found = find(clusters(seed)[0])
        assert not found.insights
        assert found.scores is not None
        assert np.isfinite(found.scores).all()


def test_permuted_labels_give_no_insight():
    for seed in range(20):
        samples, _, labels = clusters(seed)
        permuted = np.random.default_rng(seed).permutation(labels)
        vectors = samples.space.vectors
        found = find(samples_of(samples.states, labels=permuted, vectors=vectors))
        assert not found.insights
        assert "does not tell the classes" in found.silent


def test_the_severity_is_the_share_of_the_first_whose_neighbours_contradict():
    # 600 samples: the first 60. All 30 flipped ones lie deep in another class; no other label has such neighbours.
    samples, wrong, _ = clusters(3, flips=30, apart=12)
    (insight,) = find(samples).insights

    assert set(insight.members.tolist()) == wrong
    assert insight.severity == pytest.approx(30 / 60)
    assert insight.statistics["ranked"] == 600


def test_neighbours_of_many_classes_contradict_no_label():
    generator = np.random.default_rng(0)
    labels = np.resize(np.arange(5), 1000)
    places = np.where(np.arange(1000) < 150, 5, labels)  # 150 samples of all classes lie in one place
    vectors = 12 * np.eye(6)[places] + generator.normal(size=(1000, 6))
    labels[-10:] = (labels[-10:] + 1) % 5
    (insight,) = find(samples_of(["validation"] * 1000, labels=labels, vectors=vectors)).insights

    # The others of the first 100 lie in that place, where no class has the majority.
    assert set(range(990, 1000)) <= set(insight.members.tolist())
    assert insight.severity < 0.4


def test_where_classes_overlap_the_neighbours_alone_are_not_enough():
    # Right labels, of which some lie among samples of another class: the classifier does not find that other likelier.
    samples, _, labels = clusters(0, apart=3)
    around = NearestNeighbors(n_neighbors=21).fit(samples.space.vectors).kneighbors(return_distance=False)[:, :20]
    contradicted = [
        np.bincount(labels[row]).max() > 10 > (labels[row] == own).sum()
        for own, row in zip(labels, around, strict=True)
    ]
    assert sum(contradicted) >= 10

    assert "no labels stand out" in find(samples).silent


def test_the_first_are_a_hundred_in_a_large_state():
    samples, wrong, _ = clusters(3, count=1600, flips=40, apart=12)
    (insight,) = find(samples).insights

    assert set(insight.members.tolist()) == wrong
    assert insight.severity == pytest.approx(40 / 100)


def test_the_most_frequent_pair_is_told():
    samples, _, labels = clusters(0)
    given = labels.copy()
    given[np.flatnonzero(labels == 2)[:12]] = 0  # truly 2, labelled 0
    samples = samples_of(
        samples.states, labels=given, vectors=samples.space.vectors, names=["ant", "bee", "cow", "dog"]
    )
    (insight,) = find(samples).insights

    assert insight.statistics["most frequent pair"] == "ant -> cow"
    assert insight.statistics["times"] == 12
    assert "12 of the first 12" in insight.explanation
    assert "truth" in insight.explanation


def test_each_state_is_ranked_by_itself_and_scores_lie_at_their_rows():
    first, wrong, _ = clusters(0, flips=30)
    second, _, _ = clusters(1, state="training")
    both = samples_of(
        [*second.states, *first.states, "unlabeled"],
        labels=np.concatenate([second.labels.codes, first.labels.codes, [-1]]),
        vectors=np.concatenate([second.space.vectors, first.space.vectors, np.zeros((1, 8))]),
        names=list("abcd"),
    )
    found = find(both)
    (insight,) = found.insights

    assert insight.state == "validation"
    assert {member - 600 for member in insight.members.tolist()} <= set(range(600))
    assert len({member - 600 for member in insight.members.tolist()} & wrong) >= 27
    assert np.array_equal(np.flatnonzero(np.isnan(found.scores)), [1200])
    assert np.array_equal(found.scores[insight.members], insight.scores)


def test_vectors_that_are_not_finite_are_not_ranked():
    samples, _, _ = clusters(0, flips=30)
    vectors = samples.space.vectors.copy()
    vectors[:50] = np.nan
    found = find(samples_of(samples.states, labels=samples.labels.codes, vectors=vectors))

    assert np.array_equal(np.flatnonzero(np.isnan(found.scores)), np.arange(50))
    assert found.insights[0].members.min() >= 50


def test_small_classes_are_left_out_and_named():
    samples, _, _ = clusters(0, flips=30)
    codes = samples.labels.codes.copy()
    codes[:4], codes[4:9] = 4, 5
    names = ["a", "b", "c", "d", "gnu", "elk"]
    found = find(samples_of(samples.states, labels=codes, vectors=samples.space.vectors, names=names))

    assert "the class gnu, with fewer than 5 samples" in found.insights[0].explanation
    assert "elk" not in found.insights[0].explanation.split("Left out")[1]
    assert np.isnan(found.scores[:4]).all()
    assert np.isfinite(found.scores[4:]).all()


def test_the_order_of_the_samples_decides_nothing():
    samples, _, _ = clusters(5, flips=40)
    order = np.random.default_rng(0).permutation(600)
    (straight,), (shuffled,) = find(samples).insights, find(reordered(samples, order)).insights

    assert np.array_equal(straight.members, order[shuffled.members])
    assert straight.severity == shuffled.severity


def test_more_than_a_thousand_classes_are_not_ranked():
    labels = np.repeat(np.arange(1001), 5)
    vectors = np.random.default_rng(0).normal(size=(len(labels), 2))

    assert "1,001 classes" in find(samples_of(["test"] * len(labels), labels=labels, vectors=vectors)).silent


@pytest.mark.parametrize("name", BAD)
def test_what_nothing_can_be_said_of_gives_a_reason(name):
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        assert_well_formed(find(BAD[name]), BAD[name])


@pytest.mark.parametrize("name", ["labels", "space"])
def test_the_reason_is_that_of_the_run(name):
    assert find(BAD[f"no {name}"]).silent == f"No {name}, says the run."
