import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

from leaplab.analysis.graph import nearest_among, neighbour_graph


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(2, 60), width=st.integers(1, 5))
def test_neighbours_are_those_of_all_distances(seed, count, width):
    vectors = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    graph = neighbour_graph(vectors, 7)

    all_ = cdist(vectors.astype(float), vectors.astype(float))
    np.fill_diagonal(all_, np.inf)
    wanted = np.sort(all_, axis=1)[:, : min(7, count - 1)]
    assert graph.distances == pytest.approx(wanted, abs=1e-5)
    assert np.take_along_axis(all_, graph.rows, 1) == pytest.approx(wanted, abs=1e-5)


def test_none_is_its_own_neighbour_even_among_equal_ones():
    vectors = np.zeros((50, 3), np.float32)
    graph = neighbour_graph(vectors, 20)

    assert graph.rows.shape == (50, 20)
    assert not (graph.rows == np.arange(50)[:, None]).any()
    assert not graph.distances.any()
    assert all(len(set(rows)) == 20 for rows in graph.rows.tolist())


def test_vectors_without_a_dimension_are_all_equal():
    graph = neighbour_graph(np.zeros((4, 0), np.float32), 2)

    assert graph.rows.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]


@pytest.mark.parametrize("count", [0, 1])
def test_one_sample_has_no_neighbour(count):
    assert neighbour_graph(np.zeros((count, 2), np.float32)).rows.shape == (count, 0)


def test_queries_may_be_others():
    graph = nearest_among(np.array([[0.0], [1.0], [5.0]]), np.array([[4.0]]), 2)

    assert graph.rows.tolist() == [[2, 1]]
    assert graph.distances.tolist() == [[1, 3]]


def test_threads_change_nothing():
    vectors = np.random.default_rng(0).integers(0, 4, (3000, 4)).astype(np.float32)  # many equal distances
    with threadpool_limits(1):
        one = neighbour_graph(vectors)
    two = neighbour_graph(vectors)

    assert (one.rows == two.rows).all()
    assert (one.distances == two.distances).all()


def test_equal_distances_are_in_the_order_of_the_rows():
    vectors = np.random.default_rng(1).integers(0, 4, (500, 3)).astype(np.float32)
    graph = neighbour_graph(vectors)

    equal = np.diff(graph.distances, axis=1) == 0
    assert equal.any()
    assert (np.diff(graph.rows, axis=1)[equal] > 0).all()
