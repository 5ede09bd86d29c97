import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from leaplab.analysis.cells import EXACT, Cells


def scattered(count: int, width: int) -> np.ndarray:
    generator = np.random.default_rng(count)
    centres = generator.normal(size=(40, width)) * 2
    return (centres[generator.integers(40, size=count)] + generator.normal(size=(count, width))).astype(np.float32)


@pytest.mark.parametrize(
    ("count", "width", "least"), [(700, 4, 1.0), (EXACT, 20, 1.0), (EXACT + 1, 20, 0.95), (20_000, 8, 0.95)]
)
def test_nearly_all_of_the_nearest_are_found(count: int, width: int, least: float) -> None:
    vectors = scattered(count, width)
    queries = np.random.default_rng(1).permutation(count)[:500]
    wanted, wanted_rows = NearestNeighbors(n_neighbors=11, algorithm="brute").fit(vectors).kneighbors(vectors[queries])

    distances, rows = Cells(vectors).nearest_others(vectors, 10)

    assert rows.shape == distances.shape == (count, 10)
    assert not (rows == np.arange(count)[:, None]).any()
    shared = [
        len(set(found) & set(right))
        for found, right in zip(rows[queries].tolist(), wanted_rows[:, 1:].tolist(), strict=True)
    ]
    assert np.mean(shared) / 10 >= least
    if least == 1:
        np.testing.assert_allclose(distances[queries], wanted[:, 1:], atol=5e-3)
    assert (np.diff(distances, axis=1) >= 0).all()
    exact = np.linalg.norm(vectors[rows[queries]] - vectors[queries][:, None], axis=2)
    np.testing.assert_allclose(distances[queries], exact, atol=5e-3)


def test_as_many_are_found_as_were_asked_for_where_the_cells_around_hold_fewer() -> None:
    near, far = scattered(12_000, 3), scattered(5, 3) + np.float32(1e4)
    vectors = np.concatenate([near, far])

    distances, rows = Cells(vectors).nearest(far, 400)

    assert (rows >= 0).all()
    assert all(len(set(each)) == 400 for each in rows.tolist())
    assert (np.sort(rows[:, :5], axis=1) == np.arange(12_000, 12_005)).all()
    assert np.isfinite(distances).all()


def test_copies_are_neighbours_of_each_other_and_none_of_itself() -> None:
    vectors = np.concatenate([np.zeros((12_000, 4), np.float32), scattered(3_000, 4)])

    distances, rows = Cells(vectors).nearest_others(vectors, 20)

    assert not (rows == np.arange(len(rows))[:, None]).any()
    assert not distances[:12_000].any()
    assert (rows >= 0).all()
