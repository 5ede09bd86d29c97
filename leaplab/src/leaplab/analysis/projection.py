"""Latent vectors on a plane."""

import logging
import os
import re
import warnings
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from io import StringIO
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Method = Literal["pacmap", "pca"]
METHODS: tuple[Method, ...] = get_args(Method)
QUICK: Method = "pca"
"""The method that takes no time."""
PCA_WIDTH = 50
"""Wider spaces are first reduced to this many principal components, as neighbour graphs of maps usually are."""
MIN_SAMPLES = 16
"""PaCMAP wants more samples than neighbours; smaller populations are shown by their principal components."""
BESIDE = 10
"""Neighbours by which a further vector is placed."""
ISLAND = 0.1
"""Of a map that is 2 wide, how far from the nearest neighbour others still count."""
ITERATIONS = (100, 100, 250)
"""Of PaCMAP's three phases, its own default."""
ITERATION = re.compile(r"Iteration: +(\d+),")


def principal_components(vectors: NDArray[np.floating], width: int) -> NDArray[np.float32]:
    """[N, W] -> [N, min(width, W, N)] float32, centred, most variance first."""
    from sklearn.decomposition import PCA

    width = min(width, *vectors.shape)
    reduced = PCA(n_components=width, svd_solver="covariance_eigh" if vectors.shape[0] > vectors.shape[1] else "full")
    return np.asarray(reduced.fit_transform(np.asarray(vectors, np.float64)), np.float32)


def project(
    vectors: NDArray[np.floating],
    method: Method = "pacmap",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """[N, W] -> [N, 2] float32 within [-1, 1], one scale for both axes. The same for the same seed.

    PaCMAP: Wang, Huang, Rudin and Shaposhnik, "Understanding How Dimension Reduction Tools Work", JMLR 22 (2021).

    Args:
        progress: is told how many iterations of PaCMAP are done, and of how many; sys.stdout is read for it meanwhile.

    Raises:
        ValueError: a vector is not finite.
    """
    if not np.isfinite(vectors).all():
        raise ValueError("Latent vectors hold NaN or infinity.")
    if len(vectors) == 0:
        return np.zeros((0, 2), np.float32)
    if (vectors == vectors[0]).all():  # no direction to draw along
        return np.zeros((len(vectors), 2), np.float32)
    if method == "pca" or len(vectors) < MIN_SAMPLES or vectors.shape[1] == 1:
        return _fitted(principal_components(vectors, 2))
    return _fitted(_pacmap(principal_components(vectors, PCA_WIDTH), seed, progress))


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


class _Iterations(StringIO):
    """Takes what PaCMAP prints, and tells the iterations of it."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        super().__init__()
        self._tell = tell

    def write(self, text: str) -> int:
        if found := ITERATION.match(text):
            self._tell(int(found.group(1)), sum(ITERATIONS))
        return len(text)


def _pacmap(
    vectors: NDArray[np.float32], seed: int, progress: Callable[[int, int], None] | None
) -> NDArray[np.float32]:
    # Its neighbour search asks for all cores by itself; numba's default layer must not depend on what is installed.
    os.environ.setdefault("NUMBA_THREADING_LAYER", "workqueue")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pacmap

        # It announces at the level of a warning that a seed was set and which neighbour search it takes.
        logging.getLogger("pacmap").setLevel(logging.ERROR)
        neighbours = min(10, len(vectors) - 1)
        reducer = pacmap.PaCMAP(
            n_components=2,
            n_neighbors=neighbours,
            num_iters=ITERATIONS,
            random_state=seed,
            apply_pca=False,
            verbose=progress is not None,
        )
        # What it prints is the only word that it gives of how far it is.
        with nullcontext() if progress is None else redirect_stdout(_Iterations(progress)):
            return np.asarray(reducer.fit_transform(vectors, init="pca"), np.float32)


def _fitted(points: NDArray[np.float32]) -> NDArray[np.float32]:
    if points.shape[1] == 1:
        points = np.concatenate([points, np.zeros_like(points)], axis=1)
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2.0
    return np.asarray((points - (low + high) / 2.0) / (half or 1.0), np.float32)
