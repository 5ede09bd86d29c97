"""Where a model does worse on held-out samples than on those that it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.corrections import holm

LEAST_OF_A_STATE = 15
LEVEL = 0.05
"""Of significance, of all groups together (Holm)."""
LEAST_SHARE = 0.2
"""Of a group's held-out loss that the gap, or what it exceeds the whole's gap by, has to be."""
PERMUTATIONS = 499
GIVEN_UP = 0.02
"""A first p-value from which on no more permutations are made."""
ROWS = 4000
"""Of a group that are permuted at most, of each state."""
AT_A_TIME = 1 << 21


@dataclass(frozen=True)
class Gap:
    """A group in which held-out samples are worse than training's.

    Attributes:
        group: its place among those that were asked for.
        training: mean badness of training's samples in it.
        held_out: that of the others.
        excess: how much more the gap between the two is than that of all samples; of all samples, the gap.
        p: corrected for all groups.
    """

    group: int
    training: float
    held_out: float
    excess: float
    p: float

    @property
    def difference(self) -> float:
        """By how much held-out samples are worse."""
        return self.held_out - self.training


def gaps(
    badness: NDArray[np.float64], held_out: NDArray[np.bool_], groups: Sequence[NDArray[np.int64]], seed: int = 0
) -> list[Gap]:
    """Groups with a gap between training and held-out samples that is greater than that of all samples.

    All samples are tested too: whether their gap is greater than none. The states within a group are permuted, after
    the gap of all samples is taken off the held-out ones, and Welch's t of the two states is compared with that of the
    permuted ones, so that unequal variances do not mislead (Janssen, Stat. Probab. Lett. 36, 1997). At least 499
    permutations, and so many that what Holm's correction (Scand. J. Stat. 6, 1979) asks for can be reached.

    Args:
        badness: [n] finite, at least 0 where 0 is without fault; more is worse.
        held_out: [n] whether a sample is held out; the others are training's.
        groups: rows of each.
        seed: of the permutations.

    Returns:
        Those with p < .05, corrected, whose excess is at least a fifth of their held-out badness, in the order of the
        groups; that of all samples comes first and is the group -1. Groups with fewer than 15 samples of either
        do not count.
    """
    if min(held_out.sum(), (~held_out).sum()) < LEAST_OF_A_STATE:
        return []
    everything = np.arange(len(badness))
    overall = float(badness[held_out].mean() - badness[~held_out].mean())
    tested = [(-1, everything, 0.0)]
    for place, rows in enumerate(groups):
        of_held_out = int(held_out[rows].sum())
        if min(of_held_out, len(rows) - of_held_out) >= LEAST_OF_A_STATE:
            tested.append((place, rows, overall))
    generator = np.random.default_rng(seed)
    ps = [
        _p(badness[rows][~held_out[rows]], badness[rows][held_out[rows]] - expected, len(tested), generator)
        for _, rows, expected in tested
    ]
    found = []
    for (place, rows, expected), p in zip(tested, holm(ps), strict=True):
        training, held = float(badness[rows][~held_out[rows]].mean()), float(badness[rows][held_out[rows]].mean())
        excess = held - training - expected
        if p < LEVEL and excess >= LEAST_SHARE * held:
            found.append(Gap(place, training, held, excess, p))
    return found


def _p(
    training: NDArray[np.float64], held_out: NDArray[np.float64], tested: int, generator: np.random.Generator
) -> float:
    # One-sided, by permutation; uncorrected
    sides = [generator.permutation(side)[:ROWS] for side in (training, held_out)]
    pooled, count = np.concatenate(sides), len(sides[0])
    observed = float(_welch(pooled[None], count)[0])
    if observed <= 0:
        return 1.0
    # What permutations of the same values give differs from it by rounding alone.
    observed -= 1e-9 * abs(observed)
    as_great, done = 0, 0
    # The second goal lets the smallest p be half of what the correction asks for.
    for goal in (PERMUTATIONS, int(np.ceil(2 * tested / LEVEL)) - 1):
        while done < goal:
            batch = min(goal - done, max(1, AT_A_TIME // len(pooled)))
            permuted = generator.permuted(np.broadcast_to(pooled, (batch, len(pooled))), axis=1)
            as_great += int((_welch(permuted, count) >= observed).sum())
            done += batch
        if (as_great + 1) / (done + 1) >= GIVEN_UP:
            break
    return (as_great + 1) / (done + 1)


def _welch(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    # [B] Welch's t of the values behind the first `count` against these, of each of [B, n]
    first, second = values[:, :count], values[:, count:]
    error = first.var(axis=1, ddof=1) / count + second.var(axis=1, ddof=1) / second.shape[1]
    difference = second.mean(axis=1) - first.mean(axis=1)
    without = np.where(difference == 0, 0.0, np.copysign(np.inf, difference))
    return np.asarray(np.divide(difference, np.sqrt(error), out=without, where=error > 0))
