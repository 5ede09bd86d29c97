from typing import Any

import numpy as np
import pytest
from code_loader.contract.visualizer_classes import LeapGraph

from leaplab.errors import LeaplabError
from leaplab.render import graph
from leaplab.render.colours import index_colour
from leaplab.render.graph import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH

NAN, INF = float("nan"), float("inf")
PLOT = slice(TOP, HEIGHT - BOTTOM + 1), slice(LEFT, WIDTH - RIGHT + 1)


def column(values) -> Any:
    return np.array(values, np.float32).reshape(-1, 1)


def stroke(pixels, line=0) -> Any:
    """Where the plot has a line's colour, or nearly: its edges are mixed with white."""
    return (np.abs(pixels[:HEIGHT].astype(int) - index_colour(line)) < 40).all(axis=2)


def x_of(share) -> Any:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def y_of(share) -> Any:
    """Of the values' span, which has 5% of room on both sides."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (share + 0.05) / 1.1)


def test_line_passes_through_its_values(draw):
    pixels, _ = draw(LeapGraph(column([0, 1, 0.25, 0.5, 0.5])))
    seen = stroke(pixels)

    for place, share in enumerate([0, 1, 0.25, 0.5, 0.5]):
        x, y = round(x_of(place / 4)), round(y_of(share))
        assert seen[y - 1 : y + 2, x - 1 : x + 2].any(), (place, share)
    # Half-way from 0 to 1, and on the flat end.
    assert seen[round(y_of(0.5)), round(x_of(1 / 8)) - 2 : round(x_of(1 / 8)) + 3].any()
    rows = np.flatnonzero(seen[:, round(x_of(7 / 8))])
    assert abs(rows.mean() - y_of(0.5)) <= 1
    assert len(rows) <= 2


@pytest.mark.parametrize(
    ("x_range", "share"), [((0.1, 3.0), 0.25), ((-2, -1), 0.25), ((0, 1e30), 0.25), ((10, -10), 0.75), ((7, 7), 0.5)]
)
def test_x_range_is_the_place_of_the_first_and_the_last_point(draw, x_range, share):
    pixels, _ = draw(LeapGraph(column([0, 1, 0, 0, 0]), x_range=x_range))
    peak = stroke(pixels)[round(y_of(1)) : round(y_of(1)) + 10].any(axis=0)

    np.testing.assert_allclose(np.flatnonzero(peak).mean(), x_of(share), atol=2)


@pytest.mark.parametrize("missing", [NAN, INF, -INF])
def test_missing_value_breaks_the_line_and_is_told(draw, told, missing):
    _, notes = told(graph)
    pixels, _ = draw(LeapGraph(column([0, 1, 1, missing, 1, 1])))
    seen = stroke(pixels)

    assert seen[:, round(x_of(0.3))].any()
    assert not seen[:, round(x_of(0.42)) : round(x_of(0.78))].any()
    assert seen[:, round(x_of(0.9))].any()
    assert notes == ["1 of 6 values NaN or infinite: gaps."]


def test_single_value_between_gaps_is_a_dot(draw):
    pixels, _ = draw(LeapGraph(column([NAN, 0.0, NAN])))
    rows, columns = np.nonzero(stroke(pixels))

    np.testing.assert_allclose((rows.mean(), columns.mean()), (TOP + (HEIGHT - TOP - BOTTOM) / 2, x_of(0.5)), atol=1)


def test_each_line_has_its_colour_in_plot_and_legend(draw, told):
    names, _ = told(graph)
    data = np.stack([np.full(10, level) for level in range(4)], axis=1).astype(np.float32)
    pixels, _ = draw(LeapGraph(data, legend=["a", "b", "c", "größe"]))

    for line in range(4):
        rows = np.flatnonzero(stroke(pixels, line)[:, WIDTH // 2])
        np.testing.assert_allclose(rows.mean(), y_of(line / 3), atol=1)
        assert (pixels[HEIGHT:] == index_colour(line)).all(axis=2).any()
    assert names == ["a", "b", "c", "größe"]


def test_peaks_survive_a_hundred_thousand_points(draw):
    values = np.zeros(100_000, np.float32)
    values[33_333] = 1
    values[66_666] = -1
    seen = stroke(draw(LeapGraph(values[:, None]))[0])

    for place, share in ((33_333, 1), (66_666, 0)):
        area = seen[round(y_of(share)) - 2 : round(y_of(share)) + 3]
        np.testing.assert_allclose(np.flatnonzero(area.any(axis=0)).mean(), x_of(place / 100_000), atol=2)


def test_nothing_but_missing_values_is_an_empty_plot_and_told(draw, told):
    _, notes = told(graph)
    pixels, _ = draw(LeapGraph(column([NAN, NAN])))

    assert not stroke(pixels).any()
    assert notes == ["2 of 2 values NaN or infinite: gaps."]


def test_more_than_a_hundred_lines_are_told(draw, told):
    _, notes = told(graph)
    draw(LeapGraph(np.ones((3, 5000), np.float32)))

    assert notes == ["The first 100 of 5,000 lines are drawn."]


@pytest.mark.parametrize("shape", [(0, 1), (1, 0)])
def test_graph_without_values_is_told(draw, shape):
    with pytest.raises(LeaplabError, match="return \\[points, lines\\]"):
        draw(LeapGraph(np.zeros(shape, np.float32)))


@pytest.mark.parametrize("x_range", [(0.0, NAN), (-INF, 0.0), (-1e308, 1e308), (0, 10**400)])
def test_x_range_that_is_none_is_told(draw, x_range):
    with pytest.raises(LeaplabError, match="x_range is .*; return two finite numbers"):
        draw(LeapGraph(column([0, 1]), x_range=x_range))
