"""One number of each group of samples, with its 95 % interval."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95


@dataclass(frozen=True)
class Aggregated:
    """[g] each.

    Attributes:
        count: samples of the group that have a value.
        value: NaN where the group has none.
        low, high: of the interval; NaN where there is none.
    """

    count: NDArray[np.int64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def counts(codes: NDArray[np.integer], groups: int) -> Aggregated:
    """How many samples each group has.

    Args:
        codes: [n] group of each sample, -1 for one in none.
        groups: number of groups, g.
    """
    count = np.bincount(codes[codes >= 0], minlength=groups).astype(np.int64)
    none = np.full(groups, np.nan)
    return Aggregated(count, count.astype(np.float64), none, none)


def means(codes: NDArray[np.integer], values: NDArray[np.float64], groups: int) -> Aggregated:
    """The mean of each group, with Student's interval.

    Args:
        codes: [n] group of each sample, -1 for one in none.
        values: [n] not finite where absent.
        groups: number of groups, g.
    """
    from scipy.stats import t

    kept = (codes >= 0) & np.isfinite(values)
    codes, values = codes[kept], values[kept]
    count = np.bincount(codes, minlength=groups).astype(np.int64)
    some = np.maximum(count, 1)
    mean = np.bincount(codes, values, minlength=groups) / some
    spread = np.bincount(codes, (values - mean[codes]) ** 2, minlength=groups)
    known = count > 1
    free = np.where(known, count - 1, 1)
    half = t.ppf((1 + LEVEL) / 2, free) * np.sqrt(spread / free / some)
    value = np.where(count > 0, mean, np.nan)
    return Aggregated(count, value, np.where(known, mean - half, np.nan), np.where(known, mean + half, np.nan))
