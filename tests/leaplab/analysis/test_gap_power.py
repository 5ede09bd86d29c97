import numpy as np
import pytest
from scipy.stats import norm

from leaplab.analysis.gap import gap_test, pooled_components
from leaplab.analysis.gap_power import detectable_auc

WIDTH = 12


def world(seed: int, count: int, heavy: bool = False) -> np.ndarray:
    """Independent dimensions of standard deviation 1."""
    generator = np.random.default_rng(seed)
    return generator.standard_t(5, (count, WIDTH)) / np.sqrt(5 / 3) if heavy else generator.normal(size=(count, WIDTH))


@pytest.mark.parametrize(
    ("source", "target", "heavy"),
    [
        (300, 12, False),
        pytest.param(40, 60, False, marks=pytest.mark.long),
        pytest.param(60, 200, True, marks=pytest.mark.long),
        pytest.param(250, 250, False, marks=pytest.mark.long),
    ],
)
def test_a_gap_of_that_size_is_seen_in_about_four_fifths_of_fresh_samples(source, target, heavy):
    auc = float(
        np.mean([detectable_auc(world(seed, source, heavy), world(9 + seed, target, heavy)) for seed in (0, 1)])
    )
    shift = np.sqrt(2) * norm.ppf(auc)  # of normal distributions, two of which are so far apart

    def seen(size: float) -> float:
        hits = 0
        for seed in range(100):
            direction = np.random.default_rng(seed).normal(size=WIDTH)
            direction *= size / np.linalg.norm(direction)
            one, other = world(100 + seed, source, heavy), world(1000 + seed, target, heavy) + direction
            hits += gap_test(*pooled_components(one, other), 99, seed).p <= 0.05
        return hits / 100

    assert 0.68 <= seen(shift) <= 0.95
    assert seen(0.5 * shift) < 0.5


def test_more_samples_show_smaller_gaps():
    found = [detectable_auc(world(0, count), world(1, count)) for count in (10, 40, 600)]

    assert None not in found
    assert found == sorted(found, key=lambda auc: -(auc or 0))
    assert (found[-1] or 1) < 0.65
    assert (found[0] or 0) > 0.85


def test_a_gap_that_is_there_does_not_count_as_spread():
    one, other = world(0, 80)[:, :1], world(1, 80)[:, :1]
    together = detectable_auc(one, other)

    assert detectable_auc(one, other + 20) == pytest.approx(together, abs=0.03)


def test_vectors_that_are_all_equal_show_nothing():
    assert detectable_auc(np.ones((20, 4)), np.ones((30, 4))) is None
