"""Bins of confidence and their error, against the definition written out; Wilson's interval against SciPy's."""

import numpy as np
import pytest
from scipy.stats import binomtest

from leaplab.analysis.charting.calibration import calibrated
from leaplab.analysis.charting.proportions import wilson


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_the_error_is_the_weighted_distance_of_confidence_and_share(bins: int) -> None:
    generator = np.random.default_rng(bins)
    confidence = np.concatenate([generator.random(500), [0.0, 1.0, 1 / 3, 0.2]])
    right = generator.random(len(confidence)) < confidence**2

    error = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = ((confidence > low) | ((number == 0) & (confidence == 0))) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    found = calibrated(confidence, right, bins)

    assert found.error == pytest.approx(error)
    assert found.count.sum() == len(confidence)
    assert found.right.sum() == right.sum()
    assert len(found.edges) == bins + 1


def test_a_confidence_that_is_what_it_says_has_hardly_an_error() -> None:
    generator = np.random.default_rng(1)
    confidence = generator.random(200_000)

    assert calibrated(confidence, generator.random(200_000) < confidence).error < 0.01
    assert calibrated(np.full(100, 0.9), np.arange(100) < 50).error == pytest.approx(0.4)
    assert np.isnan(calibrated(np.zeros(0), np.zeros(0, bool)).error)


def test_wilsons_interval_is_scipys() -> None:
    pairs = [(0, 5), (5, 5), (3, 7), (1, 1000), (499, 1000), (0, 0)]
    share, low, high = wilson([hits for hits, _ in pairs], [of for _, of in pairs])

    for place, (hits, of) in enumerate(pairs[:-1]):
        wanted = binomtest(hits, of).proportion_ci(method="wilson")
        assert share[place] == pytest.approx(hits / of)
        assert (low[place], high[place]) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    assert np.isnan([share[-1], low[-1], high[-1]]).all()
