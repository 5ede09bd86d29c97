"""A map stays put when samples are added: those that were there keep their places, and others lie beside them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from leaplab.analysis.projection import placed_beside
from leaplab.population.places import steady
from leaplab.population.population import open_population
from tests.leaplab.runs_by_hand import write_run

Vectors = NDArray[np.float32]


def groups(count: int, seed: int, apart: float = 40.0, width: int = 6) -> tuple[Vectors, NDArray[np.int64]]:
    """[count, width] vectors in three groups, and the group of each."""
    generator = np.random.default_rng(seed)
    group = np.arange(count) % 3
    centres = apart * np.eye(3, width)
    return (centres[group] + generator.normal(size=(count, width))).astype(np.float32), group


def refused(_: Vectors) -> Vectors:
    raise AssertionError("the map must not be drawn anew")


def drawn(vectors: Vectors) -> Vectors:
    """A map of its own: the first two numbers."""
    return np.asarray(vectors[:, :2] / 100, np.float32)


def named(count: int, first: int = 0) -> list[str]:
    return [f"validation/s{number}" for number in range(first, first + count)]


@pytest.mark.parametrize(("before", "added"), [(30, 1), (90, 45), (60, 60)])
def test_samples_keep_their_places_and_later_ones_lie_in_their_group(tmp_path: Path, before: int, added: int) -> None:
    vectors, group = groups(before + added, seed=before)
    first = steady(tmp_path / "places.npy", named(before), vectors[:before], drawn)
    np.testing.assert_array_equal(first, drawn(vectors[:before]))

    # The evaluation after it has another order, and rounds otherwise.
    order = np.random.default_rng(1).permutation(before + added)
    rounded = (vectors * (1 + 1e-6)).astype(np.float32)[order]
    names = np.array(named(before + added))[order].tolist()
    second = steady(tmp_path / "places.npy", names, rounded, refused)
    back = np.argsort(order)
    np.testing.assert_array_equal(second[back][:before], first)
    for new in range(before, before + added):
        away = np.linalg.norm(first - second[back][new], axis=1)
        assert group[int(away.argmin())] == group[new]

    # And once more, with nothing new.
    np.testing.assert_array_equal(steady(tmp_path / "places.npy", names, rounded, refused), second)


@pytest.mark.parametrize("why", ["nothing is remembered", "another model", "mostly new", "cut off", "mostly placed"])
def test_it_is_drawn_anew_where_it_says_nothing_any_more(tmp_path: Path, why: str) -> None:
    vectors, _ = groups(100, seed=2)
    path = tmp_path / "places.npy"

    def shifted(vectors: Vectors) -> Vectors:
        return drawn(vectors) + np.float32(1)

    if why != "nothing is remembered":
        steady(path, named(40), vectors[:40], drawn)
    if why == "cut off":
        path.write_bytes(path.read_bytes()[:-9])
    if why == "mostly placed":  # half of 80 was drawn; of 100 that is too few
        steady(path, named(80), vectors[:80], refused)
    count = {"mostly new": 81, "another model": 40, "cut off": 40}.get(why, 100)
    now = vectors[:count] if why != "another model" else groups(count, seed=3, apart=-40)[0]
    np.testing.assert_array_equal(steady(path, named(count), now, shifted), drawn(now) + np.float32(1))


def test_one_whose_vector_changed_is_placed_by_its_new_neighbours(tmp_path: Path) -> None:
    vectors, group = groups(60, seed=4)
    path = tmp_path / "places.npy"
    first = steady(path, named(60), vectors, drawn)
    moved = vectors.copy()
    moved[0] = vectors[1]
    second = steady(path, named(60), moved, refused)
    np.testing.assert_array_equal(second[1:], first[1:])
    np.testing.assert_allclose(second[0], first[1], atol=1e-4)
    assert group[0] != group[1]


def test_neighbours_count_by_their_nearness_and_only_on_one_island() -> None:
    # Worked by hand: distances 1 and 3 to two that lie 0.04 apart, so weights 3 to 1; the third lies on another island.
    known = np.array([[0.0], [4.0], [4.5]])
    places = np.array([[0.0, 0.0], [0.04, 0.0], [0.9, 0.9]])
    np.testing.assert_allclose(placed_beside(known, places, np.array([[1.0]])), [[0.01, 0.0]], atol=1e-6)
    np.testing.assert_allclose(placed_beside(known, places, known), places, atol=1e-5)
    assert placed_beside(known, places, np.zeros((0, 1))).shape == (0, 2)


def test_a_run_that_is_evaluated_again_with_more_samples_keeps_its_map(tmp_path: Path) -> None:
    vectors, _ = groups(90, seed=5)
    vectors[7] = np.nan
    states = ["validation"] * 90

    def written(count: int, identity: str) -> NDArray[np.float32]:
        path = tmp_path / identity / "run"
        write_run(path, states[:count], {}, vectors[:count], identity=identity)
        if identity == "two":  # as an evaluation does: the run is made anew, what lies beside it stays
            (tmp_path / "one" / ".notes").rename(tmp_path / "two" / ".notes")
        return open_population(path).map(None, "pacmap")

    first, second = written(60, "one"), written(90, "two")
    np.testing.assert_array_equal(second[:60], first)
    assert np.isfinite(second[60:]).all()
    assert np.isnan(second[7]).all()
