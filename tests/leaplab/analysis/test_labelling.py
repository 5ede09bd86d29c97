"""Which samples to label first."""

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression

from leaplab.analysis.labelling import Pool, choose, coverage


def blobs(sizes: Any, seed: int = 0, width: int = 6) -> Any:
    """Vectors of groups that lie far apart, permuted, and the group of each."""
    generator = np.random.default_rng(seed)
    groups = generator.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = 30 * generator.normal(size=(len(sizes), width))
    return (centres[groups] + generator.normal(size=(len(groups), width))).astype(np.float32), groups


def test_of_groups_as_many_as_the_budget_each_gives_its_middle():
    vectors, groups = blobs([50, 80, 30, 60])
    chosen = choose(Pool(vectors), 4)

    assert sorted(groups[chosen.places].tolist()) == [0, 1, 2, 3]
    # Distances are of standardised dimensions, of which there are fewer than 32: turning them changes nothing.
    standard = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    for place in chosen.places:
        members = np.flatnonzero(groups == groups[place])
        away = np.linalg.norm(standard[members] - standard[members].mean(axis=0), axis=1)
        assert place == members[away.argmin()]
    # The heaviest cluster is 0, and the first to label.
    assert groups[chosen.places[chosen.clusters == 0]] == [1]
    assert np.array_equal(np.bincount(chosen.numbers), [80, 60, 50, 30])


@pytest.mark.parametrize("budget", [1, 7, 199, 200])
def test_none_comes_twice_and_as_many_come_as_were_asked_for(budget):
    vectors, _ = blobs([120, 80])
    losses = np.random.default_rng(1).exponential(size=200)
    chosen = choose(Pool(vectors, losses), budget)

    assert len(set(chosen.places.tolist())) == len(chosen.places) == budget
    assert sorted(chosen.clusters.tolist()) == list(range(budget))


def test_the_order_of_the_samples_decides_nothing():
    vectors, groups = blobs([150, 100, 50], seed=2)
    generator = np.random.default_rng(3)
    losses, videos = generator.exponential(size=300), generator.integers(0, 25, 300)
    pool = Pool(vectors, losses, groups, videos)
    moved = generator.permutation(300)
    other = Pool(vectors[moved], losses[moved], groups[moved], videos[moved])

    assert np.array_equal(choose(pool, 40).places, moved[choose(other, 40).places])


def test_more_are_chosen_where_the_loss_is_high_the_more_so_by_focus():
    vectors = np.random.default_rng(4).normal(size=(3000, 5)).astype(np.float32)
    high = vectors[:, 0] > 0.8
    losses = np.where(high, 4.0, 0.2)
    counts = [int(high[choose(Pool(vectors, losses), 60, focus).places].sum()) for focus in (0.0, 1 / 3, 1.0)]

    assert counts[0] < counts[1] < counts[2]
    assert counts[2] > 1.5 * counts[0]


def test_single_loud_samples_among_quiet_ones_do_not_draw_the_list():
    vectors = np.random.default_rng(5).normal(size=(2000, 5)).astype(np.float32)
    loud = np.random.default_rng(6).random(2000) < 0.02
    found = choose(Pool(vectors, np.where(loud, 30.0, 1.0)), 50, focus=1.0)

    assert loud[found.places].sum() <= 8


@pytest.mark.parametrize("losses", [None, np.zeros(90), np.full(90, np.nan), np.full(90, 3.0), np.full(90, -2.0)])
def test_without_a_loss_that_tells_apart_all_weigh_alike(losses):
    vectors, _ = blobs([50, 40], seed=7)

    assert np.array_equal(choose(Pool(vectors, losses), 9).places, choose(Pool(vectors), 9).places)


def test_shares_are_equal_where_there_is_enough():
    vectors, _ = blobs([400, 100], seed=8)
    groups = np.random.default_rng(9).choice(3, 500, p=[0.9, 0.08, 0.02])
    few = int((groups == 2).sum())
    chosen = choose(Pool(vectors, groups=groups), 50)
    counted = np.bincount(groups[chosen.places], minlength=3)

    assert counted[2] == min(few, 17)
    assert abs(counted[0] - counted[1]) <= 1
    assert counted.sum() == 50
    # Half of the list is balanced, too.
    half = np.bincount(groups[chosen.places[:25]], minlength=3)
    assert abs(half[0] - half[1]) <= 1


@pytest.mark.parametrize(("videos", "budget"), [(80, 60), (20, 60)])
def test_no_value_comes_twice_before_all_have_come(videos, budget):
    vectors, _ = blobs([200, 200], seed=10)
    codes = np.random.default_rng(11).integers(0, videos, 400)
    codes[:videos] = np.arange(videos)
    chosen = choose(Pool(vectors, apart=codes), budget)
    counted = np.bincount(codes[chosen.places], minlength=videos)

    assert counted.max() - counted.min() <= 1
    assert len(set(codes[chosen.places[: min(videos, budget)]].tolist())) == min(videos, budget)


def test_samples_without_a_value_to_keep_apart_may_come_together():
    vectors, _ = blobs([40], seed=12)
    chosen = choose(Pool(vectors, apart=np.full(40, -1)), 10)

    assert np.array_equal(np.sort(chosen.places), np.sort(choose(Pool(vectors), 10).places))


