"""A run, read once: rows and ids, columns, vectors, selections, maps and clusters."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.clustering import cluster_numbers
from leaplab.analysis.neighbours import METRICS, Metric, Neighbours, NeighboursByBlocks, centre_of
from leaplab.analysis.parted import PartedVectors
from leaplab.analysis.projection import METHODS, QUICK, Method, in_order, project
from leaplab.errors import MissingError, QuestionError
from leaplab.population.cached import cached, is_cached
from leaplab.population.columns import Column, described, described_computed
from leaplab.population.computed import CLUSTER_COLUMN, ComputedColumn, computed_columns, keep
from leaplab.population.places import places_path, steady
from leaplab.population.similar import Similar, SimilarSamples
from leaplab.population.tags import Tags
from leaplab.population.vectors import Vectors, vectors_of
from leaplab.population.where import selected
from leaplab.protocol.model import LATENT_SPACE
from leaplab.store.columns import ANALYSIS, ID, SAMPLE, STATE, STATE_COLUMN
from leaplab.store.run import RunStore

if TYPE_CHECKING:
    from leaplab.population.objects import Objects

SEED = 0
DEFAULT_CLUSTERS = 20
MAP_VERSION, CLUSTER_VERSION = 3, 3


class Population:
    """All samples of a run.

    Args:
        store: the run.
    """

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self._vectors: dict[str, Vectors] = {}
        self._searches: dict[tuple[str, Metric], Neighbours | NeighboursByBlocks] = {}

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.store.samples

    @cached_property
    def ids(self) -> list[str]:
        """Sample ids in row order. Unique within a state only."""
        return [str(sample_id) for sample_id in self._keys[ID]]

    @cached_property
    def states(self) -> list[str]:
        """The state of each row."""
        return [str(state) for state in self._keys[STATE]]

    def row_of(self, sample_id: str, state: str | None = None) -> int:
        """The row of a sample; `STATE/ID` names both where an id is not unique.

        Raises:
            LeaplabError: there is none, or several.
        """
        found = self._rows_by_id.get(sample_id, [])
        if state is None and not found:
            named, slash, rest = sample_id.partition("/")
            if slash and named in self.store.manifest.states:
                state, sample_id, found = named, rest, self._rows_by_id.get(rest, [])
        rows = [row for row in found if state is None or self.states[row] == state]
        if len(rows) > 1:
            choices = " or ".join(f"{self.states[row]}/{sample_id}" for row in rows[:3])
            raise QuestionError(f"There are {len(rows)} samples '{sample_id}' in this run; write {choices}.")
        if not rows:
            some = ", ".join(self.ids[:3])
            raise MissingError(
                f"This run has no sample '{sample_id}'{f' in {state}' if state else ''}; ids are like {some}."
            )
        return rows[0]

    def require_state(self, state: str) -> str:
        """The state itself.

        Raises:
            LeaplabError: the run has no such state.
        """
        if state not in self.store.manifest.states:
            raise MissingError(f"This run has no state '{state}'; it has {', '.join(self.store.manifest.states)}.")
        return state

    def require_row(self, row: int) -> int:
        """The row itself.

        Raises:
            LeaplabError: there is no such row.
        """
        if not 0 <= row < self.samples:
            raise MissingError(f"This run has no sample {row}; rows are 0 to {self.samples - 1}.")
        return row

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column, by its name."""
        columns = [Column(STATE_COLUMN, STATE, SAMPLE, "string", "categorical", list(self.store.manifest.states))]
        if self.spaces:
            categories = [str(number) for number in range(self._cluster_count)]
            columns.append(Column(CLUSTER_COLUMN, "k-means cluster", ANALYSIS, "int", "categorical", categories))
        columns += [described(name, self.store.column_entry(name), self._table[name]) for name in self.store.columns()]
        columns += [
            described_computed(name, each.label, each.values, each.direction) for name, each in self._computed.items()
        ]
        return {column.name: column for column in columns}

    def column(self, name: str) -> Column:
        """A column's description.

        Raises:
            LeaplabError: there is no such column.
        """
        if name not in self.columns:
            raise MissingError(f"This run has no column '{name}'.")
        return self.columns[name]

    def values(self, name: str) -> NDArray[Any]:
        """[N] values of a column, as `RunStore.read` gives them; of clusters, -1 where there is none.

        Raises:
            LeaplabError: there is no such column.
        """
        self.column(name)
        if name == CLUSTER_COLUMN:
            return self.clusters(next(iter(self.spaces)))
        if name in self._computed:
            return self._computed[name].values
        return self._table[STATE if name == STATE_COLUMN else name]

    def keep(self, name: str, column: ComputedColumn) -> None:
        """Make `analysis.NAME` a column of the run, for this and later readers, see `leaplab.population.computed`."""
        keep(self.store, name, column)
        for cached_before in ("_computed", "columns"):
            self.__dict__.pop(cached_before, None)

    def where(self, expression: str) -> NDArray[np.int64]:
        """The rows that meet a condition, ascending, see `leaplab.population.where`.

        `tag.NAME` is true of a tag's samples.

        Raises:
            LeaplabError: it is no condition over this run's columns.
        """
        stored = [ID, STATE, *self.store.columns()]
        # Their values are made only where the condition names them.
        computed = {
            name: self._codes(name)
            for name in (CLUSTER_COLUMN, *self._computed)
            if name in self.columns and name in expression
        }
        named = {**computed, **self.tags.conditions(expression)}
        chosen = selected(expression, [*stored, *named], self.store.sample_files(), named)
        return np.flatnonzero(chosen)

    @cached_property
    def spaces(self) -> dict[str, int]:
        """Latent space -> width; the model's own first."""
        spaces = self.store.latent_spaces()
        return dict(sorted(spaces.items(), key=lambda item: item[0] != LATENT_SPACE))

    def space(self, name: str | None = None) -> str:
        """The space of that name, or the first.

        Raises:
            LeaplabError: the run has none, or not this one.
        """
        if not self.spaces:
            raise MissingError(f"{self.store.path} has no latent space; evaluate with --latent TENSOR to take one.")
        if name is not None and name not in self.spaces:
            raise MissingError(f"{self.store.path} has no latent space '{name}'; it has {', '.join(self.spaces)}.")
        return name if name is not None else next(iter(self.spaces))

    def vectors(self, space: str | None = None) -> Vectors:
        """The finite vectors of a latent space; None takes the first.

        Raises:
            LeaplabError: there is no such space, or no vector of it is finite.
        """
        space = self.space(space)
        if space not in self._vectors:
            self._vectors[space] = vectors_of(self.store, space)
        return self._vectors[space]

    def map(
        self, space: str | None, method: str, progress: Callable[[int, int], None] | None = None
    ) -> NDArray[np.float32]:
        """[N, 2] of a latent space within [-1, 1], NaN for rows without a finite vector, computed once a run.

        A run without a latent space has one map: its samples in their order.

        Args:
            progress: is told how many steps are done, and of how many, where it is computed in steps.

        Raises:
            LeaplabError: no such space or method.
        """
        if not self.spaces:
            return in_order(self.samples)
        parameters = self._map_parameters(space, method)
        space, chosen = parameters["space"], parameters["method"]
        return cached(self.store, "map", MAP_VERSION, parameters, lambda: self._projected(space, chosen, progress))

    def has_map(self, space: str | None, method: str) -> bool:
        """Whether a map has been computed before.

        Raises:
            LeaplabError: no such space or method.
        """
        if not self.spaces:
            return True
        return is_cached(self.store, "map", MAP_VERSION, self._map_parameters(space, method))

    def _map_parameters(self, space: str | None, method: str) -> dict[str, Any]:
        if method not in METHODS:
            raise QuestionError(f"There is no projection '{method}'; there are {', '.join(METHODS)}.")
        return {"space": self.space(space), "method": method, "seed": SEED}

    def similar(
        self,
        queries: Sequence[int],
        count: int = 20,
        metric: Metric = "cosine",
        space: str | None = None,
        among: NDArray[np.int64] | None = None,
    ) -> SimilarSamples:
        """The samples whose vectors are nearest to that of one, or to the centre of several; these are not among them.

        Args:
            queries: rows.
            count: the most that are wanted.
            among: rows that may be found; None takes all.

        Returns:
            Nearest first, equal distances by row.

        Raises:
            LeaplabError: there is no such row, space or metric, or a query has no finite vector.
        """
        if metric not in METRICS:
            raise QuestionError(f"There is no metric '{metric}'; there are {', '.join(METRICS)}.")
        if not queries:
            raise QuestionError("Name at least one sample to look from.")
        space = self.space(space)
        vectors = self.vectors(space)
        places = np.searchsorted(vectors.rows, [self.require_row(row) for row in queries])
        for row, place in zip(queries, places, strict=True):
            if place == len(vectors.rows) or vectors.rows[place] != row:
                raise MissingError(f"The vector of '{self.ids[row]}' holds NaN or infinity, so nothing is near to it.")
        allowed = np.ones(len(vectors.rows), bool) if among is None else np.isin(vectors.rows, among)
        allowed[places] = False
        chosen = vectors.values[places]
        query = chosen[0] if len(places) == 1 else centre_of(chosen, metric)
        found, distances = self._neighbours(space, metric).nearest(query, count, allowed)
        pairs = zip(vectors.rows[found].tolist(), distances.tolist(), strict=True)
        similar = tuple(Similar(self.ids[row], self.states[row], row, distance) for row, distance in pairs)
        ids = tuple(self.ids[row] for row in queries)
        return SimilarSamples(space, metric, ids, similar, tuple(queries), self)

    def _neighbours(self, space: str, metric: Metric) -> Neighbours | NeighboursByBlocks:
        if (space, metric) not in self._searches:
            values = self.vectors(space).values
            self._searches[space, metric] = (
                NeighboursByBlocks(values, metric) if isinstance(values, PartedVectors) else Neighbours(values, metric)
            )
        return self._searches[space, metric]

    def clusters(self, space: str | None = None) -> NDArray[np.int32]:
        """[N] numbers of k-means clusters, -1 for rows without a finite vector, computed once a run.

        Raises:
            LeaplabError: no such space.
        """
        space, count = self.space(space), self._cluster_count
        parameters = {"space": space, "clusters": count}

        def numbered(vectors: NDArray[np.float32] | PartedVectors) -> NDArray[np.int32]:
            return cluster_numbers(vectors, count)

        return cached(
            self.store, "k-means", CLUSTER_VERSION, parameters, lambda: self._spread(space, numbered, np.int32(-1))
        )

    @cached_property
    def notices(self) -> list[str]:
        """What a person who looks at the run should know of it."""
        from leaplab.population.notices import notices_of

        return notices_of(self)

    @cached_property
    def _computed(self) -> Mapping[str, ComputedColumn]:
        return computed_columns(self.store)

    @cached_property
    def _keys(self) -> dict[str, NDArray[Any]]:
        # An answer that is cached needs nothing else of the table.
        return self.store.read([ID, STATE])

    @cached_property
    def _table(self) -> dict[str, NDArray[Any]]:
        # The columns of a row lie in the same files, so one pass gives all of them.
        return self.store.read([STATE, *self.store.columns()])

    @cached_property
    def tags(self) -> Tags:
        """What a person has named."""
        return Tags(self)

    @cached_property
    def objects(self) -> "Objects":
        """Its element instances."""
        from leaplab.population.objects import Objects

        return Objects(self)

    @cached_property
    def rows_by_name(self) -> dict[tuple[str, str], int]:
        """(state, id) -> row."""
        return {name: row for row, name in enumerate(zip(self.states, self.ids, strict=True))}

    @cached_property
    def _rows_by_id(self) -> dict[str, list[int]]:
        rows: dict[str, list[int]] = {}
        for row, sample_id in enumerate(self.ids):
            rows.setdefault(sample_id, []).append(row)
        return rows

    @cached_property
    def _cluster_count(self) -> int:
        """As many clusters as the first prediction has labels, where it has a moderate number of them."""
        predictions = self.store.manifest.predictions
        labels = len(predictions[0].labels) if predictions else 0
        return min(labels if 2 <= labels <= 50 else DEFAULT_CLUSTERS, self.samples)

    def _codes(self, name: str) -> NDArray[Any]:
        """A computed column for a condition: NaN, which is unknown there, where it has no value."""
        values = self.values(name).astype(np.float64)
        return np.where(values < 0, np.nan, values) if name == CLUSTER_COLUMN else values

    def _projected(
        self, space: str, method: Method, progress: Callable[[int, int], None] | None
    ) -> NDArray[np.float32]:
        def drawn(vectors: NDArray[np.float32] | PartedVectors) -> NDArray[np.float32]:
            return project(vectors, method, SEED, progress)

        if method == QUICK:  # computed anew in a moment; it stands in for another
            return self._spread(space, drawn, np.float32(np.nan))
        rows = self.vectors(space).rows
        names = [f"{self.states[row]}/{self.ids[row]}" for row in rows.tolist()]
        kept = places_path(self.store.path, f"{space} {method} {MAP_VERSION}")
        return self._spread(space, lambda vectors: steady(kept, names, vectors, drawn), np.float32(np.nan))

    def _spread(
        self, space: str, compute: Callable[[NDArray[np.float32] | PartedVectors], NDArray[Any]], otherwise: np.generic
    ) -> NDArray[Any]:
        """What is computed of the finite vectors, laid over all rows."""
        vectors = self.vectors(space)
        made = compute(vectors.values)
        if not vectors.left_out:
            return made
        return laid_over(self.samples, vectors.rows, made, otherwise)


def laid_over(count: int, rows: NDArray[np.int64], made: NDArray[Any], otherwise: np.generic) -> NDArray[Any]:
    """[count, ...] with what was made of some rows in their places, and something else in all others."""
    whole = np.full((count, *made.shape[1:]), otherwise, made.dtype)
    whole[rows] = made
    return whole


def open_population(path: Path) -> Population:
    """The population of a run's folder.

    Raises:
        LeaplabError: see `RunStore.open`.
    """
    return Population(RunStore.open(path))
