import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from leaplab.analysis.neighbours import METRICS, Metric, Neighbours, centre_of


def exact(vectors: np.ndarray, query: np.ndarray, metric: Metric, count: int) -> tuple[np.ndarray, np.ndarray]:
    """By SciPy, in float64, equal distances by row."""
    distances = cdist(query[None].astype(np.float64), vectors.astype(np.float64), metric)[0]
    order = np.lexsort((np.arange(len(vectors)), distances))[:count]
    return order, distances[order]


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40))
def test_the_nearest_are_those_of_scipy(metric, seed, count):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(300, 17)).astype(np.float32)
    rows, distances = Neighbours(vectors, metric).nearest(vectors[7], count)
    wanted, wanted_distances = exact(vectors, vectors[7], metric, count)

    np.testing.assert_array_equal(rows, wanted)
    np.testing.assert_allclose(distances, wanted_distances, atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_what_float32_cannot_tell_apart_is_told_apart(metric):
    # All far from the origin and close together: squared lengths in float32 leave no digit of the distances.
    generator = np.random.default_rng(1)
    vectors = (1000 + generator.normal(scale=1e-3, size=(2000, 64))).astype(np.float32)
    rows, _ = Neighbours(vectors, metric).nearest(vectors[5], 10)

    np.testing.assert_array_equal(rows, exact(vectors, vectors[5], metric, 10)[0])


@pytest.mark.parametrize("metric", METRICS)
def test_equal_distances_come_by_row(metric):
    vectors = np.tile(np.eye(4, dtype=np.float32), (25, 1))
    rows, distances = Neighbours(vectors, metric).nearest(vectors[0], 30)

    assert rows[:25].tolist() == list(range(0, 100, 4))
    assert rows[25:].tolist() == [1, 2, 3, 5, 6]
    np.testing.assert_allclose(distances[:25], 0, atol=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_what_must_not_be_found_is_not(metric):
    vectors = np.arange(40, dtype=np.float32).reshape(20, 2)
    among = np.arange(20) % 2 == 0
    rows, _ = Neighbours(vectors, metric).nearest(vectors[5], 50, among)

    assert sorted(rows) == list(range(0, 20, 2))
    assert len(Neighbours(vectors, metric).nearest(vectors[5], 5, np.zeros(20, bool))[0]) == 0


def test_a_zero_vector_has_no_direction():
    vectors = np.array([[0, 0], [1, 0], [0, 1], [-1, 0]], np.float32)

    rows, distances = Neighbours(vectors, "cosine").nearest(np.array([2, 0]), 4)
    assert rows.tolist() == [1, 0, 2, 3]
    np.testing.assert_allclose(distances, [0, 1, 1, 2])
    np.testing.assert_allclose(Neighbours(vectors, "cosine").nearest(vectors[0], 4)[1], 1)


def test_the_centre_is_a_mean_of_vectors_or_of_directions():
    vectors = np.array([[3, 0], [0, 1]])

    np.testing.assert_allclose(centre_of(vectors, "euclidean"), [1.5, 0.5])
    np.testing.assert_allclose(centre_of(vectors, "cosine"), [0.5, 0.5])
