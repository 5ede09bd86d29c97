"""What PaCMAP does for each of many pairs of points, compiled.

Each function is compiled for its own types alone, when it is first needed, and kept beside this file or in the user's
cache folder. None holds the interpreter's lock, so that threads may each take some of the rows.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Pairs = NDArray[np.int32]
COMPILED: dict[str, Any] = {"cache": True, "nogil": True, "fastmath": True, "error_model": "numpy"}
TRIED = 6
"""Points of which the second nearest makes a mid-near pair."""
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
HIGH = np.uint64(32)
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_ADAM_FIRST, _ADAM_SECOND, _ADAM_LEAST = np.float32(0.1), np.float32(0.001), np.float32(1e-7)
_NONE = np.float32(0)


@numba.njit("u8(u8)", inline="always", **COMPILED)
def mixed(number: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): random bits from a counter."""
    number = (number ^ (number >> _SHIFTS[0])) * _FACTORS[0]
    number = (number ^ (number >> _SHIFTS[1])) * _FACTORS[1]
    return number ^ (number >> _SHIFTS[2])


@numba.njit("void(f4[:,::1],u8,i4[:,::1])", **COMPILED)
def choose_mid_near(vectors: Points, seed: np.uint64, pairs: Pairs) -> None:
    """Fill [n, k] pairs: of each, the second nearest of six others that are drawn."""
    count = np.uint64(len(vectors))
    for row in range(len(vectors)):
        counter = mixed(seed + np.uint64(row) * GOLDEN)
        for place in range(pairs.shape[1]):
            nearest = np.float32(np.inf)
            second = np.float32(np.inf)
            nearest_row = np.int64(-1)
            second_row = np.int64(-1)
            tried = 0
            while tried < TRIED:
                counter += GOLDEN
                other = np.int64(((mixed(counter) >> HIGH) * count) >> HIGH)
                if other in (row, nearest_row):
                    continue
                tried += 1
                distance = _NONE
                for axis in range(vectors.shape[1]):
                    along = vectors[row, axis] - vectors[other, axis]
                    distance += along * along
                if distance < nearest:
                    second, second_row = nearest, nearest_row
                    nearest, nearest_row = distance, other
                elif distance < second or second_row < 0:
                    second, second_row = distance, other
            pairs[row, place] = second_row


@numba.njit("void(i4[:,::1],u8,i4[:,::1])", **COMPILED)
def choose_further(near: Pairs, seed: np.uint64, pairs: Pairs) -> None:
    """Fill [n, k] pairs: others that are drawn, and none of the nearest."""
    count = np.uint64(len(near))
    for row in range(len(near)):
        counter = mixed(seed + np.uint64(row) * GOLDEN)
        place = 0
        while place < pairs.shape[1]:
            counter += GOLDEN
            other = np.int64(((mixed(counter) >> HIGH) * count) >> HIGH)
            is_further = other != row
            for each in range(near.shape[1]):
                is_further &= near[row, each] != other
            if is_further:
                pairs[row, place] = other
                place += 1


@numba.njit("UniTuple(f4,2)(f4[:,::1],i8,i4[:,::1],f4,f4,UniTuple(f4,2),f4[:,::1])", inline="always", **COMPILED)
def _add_forces(
    points: Points,
    row: int,
    pairs: Pairs,
    softened: np.float32,
    strength: np.float32,
    sums: tuple[np.float32, np.float32],
    gradient: Points,
) -> tuple[np.float32, np.float32]:
    """Add to the gradient of each that a row is paired with, and give the sums so far of the row's own."""
    x, y = sums
    for place in range(pairs.shape[1]):
        other = pairs[row, place]
        dx = points[row, 0] - points[other, 0]
        dy = points[row, 1] - points[other, 1]
        apart = softened + dx * dx + dy * dy
        force = strength / (apart * apart)
        x += force * dx
        y += force * dy
        gradient[other, 0] -= force * dx
        gradient[other, 1] -= force * dy
    return x, y


@numba.njit("void(f4[:,::1],i4[:,::1],i4[:,::1],i4[:,::1],UniTuple(f8,3),UniTuple(i8,2),f4[:,::1])", **COMPILED)
def add_gradient(
    points: Points,
    near: Pairs,
    mid_near: Pairs,
    further: Pairs,
    weights: tuple[float, float, float],
    rows: tuple[int, int],
    gradient: Points,
) -> None:
    """Add the gradient of PaCMAP's loss that the pairs of some rows have (Wang et al. 2021, table 1).

    With d = 1 + squared distance: near d / (10 + d), mid-near d / (10,000 + d), further 1 / (1 + d).

    Args:
        weights: of near, mid-near and further pairs.
        rows: the first, and the one behind the last.
    """
    pull = np.float32(20 * weights[0])
    pull_mid = np.float32(20_000 * weights[1])
    push = np.float32(-2 * weights[2])
    for row in range(rows[0], rows[1]):
        x, y = _add_forces(points, row, near, np.float32(11), pull, (_NONE, _NONE), gradient)
        if pull_mid > 0:
            x, y = _add_forces(points, row, mid_near, np.float32(10_001), pull_mid, (x, y), gradient)
        x, y = _add_forces(points, row, further, np.float32(2), push, (x, y), gradient)
        gradient[row, 0] += x
        gradient[row, 1] += y


@numba.njit("void(f4[:,::1],f4[:,:,::1],f4[:,::1],f4[:,::1],f4)", **COMPILED)
def step(points: Points, gradients: NDArray[np.float32], mean: Points, square: Points, rate: float) -> None:
    """Move the points by Adam (Kingma and Ba, ICLR 2015) along the sum of [c, n, 2] gradients, and clear these."""
    for row in range(len(points)):
        for axis in range(2):
            slope = _NONE
            for part in range(len(gradients)):
                slope += gradients[part, row, axis]
                gradients[part, row, axis] = _NONE
            mean[row, axis] += _ADAM_FIRST * (slope - mean[row, axis])
            square[row, axis] += _ADAM_SECOND * (slope * slope - square[row, axis])
            points[row, axis] -= rate * mean[row, axis] / (np.sqrt(square[row, axis]) + _ADAM_LEAST)
