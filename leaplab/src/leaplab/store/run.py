"""One run on disk.

runs/NAME/
  manifest.json
  samples/00000.parquet            sample_id, state and every column; written last, so it marks a part as whole
  instances/00000.parquet          the element instances of these samples, where the integration has any
  latent/SPACE/00000.npy           [n, W] float32
  predictions/NAME/00000.npy       [n, ...] float32, small outputs only
  confusion/COLUMN/00000.parquet   sample (row of the run), label, expected, probability
  derived/                         what analyses made of it; may be deleted at any time
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.files import write_array
from leaplab.protocol.plan import Part
from leaplab.store.manifest import ColumnEntry, Manifest, read_manifest, write_manifest
from leaplab.store.parquet import column_names, read_columns, read_rows, write_table

CONFUSION_TYPES = {"sample": "int", "label": "string", "expected": "boolean", "probability": "float"}
ID, STATE = "sample_id", "state"
KEYS = {ID: "string", STATE: "string"}
"""What identifies a sample, and the type."""
INSTANCE_KEYS = {"instance_id": "string", "sample": "int", ID: "string", STATE: "string", "number": "int"}
"""What identifies an element instance: `sample` is the row of its sample in the run."""

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
        instances: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """Write one part.

        Args:
            part: which one.
            ids: its n sample ids.
            columns: column -> n values, None where absent.
            latents: space -> [n, W].
            predictions: name -> [n, ...].
            confusion: metric column -> offset, label, expected, probability; offsets count within the part.
            instances: offset, number and columns of the samples' element instances, which come by sample and number;
                None where the integration has none.
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
            write_table(self._folder("confusion", column) / f"{name}.parquet", table, CONFUSION_TYPES)

        texts = [str(i) for i in ids]
        if instances is not None:
            table = _instance_table(part, texts, first_row, instances)
            kinds = {column: self._instance_kind(column) for column in table}
            write_table(self._part(part.number, "instances"), table, kinds)
        table = {ID: texts, STATE: [part.state] * len(ids), **columns}
        write_table(self._part(part.number), table, {column: self._kind(column) for column in table})

    @property
    def samples(self) -> int:
        """Number of samples of the plan."""
        return sum(part.stop - part.start for part in self.manifest.parts)

    def columns(self) -> dict[str, ColumnEntry]:
        """Every column of the samples, without the id and the state, in the order of writing."""
        return {name: self.column_entry(name) for name in column_names(self._files()) if name not in KEYS}

    def column_entry(self, column: str) -> ColumnEntry:
        """What is declared of a column. A metric that returns a dictionary declares for its keys, or for all."""
        return _entry(self.manifest.columns, column)

    def read(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns in row order.

        Returns:
            Numbers as float64 with NaN where absent; booleans and strings as objects with None where absent.
        """
        return read_columns(self._files(), {column: self._kind(column) for column in columns})

    def row(self, row: int) -> dict[str, Any]:
        """All values of one sample, with its id and state; None where absent."""
        part = self._part_of(row)
        (values,) = read_rows(self._part(part.number), "LIMIT 1 OFFSET ?", row - self._first_row(part))
        absent = dict.fromkeys(self.columns())  # a column that this sample's part has not
        return {**dict.fromkeys(KEYS), **absent, **values}

    @property
    def has_instances(self) -> bool:
        """Whether the run's integration has element instances."""
        return bool(self.manifest.instances)

    def instance_columns(self) -> dict[str, ColumnEntry]:
        """Every column of the element instances, without `INSTANCE_KEYS`, in the order of writing."""
        names = column_names(self._files("instances")) if self.has_instances else []
        return {name: _entry(self.manifest.instance_columns, name) for name in names if name not in INSTANCE_KEYS}

    def read_instances(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns of the element instances, `INSTANCE_KEYS` among them, by sample and number.

        Returns:
            As `read` does.

        Raises:
            LeaplabError: the run has no element instances.
        """
        if not self.has_instances:
            raise LeaplabError(f"{self.path} has no element instances; its integration declares none.")
        return read_columns(self._files("instances"), {column: self._instance_kind(column) for column in columns})

    def instances_of(self, row: int) -> list[dict[str, Any]]:
        """All values of each element instance of one sample, by number; None where absent."""
        if not self.has_instances:
            return []
        return read_rows(self._part(self._part_of(row).number, "instances"), "WHERE sample = ? ORDER BY number", row)

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

    def _part(self, number: int, table: str = "samples") -> Path:
        return self.path / table / f"{number:05d}.parquet"

    def _files(self, table: str = "samples") -> list[Path]:
        return [self._part(part.number, table) for part in self.manifest.parts]

    def _part_of(self, row: int) -> Part:
        return next(p for p in self.manifest.parts if row < self._first_row(p) + p.stop - p.start)

    def _first_row(self, part: Part) -> int:
        return sum(p.stop - p.start for p in self.manifest.parts if p.number < part.number)

    def _kind(self, column: str) -> str:
        return KEYS.get(column) or self.column_entry(column).type

    def _instance_kind(self, column: str) -> str:
        return INSTANCE_KEYS.get(column) or _entry(self.manifest.instance_columns, column).type


def safe_name(text: str) -> str:
    """A name that is a single, ordinary folder on every system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "run"


def _instance_table(
    part: Part, ids: Sequence[str], first_row: int, instances: Mapping[str, Sequence[Any]]
) -> dict[str, Sequence[Any]]:
    offsets, numbers = instances["offset"], instances["number"]
    keys: dict[str, Sequence[Any]] = {
        "instance_id": [f"{ids[offset]}_{number}" for offset, number in zip(offsets, numbers, strict=True)],
        "sample": [first_row + offset for offset in offsets],
        ID: [ids[offset] for offset in offsets],
        STATE: [part.state] * len(offsets),
        "number": numbers,
    }
    return keys | {column: values for column, values in instances.items() if column not in ("offset", "number")}


def _entry(declared: Mapping[str, ColumnEntry], column: str) -> ColumnEntry:
    if column in declared:
        return declared[column]
    owners = [name for name in declared if column.startswith(f"{name}_")]
    return declared[max(owners, key=len)] if owners else ColumnEntry("float")


def _remove(path: Path) -> None:
    # Renamed first: a removal that is interrupted leaves no half of a run under its name.
    doomed = path.with_name(f".{path.name}.{os.getpid()}.removed")
    path.replace(doomed)
    shutil.rmtree(doomed)
