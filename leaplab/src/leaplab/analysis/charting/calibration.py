"""Whether a confidence is what it says: how often the model is right where it is so sure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15


@dataclass(frozen=True)
class Calibration:
    """Bins of confidence, b of them, empty ones too.

    Attributes:
        edges: [b + 1].
        count, right: [b] claims of each bin, and how many of them are right.
        confidence: [b] their mean; NaN of an empty bin.
        error: the mean distance of confidence and share right over the bins, weighted by their claims (the expected
            calibration error); NaN without claims.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    right: NDArray[np.int64]
    confidence: NDArray[np.float64]
    error: float


def calibrated(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> Calibration:
    """Claims by their confidence, in bins of equal width.

    As Guo et al. have it (ICML 2017, section 2), with their 15 bins, so that the error compares with what others
    publish; bins of equal counts would crowd where a model is nearly always sure, and leave the rest unseen. A bin
    holds its upper edge, the first both.

    Args:
        confidence: [k] in [0, 1].
        right: [k].
    """
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(places, minlength=bins).astype(np.int64)
    hits = np.bincount(places[right], minlength=bins).astype(np.int64)
    some = np.maximum(count, 1)
    mean = np.where(count > 0, np.bincount(places, confidence, bins) / some, np.nan)
    apart = np.abs(hits / some - np.where(count > 0, mean, 0))
    error = float((count * apart).sum() / count.sum()) if count.sum() else float("nan")
    return Calibration(edges, count, hits, mean, error)
