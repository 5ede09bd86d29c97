"""The edge of a mask, against every cell and its four neighbours."""

import re

import numpy as np
import pytest
from numpy.typing import NDArray

from leaplab.render.outlines import outline_path


def edges_by_hand(inside: NDArray[np.bool_]) -> set[tuple[str, int, int]]:
    """(h or v, x, y) of each unit edge: where a cell is inside and its neighbour is not, or there is none."""
    height, width = inside.shape
    edges = set()
    for y in range(height):
        for x in range(width):
            if not inside[y, x]:
                continue
            if y == 0 or not inside[y - 1, x]:
                edges.add(("h", x, y))
            if y == height - 1 or not inside[y + 1, x]:
                edges.add(("h", x, y + 1))
            if x == 0 or not inside[y, x - 1]:
                edges.add(("v", x, y))
            if x == width - 1 or not inside[y, x + 1]:
                edges.add(("v", x + 1, y))
    return edges


def edges_of(path: str) -> list[tuple[str, int, int]]:
    edges: list[tuple[str, int, int]] = []
    for x, y, way, end in re.findall(r"M(\d+) (\d+)([HV])(\d+)", path):
        if way == "H":
            edges += [("h", each, int(y)) for each in range(int(x), int(end))]
        else:
            edges += [("v", int(x), each) for each in range(int(y), int(end))]
    assert "".join("M{} {}{}{}".format(*found) for found in re.findall(r"M(\d+) (\d+)([HV])(\d+)", path)) == path
    return edges


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (12, 30)])
def test_every_edge_is_drawn_once(shape: tuple[int, int]) -> None:
    inside = np.random.default_rng(shape[1]).random(shape) < 0.6
    drawn = edges_of(outline_path(inside))
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == edges_by_hand(inside)


def test_a_rectangle_is_four_strokes_and_nothing_is_none() -> None:
    inside = np.zeros((5, 8), bool)
    assert outline_path(inside) == ""
    inside[1:3, 2:6] = True
    assert sorted(re.findall(r"M[^M]+", outline_path(inside))) == ["M2 1H6", "M2 1V3", "M2 3H6", "M6 1V3"]
