"""How large a gap has to be for two populations of these sizes to show it."""

import math

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.gap import gap_test, pooled_components
from leaplab.analysis.whitening import fit_whitening

LEVEL = 0.05
POWER = 0.8
RESAMPLES = 20
STEPS = 6
"""Halvings of the range of shifts: 0.25 to 8 standard deviations, in steps of 6 %."""
SHIFTS = (0.25, 8.0)
PERMUTATIONS = 99
MOST = 160
"""Samples of both together in a simulated test; what more of them show follows from these."""


def detectable_auc(source: NDArray[np.floating], target: NDArray[np.floating], seed: int = 0) -> float | None:
    """The AUC of the least gap that `gap_test` sees in 80 % of the cases, between populations of these sizes.

    Both populations, each less its mean, are put together: a world without a gap. From it two samples are drawn with
    replacement, one is shifted along a random direction of the whitened components, and both are tested as populations
    are. The least shift with p <= .05 is looked for by halving, in each of 20 resamples; four fifths of these see the
    shift that is told (a bootstrap simulation of power: Efron and Tibshirani, "An Introduction to the Bootstrap", ch.
    25, 1993). Of more than 160 samples a smaller pair is simulated, and the shift scaled by the root of n m / (n + m).

    Args:
        source: [n, W] finite, n >= 2.
        target: [m, W] finite, m >= 2.

    Returns:
        The share of pairs that a model which knew the shift's direction would order rightly, .5 to 1; None where no
        shift is seen.
    """
    centred = np.concatenate([source - source.mean(axis=0), target - target.mean(axis=0)])
    world = fit_whitening(centred).of(centred)
    if not world.shape[1]:
        return None
    sizes = _simulated(len(source), len(target))
    scale = math.sqrt(_effective(*sizes) / _effective(len(source), len(target)))
    generator = np.random.default_rng(seed)
    found = sorted(_least_auc(world, sizes, scale, generator) for _ in range(RESAMPLES))
    auc = found[math.ceil(POWER * RESAMPLES) - 1]
    return auc if math.isfinite(auc) else None


def _least_auc(
    world: NDArray[np.float64], sizes: tuple[int, int], scale: float, generator: np.random.Generator
) -> float:
    """The AUC of the least shift that one resample shows; infinite where it shows none."""
    direction = generator.normal(size=(world.shape[1],))
    direction /= np.linalg.norm(direction)
    drawn = world[generator.integers(0, len(world), sum(sizes))]
    one, other = drawn[: sizes[0]], drawn[sizes[0] :]
    seed = int(generator.integers(2**31))

    def is_seen(shift: float) -> bool:
        return gap_test(*pooled_components(one, other + shift * direction), PERMUTATIONS, seed).p <= LEVEL

    low, high = map(math.log, SHIFTS)
    if not is_seen(SHIFTS[1]):
        return math.inf
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_seen(math.exp(middle)) else (middle, high)
    along = np.sort(world @ direction)
    return float(np.searchsorted(along, along + scale * math.exp(high)).mean() / len(along))


def _simulated(source: int, target: int) -> tuple[int, int]:
    """Sizes of a pair that is tested in their place: the smaller population keeps what it can."""
    if source + target <= MOST:
        return source, target
    smaller = min(source, target, MOST // 2)
    return (smaller, MOST - smaller) if source <= target else (MOST - smaller, smaller)


def _effective(source: int, target: int) -> float:
    """What the variance of a difference of means goes with."""
    return source * target / (source + target)
