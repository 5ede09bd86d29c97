"""How near samples are to a target population, where it is too small for a model to be fitted on it."""

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 5


def density_ratios(
    samples: NDArray[np.floating],
    source: NDArray[np.floating],
    target: NDArray[np.floating],
    of_source: NDArray[np.int64],
    of_target: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The log ratio of the densities of two populations at samples, by their k-th nearest neighbours.

    A density is k / (n V r^D) with the volume V of the unit ball and the distance r to the k-th of n samples
    (Loftsgaarden and Quesenberry, Ann. Math. Stat. 36, 1965), so that the ratio is D log(r source / r target) +
    log(n source / n target), k the same for both: 5, or all but one of the smaller population.

    Args:
        samples: [k, D] finite, see `leaplab.analysis.whitening`.
        source: [n, D] finite, n >= 2.
        target: [m, D] finite, m >= 2.
        of_source: [k] which of the source a sample is, -1 for none; it is no neighbour of itself.
        of_target: [k] the same of the target.

    Returns:
        [k] positive where the target is denser.
    """
    count = min(NEIGHBOURS, len(source) - 1, len(target) - 1)
    apart = np.finfo(np.float64).eps * max(float(np.abs(source).max(initial=0)), 1.0)
    distances, sizes = [], []
    for population, own in ((source, of_source), (target, of_target)):
        distances.append(np.maximum(_to_nearest(samples, population, own, count), apart))
        sizes.append(len(population) - (own >= 0))
    return np.asarray(samples.shape[1] * np.log(distances[0] / distances[1]) + np.log(sizes[0] / sizes[1]))


def _to_nearest(
    samples: NDArray[np.floating], population: NDArray[np.floating], own: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """[k] the distance to the count-th nearest of a population, without the sample itself."""
    from scipy.spatial.distance import cdist

    found = np.zeros(len(samples))
    for start in range(0, len(samples), 1000):
        rows = slice(start, start + 1000)
        distances = cdist(samples[rows], population)
        inside = np.flatnonzero(own[rows] >= 0)
        distances[inside, own[rows][inside]] = np.inf
        found[rows] = np.partition(distances, count - 1, axis=1)[:, count - 1]
    return found
