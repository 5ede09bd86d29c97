"""Centres that cover a population: k-means in which samples weigh differently and some centres stay where they are."""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ITERATIONS = 30
SETTLED = 1e-3
"""The share of the spread that one more iteration has to take away."""
FEW = 1_000
"""Centres that are first drawn one by one, the best of several draws each time; more come several at once."""
SEEDED, OF_A_SEED = 5_000, 10
"""Samples that the first centres are drawn from: so many, or so many for each, where that is more."""
BLOCK = 2**24
"""Distances that are held at once."""


@dataclass(frozen=True)
class Covering:
    """Which centre each of n samples lies nearest to.

    Attributes:
        centres: [k, D] float32, those that stay first.
        numbers: [n] int64, the nearest centre of each.
        distances: [n] float64, Euclidean, to it.
    """

    centres: NDArray[np.float32]
    numbers: NDArray[np.int64]
    distances: NDArray[np.float64]


def cover(
    vectors: NDArray[np.floating],
    weights: NDArray[np.floating],
    count: int,
    fixed: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> Covering:
    """k-means of weighted samples, beside centres that do not move.

    The first centres are drawn by weight x squared distance from those that are there, the best of several draws each
    (greedy k-means++: Arthur and Vassilvitskii, SODA 2007), or several in a round where there are more than a thousand
    (Bahmani et al., "Scalable k-means++", VLDB 2012); then Lloyd's iterations (IEEE Trans. Inf. Theory 28, 1982). A
    centre that no sample is nearest to moves to where the spread is greatest.

    Args:
        vectors: [n, D] finite.
        weights: [n] at least 0.
        count: of centres to find, from 1 to n.
        fixed: [m, D] centres that stay where they are.
    """
    from threadpoolctl import threadpool_limits

    vectors = np.ascontiguousarray(vectors, np.float32)
    masses: NDArray[np.float64] = np.asarray(weights, np.float64)
    held = np.zeros((0, vectors.shape[1]), np.float32) if fixed is None else np.asarray(fixed, np.float32)
    # Sums of a product depend on how many threads share it.
    with threadpool_limits(1):
        centres = np.concatenate([held, _first(vectors, masses, count, held, np.random.default_rng(seed))])
        before = np.inf
        for _ in range(ITERATIONS):
            numbers, squared = nearest_centre(vectors, centres)
            spread = float(masses @ squared)
            if before - spread <= SETTLED * spread:
                break
            before = spread
            centres = _moved(vectors, masses, numbers, squared, centres, len(held))
        numbers, squared = nearest_centre(vectors, centres)
    return Covering(centres, numbers, np.sqrt(squared))


def nearest_centre(
    vectors: NDArray[np.floating], centres: NDArray[np.floating]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """[n] the nearest of [k, D] centres to each of [n, D] vectors, and its squared Euclidean distance."""
    vectors, centres = np.asarray(vectors, np.float32), np.asarray(centres, np.float32)
    numbers = np.empty(len(vectors), np.int64)
    half = np.einsum("kd,kd->k", centres, centres) / 2
    step = max(1, BLOCK // max(len(centres), 1))
    for at in range(0, len(vectors), step):
        nearness = vectors[at : at + step] @ centres.T
        nearness -= half
        numbers[at : at + step] = nearness.argmax(axis=1)
    apart = vectors.astype(np.float64) - centres[numbers]
    return numbers, np.einsum("nd,nd->n", apart, apart)


def covering_order(
    centres: NDArray[np.floating], masses: NDArray[np.float64], held: NDArray[np.floating], most: int
) -> NDArray[np.int64]:
    """An order in which the first centres, however many, stand for all of them as well as can be.

    Each next one takes away most of the sum of (mass x distance to the nearest that is before it): the greedy solution
    of facility location, which reaches at least 63 % of the best possible at every length (Nemhauser, Wolsey and
    Fisher, Math. Program. 14, 1978), evaluated lazily (Minoux, 1978).

    Args:
        centres: [k, D].
        masses: [k] at least 0.
        held: [m, D] what is before all of them.
        most: so many are ordered so; the others follow by their mass.

    Returns:
        [k]; equal ones by their place.
    """
    from threadpoolctl import threadpool_limits

    points = np.asarray(centres, np.float32)
    norms = np.einsum("kd,kd->k", points, points)

    def away(places: NDArray[np.int64]) -> NDArray[np.float32]:
        """[p, k] distances."""
        squared = norms[places, None] + norms - 2 * (points[places] @ points.T)
        return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float32)

    with threadpool_limits(1):
        if len(held):
            reached = np.sqrt(nearest_centre(points, held)[1])
        else:  # farther than any is from any other
            reached = np.full(len(points), 2 * float(np.linalg.norm(points - points.mean(axis=0), axis=1).max()))

        def gains(places: NDArray[np.int64]) -> NDArray[np.float64]:
            return np.maximum(reached - away(places), 0) @ masses

        step = max(1, BLOCK // len(points))
        starts = [np.arange(at, min(at + step, len(points))) for at in range(0, len(points), step)]
        hopes = [(-gain, place) for some in starts for gain, place in zip(gains(some), some.tolist(), strict=True)]
        heapq.heapify(hopes)
        order: list[int] = []
        while hopes and len(order) < most:
            _, place = heapq.heappop(hopes)
            # What a centre takes away never grows, so that the first whose worth holds is the best.
            now = (-float(gains(np.array([place]))[0]), place)
            if hopes and now > hopes[0]:
                heapq.heappush(hopes, now)
                continue
            order.append(place)
            reached = np.minimum(reached, away(np.array([place]))[0])
    left = np.setdiff1d(np.arange(len(points)), order)
    return np.concatenate([np.array(order, np.int64), left[np.argsort(-masses[left], kind="stable")]])


def _first(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float64],
    count: int,
    held: NDArray[np.float32],
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """[count, D] samples, no two of one place as long as there are others."""
    most = max(SEEDED, OF_A_SEED * count)
    rows = np.sort(generator.permutation(len(vectors))[:most])
    vectors, weights = vectors[rows], weights[rows]
    squared = nearest_centre(vectors, held)[1] if len(held) else np.full(len(vectors), np.inf)
    taken = np.zeros(len(vectors), bool)
    chosen: list[int] = []
    tries = 2 + int(np.log(count)) if count <= FEW else 1
    while len(chosen) < count:
        odds = _odds(weights, squared, taken)
        batch = 1 if count <= FEW or not chosen else min(count // FEW, count - len(chosen))
        drawn = generator.choice(len(vectors), min(max(batch, tries), int((odds > 0).sum())), replace=False, p=odds)
        if batch == 1:
            away = [np.minimum(squared, nearest_centre(vectors, vectors[each : each + 1])[1]) for each in drawn]
            best = int(np.argmin([weights @ each for each in away]))
            drawn, squared = drawn[best : best + 1], away[best]
        else:
            squared = np.minimum(squared, nearest_centre(vectors, vectors[drawn])[1])
        taken[drawn] = True
        chosen.extend(drawn.tolist())
    return vectors[chosen]


def _odds(weights: NDArray[np.float64], squared: NDArray[np.float64], taken: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[n] of each sample to be the next centre: weight x squared distance, and where that is 0, what is left."""
    far = np.ones(len(squared)) if np.isinf(squared).all() else squared
    for each in (weights * far, far, np.ones(len(far))):
        odds = np.where(taken, 0, each)
        if odds.any():
            return np.asarray(odds / odds.sum())
    raise AssertionError("more centres than samples")


def _moved(
    vectors: NDArray[np.float32],
    weights: NDArray[np.float64],
    numbers: NDArray[np.int64],
    squared: NDArray[np.float64],
    centres: NDArray[np.float32],
    held: int,
) -> NDArray[np.float32]:
    """The centres, each but the first `held` at the weighted mean of its samples."""
    count = len(centres)
    sums = np.bincount(numbers, weights, count)
    moved = np.stack([np.bincount(numbers, weights * column, count) for column in vectors.T], axis=1)
    there = sums > 0
    there[:held] = False
    result = centres.copy()
    result[there] = moved[there] / sums[there, None]
    empty = np.flatnonzero(np.bincount(numbers, minlength=count) == 0)
    empty = empty[empty >= held]
    if len(empty):
        farthest = np.argsort(-weights * squared, kind="stable")[: len(empty)]
        result[empty[: len(farthest)]] = vectors[farthest]
    return result
