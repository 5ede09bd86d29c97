"""Boxes: the quartiles of each group and how far its values reach (Tukey 1977)."""

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.aggregates import grouped, in_part_ordered, quantile_of
from leaplab.analysis.charting.chart import Box

REACH = 1.5
"""Times the quartiles' distance, that a whisker goes at most."""


def boxes(codes: NDArray[np.integer], values: NDArray[np.float64], groups: int) -> list[Box | None]:
    """The box of each group; None of one without a value.

    Args:
        codes: [n] group of each sample, -1 for one in none.
        values: [n] not finite where absent.
        groups: number of groups.
    """
    kept = (codes >= 0) & np.isfinite(values)
    if not kept.all():
        codes, values = codes[kept], values[kept]
    count = np.bincount(codes, minlength=groups).astype(np.int64)
    return [_box(members) for members in grouped(codes, values, count)]


def _box(values: NDArray[np.float64]) -> Box | None:
    if not len(values):
        return None
    shares = (0.25, 0.5, 0.75)
    ordered = in_part_ordered(values, shares)
    low, middle, high = (quantile_of(ordered, share) for share in shares)
    reach = REACH * (high - low)
    # Between two far values a quartile may have none within reach on its side: the whisker has no length then.
    least = min(low, float(values.min(where=values >= low - reach, initial=np.inf)))
    most = max(high, float(values.max(where=values <= high + reach, initial=-np.inf)))
    return least, low, middle, high, most
