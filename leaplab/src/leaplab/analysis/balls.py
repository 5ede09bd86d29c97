"""Places in latent space on which a model does worse: balls around samples that are bad among bad ones."""

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.excess import NONE, z_of
from leaplab.analysis.graph import nearest_among

FITTED = 10_000
"""Samples among which seeds are looked for at most."""
SEEDS = 300
SMOOTHED = 10
"""Neighbours that a seed's badness is the mean of."""
LARGEST_BALL = 0.06
"""Share of the samples that a ball holds at most: more are no place, but half a class or several."""
MOVED, MOVES = 8, 6
"""Balls that are moved, and how often at most."""


class Balls:
    """All samples within a distance of one on which, and around which, the model is bad.

    Args:
        components: [m, k] of the samples that have a vector.
        rows: [m] these samples.
        looked_at: [p] rows that are looked at.
        half: [p] which of them are of the discovery half.
        badness: [p] of them.
        least: members that a ball needs in each half.
        generator: of the samples that stand for more.
    """

    def __init__(
        self,
        components: NDArray[np.float32],
        rows: NDArray[np.int64],
        looked_at: NDArray[np.int64],
        half: NDArray[np.bool_],
        badness: NDArray[np.float64],
        least: int,
        generator: np.random.Generator,
    ) -> None:
        self._components, self._rows, self._least = components, rows, least
        self._most = max(int(LARGEST_BALL * half.sum()), 2 * least)
        places = np.searchsorted(rows, looked_at)
        places[places == len(rows)] = 0
        has_vector = rows[places] == looked_at
        self._vectors, self._has_vector, self._half = components[places], has_vector, half
        known = np.flatnonzero(half & has_vector)
        self._centres = np.zeros((0, components.shape[1]), np.float32)
        if len(known) < 2 * least:
            return
        sample = np.sort(known[generator.permutation(len(known))[:FITTED]])
        vectors = self._vectors[sample]
        graph = nearest_among(vectors, vectors, SMOOTHED, to_itself=True)
        smoothed = (badness[sample] + badness[sample][graph.rows].sum(axis=1)) / (graph.rows.shape[1] + 1)
        self._centres = vectors[_spread_out(smoothed, graph.rows)]
        distances = self._distances(self._centres, self._vectors)
        self._order, self._radii = self._nearest(distances[:, half])
        self._others = np.sort(distances[:, ~half], axis=1)

    def best(self, spread: NDArray[np.float64]) -> tuple[NDArray[np.float32], float, float]:
        """The centre, the radius, and the ball's z: the best of the seeds' balls, each moved to where it is better."""
        nothing = np.zeros(self._components.shape[1], np.float32), 0.0, NONE
        if not len(self._centres):
            return nothing
        z = self._z(self._order, self._radii, self._others, spread)
        best = nothing
        for seed in np.argsort(-z.max(axis=1), kind="stable")[:MOVED]:
            place = int(z[seed].argmax())
            if z[seed, place] == NONE:
                break
            ball = self._moved(self._centres[seed], float(self._radii[seed, place]), float(z[seed, place]), spread)
            if ball[2] > best[2]:
                best = ball
        return best

    def _moved(
        self, centre: NDArray[np.float32], radius: float, z: float, spread: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], float, float]:
        """A ball moved to the mean of its members, weighted by how bad they are, as long as that betters it."""
        known = self._vectors[self._half]
        for _ in range(MOVES):
            inside = self._distances(centre[None], known)[0] <= np.float32(radius)
            weights = np.where(inside & self._has_vector[self._half], np.maximum(spread, 0), 0)
            if weights.sum() <= 0:
                break
            moved = (weights @ known / weights.sum()).astype(np.float32)
            distances = self._distances(moved[None], self._vectors)
            order, radii = self._nearest(distances[:, self._half])
            of_moved = self._z(order, radii, np.sort(distances[:, ~self._half], axis=1), spread)[0]
            place = int(of_moved.argmax())
            if of_moved[place] <= z:
                break
            centre, radius, z = moved, float(radii[0, place]), float(of_moved[place])
        return centre, radius, z

    def inside(self, centre: NDArray[np.float32], radius: float) -> NDArray[np.bool_]:
        """[p] the ball's members among those looked at."""
        near = self._distances(centre[None], self._vectors)[0] <= np.float32(radius)
        return np.asarray(near & self._has_vector)

    def covers(self, centre: NDArray[np.float32], radius: float, count: int) -> NDArray[np.bool_]:
        """[count] its members among all samples."""
        covered = np.zeros(count, bool)
        covered[self._rows] = self._distances(centre[None], self._components)[0] <= np.float32(radius)
        return covered

    def _nearest(self, distances: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """[s, most] the places nearest to each of s centres, and how far they are."""
        order = np.argsort(distances, axis=1, kind="stable")[:, : self._most]
        return order.astype(np.int32), np.take_along_axis(distances, order, 1)

    def _z(
        self,
        order: NDArray[np.int32],
        radii: NDArray[np.float32],
        others: NDArray[np.float32],
        spread: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """[s, most] the z of each centre's ball of each size; of the other half it needs members, too."""
        z = z_of(np.cumsum(spread[order], axis=1), np.arange(1.0, order.shape[1] + 1)[None], spread)
        z[:, : self._least - 1] = NONE
        # What is as far as the last member is a member, too.
        z[:, :-1][radii[:, 1:] == radii[:, :-1]] = NONE
        z[(radii < others[:, self._least - 1 : self._least]) | ~np.isfinite(radii)] = NONE
        return z

    def _distances(self, centres: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """[s, n] from each centre; infinite to a sample that is looked at and has no vector."""
        from sklearn.metrics import pairwise_distances

        distances = np.asarray(pairwise_distances(centres, vectors), np.float32)
        if vectors is self._vectors:
            distances[:, ~self._has_vector] = np.inf
        return distances


def _spread_out(smoothed: NDArray[np.float64], neighbours: NDArray[np.int64]) -> NDArray[np.int64]:
    """The places with the highest values of which none is a neighbour of another."""
    free = np.ones(len(smoothed), bool)
    seeds: list[int] = []
    for place in np.argsort(-smoothed, kind="stable"):
        if free[place]:
            seeds.append(int(place))
            free[neighbours[place]] = False
            if len(seeds) == SEEDS:
                break
    return np.array(seeds, np.int64)
