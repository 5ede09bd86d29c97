"""Columns that analyses made of a run's samples (`analysis.*`), kept until its samples change or they are made anew.

They lie beside the run, or in memory where the run is read-only.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.files import file_name, write_array, write_json
from leaplab.store.columns import ANALYSIS, column_of
from leaplab.store.run import RunStore

CLUSTER_COLUMN = column_of(ANALYSIS, "cluster")


@dataclass(frozen=True)
class ComputedColumn:
    """One number a sample.

    Attributes:
        label: what it is, for a person: it names the question that it answers.
        values: [N] float64, NaN for a sample that has none.
        direction: `upward` where more is better, `downward` where less is; None where neither is.
    """

    label: str
    values: NDArray[np.float64]
    direction: str | None = None


class _Kept(Struct, frozen=True):
    """A column's description on disk; what it was made of decides whether it still counts."""

    name: str
    label: str
    direction: str | None
    identity: str
    revision: int
    values: str


_in_memory: dict[tuple[Path, str, int], dict[str, ComputedColumn]] = {}
"""Folder, and the run's identity and revision -> name -> column."""


def keep(store: RunStore, name: str, column: ComputedColumn) -> None:
    """Keep a column of a run in the place of the former one of that name.

    Args:
        name: without its group; not `cluster`.

    Raises:
        LeaplabError: the name is taken.
    """
    if column_of(ANALYSIS, name) == CLUSTER_COLUMN:
        raise LeaplabError(f"The column {CLUSTER_COLUMN} is that of the clusters; choose another name.")
    assert column.values.shape == (store.samples,), (column.values.shape, store.samples)
    described = _folder(store) / f"{file_name(name)}.json"
    digest = hashlib.sha256(column.values.tobytes()).hexdigest()[:16]
    values = f"{file_name(name)}-{digest}.npy"
    manifest = store.manifest
    kept = _Kept(name, column.label, column.direction, manifest.identity, manifest.revision, values)
    try:
        former = _read(described)
        write_array(described.with_name(values), column.values)
        write_json(described, kept)
        if former is not None and former.values != values:
            described.with_name(former.values).unlink(missing_ok=True)
        _in_memory.get(_key(store), {}).pop(name, None)
    except OSError:  # a run that is only to be read, or a full disk: the column counts as long as this process
        _in_memory.setdefault(_key(store), {})[name] = column


def computed_columns(store: RunStore) -> Mapping[str, ComputedColumn]:
    """Column, with its group -> what was kept, in the order of their names; none of other samples than the run's."""
    columns: dict[str, ComputedColumn] = {}
    folder, manifest = _folder(store), store.manifest
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        kept = _read(path)
        if kept is None or (kept.identity, kept.revision) != (manifest.identity, manifest.revision):
            continue
        try:
            values = np.load(path.with_name(kept.values), allow_pickle=False)
        except (OSError, ValueError):  # another process puts a new one in its place, or it was cut off
            continue
        if values.shape == (store.samples,):
            columns[column_of(ANALYSIS, kept.name)] = ComputedColumn(kept.label, values, kept.direction)
    columns |= {column_of(ANALYSIS, name): column for name, column in _in_memory.get(_key(store), {}).items()}
    return dict(sorted(columns.items()))


def _folder(store: RunStore) -> Path:
    return store.path / "derived" / "columns"


def _key(store: RunStore) -> tuple[Path, str, int]:
    return _folder(store), store.manifest.identity, store.manifest.revision


def _read(path: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (FileNotFoundError, msgspec.DecodeError):  # there is none, or another version of leaplab wrote it
        return None
