import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from leaplab.analysis.clustering import cluster, cluster_numbers
from leaplab.analysis.components import standard_components

SIZES = (400, 300, 200, 150, 90)


@pytest.fixture(scope="module")
def blobs():
    """Vectors of five groups far apart, in random order, and their groups."""
    generator = np.random.default_rng(0)
    groups = generator.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    centres = generator.normal(0, 8, (len(SIZES), 24))
    return (centres[groups] + generator.normal(0, 1, (len(groups), 24))).astype(np.float32), groups


def test_components_are_those_of_scikit_learn():
    generator = np.random.default_rng(2)
    vectors = generator.normal(size=(500, 40)) @ generator.normal(size=(40, 40)) + 100
    vectors[:, 7] = 3  # constant
    scaled = StandardScaler().fit_transform(np.delete(vectors, 7, axis=1))
    wanted = PCA(32, svd_solver="full").fit_transform(scaled)
    # Either sign will do.
    np.testing.assert_allclose(np.abs(standard_components(vectors)), np.abs(wanted), rtol=1e-3, atol=1e-3)


def test_the_number_of_groups_is_found_and_who_is_in_which(blobs):
    vectors, groups = blobs
    found = cluster(vectors)

    assert [size for size, parent in zip(found.sizes, found.parents, strict=True) if parent is None] == list(SIZES)
    assert adjusted_rand_score(groups, found.numbers) == 1
    assert found.chosen_by == "silhouette"
    assert found.stability == 1
    assert found.silhouette is not None
    assert found.silhouette > 0.5


def test_a_number_that_is_given_is_kept(blobs):
    found = cluster(blobs[0], 3)

    assert found.chosen_by == "given"
    assert sum(parent is None for parent in found.parents) == 3
    # Two groups of one cluster are its subclusters.
    for number, parent in enumerate(found.parents):
        if parent is not None:
            assert (found.numbers[found.subclusters == number] == parent).all()
            assert (found.subclusters == number).sum() == found.sizes[number]
    assert any(parent is not None for parent in found.parents)


def test_the_order_of_the_samples_is_of_no_account(blobs):
    vectors, _ = blobs
    shuffled = np.random.default_rng(3).permutation(len(vectors))
    one, other = cluster(vectors, seed=4), cluster(vectors[shuffled], seed=4)

    np.testing.assert_array_equal(one.numbers[shuffled], other.numbers)
    np.testing.assert_array_equal(one.subclusters[shuffled], other.subclusters)
    np.testing.assert_array_equal(one.distances[shuffled], other.distances)
    assert (one.silhouette, one.stability) == (other.silhouette, other.stability)


def test_distances_are_to_the_mean_of_the_cluster(blobs):
    vectors, _ = blobs
    found, components = cluster(vectors), standard_components(vectors).astype(np.float64)

    for number in range(len(SIZES)):
        inside = components[found.numbers == number]
        wanted = np.linalg.norm(inside - inside.mean(axis=0), axis=1)
        np.testing.assert_allclose(found.distances[found.numbers == number], wanted, rtol=1e-3)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "vectors",
    [
        np.zeros((0, 4)),
        np.ones((1, 4)),
        np.ones((50, 4)),
        np.arange(2.0)[:, None] * np.ones(4),
        np.repeat(np.eye(2, 4), [7, 30], axis=0),
        np.random.default_rng(0).normal(size=(40, 1)),
    ],
    ids=["none", "one", "identical", "two", "two values", "one dimension"],
)
def test_few_or_equal_vectors_are_clusters_all_the_same(vectors):
    for count in (None, 1, 6):
        found = cluster(vectors.astype(np.float32), count)
        whole = [size for size, parent in zip(found.sizes, found.parents, strict=True) if parent is None]
        assert sum(whole) == len(found.numbers) == len(found.distances) == len(vectors)
        np.testing.assert_array_equal(np.bincount(found.numbers, minlength=len(whole))[: len(whole)], whole)
        assert np.isfinite(found.distances).all()


@pytest.mark.parametrize("clusters", [1, 2, 5, 7])
def test_numbers_alone_are_those_of_the_clustering(blobs, clusters):
    np.testing.assert_array_equal(cluster_numbers(blobs[0], clusters), cluster(blobs[0], clusters).numbers)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fewer_samples_than_clusters_give_one_cluster_each(count):
    vectors = np.arange(count, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)

    assert sorted(cluster_numbers(vectors, 20)) == list(range(count))


@pytest.mark.filterwarnings("error")
def test_identical_samples_are_one_cluster():
    assert cluster_numbers(np.full((10, 4), 0.1, np.float32), 3).tolist() == [0] * 10
    assert cluster_numbers(np.repeat(np.eye(2, 4, dtype=np.float32), [7, 3], axis=0), 5).tolist() == [0] * 7 + [1] * 3
