"""Latent vectors as every analysis takes them: standardised, and reduced to their principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.parted import PartedVectors, blocks_of

WIDTH = 32
CONSTANT = 1e-6
"""A dimension whose standard deviation is below this share of the greatest one is taken for constant."""


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

    def along(self, vectors: NDArray[np.floating] | PartedVectors) -> NDArray[np.float32]:
        """[n, W] -> [n, w] float32: how far each vector lies along them."""
        found = np.empty((len(vectors), self.directions.shape[1]), np.float32)
        for first, block in blocks_of(vectors):
            found[first : first + len(block)] = (block - self.centre) @ self.directions
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
        _, directions = np.linalg.eigh(_products(vectors, centre))
    return Axes(centre, _turned(directions[:, ::-1][:, :count]))


def _products(vectors: NDArray[np.floating] | PartedVectors, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """[W, W] sums of products of the centred coordinates."""
    products = np.zeros((vectors.shape[1], vectors.shape[1]))
    for _, block in blocks_of(vectors):
        centred = block - centre
        products += centred.T @ centred
    return products


def _turned(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same [W, w] directions, of each the largest coordinate positive."""
    largest = np.abs(directions).argmax(axis=0)
    return directions * np.where(directions[largest, np.arange(directions.shape[1])] < 0, -1.0, 1.0)


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
    return np.asarray(exact @ _turned(loadings), np.float32)


def standard_components_by_blocks(
    vectors: NDArray[np.floating] | PartedVectors, width: int = WIDTH
) -> NDArray[np.float32]:
    """As `standard_components`, up to rounding, of vectors of which no more than a block is in memory at once."""
    count = len(vectors)
    centre = np.zeros(vectors.shape[1])
    for _, block in blocks_of(vectors):
        centre += block.sum(axis=0, dtype=np.float64) / count
    variances = _products(vectors, centre) / count
    spread = np.sqrt(np.diag(variances))
    kept = spread > CONSTANT * max(spread.max(initial=0), np.finfo(np.float64).tiny)
    if not kept.any():
        return np.zeros((count, 0), np.float32)
    _, directions = np.linalg.eigh(variances[np.ix_(kept, kept)] / np.outer(spread[kept], spread[kept]))
    directions = _turned(directions[:, ::-1][:, : min(width, kept.sum(), count - 1)])
    whole = np.zeros((vectors.shape[1], directions.shape[1]))
    whole[kept] = directions / spread[kept][:, None]
    return Axes(centre, whole).along(vectors)
