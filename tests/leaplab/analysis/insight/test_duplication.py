import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from leaplab.analysis.insight import duplication
from leaplab.analysis.insight.samples import Labels
from tests.leaplab.analysis.insight.odd_samples import assert_sound, odd_samples, samples_of


def find(samples) -> Any:
    return duplication.find(samples)


COUNT = 300


def pictures(generator, count) -> Any:
    """[n, 16, 16, 1] blobs in the middle, each another."""
    rows = np.arange(16)
    waves = np.sin(np.pi * np.outer(np.arange(1, 7), rows + 0.5) / 16)
    weights = generator.normal(size=(count, 6, 6)) / (1 + np.add.outer(np.arange(6), np.arange(6)))
    drawn = np.einsum("nab,ar,bc->nrc", weights, waves, waves)
    return (128 + 40 * drawn / drawn.std(axis=(1, 2), keepdims=True))[..., None]


def planted(seed=0, near=10, exact=0) -> Any:
    """Samples of two states by turns, behind them noisy and exact copies of the first of training, in training."""
    generator = np.random.default_rng(seed)
    kept = pictures(generator, COUNT)
    noisy = kept[0 : 2 * near : 2] + generator.normal(0, 2, (near, 16, 16, 1))
    copies = kept[100 : 100 + 2 * exact : 2]
    small = np.clip(np.rint(np.concatenate([kept, noisy, copies])), 0, 255).astype(np.uint8)
    states = ["training", "test"] * (COUNT // 2) + ["training"] * (near + exact)
    hashes = [f"{row}" for row in range(COUNT + near)] + [f"{row}" for row in range(100, 100 + 2 * exact, 2)]
    vectors = small.reshape(len(small), -1) @ generator.normal(size=(256, 40))
    return samples_of(states, vectors, hashes=np.array(hashes, object), thumbnails={"image": small})


def test_near_copies_are_found():
    hits = 0
    for seed in range(10):
        (insight,) = find(planted(seed)).insights
        # Of each pair the second one can go.
        hits += len(set(insight.members.tolist()) & set(range(COUNT, COUNT + 10))) >= 9 and len(insight.members) <= 10
    assert hits >= 9


def test_without_copies_nothing_is_found():
    assert sum(bool(find(planted(seed, near=0)).insights) for seed in range(20)) <= 1


def test_the_numbers_are_those_that_were_planted():
    samples = planted(near=6, exact=4)
    found = find(samples)
    (insight,) = found.insights

    assert_sound(found, samples)
    in_training = COUNT // 2 + 10
    assert insight.severity == pytest.approx(20 / in_training)
    assert (insight.state, insight.population) == ("training", in_training)
    assert insight.statistics == {
        "exact pairs": 4.0,
        "near pairs": 6.0,
        "groups": 10.0,
        "largest group": 2.0,
        "groups whose labels differ": 0.0,
    }
    # Exact ones first, and each by the likeness of its vectors.
    assert insight.members[:4].tolist() == [306, 307, 308, 309]
    assert set(insight.members[4:].tolist()) == set(range(300, 306))
    assert insight.scores[:4].tolist() == [1, 1, 1, 1]
    for member, score in zip(insight.members[4:], insight.scores[4:], strict=True):
        one, other = (
            samples.space.vectors[member].astype(float),
            samples.space.vectors[2 * (member - 300)].astype(float),
        )
        assert score == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    assert (
        "20 of 160 samples (12.5 %) have a copy in training: 4 pairs with equal inputs and 6 pairs"
        in insight.explanation
    )
    assert np.isfinite(found.scores).sum() == 20


def test_a_group_loses_all_but_one():
    hashes = np.array([*"aaaabbcd", *"aaa"], object)
    states = ["training"] * 8 + ["test"] * 3
    found = find(samples_of(states, hashes=hashes))
    by_state = {insight.state: insight for insight in found.insights}

    assert [insight.state for insight in found.insights] == ["test", "training"]
    assert by_state["training"].members.tolist() == [1, 2, 3, 5]
    assert by_state["training"].severity == pytest.approx(6 / 8)
    assert by_state["training"].statistics["exact pairs"] == 6 + 1
    assert by_state["training"].statistics["groups"] == 2
    assert by_state["training"].statistics["largest group"] == 4
    assert by_state["test"].members.tolist() == [9, 10]
    assert by_state["test"].severity == 1
    assert "no latent vectors" in by_state["test"].explanation


def test_copies_with_other_labels_are_told():
    hashes = np.array([*"aabbccd"], object)
    labels = Labels("classes", np.array([0, 1, 2, 2, 1, -1, 0]), ["x", "y", "z"])
    (insight,) = find(samples_of(["training"] * 7, hashes=hashes, labels=labels)).insights

    assert insight.statistics["groups whose labels differ"] == 1
    assert insight.action.label == 1
    assert "in 1 of 3 groups the labels differ" in insight.explanation


def test_what_was_not_looked_for_is_said():
    samples = planted(exact=1)

    told = find(replace(samples, thumbnails={})).insights[0].explanation
    assert told.endswith("Only equal inputs were looked for, since there are no pictures to tell near copies by.")
    told = find(replace(samples, hashes=None)).insights[0].explanation
    assert told.endswith("Only pictures that look the same were looked for, since no hash of the inputs is stored.")
    absent = find(replace(samples, hashes=np.full(len(samples), None, object)))
    assert absent.insights[0].explanation == told


def test_silence_says_why():
    odd = odd_samples()

    assert find(odd["one"]).silent == "There is one sample, so none can be a copy of another."
    assert find(odd["none"]).silent == "There is no sample, so none can be a copy of another."
    unable = (
        "Neither a hash of the inputs nor a picture of each sample is stored, so copies cannot be told; a new"
        " evaluation stores them."
    )
    assert find(odd["nothing known"]).silent == unable
    assert find(odd["absent hashes"]).silent == unable
    assert find(odd["one state"]).silent.startswith("No sample is there twice in a state: equal inputs were looked for")


@pytest.mark.parametrize("name", odd_samples())
def test_odd_samples_are_survived(name):
    samples = odd_samples()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = find(samples)
    assert_sound(found, samples)
    assert not found.insights, "there is no copy among them"


def test_one_copy_is_told_in_the_singular():
    (insight,) = find(samples_of(["training"] * 3, hashes=np.array(["a", "b", "a"], object))).insights

    assert insight.title == "1 sample is a copy in training"
    assert insight.action.do.startswith("Drop this one and keep one of each group")
    assert "1 pair with equal inputs" in insight.explanation
