"""The element instances of a run as its samples are read: columns with kinds, and a map of their own."""

from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.projection import METHODS, in_order, project
from leaplab.errors import MissingError, QuestionError
from leaplab.population.cached import cached
from leaplab.population.columns import Column, described
from leaplab.population.population import MAP_VERSION, SEED, Population, laid_over
from leaplab.store.columns import METRIC, SAMPLE, STATE, STATE_COLUMN, group_of
from leaplab.store.run import INSTANCES_OF, RunStore

OBJECT = "object"
"""Group of the columns that say what an element instance itself is."""


class Objects:
    """All element instances of a run, m of them, by sample and number.

    Args:
        population: the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population

    @property
    def _store(self) -> RunStore:
        return self._population.store

    @cached_property
    def count(self) -> int:
        """Number of element instances, m; 0 where the run has none."""
        return len(self.rows)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """[m] the row of the sample that each belongs to."""
        return self._store.instance_rows() if self._store.has_instances else np.zeros(0, np.int64)

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """[m] the number of each within its sample."""
        return self._store.read_instances(["number"])["number"].astype(np.int64) if self.count else self.rows

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column, by its name; none where the run has no instances."""
        if not self.count:
            return {}
        states = Column(STATE_COLUMN, STATE, SAMPLE, "string", "categorical", list(self._store.manifest.states))
        entries = self._store.instance_columns()
        told = [described(name, entry, self._table[name]) for name, entry in entries.items()]
        told = [column if group_of(column.name) else msgspec.structs.replace(column, group=OBJECT) for column in told]
        return {column.name: column for column in (states, *told)}

    def column(self, name: str) -> Column:
        """A column's description.

        Raises:
            MissingError: there is no such column.
        """
        if name not in self.columns:
            raise MissingError(f"The objects of this run have no column '{name}'.")
        return self.columns[name]

    def values(self, name: str) -> NDArray[Any]:
        """[m] values of a column, as `RunStore.read` gives them.

        Raises:
            MissingError: there is no such column.
        """
        self.column(name)
        if name == STATE_COLUMN:
            return self._states
        return self._table[name]

    def require(self, index: int) -> int:
        """The index itself.

        Raises:
            MissingError: there is no such object.
        """
        if not 0 <= index < self.count:
            raise MissingError(f"This run has no object {index}; it has {self.count}.")
        return index

    def index_of(self, row: int, number: int) -> int | None:
        """The index of a sample's object; None where there is none."""
        found = np.flatnonzero((self.rows == row) & (self.numbers == number))
        return int(found[0]) if len(found) else None

    @property
    def default_colour(self) -> str:
        """What the objects are coloured by first: a metric that has a direction, else the first categories."""
        columns = list(self.columns.values())
        scored = [c for c in columns if c.group == METRIC and isinstance(c.direction, str) and c.kind != "text"]
        told = [c for c in columns if isinstance(c.categories, list) and len(c.categories) > 1 and c.group != SAMPLE]
        return next((column.name for column in (*scored, *told)), STATE_COLUMN)

    def map(self, space: str | None, method: str) -> NDArray[np.float32]:
        """[m, 2] of their vectors in a latent space within [-1, 1], NaN for one without a vector, computed once a run.

        Where the space has no vectors of objects, these are laid out in their order.

        Raises:
            LeaplabError: no such space or method.
        """
        if method not in METHODS:
            raise QuestionError(f"There is no projection '{method}'; there are {', '.join(METHODS)}.")
        if not self._population.spaces:
            return in_order(self.count)
        name = self._population.space(space)
        vectors = self._store.instance_latent(name)
        finite = None if vectors is None else np.isfinite(vectors).all(axis=1)
        if vectors is None or finite is None or not finite.any():
            return in_order(self.count)
        kept, rows, chosen = vectors[finite], np.flatnonzero(finite), method

        def computed() -> NDArray[np.float32]:
            return laid_over(self.count, rows, project(kept, chosen, SEED), np.float32(np.nan))

        parameters = {"space": f"{name}{INSTANCES_OF}", "method": method, "seed": SEED}
        return cached(self._store, "map", MAP_VERSION, parameters, computed)

    @cached_property
    def _states(self) -> NDArray[Any]:
        return np.array(self._population.states, object)[self.rows]

    @cached_property
    def _table(self) -> dict[str, NDArray[Any]]:
        return self._store.read_instances(list(self._store.instance_columns()))
