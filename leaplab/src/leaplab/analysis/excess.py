"""How far the badness of some samples lies above that of as many samples drawn at random.

The badness of all less its mean is their *spread*; the z of some of them is the sum of their spread, in standard
deviations of such a sum.
"""

import numpy as np
from numpy.typing import NDArray

NONE = -np.inf
"""The z of what is no candidate."""


def z_of(sums: NDArray[np.float64], counts: NDArray[np.floating], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """The z of sums over `counts` of the spread's values: in standard deviations of a sum over as many random ones."""
    total = len(spread)
    variance = spread.var() * counts * (total - counts) / max(total - 1, 1)
    return np.where(variance > 0, sums / np.sqrt(np.where(variance > 0, variance, 1)), NONE)