def test_near_duplicates_are_left_out_and_counted():
    """Each sample has a copy that differs by noise; there are enough others for a list without pairs."""
    generator = np.random.default_rng(13)
    first = generator.normal(size=(300, 6))
    vectors = np.concatenate([first, first + 1e-4 * generator.normal(size=first.shape)]).astype(np.float32)
    chosen = choose(Pool(vectors), 250)

    assert len(set((chosen.places % 300).tolist())) == 250
    away = cdist(chosen.components, chosen.components[chosen.places])
    within = (away <= chosen.bound).any(axis=1)
    within[chosen.places] = False
    assert chosen.near == within.sum() >= 250
    assert chosen.repeated == 0
    assert coverage(Pool(vectors), chosen, chosen.places).near_pairs == 0
    assert coverage(Pool(vectors), chosen, np.array([0, 300, 1, 2])).near_pairs == 1


def test_samples_of_islands_are_no_near_duplicates():
    vectors, _ = blobs([100, 100, 100, 100], seed=20)
    chosen = choose(Pool(vectors), 4)

    assert (chosen.near, chosen.repeated) == (0, 0)


def test_equal_inputs_are_never_both_chosen_while_there_are_others():
    vectors = np.random.default_rng(14).normal(size=(100, 4)).astype(np.float32)
    copies = np.repeat(np.arange(20), 5)  # five samples of each input, which the network sees apart
    chosen = choose(Pool(vectors, copies=copies), 20)

    assert sorted(copies[chosen.places].tolist()) == list(range(20))
    assert choose(Pool(vectors, copies=copies), 22).repeated == 2
    assert coverage(Pool(vectors, copies=copies), chosen, np.array([0, 1, 2, 5])).near_pairs == 3


def test_near_duplicates_fill_a_list_only_where_nothing_else_is_left():
    chosen = choose(Pool(np.repeat([[0.0, 0], [5, 5], [0, 9]], 10, axis=0)), 12)

    assert len(set(chosen.places.tolist())) == 12
    assert set((chosen.places[:3] // 10).tolist()) == {0, 1, 2}
    assert chosen.repeated == 9


def test_what_was_chosen_before_counts_as_covered():
    vectors, groups = blobs([100, 100, 100, 100], seed=15)
    of_two = np.flatnonzero(groups < 2)
    former = np.concatenate([of_two[groups[of_two] == group][:5] for group in (0, 1)])
    rest = np.setdiff1d(np.arange(400), former)
    chosen = choose(Pool(vectors[rest], former=vectors[former]), 2)

    assert sorted(groups[rest][chosen.places].tolist()) == [2, 3]
    # A copy of a former one is no choice at all.
    copied = np.zeros(len(rest), bool)
    copied[chosen.places] = True
    assert not set(choose(Pool(vectors[rest], former=vectors[former], copied=copied), 2).places) & set(chosen.places)


def test_going_on_covers_about_as_well_as_one_list_of_both():
    vectors = np.random.default_rng(16).normal(size=(1500, 6)).astype(np.float32)
    whole = choose(Pool(vectors), 60)
    first = choose(Pool(vectors), 30).places
    rest = np.setdiff1d(np.arange(1500), first)
    second = rest[choose(Pool(vectors[rest], former=vectors[first]), 30).places]
    both = coverage(Pool(vectors), whole, np.concatenate([first, second]))
    alone = coverage(Pool(vectors), whole, np.concatenate([first, np.random.default_rng(0).permutation(rest)[:30]]))

    assert both.distance < 1.04 * coverage(Pool(vectors), whole, whole.places).distance
    assert both.distance < alone.distance


def test_coverage_is_what_it_says():
    vectors, groups = blobs([60, 40], seed=17)
    losses = np.random.default_rng(18).exponential(size=100)
    pool = Pool(vectors, losses)
    chosen = choose(pool, 2)
    places = np.flatnonzero(groups == groups[0])[:3]
    found = coverage(pool, chosen, places)

    standard = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    away = cdist(standard, standard[places]).min(axis=1)
    assert found.distance == pytest.approx(away.mean(), rel=1e-4)
    assert found.where_loss_is == pytest.approx((away * losses).sum() / losses.sum(), rel=1e-4)
    assert found.loss == pytest.approx(losses[places].mean())
    assert found.clusters == 0.5


def test_a_head_learns_more_from_a_list_and_from_its_beginning_than_from_random_samples():
    """Ten classes of uneven size; the head has as many labels as the list, or as its first half."""
    generator = np.random.default_rng(19)
    labels = generator.choice(10, 3000, p=np.array([30, 20, 15, 10, 8, 6, 4, 3, 2, 2]) / 100)
    centres = 1.1 * generator.normal(size=(10, 3, 12))
    vectors = (centres[labels, generator.integers(0, 3, 3000)] + generator.normal(size=(3000, 12))).astype(np.float32)
    pool, held = np.arange(2000), np.arange(2000, 3000)

    def accuracy(rows: Any) -> float:
        head = LogisticRegression(max_iter=300).fit(vectors[rows], labels[rows])
        return float((head.predict(vectors[held]) == labels[held]).mean())

    chosen = choose(Pool(vectors[pool]), 120).places
    for length in (60, 120):
        random = np.mean([accuracy(generator.permutation(2000)[:length]) for _ in range(15)])
        assert accuracy(pool[chosen[:length]]) > random


def test_all_samples_equal_is_no_trouble():
    chosen = choose(Pool(np.ones((8, 3))), 3)

    assert len(set(chosen.places.tolist())) == 3
    assert chosen.repeated == 2


def test_a_pool_is_not_changed():
    vectors, groups = blobs([30, 30])
    losses = np.random.default_rng(21).random(60)
    before = vectors.copy(), losses.copy()
    choose(Pool(vectors, losses, groups, groups, groups), 10)

    assert np.array_equal(vectors, before[0])
    assert np.array_equal(losses, before[1])
