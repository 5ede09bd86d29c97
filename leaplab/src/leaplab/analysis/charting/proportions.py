"""Shares of counts, with their 95 % intervals."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
"""Of every interval."""


def wilson(hits: ArrayLike, of: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shares and Wilson's score interval of each (J. Am. Stat. Assoc. 22, 1927).

    Returns:
        Share, low and high; NaN where there is nothing to share.
    """
    from scipy.special import ndtri

    found, whole = np.asarray(hits, np.float64), np.asarray(of, np.float64)
    z = float(ndtri((1 + LEVEL) / 2))
    some = np.maximum(whole, 1)
    share = found / some
    centre = (share + z**2 / (2 * some)) / (1 + z**2 / some)
    half = z / (1 + z**2 / some) * np.sqrt(share * (1 - share) / some + z**2 / (4 * some**2))
    known = whole > 0
    return (
        np.where(known, share, np.nan),
        np.where(known, np.where(found > 0, centre - half, 0.0), np.nan),
        np.where(known, np.where(found < whole, centre + half, 1.0), np.nan),
    )
