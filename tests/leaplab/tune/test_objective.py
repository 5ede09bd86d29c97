"""Distances to a target, against brute force."""

import itertools
from typing import Any

import numpy as np
import pytest

from leaplab.tune.objective import Objective, energy_distance, nearest_of


def by_pairs(first: Any, second: Any) -> Any:
    """The unbiased energy distance by its definition."""
    across = [np.linalg.norm(one - other) for one in first for other in second]
    within = [[np.linalg.norm(one - other) for one, other in itertools.combinations(each, 2)] for each in
              (first, second)]  # fmt: skip
    return 2 * np.mean(across) - np.mean(within[0]) - np.mean(within[1])


def test_the_energy_distance_is_that_of_all_pairs():
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(7, 3)), generator.normal(0.5, 2, (11, 3))

    assert energy_distance(first, second) == pytest.approx(by_pairs(first, second), rel=1e-12)
    assert energy_distance(np.array([[0.0], [1.0]]), np.array([[3.0], [5.0]])) == pytest.approx(2 * 3.5 - 1 - 2)


def test_it_has_no_bias_where_there_is_no_difference():
    generator = np.random.default_rng(1)
    found = [energy_distance(*generator.normal(size=(2, 12, 4))) for _ in range(2000)]

    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found)) < 3 * error
    assert (np.array(found) < 0).mean() > 0.4


@pytest.mark.parametrize("size", [1, 3, 5, 6])
def test_the_nearest_of_some_is_the_mean_over_all_choices_of_these(size):
    distances = np.random.default_rng(2).exponential(size=(4, 6))
    choices = list(itertools.combinations(range(6), size))

    expected = np.mean([[row[list(choice)].min() for choice in choices] for row in distances])
    assert nearest_of(distances, size) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("count", [5, 9])
def test_coverage_compares_as_many_neighbours_among_those_made_as_in_the_target(count):
    generator = np.random.default_rng(3)
    target, made = generator.normal(size=(7, 2)), generator.normal(1, 1, (count, 2))
    size = min(count, 6)
    own: list[Any] = []
    found: list[Any] = []
    for row in range(7):
        others = np.delete(target, row, axis=0)
        for near, among in ((own, others), (found, made)):
            away = np.linalg.norm(among - target[row], axis=1)
            near.append(np.mean([min(choice) for choice in itertools.combinations(away, size)]))
    measured = Objective(target).measure(made)

    assert measured.coverage == pytest.approx(np.mean(found) / np.mean(own), rel=1e-9)
    assert measured.distance == pytest.approx(by_pairs(made, target), rel=1e-9)
    assert measured.value == pytest.approx(measured.distance + max(np.mean(found) - np.mean(own), 0), rel=1e-9)


def test_what_lies_near_the_targets_middle_alone_does_not_cover_it():
    generator = np.random.default_rng(4)
    target = generator.normal(size=(100, 8))
    objective = Objective(target)
    alike, narrow = objective.measure(generator.normal(size=(64, 8))), objective.measure(np.zeros((64, 8)))
    few_of_the_edge = objective.measure(np.repeat(target[np.argsort(np.linalg.norm(target, axis=1))[-4:]], 16, axis=0))

    assert alike.coverage == pytest.approx(1, abs=0.05)
    assert narrow.coverage > 1.1
    assert few_of_the_edge.coverage > 1.3
    assert alike.value < min(narrow.value, few_of_the_edge.value) / 5


def test_a_target_that_is_one_point_is_measured():
    found = Objective(np.ones((20, 3))).measure(np.random.default_rng(0).normal(size=(9, 3)))

    assert np.isfinite([found.distance, found.coverage, found.value]).all()


def test_noise_is_what_one_in_twenty_of_the_targets_own_goes_beyond():
    generator = np.random.default_rng(5)
    objective = Objective(generator.normal(size=(200, 6)))
    noise = objective.noise(50, 0)
    found = np.array([objective.measure(generator.normal(size=(50, 6))).distance for _ in range(300)])

    assert 0.01 < (found > noise).mean() < 0.12
    assert objective.noise(50, 0) == noise
    assert objective.noise(200, 0) < noise
