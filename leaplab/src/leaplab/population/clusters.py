"""The clusters of a population, and what sets each apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.analysis.clustering import MANY, Clustering, cluster
from leaplab.analysis.differences import Difference, differences
from leaplab.analysis.parted import PartedVectors
from leaplab.errors import QuestionError
from leaplab.population.cached import cached
from leaplab.population.columns import is_told_in, values_of
from leaplab.population.notebook import page_of_clusters

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
SEED = 0


@dataclass(frozen=True)
class Cluster:
    """A cluster, or one of the two that a cluster divides into.

    Attributes:
        number: from 0, the largest cluster first; subclusters come behind all clusters.
        size: number of samples.
        parent: the cluster that it is of.
        differences: what sets it apart from all other samples that were clustered, a subcluster from the rest of its
            cluster; the largest effect first.
    """

    number: int
    size: int
    parent: int | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Clusters:
    """The clusters of some samples.

    Attributes:
        space: the latent space.
        clusters: the largest first, their subclusters behind them.
        chosen_by: `silhouette` or `given`.
        silhouette: how far apart they are, in [-1, 1]; None for one cluster.
        stability: how far two halves of the samples agree on them (adjusted Rand index); None likewise.
        rows: [n] of the run.
        numbers: [n] the cluster of each.
        subclusters: [n] the subcluster of its cluster, -1 where that is not divided.
        distances: [n] to the cluster's centre, in standardised principal components.
        ids: their ids.
        states: their states.
        notices: what to know: a sentence each.
        population: that a notebook draws the map of.
    """

    space: str
    clusters: tuple[Cluster, ...]
    chosen_by: str
    silhouette: float | None
    stability: float | None
    rows: NDArray[np.int64]
    numbers: NDArray[np.int32]
    subclusters: NDArray[np.int32]
    distances: NDArray[np.float64]
    ids: Sequence[str]
    states: Sequence[str]
    notices: tuple[str, ...] = ()
    population: "Population | None" = field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample: sample_id, state, cluster, distance."""
        numbers, distances = self.numbers.tolist(), self.distances.tolist()
        return {"sample_id": list(self.ids), "state": list(self.states), "cluster": numbers, "distance": distances}

    def _repr_html_(self) -> str:
        return page_of_clusters(self)


def clusters_of(
    population: "Population", clusters: int | None, space: str | None, among: NDArray[np.int64] | None
) -> Clusters:
    """The clusters of the samples that have a finite vector.

    Args:
        clusters: their number; None chooses it.
        among: rows; None takes all.

    Raises:
        LeaplabError: there is no such space, or no sample with a vector.
    """
    space = population.space(space)
    vectors = population.vectors(space)
    kept = np.arange(len(vectors.rows)) if among is None else np.flatnonzero(np.isin(vectors.rows, among))
    rows, values = vectors.rows[kept], vectors.values
    if not len(rows):
        raise QuestionError("There is no sample to make clusters of; widen the condition.")
    parameters = {"space": space, "clusters": clusters, "seed": SEED}
    if among is not None:
        parameters["rows"] = rows.tolist()

    def computed() -> NDArray[np.uint8]:
        found = cluster(values.of(kept) if isinstance(values, PartedVectors) else values[kept], clusters, SEED)
        arrays = (found.numbers.tolist(), found.subclusters.tolist(), found.distances.tolist())
        kept_answer = _Kept(
            _described(population, found, rows), found.chosen_by, found.silhouette, found.stability, *arrays
        )
        return np.frombuffer(msgspec.json.encode(kept_answer), np.uint8)

    content = cached(population.store, "clusters", VERSION, parameters, computed).tobytes()
    known = msgspec.json.decode(content, type=_Kept)
    return Clusters(
        space,
        known.clusters,
        known.chosen_by,
        known.silhouette,
        known.stability,
        rows,
        np.array(known.numbers, np.int32),
        np.array(known.subclusters, np.int32),
        np.array(known.distances, np.float64),
        [population.ids[row] for row in rows],
        [population.states[row] for row in rows],
        notices_of_clusters(len(rows)),
        population,
    )


def notices_of_clusters(count: int) -> tuple[str, ...]:
    """What to know of the clusters of so many samples."""
    if count <= MANY:
        return ()
    return (
        f"The clusters of {count:,} samples are by mini-batches, of which k-means looks at one after another; up to"
        f" {MANY:,} it looks at all of them in each round.",
    )


class _Kept(Struct):
    """What is cached of an answer, as JSON."""

    clusters: tuple[Cluster, ...]
    chosen_by: str
    silhouette: float | None
    stability: float | None
    numbers: list[int]
    subclusters: list[int]
    distances: list[float]


def _described(population: "Population", found: Clustering, rows: NDArray[np.int64]) -> tuple[Cluster, ...]:
    columns = {
        name: values_of(column, population.values(name)[rows])
        for name, column in population.columns.items()
        if is_told_in(column)
    }
    told = differences(columns, found.numbers)
    for number in sorted({parent for parent in found.parents if parent is not None}):
        inside = found.numbers == number
        of_cluster = {name: each.of(inside) for name, each in columns.items()}
        told |= differences(of_cluster, found.subclusters[inside])
    pairs = zip(found.sizes, found.parents, strict=True)
    return tuple(Cluster(number, size, parent, tuple(told[number])) for number, (size, parent) in enumerate(pairs))
