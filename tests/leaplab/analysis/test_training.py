"""Training curves: their gaps, and how they end."""

import numpy as np
import pytest
from scipy.stats import linregress, t

from leaplab.analysis.charting.training import Series, ending, series_by_epoch, series_by_step


def told(series: Series) -> list[tuple[float, float]]:
    return list(zip(series.x.tolist(), series.y.tolist(), strict=True))


def test_what_was_written_again_takes_the_last_value_and_places_are_in_order() -> None:
    series = series_by_step(np.array([30.0, 10, 20, 10, 10]), np.array([3.0, 9, 2, 8, 1]))

    assert told(series) == [(10, 1), (20, 2), (30, 3)]
    assert series.repeated == 2


def test_a_value_that_is_no_number_and_a_place_that_is_missing_are_gaps() -> None:
    steps = np.array([10.0, 20, 30, 40, 50, 90, 100, 110, 120, 130])
    values = np.array([1, 2, np.nan, 4, np.inf, 6, 7, 8, 9, 10])

    series = series_by_step(steps, values)

    assert series.x.tolist() == [10, 20, 30, 40, 50, 60, 90, 100, 110, 120, 130]
    np.testing.assert_array_equal(series.y, [1, 2, np.nan, 4, np.nan, np.nan, 6, 7, 8, 9, 10])


def test_places_that_were_never_regular_have_no_gaps() -> None:
    steps = np.exp2(np.arange(12.0))

    assert series_by_step(steps, steps).x.tolist() == steps.tolist()


def test_an_epoch_is_the_mean_of_what_was_written_in_it() -> None:
    series = series_by_epoch(np.array([1.0, 1, 2, 2, 3]), np.array([1, 3, np.nan, 5, np.nan]))

    np.testing.assert_array_equal(series.x, [1, 2, 3])
    np.testing.assert_array_equal(series.y, [2, 5, np.nan])


def test_the_change_at_the_end_is_that_of_the_line_of_least_squares() -> None:
    generator = np.random.default_rng(0)
    x = np.arange(100.0) * 7
    y = np.exp(-x / 150) + generator.normal(0, 0.01, 100)
    line = linregress(x[-20:], y[-20:])
    width = x[-1] - x[-20]
    half = t.ppf(0.975, 18) * line.stderr * width

    found = ending(series_by_step(x, y), downward=True)

    assert found is not None
    assert found.change == pytest.approx(line.slope * width)
    assert (found.low, found.high) == pytest.approx((line.slope * width - half, line.slope * width + half))
    assert (found.best, found.best_at) == (y.min(), x[y.argmin()])
    assert found.last == pytest.approx(y[-20:].mean())


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        (lambda x: 1 - x / 100, "improves"),
        (lambda x: np.exp(-x / 5), "neither"),
        (lambda x: (x - 60) ** 2 / 3600, "worsens"),
        (lambda x: np.full_like(x, 0.5), "neither"),
    ],
)
def test_it_improves_has_levelled_off_or_gets_worse(shape: object, wanted: str) -> None:
    x = np.arange(100.0)
    y = shape(x) + np.random.default_rng(1).normal(0, 0.005, 100)  # type: ignore[operator]

    for downward in (True, False):
        found = ending(series_by_step(x, y if downward else -y), downward)
        assert found is not None
        told = "improves" if found.improves else "worsens" if found.worsens else "neither"
        assert told == wanted


def test_a_few_values_say_nothing() -> None:
    assert ending(series_by_step(np.arange(4.0), np.arange(4.0)), True) is None
    assert ending(series_by_step(np.arange(9.0), np.full(9, np.nan)), True) is None
    found = ending(series_by_step(np.arange(5.0), np.full(5, 2.0)), True)
    assert found is not None
    assert (found.change, found.improves, found.worsens) == (0, False, False)
