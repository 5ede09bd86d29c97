"""One run on disk.

runs/NAME/
  manifest.json
  samples/00000.parquet            sample_id, state and every column; written last, so it marks a part as whole
  latent/SPACE/00000.npy           [n, W] float32
  predictions/NAME/00000.npy       [n, ...] float32, small outputs only
  confusion/COLUMN/00000.parquet   sample (row of the run), label, expected, probability
  derived/                         what analyses made of it; may be deleted at any time
"""

import atexit
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

import duckdb
import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.store.files import write_array, written_aside
from leaplab.store.manifest import ColumnEntry, Manifest, Part, read_manifest, write_manifest

SQL_TYPES = {"float": "DOUBLE", "int": "BIGINT", "string": "VARCHAR", "boolean": "BOOLEAN"}
DTYPES: dict[str, type] = {"float": np.float64, "int": np.int64, "string": object, "boolean": np.bool_}
DUMMIES: dict[str, Any] = {"float": 0.0, "int": 0, "boolean": False}
"""Stand in an array for values that are absent; a mask beside it makes them NULL."""
CONFUSION_TYPES = {"sample": "int", "label": "string", "expected": "boolean", "probability": "float"}
ID, STATE = "sample_id", "state"

Replace = Literal["never", "outdated", "always"]


class RunStore:
    """A run's folder, to write parts to and to read columns from."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def open(cls, path: Path) -> "RunStore":
        """Open a run for reading.

        Raises:
            LeaplabError: it is no run, of another schema, or incomplete.
        """
        store = cls(path, read_manifest(path / "manifest.json"))
        missing = len(store.missing_parts())
        if missing:
            raise LeaplabError(
                f"{path} is incomplete: {missing} of {len(store.manifest.parts)} parts are missing;"
                " run the same `leaplab evaluate` again, it goes on where it stopped."
            )
        return store

    @classmethod
    def begin(cls, path: Path, manifest: Manifest, replace: Replace = "never") -> "RunStore":
        """Open a run for writing: an interrupted or finished one of the same identity is taken up.

        An *incomplete* run of another identity (the integration was mended in between) is replaced in any case. A
        complete one is replaced where `replace` is `outdated`; `always` replaces whatever run is there.

        Raises:
            LeaplabError: a run that is not to be replaced, or something that is no run, is in the way.
        """
        manifest_path = path / "manifest.json"
        if manifest_path.exists():
            present = None if replace == "always" else cls._to_take_up(path, manifest, replace)
            if present is not None:
                return present
            _remove(path)
        elif path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise LeaplabError(f"{path} exists and is no run; choose another --name.")
        write_manifest(manifest_path, manifest)
        return cls(path, manifest)

    @classmethod
    def _to_take_up(cls, path: Path, manifest: Manifest, replace: Replace) -> "RunStore | None":
        try:
            present = cls(path, read_manifest(path / "manifest.json"))
        except LeaplabError:
            if replace == "outdated":
                return None
            raise
        if present.manifest.identity == manifest.identity:
            return present
        if replace == "outdated" or present.missing_parts():
            return None
        raise LeaplabError(
            f"{path} holds a run of another model, other code or other options;"
            " give this one a --name, or replace that one by --update."
        )

    def missing_parts(self) -> list[Part]:
        """Parts that are not whole on disk."""
        return [part for part in self.manifest.parts if not self._part(part.number).exists()]

    def write_part(
        self,
        part: Part,
        ids: Sequence[str | int],
        columns: Mapping[str, Sequence[Any]],
        latents: Mapping[str, NDArray[Any]],
        predictions: Mapping[str, NDArray[Any]],
        confusion: Mapping[str, Mapping[str, Sequence[Any]]],
    ) -> None:
        """Write one part.

        Args:
            part: which one.
            ids: its n sample ids.
            columns: column -> n values, None where absent.
            latents: space -> [n, W].
            predictions: name -> [n, ...].
            confusion: metric column -> offset, label, expected, probability; offsets count within the part.
        """
        name = f"{part.number:05d}"
        for space, vectors in latents.items():
            write_array(self._folder("latent", space) / f"{name}.npy", vectors.astype(np.float32, copy=False))
        for prediction, values in predictions.items():
            write_array(self._folder("predictions", prediction) / f"{name}.npy", values)
        first_row = self._first_row(part)
        for column, elements in confusion.items():
            elements = {**elements, "sample": [first_row + offset for offset in elements["offset"]]}
            table = {name: elements[name] for name in CONFUSION_TYPES}
            _write_parquet(self._folder("confusion", column) / f"{name}.parquet", table, CONFUSION_TYPES)

        kinds = {column: self.column_entry(column).type for column in columns}
        everything = {ID: [str(i) for i in ids], STATE: [part.state] * len(ids), **columns}
        kinds |= {ID: "string", STATE: "string"}
        _write_parquet(self._part(part.number), everything, kinds)

    @property
    def samples(self) -> int:
        """Number of samples of the plan."""
        return sum(part.stop - part.start for part in self.manifest.parts)

    def columns(self) -> dict[str, ColumnEntry]:
        """Every column of the samples, without the id and the state, in the order of writing."""
        with _connection() as connection:
            rows = connection.execute(f"DESCRIBE SELECT * FROM {self._table()}").fetchall()
        return {row[0]: self.column_entry(row[0]) for row in rows if row[0] not in (ID, STATE)}

    def column_entry(self, column: str) -> ColumnEntry:
        """What is declared of a column. A metric that returns a dictionary declares for its keys, or for all."""
        declared = self.manifest.columns
        if column in declared:
            return declared[column]
        owners = [name for name in declared if column.startswith(f"{name}_")]
        return declared[max(owners, key=len)] if owners else ColumnEntry("float")

    def read(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns in row order.

        Returns:
            Numbers as float64 with NaN where absent; booleans and strings as objects with None where absent.
        """
        selected = ", ".join(
            f"{_quoted(c)}::DOUBLE AS {_quoted(c)}" if self._is_number(c) else _quoted(c) for c in columns
        )
        with _connection() as connection:
            read = connection.execute(f"SELECT {selected} FROM {self._table()}").fetchnumpy()
        return {column: _filled(read[column], self._is_number(column)) for column in columns}

    def row(self, row: int) -> dict[str, Any]:
        """All values of one sample, with its id and state; None where absent."""
        part = next(p for p in self.manifest.parts if row < self._first_row(p) + p.stop - p.start)
        with _connection() as connection:
            query = f"SELECT * FROM read_parquet({_literal(self._part(part.number))}) LIMIT 1 OFFSET ?"
            cursor = connection.execute(query, [row - self._first_row(part)])
            names = [column[0] for column in cursor.description]
            values = cursor.fetchone()
        assert values is not None
        absent = dict.fromkeys(self.columns())  # a column that this sample's part has not
        return {**dict.fromkeys((ID, STATE)), **absent, **dict(zip(names, values, strict=True))}

    def latent_spaces(self) -> dict[str, int]:
        """Latent space -> width."""
        folder = self.path / "latent"
        spaces = sorted(unquote(path.name) for path in folder.iterdir()) if folder.exists() else []
        return {space: self._arrays("latent", space)[0].shape[1] for space in spaces}

    def latent(self, space: str) -> NDArray[np.float32]:
        """[N, W] float32 in row order.

        Raises:
            LeaplabError: the run has no such space.
        """
        if space not in self.latent_spaces():
            raise LeaplabError(f"{self.path} has no latent space '{space}'; it has {', '.join(self.latent_spaces())}.")
        return np.concatenate(self._arrays("latent", space))

    def prediction(self, name: str, row: int) -> NDArray[np.float32] | None:
        """One sample's stored output; None where the output was too large to store."""
        if not self._folder("predictions", name).exists():
            return None
        for part in self.manifest.parts:
            offset = row - self._first_row(part)
            if offset < part.stop - part.start:
                array: NDArray[np.float32] = np.load(
                    self._folder("predictions", name) / f"{part.number:05d}.npy", mmap_mode="r"
                )
                return np.array(array[offset])
        raise IndexError(row)

    def _arrays(self, folder: str, name: str) -> list[NDArray[np.float32]]:
        paths = [self._folder(folder, name) / f"{part.number:05d}.npy" for part in self.manifest.parts]
        return [np.load(path, mmap_mode="r") for path in paths]

    def _folder(self, kind: str, name: str) -> Path:
        return self.path / kind / quote(name, safe=" ")  # names are free text; a slash would make folders of it

    def _part(self, number: int) -> Path:
        return self.path / "samples" / f"{number:05d}.parquet"

    def _first_row(self, part: Part) -> int:
        return sum(p.stop - p.start for p in self.manifest.parts if p.number < part.number)

    def _table(self) -> str:
        files = ", ".join(_literal(self._part(part.number)) for part in self.manifest.parts)
        return f"read_parquet([{files}], union_by_name = true)"

    def _is_number(self, column: str) -> bool:
        return column not in (ID, STATE) and self.column_entry(column).type in ("float", "int")


