from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import binomtest

from leaplab.analysis.novelty import novelty, rare_clusters, samples_to_add


def blobs(generator, counts, width=6, apart=8.0) -> Any:
    """Samples of clusters that lie far apart."""
    centres = np.eye(len(counts), width) * apart if len(counts) <= width else None
    if centres is None:
        centres = np.random.default_rng(99).normal(size=(len(counts), width)) * apart
    return np.concatenate(
        [centre + generator.normal(size=(n, width)) for centre, n in zip(centres, counts, strict=True)]
    )


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(12, 60))
def test_novelty_is_the_place_among_the_references_own_distances(seed, count):
    generator = np.random.default_rng(seed)
    reference, others = generator.normal(size=(count, 3)), generator.normal(size=(20, 3)) * 2
    found = novelty(reference, others)

    own = np.sort(cdist(reference, reference), axis=1)[:, 10]  # the first is the sample itself
    wanted = np.sort(cdist(others, reference), axis=1)[:, 9]
    assert found.distances == pytest.approx(wanted)
    assert found.percentiles == pytest.approx([(own < distance).mean() for distance in wanted])


def test_samples_like_the_reference_are_novel_by_chance_alone():
    generator = np.random.default_rng(0)
    found = novelty(generator.normal(size=(4000, 8)), generator.normal(size=(4000, 8)))

    assert found.percentiles.mean() == pytest.approx(0.5, abs=0.02)
    assert 0.005 < (found.percentiles > 0.99).mean() < 0.02


def test_of_a_large_reference_a_sample_is_enough():
    generator = np.random.default_rng(0)
    reference, others = generator.normal(size=(12_000, 3)), np.concatenate([np.zeros((5, 3)), np.full((5, 3), 9.0)])
    found = novelty(reference, others)

    assert (found.percentiles[:5] < 0.5).all()
    assert (found.percentiles[5:] == 1).all()


def test_novelty_does_not_depend_on_the_order():
    generator = np.random.default_rng(3)
    reference, others = generator.normal(size=(11_000, 4)), generator.normal(size=(50, 4))
    one = novelty(reference, others)
    order, turned = generator.permutation(len(reference)), generator.permutation(len(others))
    other = novelty(reference[order], others[turned])

    assert np.array_equal(other.percentiles, one.percentiles[turned])


def test_a_thinned_kind_is_found_and_nothing_else():
    hits = 0
    for seed in range(10):
        generator = np.random.default_rng(seed)
        reference, others = blobs(generator, [200] * 5 + [10]), blobs(generator, [60] * 6)
        found = rare_clusters(reference, others)
        members = np.flatnonzero(np.isin(found.numbers, found.rare))
        hits += len(found.rare) > 0 and set(members // 60) == {5}
    assert hits >= 9


def test_two_halves_of_one_population_lack_nothing():
    alarms = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        both = generator.permutation(blobs(generator, [100] * 6))
        alarms += len(rare_clusters(both[:300], both[300:]).rare) > 0
    assert alarms <= 1


@pytest.mark.parametrize(("rare", "common"), [(0, 60), (3, 60), (10, 80)])
def test_the_numbers_of_a_cluster_are_those_of_the_binomial_test(rare, common):
    generator = np.random.default_rng(5)
    # Points that coincide: each place is a cluster, whatever k-means does.
    places = np.eye(4) * 10
    reference = np.repeat(places, [rare, 200, 200, 200], axis=0)
    others = generator.permutation(np.repeat(places, [common, 50, 50, 50], axis=0))
    found = rare_clusters(reference, others, tried=3)

    assert found.clusters == 4
    assert (found.reference_counts.tolist(), found.other_counts.tolist()) == ([rare], [common])
    assert set(np.flatnonzero(found.numbers == found.rare[0])) == set(np.flatnonzero(others[:, 0] == 10))
    share = len(reference) / (len(reference) + len(others))
    wanted = binomtest(rare, rare + common, share, alternative="less").pvalue
    assert found.p[0] == pytest.approx(wanted * 4 * 3, rel=1e-6, abs=0)
    assert found.ratios[0] == pytest.approx((rare / len(reference)) / (common / len(others)))


def test_a_cluster_counts_only_where_its_ratio_is_surely_below_half():
    # 1,000 of 10,000 against 160 of 1,000: significantly fewer, by a ratio of .63.
    places = np.eye(3) * 10
    reference = np.repeat(places, [1000, 4500, 4500], axis=0)
    others = np.repeat(places, [160, 420, 420], axis=0)

    assert binomtest(1000, 1160, 10 / 11, alternative="less").pvalue < 1e-6
    assert not len(rare_clusters(reference, others).rare)


def test_few_samples_prove_nothing():
    places = np.eye(3) * 10
    reference, others = np.repeat(places, [0, 20, 20], axis=0), np.repeat(places, [3, 20, 20], axis=0)

    assert not len(rare_clusters(reference, others).rare)


def test_the_clusters_do_not_depend_on_the_order():
    generator = np.random.default_rng(2)
    reference, others = blobs(generator, [100] * 5 + [5]), blobs(generator, [50] * 6)
    one = rare_clusters(reference, others)
    order = generator.permutation(len(others))
    other = rare_clusters(generator.permutation(reference), others[order])

    assert np.array_equal(np.isin(other.numbers, other.rare), np.isin(one.numbers, one.rare)[order])
    assert other.ratios.tolist() == one.ratios.tolist()


@settings(deadline=None, max_examples=25)
@given(
    here=st.lists(st.integers(0, 30), min_size=1, max_size=4),
    there=st.lists(st.integers(100, 200), min_size=4, max_size=4),
)
def test_what_is_to_be_added_brings_the_shares_to_half(here, there):
    reference, others = 1000, 1000
    counts, other_counts = np.array(here), np.array(there[: len(here)])
    added = samples_to_add(reference, others, counts, other_counts)

    # (a + x) / (n + x) >= .5 b / m in whole numbers, and one fewer is too few.
    def is_enough(more) -> bool:
        return bool(2 * others * (counts.sum() + more) >= other_counts.sum() * (reference + more))

    assert is_enough(added)
    assert not is_enough(added - 1)


def test_what_is_to_be_added_by_a_worked_example():
    # 100 of 200 others, none of 300: x / (300 + x) = .25, so x = 100.
    assert samples_to_add(300, 200, np.array([0]), np.array([100])) == 100
    assert samples_to_add(300, 200, np.array([290]), np.array([100])) == 0


@pytest.mark.parametrize("width", [0, 1, 4])
@pytest.mark.parametrize("counts", [(2, 1), (30, 30), (1, 5)])
def test_equal_vectors_are_neither_novel_nor_rare(width, counts):
    reference, others = (np.ones((count, width), np.float32) for count in counts)
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        assert not len(rare_clusters(reference, others).rare)
        assert novelty(reference, others).percentiles.tolist() == [0] * counts[1]
