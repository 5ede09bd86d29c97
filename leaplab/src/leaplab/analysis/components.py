"""Latent vectors as every analysis takes them: standardised, and reduced to their principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WIDTH = 32
CONSTANT = 1e-6
"""A dimension whose standard deviation is below this share of the greatest one is taken for constant."""
BLOCK = 2**15
"""Vectors that are taken along axes at once: float64 copies of all would not fit in memory."""


@dataclass(frozen=True)
class Axes:
    """The directions along which vectors vary most.

    Attributes:
        centre: [W] float64.
        directions: [W, w] float64, of length 1 (0 where the vectors vary along fewer), most variance first; the
            largest coordinate of each is positive.
    """

    centre: NDArray[np.float64]
    directions: NDArray[np.float64]

    def along(self, vectors: NDArray[np.floating]) -> NDArray[np.float32]:
        """[n, W] -> [n, w] float32: how far each vector lies along them."""
        found = np.empty((len(vectors), self.directions.shape[1]), np.float32)
        for first in range(0, len(vectors), BLOCK):
            block = vectors[first : first + BLOCK] - self.centre
            found[first : first + BLOCK] = block @ self.directions
        return found


def principal_axes(vectors: NDArray[np.floating], width: int) -> Axes:
    """The first min(width, W, n) principal axes of [n, W] finite vectors, n >= 1."""
    count = min(width, *vectors.shape)
    centre = np.asarray(vectors.mean(axis=0, dtype=np.float64))
    if len(vectors) < vectors.shape[1]:  # as many axes as vectors: of these the products are fewer
        centred = vectors - centre
        squared, among = np.linalg.eigh(centred @ centred.T)
        lengths = np.sqrt(np.maximum(squared, 0))
        is_one = lengths > CONSTANT * lengths.max(initial=0)
        directions = centred.T @ np.divide(among, lengths, out=np.zeros_like(among), where=is_one)
    else:
        products = np.zeros((vectors.shape[1], vectors.shape[1]))
        for first in range(0, len(vectors), BLOCK):
            block = vectors[first : first + BLOCK] - centre
            products += block.T @ block
        _, directions = np.linalg.eigh(products)
    directions = directions[:, ::-1][:, :count]
    largest = np.abs(directions).argmax(axis=0)
    signs = np.where(directions[largest, np.arange(count)] < 0, -1.0, 1.0)
    return Axes(centre, directions * signs)


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
