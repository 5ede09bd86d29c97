import math

import numpy as np
import pytest

from leaplab.render.axes import Axes, padded, ticks

AXES = Axes(10, 20, 100, 200, (0.0, 5.0), (-1.0, 3.0))


def test_values_lie_between_the_edges():
    np.testing.assert_allclose(AXES.x([0, 2.5, 5]), [10, 60, 110])
    np.testing.assert_allclose(AXES.y([-1, 1, 3]), [220, 120, 20])


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-1.2, 0.7, ["-1", "-0.5", "0", "0.5"]),
        (0, 50_000, ["0", "10000", "20000", "30000", "40000", "50000"]),
        (3e-7, 9e-7, ["4e-7", "6e-7", "8e-7"]),
        (2e20, 1e21, ["2e20", "4e20", "6e20", "8e20", "1e21"]),
        (1e6, 1e6 + 4, ["1000000", "1000001", "1000002", "1000003", "1000004"]),
        (5, 0, ["0", "1", "2", "3", "4", "5"]),
    ],
)
def test_ticks_are_round_numbers(low, high, texts):
    assert [text for _, text in ticks(low, high, 5)] == texts


@pytest.mark.parametrize("exponent", range(-44, 39))
def test_ticks_lie_within_the_range_and_are_told_apart(exponent):
    for low, high in ((0, 1), (-0.37, 2.9), (3.1, 3.2)):
        found = ticks(low * 10.0**exponent, high * 10.0**exponent, 6)
        values = [value for value, _ in found]
        assert 2 <= len(found) <= 7
        assert len({text for _, text in found}) == len(found)
        assert low * 10.0**exponent * (1 - 1e-6) <= min(values) + 1e-9 * 10.0**exponent
        assert max(values) <= high * 10.0**exponent * (1 + 1e-6)
        np.testing.assert_allclose([float(text) for _, text in found], values, rtol=1e-6, atol=0)


@pytest.mark.parametrize(("low", "high"), [(1, 1), (0, math.inf), (math.nan, 1), (-math.inf, math.inf)])
def test_range_without_size_has_no_ticks(low, high):
    assert ticks(low, high, 5) == []


@pytest.mark.parametrize("value", [0.0, 1.0, -7.0, 1e38, 1e-40])
def test_single_value_gets_room(value):
    low, high = padded(value, value)

    assert low < value < high
    assert ticks(low, high, 4)
