"""How far what a simulation makes is from a target, in a latent space that is measured the same way for all trials."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SPLITS = 200
NOISE_SHARE = 0.95

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Measured:
    """How near a population is to the target.

    Attributes:
        distance: see `energy_distance`.
        coverage: see `Objective.measure`.
        value: of both together; the search makes it small.
        made: [n, D] float32, the components of what was measured; None where nothing is to be learnt from them.
    """

    distance: float
    coverage: float
    value: float
    made: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)


class Objective:
    """What a search makes small: the distance to a target, and how much of the target is far from all that is made.

    Args:
        target: [m, D] finite, m >= 4.
    """

    def __init__(self, target: Floats) -> None:
        self._target = np.asarray(target, np.float64)
        self._among = _distances(self._target, self._target)

    @property
    def centre(self) -> NDArray[np.float64]:
        """[D] the target's mean."""
        return np.asarray(self._target.mean(axis=0))

    def measure(self, made: Floats) -> Measured:
        """How near [n, D] finite vectors, n >= 2, are.

        `coverage` is the mean distance of a target's sample to the nearest of k made ones, over that to the nearest of
        k others of the target: 1 where the target's samples have as near a neighbour among those made as among
        themselves, more where a part of the target lies far from all of them, which a distance between whole
        populations tells late. k is the lesser of n and m - 1, and the nearest of k is meant over all choices of k. The
        value is the distance, plus the difference of these two means where it is above 0.
        """
        size = min(len(made), len(self._target) - 1)
        others = self._among + np.diag(np.full(len(self._target), np.inf))
        across = _distances(self._target, np.asarray(made, np.float64))
        own = nearest_of(others, size)
        found = nearest_of(across, size)
        distance = energy_distance(made, self._target)
        coverage = float(found / own) if own > 0 else 1.0
        return Measured(distance, coverage, distance + max(float(found - own), 0.0), np.asarray(made, np.float32))

    def noise(self, samples: int, seed: int) -> float:
        """The distance that two halves of the target keep below in 95 % of its splits, as between m and n samples.

        Args:
            samples: n.
        """
        generator, count = np.random.default_rng(seed), len(self._target)
        half = count // 2
        found = []
        for _ in range(SPLITS):
            order = generator.permutation(count)
            first, second = order[:half], order[half:]
            across = self._among[np.ix_(first, second)]
            within = (_mean_among(self._among[np.ix_(each, each)]) for each in (first, second))
            found.append(2 * float(across.mean()) - sum(within))
        # Under the null the statistic goes with 1/n + 1/m (Szekely and Rizzo 2013).
        scale = (1 / samples + 1 / count) / (1 / half + 1 / (count - half))
        return float(np.quantile(found, NOISE_SHARE)) * scale


def energy_distance(first: Floats, second: Floats) -> float:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| of [n, D] and [m, D] vectors, n and m >= 2, without bias.

    A U-statistic: pairs of a sample with itself do not count, so that it is 0 in the mean where both are of one
    distribution, and below 0 as often as above (Szekely and Rizzo, J. Stat. Plan. Inference 143, 2013).
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    across = 2 * float(_distances(one, other).mean())
    return across - _mean_among(_distances(one, one)) - _mean_among(_distances(other, other))


def nearest_of(distances: NDArray[np.float64], size: int) -> float:
    """The mean over the rows of [m, n] of the least of `size` of a row's distances, over all choices of these."""
    ordered = np.sort(distances, axis=1)
    ordered = ordered[:, : np.isfinite(ordered).sum(axis=1).min()]
    count = ordered.shape[1]
    # The k-th of n in order is the least of s with C(n - k - 1, s - 1) / C(n, s): this, from one k to the next.
    weights = np.zeros(count)
    left = 1.0
    for place in range(count - size + 1):
        weights[place] = left * size / (count - place)
        left -= weights[place]
    return float((ordered @ weights).mean())


def _distances(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(one, other))


def _mean_among(distances: NDArray[np.float64]) -> float:
    """Of [n, n] with zeros on the diagonal, over the pairs of two."""
    count = len(distances)
    return float(distances.sum() / (count * (count - 1)))
