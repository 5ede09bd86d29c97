"""Latent vectors as every analysis takes them: standardised, and reduced to their principal components."""

import numpy as np
from numpy.typing import NDArray

WIDTH = 32
CONSTANT = 1e-6
"""A dimension whose standard deviation is below this share of the greatest one is taken for constant."""


def canonical_order(vectors: NDArray[np.floating]) -> NDArray[np.int64]:
    """[n] an order of the rows that depends on what they hold alone, so that no analysis depends on theirs."""
    rows = np.ascontiguousarray(vectors, np.float32) + np.float32(0)  # -0 is 0
    return np.argsort(rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel(), kind="stable")


def standard_components(vectors: NDArray[np.floating], width: int = WIDTH) -> NDArray[np.float32]:
    """Standardise each dimension, leave out constant ones, and take the principal components.

    Args:
        vectors: [n, W] finite.
        width: the most components.

    Returns:
        [n, min(width, W, n - 1)] float32, most variance first, each component's sign such that its largest loading is
        positive. No column where all vectors are equal.
    """
    exact = np.asarray(vectors, np.float64)
    if len(exact) < 2:
        return np.zeros((len(exact), 0), np.float32)
    exact = exact - exact.mean(axis=0)
    spread = exact.std(axis=0)
    kept = spread > CONSTANT * max(spread.max(initial=0), np.finfo(np.float64).tiny)
    if not kept.any():
        return np.zeros((len(exact), 0), np.float32)
    exact = exact[:, kept] / spread[kept]
    _, loadings = np.linalg.eigh(exact.T @ exact / len(exact))
    loadings = loadings[:, ::-1][:, : min(width, exact.shape[1], len(exact) - 1)]
    largest = np.abs(loadings).argmax(axis=0)
    loadings = loadings * np.sign(loadings[largest, np.arange(len(largest))])
    return np.asarray(exact @ loadings, np.float32)
