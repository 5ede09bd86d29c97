"""Which samples of a run to keep, where there are more than are needed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.analysis.pruning import STRATA, Crowd, PrunedCluster, Steps, candidates, prune
from leaplab.errors import MissingError, QuestionError
from leaplab.population.cached import cached
from leaplab.population.clusters import clusters_of
from leaplab.population.computed import ComputedColumn
from leaplab.population.notebook import page_of_pruning
from leaplab.population.sharing import balancing_codes, in_canonical_order, numbers_of_column

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
SEED = 0
KEPT = "pruning_kept"
"""Column that is kept on the run."""


@dataclass(frozen=True)
class Terms:
    """How a state is pruned.

    Attributes:
        state: of the samples.
        cluster: prune this one only and keep the others whole; None prunes all.
        min_distance: what lies nearer than this to the centre of its cluster goes first of all.
        balance: column of which each value keeps the same share.
        first: column whose greatest values are kept first within a subgroup.
        clusters: their number; None chooses it by the silhouette.
        strata: of the distance from a cluster's centre.
        subgroups: of each stratum; None makes them by its size.
        space: latent space; None takes the first.
    """

    state: str = "training"
    cluster: int | None = None
    min_distance: float = 0.0
    balance: str | None = None
    first: str | None = None
    clusters: int | None = None
    strata: int = STRATA
    subgroups: int | None = None
    space: str | None = None


@dataclass(frozen=True)
class KeptSample:
    """A sample that is kept.

    Attributes:
        sample_id: its id.
        cluster: its cluster, 0 the largest.
        distance: to the cluster's centre, in standardised principal components.
        subgroup: its subgroup; None where its cluster is kept whole.
        priority: from 1: to keep fewer, keep the first of these; None likewise.
    """

    sample_id: str
    cluster: int
    distance: float
    subgroup: int | None
    priority: int | None


@dataclass(frozen=True)
class PrunedList:
    """What is kept of a state.

    Attributes:
        state: whose samples they are.
        kept: by priority, those of clusters that are kept whole behind the others.
        rows: [k] int64 of the run, of each.
        dropped: [d] rows that go.
        clusters: what became of each.
        chosen_by: how the number of clusters was chosen: `silhouette` or `given`.
        notices: what to know: a sentence each.
        space: the latent space.
        population: that a notebook draws the map of.
    """

    state: str
    kept: tuple[KeptSample, ...]
    rows: NDArray[np.int64]
    dropped: NDArray[np.int64]
    clusters: tuple[PrunedCluster, ...]
    chosen_by: str
    notices: tuple[str, ...]
    space: str
    population: "Population | None" = field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample that is kept: sample_id, state, cluster, distance, subgroup, priority."""
        return {
            "sample_id": [each.sample_id for each in self.kept],
            "state": [self.state] * len(self.kept),
            "cluster": [each.cluster for each in self.kept],
            "distance": [each.distance for each in self.kept],
            "subgroup": [each.subgroup for each in self.kept],
            "priority": [each.priority for each in self.kept],
        }

    def told(self) -> str:
        """In a sentence."""
        whole = len(self.rows) + len(self.dropped)
        return f"{len(self.rows):,} of {whole:,} samples of {self.state} are kept, {len(self.dropped):,} dropped."

    def _repr_html_(self) -> str:
        return page_of_pruning(self)


