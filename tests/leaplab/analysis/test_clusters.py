import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from leaplab.analysis.clusters import k_means

SIZES = (20, 60, 40)


@pytest.fixture(scope="module")
def blobs():
    """Vectors of three groups far apart, shuffled, and their groups."""
    generator = np.random.default_rng(0)
    groups = generator.permutation(np.repeat([0, 1, 2], SIZES))
    centres = generator.normal(0, 30, (3, 64))
    return (centres[groups] + generator.normal(0, 1, (len(groups), 64))).astype(np.float32), groups


def test_clusters_are_the_groups_of_the_vectors(blobs):
    vectors, groups = blobs
    found = k_means(vectors, 3)

    assert adjusted_rand_score(groups, found) == 1.0
    assert found.dtype == np.int32


def test_largest_cluster_comes_first(blobs):
    assert np.bincount(k_means(blobs[0], 3)).tolist() == sorted(SIZES, reverse=True)


def test_same_seed_gives_the_same_clusters(blobs):
    vectors = np.random.default_rng(5).normal(size=(300, 10))

    np.testing.assert_array_equal(k_means(vectors, 12, seed=1), k_means(vectors, 12, seed=1))
    assert (k_means(vectors, 12, seed=1) != k_means(vectors, 12, seed=2)).any()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_fewer_samples_than_clusters_give_one_cluster_each(count):
    vectors = np.arange(count, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)

    assert sorted(k_means(vectors, 20)) == list(range(count))


@pytest.mark.filterwarnings("error")
def test_identical_samples_are_one_cluster():
    assert k_means(np.full((10, 4), 0.1, np.float32), 3).tolist() == [0] * 10
    assert k_means(np.repeat(np.eye(2, 4, dtype=np.float32), [7, 3], axis=0), 5).tolist() == [0] * 7 + [1] * 3
