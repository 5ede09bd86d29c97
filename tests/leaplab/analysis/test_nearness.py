from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal, spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from leaplab.analysis.nearness import density_ratios

NONE = -1


def neither(count: int) -> Any:
    return np.full(count, NONE), np.full(count, NONE)


def test_a_ratio_by_a_worked_example():
    source, target = np.array([[0.0], [1], [2], [9]]), np.array([[5.0], [6], [7]])
    # Of a target of three the second nearest counts: from 4 these are 2 and 6, at distances 2 and 2.
    found = density_ratios(np.array([[4.0], [0.5]]), source, target, *neither(2))

    assert found == pytest.approx([np.log(3 / 2) + np.log(4 / 3), np.log(0.5 / 5.5) + np.log(4 / 3)])


def test_the_fifth_neighbour_counts_and_a_sample_is_not_its_own():
    generator = np.random.default_rng(0)
    source, target = generator.normal(size=(60, 4)), generator.normal(1, 1, (40, 4))
    samples = np.concatenate([source[:3], target[5:9]])
    of_source, of_target = np.array([0, 1, 2, *[NONE] * 4]), np.array([*[NONE] * 3, 5, 6, 7, 8])
    found = density_ratios(samples, source, target, of_source, of_target)

    def fifth(population: Any, sample: Any, own: int) -> float:
        others = np.delete(population, own, axis=0) if own >= 0 else population
        return float(NearestNeighbors(n_neighbors=5).fit(others).kneighbors(sample[None])[0][0, -1])

    for place, sample in enumerate(samples):
        own, other = of_source[place], of_target[place]
        ratio = fifth(source, sample, own) / fifth(target, sample, other)
        sizes = (60 - (own >= 0)) / (40 - (other >= 0))
        assert found[place] == pytest.approx(4 * np.log(ratio) + np.log(sizes))


def test_it_follows_the_ratio_of_the_densities():
    generator = np.random.default_rng(1)
    source, target = generator.normal(size=(2000, 2)), generator.normal([2, 0], 0.5, (90, 2))
    samples = np.concatenate([generator.normal(size=(1500, 2)), generator.normal([2, 0], 0.5, (1500, 2))])
    true = multivariate_normal([2, 0], 0.25).logpdf(samples) - multivariate_normal([0, 0], 1).logpdf(samples)
    found = density_ratios(samples, source, target, *neither(3000))

    assert spearmanr(found, true).statistic > 0.9
    assert roc_auc_score(true > 0, found) > 0.99


def test_equal_vectors_have_a_finite_ratio():
    same = np.ones((10, 3))
    with np.errstate(divide="raise", invalid="raise"):
        found = density_ratios(same, same, np.zeros((8, 3)), np.arange(10), np.full(10, NONE))

    assert np.isfinite(found).all()
    assert (found < 0).all()
