"""Latent vectors on a plane."""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis import pacmap
from leaplab.analysis.cells import Cells
from leaplab.analysis.components import principal_axes
from leaplab.analysis.parted import BLOCK, PartedVectors, blocks_of

Method = Literal["pacmap", "pca"]
METHODS: tuple[Method, ...] = get_args(Method)
QUICK: Method = "pca"
"""The method that takes no time."""
PCA_WIDTH = 50
"""Wider spaces are first reduced to this many principal components, as neighbour graphs of maps usually are."""
MIN_SAMPLES = 16
"""PaCMAP wants more samples than neighbours; smaller populations are shown by their principal components."""
LANDMARKS = 100_000
"""Samples that a map is drawn of at most: of more it is drawn of as many, and the others are placed beside these."""
BESIDE = 10
"""Neighbours by which a further vector is placed."""
ISLAND = 0.1
"""Of a map that is 2 wide, how far from the nearest neighbour others still count."""
PLACING = 150
"""Steps of progress that placing the others counts for."""


def principal_components(vectors: NDArray[np.floating], width: int) -> NDArray[np.float32]:
    """[N, W] -> [N, min(width, W, N)] float32, centred, most variance first."""
    return principal_axes(vectors, width).along(vectors)


def project(
    vectors: NDArray[np.floating] | PartedVectors,
    method: Method = "pacmap",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    landmarks: int = LANDMARKS,
) -> NDArray[np.float32]:
    """[N, W] -> [N, 2] float32 within [-1, 1], one scale for both axes. The same for the same seed.

    Args:
        method: `pca`, or `pacmap`, see `leaplab.analysis.pacmap`.
        progress: is told how many steps of PaCMAP are done, and of how many.
        landmarks: samples, drawn by the seed, that the axes are fitted on and the map is drawn of, where there are
            more; the others lie where their nearest landmarks do, see `placed_beside`.

    Raises:
        ValueError: a vector is not finite.
    """
    if not all(np.isfinite(block).all() for _, block in blocks_of(vectors)):
        raise ValueError("Latent vectors hold NaN or infinity.")
    if len(vectors) == 0:
        return np.zeros((0, 2), np.float32)
    if all((block == vectors[0]).all() for _, block in blocks_of(vectors)):  # no direction to draw along
        return np.zeros((len(vectors), 2), np.float32)
    rows = landmark_rows(len(vectors), landmarks, seed)
    fitted_on = vectors[rows] if len(rows) < len(vectors) else np.asarray(vectors)
    if method == "pca" or len(vectors) < MIN_SAMPLES or vectors.shape[1] == 1:
        return _fitted(principal_axes(fitted_on, 2).along(vectors))
    components = principal_axes(fitted_on, PCA_WIDTH).along(vectors)
    if len(rows) == len(vectors):
        return _fitted(pacmap.draw(components, seed, progress))
    return _by_landmarks(components, rows, seed, progress)


def landmark_rows(count: int, landmarks: int, seed: int) -> NDArray[np.int64]:
    """The rows, ascending, that a map of so many samples is drawn of: all, or some that the seed draws."""
    if count <= landmarks:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, landmarks, replace=False, shuffle=False))


def _by_landmarks(
    components: NDArray[np.float32],
    rows: NDArray[np.int64],
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.float32]:
    steps = sum(pacmap.ITERATIONS)

    def tell(done: int, _: int) -> None:
        if progress is not None:
            progress(done, steps + PLACING)

    known = components[rows]
    drawn = _fitted(pacmap.draw(known, seed, tell))
    search = Cells(known)
    places = np.empty((len(components), 2), np.float32)
    for first in range(0, len(components), BLOCK):
        block = components[first : first + BLOCK]
        distances, nearest = search.nearest(block, BESIDE)
        places[first : first + BLOCK] = _between(distances, nearest, drawn)
        tell(steps + PLACING * (first + len(block)) // len(components), 0)
    places[rows] = drawn
    return places


def placed_beside(
    known: NDArray[np.floating], places: NDArray[np.floating], vectors: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Where further vectors lie on a map that stays as it is.

    Each lies where its nearest neighbours do (Euclidean), weighted by the inverse of their distance. Of these count
    those alone that lie on the map about where the very nearest does: between two islands there is nothing.

    Args:
        known: [n, W], at least one, finite.
        places: [n, 2] of these.
        vectors: [m, W] finite.

    Returns:
        [m, 2]; of a vector that is a known one, its place.
    """
    if not len(vectors):
        return np.zeros((0, 2), np.float32)
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=min(BESIDE, len(known)), algorithm="brute").fit(known)
    distances, rows = search.kneighbors(vectors)
    return _between(distances, rows, places)


def _between(
    distances: NDArray[np.floating], rows: NDArray[np.int64], places: NDArray[np.floating]
) -> NDArray[np.float32]:
    """[m, 2] the places between those of [m, k] neighbours, nearest first, at these distances."""
    around = np.asarray(places, np.float64)[rows]
    # What is nearer than this has the same place to the eye; the distance of a copy is nought.
    weights = 1 / np.maximum(distances, 1e-6 * distances[:, -1:].max(initial=0) + np.finfo(np.float32).tiny)
    weights *= np.linalg.norm(around - around[:, :1], axis=2) <= ISLAND
    placed = (weights[:, :, None] * around).sum(axis=1) / weights.sum(axis=1)[:, None]
    return np.asarray(placed, np.float32)


def in_order(count: int) -> NDArray[np.float32]:
    """[count, 2] float32 within [-1, 1]: a square of rows, read like text, for samples that nothing else arranges."""
    side = max(1, int(np.ceil(np.sqrt(count))))
    places = np.arange(count)
    points = np.stack([places % side, -(places // side)], axis=1).astype(np.float32)
    return _fitted(points) if count else points


def _fitted(points: NDArray[np.float32]) -> NDArray[np.float32]:
    if points.shape[1] == 1:
        points = np.concatenate([points, np.zeros_like(points)], axis=1)
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2.0
    return np.asarray((points - (low + high) / 2.0) / (half or 1.0), np.float32)