def pruned_of(
    population: "Population", keep: int | float, terms: Terms | None = None, among: NDArray[np.int64] | None = None
) -> PrunedList:
    """What to keep of a state; `analysis.pruning_kept` of the run is 1 for it, and 0 for what goes.

    Args:
        keep: how many samples as a whole number, or their share as a number with a fraction, in (0, 1]; of the one
            cluster where only that is pruned.
        among: rows that are looked at; None takes all of the state.

    Raises:
        LeaplabError: there is no such state, cluster, space or column, or there are fewer samples than to keep.
    """
    terms = terms or Terms()
    _require(population, keep, terms)
    space = population.space(terms.space)
    rows = np.flatnonzero(np.array(population.states, object) == terms.state)
    rows = in_canonical_order(population, rows if among is None else rows[np.isin(rows, among)])
    if not len(rows):
        raise QuestionError(f"There is no sample of {terms.state} to prune; widen the condition.")
    found = clusters_of(population, terms.clusters, space, rows)
    notices = []
    if len(found.rows) < len(rows):
        left = len(rows) - len(found.rows)
        notices.append(f"Without a finite vector, and so neither kept nor dropped: {left:,} of {len(rows):,} samples.")
    rows = rows[np.isin(rows, found.rows)]
    places = np.searchsorted(found.rows, rows)
    numbers, distances = found.numbers[places].astype(np.int64), found.distances[places]
    if terms.cluster is not None and terms.cluster not in numbers:
        raise MissingError(
            f"There is no cluster {terms.cluster} in {terms.state}; there are 0 to {int(numbers.max())}."
        )
    vectors = population.vectors(space)
    crowd = Crowd(
        vectors.values[np.searchsorted(vectors.rows, rows)],
        numbers,
        distances,
        first=None if terms.first is None else numbers_of_column(population, terms.first, rows),
    )
    steps = Steps(terms.cluster, terms.min_distance, terms.strata, terms.subgroups)
    inside = np.ones(len(rows), np.bool_) if terms.cluster is None else numbers == terms.cluster
    may = candidates(crowd, steps)
    wanted = _count(keep, int(inside.sum()), terms)
    if terms.balance is not None:
        groups, _ = balancing_codes(population, terms.balance, rows[inside], wanted)
        if (groups < 0).any():
            absent = (groups < 0).sum()
            notices.append(f"Without a value of {terms.balance}, and balanced as one more: {absent:,} samples.")
        whole = np.zeros(len(rows), np.int64)
        whole[inside] = np.where(groups < 0, groups.max() + 1, groups)
        crowd = Crowd(crowd.vectors, numbers, distances, whole, crowd.first)
    if wanted > may.sum():
        raise QuestionError(
            f"--keep asks for {wanted:,} samples, but only {may.sum():,} lie at {terms.min_distance:g} or more from"
            " the centre of their cluster; keep fewer, or lower --min-distance."
        )
    known = _answer(population, crowd, wanted, steps, rows, space)
    order = np.concatenate([known.kept, known.whole]).astype(np.int64)
    pruned = len(known.kept)
    kept = tuple(
        KeptSample(
            population.ids[rows[place]],
            int(numbers[place]),
            float(distances[place]),
            known.subgroups[place] if at < pruned else None,
            at + 1 if at < pruned else None,
        )
        for at, place in enumerate(order.tolist())
    )
    dropped = np.setdiff1d(rows, rows[order])
    values = np.full(population.samples, np.nan)
    values[dropped], values[rows[order]] = 0, 1
    population.keep(KEPT, ComputedColumn(f"whether pruning keeps it, of {terms.state}", values))
    return PrunedList(
        terms.state, kept, rows[order], dropped, known.clusters, found.chosen_by, tuple(notices), space, population
    )


def _require(population: "Population", keep: int | float, terms: Terms) -> None:
    states: Sequence[str] = list(population.store.manifest.states)
    if terms.state not in states:
        raise MissingError(
            f"This run has no state '{terms.state}' to prune; it has {', '.join(states)}: name one by --state."
        )
    if keep <= 0 or (isinstance(keep, float) and not keep <= 1):
        raise QuestionError(
            f"--keep takes a share above 0 and up to 1.0, such as 0.5, or a whole number of samples, not {keep:g}."
        )
    if not terms.min_distance >= 0:
        raise QuestionError(f"--min-distance is a distance, 0 or more, not {terms.min_distance:g}.")
    if terms.strata < 1 or (terms.subgroups is not None and terms.subgroups < 1):
        raise QuestionError("--strata and --subgroups are numbers from 1 on.")


def _count(keep: int | float, of: int, terms: Terms) -> int:
    """How many samples to keep."""
    wanted = round(keep * of) if isinstance(keep, float) else keep
    whose = terms.state if terms.cluster is None else f"cluster {terms.cluster} of {terms.state}"
    if wanted > of:
        raise QuestionError(f"--keep asks for {wanted:,} samples, but {whose} has {of:,} with a finite vector.")
    if wanted < 1:
        raise QuestionError(f"A share of {keep:g} of the {of:,} samples of {whose} is none; keep more.")
    return wanted


class _Kept(Struct):
    """What is cached of an answer."""

    kept: list[int]
    whole: list[int]
    subgroups: list[int]
    clusters: tuple[PrunedCluster, ...]


def _answer(
    population: "Population", crowd: Crowd, keep: int, steps: Steps, rows: NDArray[np.int64], space: str
) -> _Kept:
    decided = hashlib.sha256(rows.tobytes())
    for each in (crowd.clusters, crowd.distances, crowd.groups, crowd.first):
        decided.update(b"none" if each is None else np.ascontiguousarray(each).tobytes())
    parameters = {
        "space": space, "keep": keep, "cluster": steps.cluster, "least": steps.least, "strata": steps.strata,
        "subgroups": steps.subgroups, "seed": SEED, "of": decided.hexdigest(),
    }  # fmt: skip

    def computed() -> NDArray[np.uint8]:
        found = prune(crowd, keep, steps, SEED)
        arrays = (found.kept.tolist(), found.whole.tolist(), found.subgroups.tolist())
        return np.frombuffer(msgspec.json.encode(_Kept(*arrays, tuple(found.clusters))), np.uint8)

    content = cached(population.store, "pruning", VERSION, parameters, computed).tobytes()
    return msgspec.json.decode(content, type=_Kept)
