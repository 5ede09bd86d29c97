from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import ndimage

from vision.topology import count_holes

MASKS = arrays.arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14)))


def _reference(shape: NDArray[np.bool_], min_area: int) -> int:
    """Background regions, 4-connected, none of whose pixels lies on the border."""
    labels, count = ndimage.label(~shape)  # scipy's default structure is the 4-neighbourhood
    border = set(labels[0]) | set(labels[-1]) | set(labels[:, 0]) | set(labels[:, -1])
    return sum(region not in border and int((labels == region).sum()) >= min_area for region in range(1, count + 1))


@settings(max_examples=300, deadline=None)
@given(shape=MASKS, min_area=st.integers(1, 6))
def test_holes_are_the_background_regions_away_from_the_border(shape: NDArray[np.bool_], min_area: int) -> None:
    assert count_holes(shape, min_area) == _reference(shape, min_area)


@pytest.mark.parametrize("ink", [0.3, 0.5, 0.6, 0.7])
def test_holes_of_dense_noise(ink: float) -> None:
    rng = np.random.default_rng(3)
    counts = set()
    for _ in range(20):
        shape = rng.random((28, 28)) < ink
        counts.add(count_holes(shape))
        assert count_holes(shape) == _reference(shape, 1)
    assert len(counts) > 3


def _drawn(*rows: str) -> NDArray[np.bool_]:
    return np.array([[character == "#" for character in row] for row in rows])


SHAPES: dict[str, tuple[NDArray[np.bool_], int]] = {
    "ring": (_drawn(".....", ".###.", ".#.#.", ".###.", "....."), 1),
    "eight": (_drawn(".....", ".###.", ".#.#.", ".###.", ".#.#.", ".###.", "....."), 2),
    "open C": (_drawn(".....", ".###.", ".#...", ".###.", "....."), 0),
    "solid": (_drawn(".....", ".###.", ".###.", ".###.", "....."), 0),
    "ring that touches all borders": (_drawn("###", "#.#", "###"), 1),
    "bay closed by the border alone": (_drawn("#.#", "#.#", "###"), 0),
    "bay at the border on two sides": (_drawn("###", "#..", "###"), 0),
    "loop closed at corners only": (_drawn(".....", "..#..", ".#.#.", "..#..", "....."), 1),
    "two holes that meet at a corner": (_drawn("####.", "#.##.", "##.#.", "####."), 2),
    "ring in a ring": (_drawn("#######", "#.....#", "#.###.#", "#.#.#.#", "#.###.#", "#.....#", "#######"), 2),
    "empty": (np.zeros((28, 28), bool), 0),
    "full": (np.ones((28, 28), bool), 0),
    "one pixel": (np.ones((1, 1), bool), 0),
}


@pytest.mark.parametrize(("shape", "holes"), SHAPES.values(), ids=SHAPES.keys())
def test_holes_of_drawn_shapes(shape: NDArray[Any], holes: int) -> None:
    assert count_holes(shape) == holes


def test_regions_below_the_least_area_do_not_count() -> None:
    two = np.ones((7, 9), bool)
    two[1:3, 1:3] = False  # 4 pixels
    two[4:6, 4:7] = False  # 6 pixels
    assert [count_holes(two, area) for area in (1, 4, 5, 6, 7, 1000)] == [2, 2, 1, 1, 0, 0]


def test_a_small_outside_is_no_hole_whatever_the_least_area() -> None:
    shape = np.ones((9, 9), bool)
    shape[0, 0] = False
    assert [count_holes(shape, area) for area in (1, 2, 50)] == [0, 0, 0]
