"""A run as the page draws it: columns with their kinds, points of a map, clusters."""

from functools import cached_property
from typing import Any

import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from leaplab.analysis.clusters import k_means
from leaplab.analysis.projection import METHODS, Method, project
from leaplab.errors import LeaplabError
from leaplab.protocol.model import LATENT_SPACE
from leaplab.store.derived import derived
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import ID, STATE, RunStore

MAX_CATEGORIES = 1000
"""A column of more distinct strings is text: shown for a sample, no colour."""
MAX_INTEGER_CATEGORIES = 20
"""An integer column of more distinct values is a number on a scale."""
SEED = 0
DEFAULT_CLUSTERS = 20
STATE_COLUMN, CLUSTER_COLUMN = "sample.state", "cluster.k-means"


class Column(Struct, frozen=True):
    """A column as the page knows it. Categorical columns have categories, continuous ones a range."""

    name: str
    label: str
    group: str
    type: str
    kind: str
    categories: list[str] | UnsetType = UNSET
    min: float | UnsetType | None = UNSET
    max: float | UnsetType | None = UNSET
    direction: str | UnsetType = UNSET
    insights: bool | UnsetType = UNSET


class InstanceColumn(Struct, frozen=True):
    """A column of the element instances as the page knows it."""

    name: str
    label: str
    direction: str | UnsetType = UNSET


class Population:
    """All samples of a run, read once: the columns of a row lie in the same files, so one pass gives all of them."""

    def __init__(self, store: RunStore) -> None:
        self.store = store

    @cached_property
    def _table(self) -> dict[str, NDArray[Any]]:
        return self.store.read([ID, STATE, *self.store.columns()])

    @cached_property
    def spaces(self) -> dict[str, int]:
        """Latent space -> width; the model's own first."""
        spaces = self.store.latent_spaces()
        return dict(sorted(spaces.items(), key=lambda item: item[0] != LATENT_SPACE))

    @cached_property
    def ids(self) -> list[str]:
        """Sample ids in row order."""
        return [str(sample_id) for sample_id in self._table[ID]]

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column that the page offers."""
        described = [Column(STATE_COLUMN, "state", "sample", "string", "categorical", list(self.store.manifest.states))]
        if self.spaces:
            categories = [str(number) for number in range(cluster_count(self.store))]
            described.append(Column(CLUSTER_COLUMN, "k-means cluster", "cluster", "int", "categorical", categories))
        described += [self._described(name) for name in self._table if name not in (ID, STATE)]
        return {column.name: column for column in described}

    @cached_property
    def instance_columns(self) -> list[InstanceColumn]:
        """Every column of the element instances; none where the run has no instances."""
        entries = self.store.instance_columns()
        return [InstanceColumn(name, name.split(".", 1)[-1], _direction(entry)) for name, entry in entries.items()]

    def column_bytes(self, name: str) -> bytes:
        """Little endian, in row order: float32 of a continuous column, int32 codes of a categorical one (absent -1).

        Raises:
            LeaplabError: there is no such column, or it is text.
        """
        column = self.columns.get(name)
        if column is None:
            raise LeaplabError(f"This run has no column '{name}'.")
        if column.kind == "text" or (column.categories is UNSET and column.kind == "categorical"):
            raise LeaplabError(f"Column '{name}' is text; it has no colours.")
        values = self._read(name)
        if column.kind == "continuous":
            return values.astype("<f4").tobytes()
        assert not isinstance(column.categories, UnsetType)
        codes = {category: code for code, category in enumerate(column.categories)}
        texts = _texts(values)
        return np.array([-1 if text is None else codes[text] for text in texts], "<i4").tobytes()

    def points(self, space: str, method: str) -> bytes:
        """Float32 x0 y0 x1 y1 ... of a map, little endian, within [-1, 1].

        Raises:
            LeaplabError: no such space or method.
        """
        if method not in METHODS:
            raise LeaplabError(f"There is no projection '{method}'; there are {', '.join(METHODS)}.")
        return map_points(self.store, space, method).astype("<f4").tobytes()

    def prepare(self) -> None:
        """Compute what the page opens with."""
        assert self.columns
        if self.spaces:
            map_points(self.store, next(iter(self.spaces)), METHODS[0])

    def state_of(self, row: int) -> str:
        """The state of a row.

        Raises:
            LeaplabError: no such row.
        """
        if not 0 <= row < self.store.samples:
            raise LeaplabError(f"This run has no sample {row}; rows are 0 to {self.store.samples - 1}.")
        return str(self._read(STATE_COLUMN)[row])

    def _read(self, name: str) -> NDArray[Any]:
        if name == CLUSTER_COLUMN:
            return cluster_numbers(self.store, next(iter(self.spaces)))
        return self._table[STATE if name == STATE_COLUMN else name]

    def _described(self, name: str) -> Column:
        entry = self.store.column_entry(name)
        group, label = name.split(".", 1)
        values = self._read(name)
        texts: list[str] | None = None
        if entry.type == "string":
            texts = sorted({value for value in values if value is not None})
        elif entry.type == "boolean":
            texts = [text for text, value in (("false", False), ("true", True)) if (values == value).any()]
        elif entry.type == "int":
            distinct = np.unique(values[~np.isnan(values)])
            if len(distinct) <= MAX_INTEGER_CATEGORIES:
                texts = [str(int(value)) for value in distinct]
        if texts is not None:
            if len(texts) > MAX_CATEGORIES:
                return Column(name, label, group, entry.type, "text")
            return Column(name, label, group, entry.type, "categorical", texts)
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
        insights = UNSET if entry.insights is None else entry.insights
        return Column(name, label, group, entry.type, "continuous", UNSET, low, high, _direction(entry), insights)


def _direction(entry: ColumnEntry) -> str | UnsetType:
    # Without insights neither more nor less of it is better.
    return UNSET if entry.direction is None or entry.insights is False else entry.direction


def map_points(store: RunStore, space: str, method: Method) -> NDArray[np.float32]:
    """[N, 2] of a latent space, computed once a run.

    Raises:
        LeaplabError: there is no such space, or its vectors are not finite.
    """
    parameters = {"space": space, "method": method, "seed": SEED, "version": 1}
    return derived(store, "map", parameters, lambda: project(_finite_latent(store, space), method, SEED))


def cluster_count(store: RunStore) -> int:
    """As many clusters as the first prediction has labels, where it has a moderate number of them."""
    labels = len(store.manifest.predictions[0].labels) if store.manifest.predictions else 0
    return min(labels if 2 <= labels <= 50 else DEFAULT_CLUSTERS, store.samples)


def cluster_numbers(store: RunStore, space: str) -> NDArray[np.int32]:
    """[N] k-means clusters of a latent space, computed once a run.

    Raises:
        LeaplabError: as `map_points` does.
    """
    clusters = cluster_count(store)
    parameters = {"space": space, "clusters": clusters, "seed": SEED, "version": 1}
    return derived(store, "k-means", parameters, lambda: k_means(_finite_latent(store, space), clusters, SEED))


def _finite_latent(store: RunStore, space: str) -> NDArray[np.float32]:
    vectors = store.latent(space)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise LeaplabError(
            f"{int((~finite).sum())} vectors of the latent space '{space}' hold NaN or infinity, so it has no map;"
            " look at the model, or take another layer by --latent."
        )
    return vectors


def _texts(values: NDArray[Any]) -> list[str | None]:
    if values.dtype == object:
        return [
            None if v is None else ("true" if v else "false") if isinstance(v, bool | np.bool_) else str(v)
            for v in values
        ]
    return [None if np.isnan(value) else str(int(value)) for value in values]