def safe_name(text: str) -> str:
    """A name that is a single, ordinary folder on every system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "run"


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"preserve_insertion_order": "true"})
    atexit.register(connection.close)
    return connection


def _connection() -> duckdb.DuckDBPyConnection:
    """A cursor of the process's one in-memory database: opening one for each query costs more than the query."""
    return _database().cursor()


def _write_parquet(path: Path, table: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]) -> None:
    """Write columns of values, None where absent, as their stated kinds: a part may be absent throughout."""
    arrays: dict[str, NDArray[Any]] = {}
    selected = []
    for position, (name, values) in enumerate(table.items()):
        kind = kinds[name]
        value, absent, nan = f"value{position}", f"absent{position}", f"nan{position}"
        missing = np.array([item is None for item in values], bool)
        if missing.any() and kind != "string":
            values = [DUMMIES[kind] if item is None else item for item in values]
        arrays[value] = np.array(values, DTYPES[kind])
        column = f"{value}::{SQL_TYPES[kind]}"
        if missing.any() and kind != "string":
            arrays[absent] = missing
            column = f"CASE WHEN {absent} THEN NULL ELSE {column} END"
        if kind == "float" and (not_a_number := np.isnan(arrays[value])).any():
            # DuckDB reads a NaN of numpy as NULL; a loss that is NaN is no absent loss.
            arrays[nan] = not_a_number
            column = f"CASE WHEN {nan} THEN 'nan'::DOUBLE ELSE {column} END"
        selected.append(f"{column} AS {_quoted(name)}")
    with written_aside(path) as aside, _connection() as connection:
        connection.register("part", arrays)
        connection.execute(
            f"COPY (SELECT {', '.join(selected)} FROM part) TO {_literal(aside)} (FORMAT parquet, COMPRESSION zstd)"
        )


def _filled(values: NDArray[Any], number: bool) -> NDArray[Any]:
    if number:
        return np.ma.filled(np.ma.asarray(values, np.float64), np.nan)
    filled = np.ma.getdata(values).astype(object)
    filled[np.ma.getmaskarray(values)] = None  # `np.ma.filled(values, None)` would fill in a question mark
    return filled


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _remove(path: Path) -> None:
    # Renamed first: a removal that is interrupted leaves no half of a run under its name.
    doomed = path.with_name(f".{path.name}.{os.getpid()}.removed")
    path.replace(doomed)
    shutil.rmtree(doomed)
