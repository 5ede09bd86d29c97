"""Which samples to keep of many."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from leaplab.analysis.pruning import Crowd, Steps, candidates, prune


def crowd(count: int = 900, seed: int = 0, **fields: Any) -> Crowd:
    """Three clusters of uneven size, and the true distances from their centres."""
    generator = np.random.default_rng(seed)
    clusters = generator.permutation(np.repeat([0, 1, 2], [count // 2, count // 3, count - count // 2 - count // 3]))
    off = generator.normal(size=(count, 5))
    vectors = (40 * np.eye(3, 5)[clusters] + off).astype(np.float32)
    return Crowd(vectors, clusters, np.linalg.norm(off, axis=1), **fields)


@pytest.mark.parametrize("keep", [1, 13, 450, 900])
def test_exactly_so_many_are_kept_none_twice(keep):
    found = prune(crowd(), keep)

    assert len(set(found.kept.tolist())) == len(found.kept) == keep
    assert sum(each.kept for each in found.clusters) == keep


def test_each_cluster_and_each_stratum_keeps_its_share():
    these = crowd()
    found = prune(these, 300)

    assert [each.kept for each in found.clusters] == pytest.approx([150, 100, 50], abs=4)
    for each in found.clusters:
        members = np.flatnonzero(these.clusters == each.number)
        edges = np.quantile(these.distances[members], [0, 0.25, 0.5, 0.75, 1])
        assert each.bounds == pytest.approx(edges)
        assert (each.size, sum(each.strata)) == (len(members), len(members))
        assert max(each.strata) - min(each.strata) <= 1
        kept = these.distances[np.intersect1d(members, found.kept)]
        counted = np.histogram(kept, edges)[0]
        assert counted == pytest.approx(np.array(each.strata) / 3, abs=3)


def test_each_subgroup_keeps_its_share_and_lies_in_one_stratum_of_one_cluster():
    these = crowd()
    found = prune(these, 300, Steps(strata=3, subgroups=2))
    sizes = np.bincount(found.subgroups)

    assert len(sizes) == 3 * 3 * 2 == sum(each.subgroups for each in found.clusters)
    assert np.abs(np.bincount(found.subgroups[found.kept], minlength=18) - sizes / 3).max() <= 1.5
    for number in range(18):
        inside = found.subgroups == number
        (cluster,) = set(these.clusters[inside].tolist())
        bounds = found.clusters[cluster].bounds
        strata = {int(each) for each in np.searchsorted(bounds[1:-1], these.distances[inside], side="right")}
        assert len(strata) == 1


def test_to_keep_fewer_is_to_keep_the_first():
    these = crowd()
    many, few = prune(these, 600), prune(these, 100)

    assert np.array_equal(many.kept[:100], few.kept)


def test_the_order_of_the_samples_decides_nothing():
    these = crowd(seed=1)
    moved = np.random.default_rng(2).permutation(900)
    other = Crowd(these.vectors[moved], these.clusters[moved], these.distances[moved])

    assert np.array_equal(prune(these, 200).kept, moved[prune(other, 200).kept])


def test_what_is_too_central_goes_first():
    these = crowd()
    steps = Steps(least=2.0)
    far = these.distances >= 2
    found = prune(these, 200, steps)

    assert np.array_equal(candidates(these, steps), far)
    assert far[found.kept].all()
    assert [each.central for each in found.clusters] == [int((~far & (these.clusters == n)).sum()) for n in range(3)]
    assert (found.subgroups[~far] == -1).all()
    assert len(prune(these, int(far.sum()), steps).kept) == far.sum()


def test_one_cluster_is_pruned_and_the_others_are_kept_whole():
    these = crowd()
    found = prune(these, 30, Steps(cluster=1))

    assert (these.clusters[found.kept] == 1).all()
    assert np.array_equal(found.whole, np.flatnonzero(these.clusters != 1))
    assert [(each.number, each.kept) for each in found.clusters] == [(0, 450), (1, 30), (2, 150)]
    assert [len(each.bounds) for each in found.clusters] == [0, 5, 0]


def test_what_is_kept_is_balanced_where_there_is_enough():
    groups = np.random.default_rng(3).choice(3, 900, p=[0.8, 0.17, 0.03])
    few = int((groups == 2).sum())
    counted = np.bincount(groups[prune(crowd(groups=groups), 240).kept])

    assert counted[2] == few
    assert abs(counted[0] - counted[1]) <= 1
    assert counted.sum() == 240
    first = np.bincount(groups[prune(crowd(groups=groups), 240).kept[:60]], minlength=3)
    assert abs(first[0] - first[1]) <= 2


def test_in_each_subgroup_the_greatest_are_kept_first_and_what_has_no_value_last():
    values = np.random.default_rng(4).normal(size=900)
    values[::10] = np.nan
    found = prune(crowd(first=values), 400)

    for number in np.unique(found.subgroups):
        inside = np.flatnonzero(found.subgroups == number)
        kept = np.isin(inside, found.kept)
        ordered = np.where(np.isnan(values[inside]), -np.inf, values[inside])
        if kept.any() and not kept.all():
            assert ordered[kept].min() >= ordered[~kept].max()


def test_a_sample_has_the_same_chance_however_small_its_subgroup():
    vectors = np.concatenate([np.zeros((95, 2)), 50 * np.eye(5, 2) + np.arange(5)[:, None]]).astype(np.float32)
    vectors[:95] += np.random.default_rng(5).normal(size=(95, 2))
    clusters = np.concatenate([np.zeros(95, np.int64), np.arange(1, 6)])
    these = Crowd(vectors, clusters, np.zeros(100))
    taken = np.zeros(100)
    for seed in range(150):
        taken[prune(these, 20, Steps(subgroups=1), seed=seed).kept] += 1

    assert taken[95:].mean() / 150 == pytest.approx(0.2, abs=0.06)


def test_a_head_does_no_worse_on_what_is_kept_than_on_random_samples():
    generator = np.random.default_rng(6)
    labels = generator.integers(0, 6, 2500)
    vectors = (1.2 * generator.normal(size=(6, 10))[labels] + generator.normal(size=(2500, 10))).astype(np.float32)
    centres = np.array([vectors[labels == each].mean(axis=0) for each in range(6)])
    these = Crowd(vectors[:1500], labels[:1500], np.linalg.norm(vectors[:1500] - centres[labels[:1500]], axis=1))

    def accuracy(rows: Any) -> float:
        head = LogisticRegression(max_iter=200).fit(vectors[rows], labels[rows])
        return 100 * float((head.predict(vectors[1500:]) == labels[1500:]).mean())

    kept = np.mean([accuracy(prune(these, 150, seed=seed).kept) for seed in range(5)])
    random = np.mean([accuracy(generator.permutation(1500)[:150]) for _ in range(15)])
    assert kept >= random - 0.5


def test_samples_that_are_all_equal_are_pruned_at_random():
    these = Crowd(np.ones((40, 3)), np.zeros(40, np.int64), np.zeros(40))

    assert len(set(prune(these, 10).kept.tolist())) == 10
