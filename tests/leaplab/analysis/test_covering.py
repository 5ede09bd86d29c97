"""Centres that cover a population."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from leaplab.analysis.covering import cover, covering_order, nearest_centre


def test_weighted_k_means_spreads_no_worse_than_that_of_scikit_learn():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(3000, 8)) + generator.normal(size=(20, 8))[generator.integers(0, 20, 3000)] * 3
    weights = generator.exponential(size=3000) ** 2
    found = cover(vectors, weights, 60)
    reference = KMeans(60, n_init=1, random_state=0).fit(vectors, sample_weight=weights)

    assert weights @ found.distances**2 <= 1.05 * reference.inertia_
    away = cdist(vectors, found.centres)
    assert np.allclose(found.distances, away.min(axis=1), atol=1e-4)
    assert (away[np.arange(3000), found.numbers] <= away.min(axis=1) + 1e-4).all()
    assert set(found.numbers.tolist()) == set(range(60))


def test_each_centre_is_the_weighted_mean_of_its_samples():
    generator = np.random.default_rng(1)
    places = np.repeat([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]], 50, axis=0)
    vectors, weights = places + generator.normal(size=(150, 2)), generator.random(150)
    found = cover(vectors, weights, 3)

    for number in range(3):
        members = found.numbers == number
        expected = np.average(vectors[members], axis=0, weights=weights[members])
        assert found.centres[number] == pytest.approx(expected, abs=1e-4)


def test_centres_go_where_the_weight_is():
    vectors = np.random.default_rng(2).normal(size=(2000, 6))
    heavy = vectors[:, 0] > 0
    even = cover(vectors, np.ones(2000), 40).centres
    tilted = cover(vectors, np.where(heavy, 20.0, 1.0), 40).centres

    assert (tilted[:, 0] > 0).sum() >= (even[:, 0] > 0).sum() + 5


def test_held_centres_stay_and_keep_the_others_away():
    generator = np.random.default_rng(3)
    vectors = np.concatenate([generator.normal(size=(100, 3)) + 50 * np.eye(3)[group] for group in range(3)])
    held = np.array([[50.0, 0, 0], [0, 50.0, 0]])
    found = cover(vectors, np.ones(300), 1, held)

    assert np.array_equal(found.centres[:2], held)
    assert found.centres[2] == pytest.approx(vectors[200:].mean(axis=0), abs=1e-3)
    assert found.numbers.tolist() == [0] * 100 + [1] * 100 + [2] * 100


@pytest.mark.parametrize("weights", [np.zeros(6), np.array([1.0, 0, 0, 0, 0, 0])])
def test_as_many_centres_as_samples_are_the_samples(weights):
    vectors = np.arange(12.0).reshape(6, 2)

    assert sorted(cover(vectors, weights, 6).numbers.tolist()) == list(range(6))


def test_equal_samples_are_no_trouble():
    found = cover(np.ones((10, 2)), np.ones(10), 4)

    assert (found.distances == 0).all()


def test_the_order_takes_the_best_next_as_trying_all_does():
    generator = np.random.default_rng(4)
    centres, masses = generator.normal(size=(40, 3)).astype(np.float32), generator.exponential(size=40)
    away = cdist(centres, centres)
    reached, expected = np.full(40, 1000.0), []
    for _ in range(40):
        gains = [masses @ np.maximum(reached - away[each], 0) for each in range(40)]
        best = max((each for each in range(40) if each not in expected), key=lambda each: gains[each])
        expected.append(best)
        reached = np.minimum(reached, away[best])
    order = covering_order(centres, masses, np.zeros((0, 3)), 40)

    assert order[:25].tolist() == expected[:25]
    assert sorted(order.tolist()) == list(range(40))


def test_what_is_held_comes_before_all():
    centres = np.array([[0.0, 0], [10, 0], [10, 1]])
    masses = np.array([5.0, 1, 1])

    assert covering_order(centres, masses, np.zeros((0, 2)), 3)[0] == 0
    assert covering_order(centres, masses, np.array([[0.0, 0]]), 3)[0] in (1, 2)


def test_behind_what_is_ordered_comes_the_mass():
    generator = np.random.default_rng(5)
    centres, masses = generator.normal(size=(30, 4)), generator.permutation(30).astype(float)
    order = covering_order(centres, masses, np.zeros((0, 4)), 10)

    assert order[:10].tolist() == covering_order(centres, masses, np.zeros((0, 4)), 30)[:10].tolist()
    assert all(masses[one] > masses[other] for one, other in itertools.pairwise(order[10:]))


def test_the_nearest_centre_is_that_of_a_full_comparison():
    generator = np.random.default_rng(6)
    vectors, centres = generator.normal(size=(500, 5)), generator.normal(size=(30, 5))
    numbers, squared = nearest_centre(vectors, centres)
    away = cdist(vectors, centres)

    assert numbers.tolist() == away.argmin(axis=1).tolist()
    assert np.allclose(squared, away.min(axis=1) ** 2, rtol=1e-5)
