"""Whitened principal components that are fitted once, so that other vectors can be laid on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import CONSTANT, WIDTH

LEAST_VARIANCE = 1e-9
"""Of a component, as a share of the greatest: what lies below is rounding."""
ROWS_A_COMPONENT = 3
"""Of fewer vectors a component, whitening makes all distances alike, and no test sees anything in them."""


@dataclass(frozen=True)
class Whitening:
    """A map from a latent space to the whitened components of the vectors that it was fitted on.

    Attributes:
        mean: [W] of these vectors.
        loadings: [W, k] what a deviation from it is multiplied by.
    """

    mean: NDArray[np.float64]
    loadings: NDArray[np.float64]

    def of(self, vectors: NDArray[np.floating]) -> NDArray[np.float64]:
        """[n, k] components of [n, W] vectors; those it was fitted on have mean 0, variance 1 and no covariance."""
        return (np.asarray(vectors, np.float64) - self.mean) @ self.loadings


def fit_whitening(vectors: NDArray[np.floating], width: int = WIDTH) -> Whitening:
    """Standardise each dimension, leave out constant ones, and take whitened principal components.

    As `standard_components` makes them, but of few vectors fewer ones, and none that is mere rounding.

    Args:
        vectors: [n, W] finite, n >= 1.
        width: the most components.

    Returns:
        Of at most min(width, n / 3) components, most variance first; of none where all vectors are equal.
    """
    exact = np.asarray(vectors, np.float64)
    mean = exact.mean(axis=0)
    exact = exact - mean
    spread = exact.std(axis=0)
    kept = spread > CONSTANT * max(spread.max(initial=0), np.finfo(np.float64).tiny)
    if not kept.any():
        return Whitening(mean, np.zeros((exact.shape[1], 0)))
    exact = exact[:, kept] / spread[kept]
    variances, axes = np.linalg.eigh(exact.T @ exact / len(exact))
    count = min(width, max(len(exact) // ROWS_A_COMPONENT, 1), int((variances > LEAST_VARIANCE * variances[-1]).sum()))
    variances, axes = variances[::-1][:count], axes[:, ::-1][:, :count]
    largest = np.abs(axes).argmax(axis=0)
    loadings = np.zeros((len(mean), count))
    loadings[kept] = axes * np.sign(axes[largest, np.arange(count)]) / np.sqrt(variances) / spread[kept][:, None]
    return Whitening(mean, loadings)
