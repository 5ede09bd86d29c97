"""PaCMAP: Wang, Huang, Rudin and Shaposhnik, "Understanding How Dimension Reduction Tools Work", JMLR 22 (2021).

The method is the paper's, with the settings of its authors' package. The package compiles for a quarter of a minute
where it is new, and uses one core; this has the same pairs and forces for points on a plane alone.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.cells import Cells

NEIGHBOURS = 10
CANDIDATES = 50
"""More than the neighbours of a point, from which these are taken by a distance that is scaled to where each lies."""
SCALED_BY = slice(3, 6)
"""Neighbours whose mean distance is a point's scale."""
MID_NEAR, FURTHER = 0.5, 2.0
"""Pairs of these kinds for each neighbour."""
ITERATIONS = (100, 100, 250)
"""Of the three phases."""
START = 0.01
"""Width of the first map, which is the first two principal components."""
PARTS = 4
"""Into which rows are divided, whatever the number of threads: so a sum does not depend on it."""
WORTH_A_THREAD = 2_000
"""Points, below which a thread costs more than it saves."""
TOLD_EVERY = 10


@dataclass(frozen=True)
class Pairs:
    """The points that each of n points is drawn to or pushed from.

    Attributes:
        near: [n, k] int32.
        mid_near: [n, k / 2] int32.
        further: [n, 2 k] int32.
    """

    near: NDArray[np.int32]
    mid_near: NDArray[np.int32]
    further: NDArray[np.int32]


def draw(
    vectors: NDArray[np.float32], seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """[n, 2] of [n, W] principal components, n >= 16 and W >= 2. The same for the same seed.

    Args:
        progress: is told how many iterations are done, and of how many.
    """
    extent = float(vectors.max() - vectors.min()) or 1.0
    vectors = np.ascontiguousarray(vectors / np.float32(extent))
    pairs = pairs_of(vectors, seed)
    return optimised(np.ascontiguousarray(START * vectors[:, :2], np.float32), pairs, progress)


def pairs_of(vectors: NDArray[np.float32], seed: int) -> Pairs:
    """The pairs of [n, W] vectors, which decide the map."""
    from leaplab.analysis.pacmap_steps import choose_further, choose_mid_near

    count = len(vectors)
    near = NEIGHBOURS
    if near * (1 + MID_NEAR + FURTHER) >= count:
        near = int(count / (1 + MID_NEAR + FURTHER))
    distances, rows = Cells(vectors).nearest_others(vectors, min(near + CANDIDATES, count - 1))
    scales = np.maximum(distances[:, SCALED_BY].mean(axis=1), 1e-10)
    scaled = distances**2 / scales[:, None] / scales[rows]
    nearest = np.take_along_axis(rows, np.argpartition(scaled, near - 1, axis=1)[:, :near], axis=1)
    pairs = Pairs(
        np.ascontiguousarray(nearest, np.int32),
        np.empty((count, round(near * MID_NEAR)), np.int32),
        np.empty((count, round(near * FURTHER)), np.int32),
    )
    first, second = np.random.default_rng(seed).integers(2**63, size=2, dtype=np.uint64)
    choose_mid_near(vectors, first, pairs.mid_near)
    choose_further(pairs.near, second, pairs.further)
    return pairs


def optimised(
    points: NDArray[np.float32], pairs: Pairs, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """[n, 2] where the points come to lie.

    Args:
        points: [n, 2] where they begin; they are moved in place.
        progress: see `draw`.
    """
    from leaplab.analysis.pacmap_steps import add_gradient, step

    count = len(points)
    bounds = np.linspace(0, count, PARTS + 1).astype(np.int64)
    gradients = np.zeros((PARTS, count, 2), np.float32)
    mean, square = np.zeros_like(points), np.zeros_like(points)
    threads = min(PARTS, os.cpu_count() or 1, 1 + count // WORTH_A_THREAD)
    with ThreadPoolExecutor(threads) as pool:
        for iteration in range(sum(ITERATIONS)):
            weights = weights_at(iteration)

            def add(part: int, weights: tuple[float, float, float] = weights) -> None:
                bound = int(bounds[part]), int(bounds[part + 1])
                add_gradient(points, pairs.near, pairs.mid_near, pairs.further, weights, bound, gradients[part])

            list(map(add, range(PARTS)) if threads == 1 else pool.map(add, range(PARTS)))
            done = iteration + 1
            step(points, gradients, mean, square, (1 - 0.999**done) ** 0.5 / (1 - 0.9**done))
            if progress is not None and done % TOLD_EVERY == 0:
                progress(done, sum(ITERATIONS))
    return points


def weights_at(iteration: int) -> tuple[float, float, float]:
    """Of near, mid-near and further pairs (section 5.3 of the paper)."""
    first, second, _ = ITERATIONS
    if iteration < first:
        share = iteration / first
        return 2.0, (1 - share) * 1000 + share * 3, 1.0
    return (3.0, 3.0, 1.0) if iteration < first + second else (1.0, 0.0, 1.0)
