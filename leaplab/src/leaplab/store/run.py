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
import shutil
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.files import file_name, write_array
from leaplab.protocol.plan import Part
from leaplab.store.columns import ID, STATE, declared_of
from leaplab.store.manifest import ColumnEntry, Manifest, read_manifest, write_manifest
from leaplab.store.parquet import column_names, read_columns, read_rows, write_table

CONFUSION_TYPES = {"sample": "int", "label": "string", "expected": "boolean", "probability": "float"}
UNDECLARED = ColumnEntry("float")
"""What a metric returns under a key that nobody declared."""
KEYS = {ID: "string", STATE: "string"}
"""What identifies a sample, and the type."""
INSTANCE_KEYS = {"instance_id": "string", "sample": "int", ID: "string", STATE: "string", "number": "int"}
"""What identifies an element instance: `sample` is the row of its sample in the run."""

Replace = Literal["never", "outdated", "always"]


@dataclass(frozen=True)
class PartValues:
    """What a part of a run holds.

    Attributes:
        part: which one.
        ids: its n sample ids.
        columns: column -> n values, None where absent.
        latents: space -> [n, W].
        predictions: name -> [n, ...].
        confusion: metric column -> offset, label, expected, probability; offsets count within the part.
        instances: offset, number and columns of the samples' element instances, which come by sample and number; None
            where the integration has none.
    """

    part: Part
    ids: Sequence[str | int]
    columns: Mapping[str, Sequence[Any]]
    latents: Mapping[str, NDArray[Any]]
    predictions: Mapping[str, NDArray[Any]]
    confusion: Mapping[str, Mapping[str, Sequence[Any]]]
    instances: Mapping[str, Sequence[Any]] | None = None


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

    def write_part(self, values: PartValues) -> None:
        """Write one part."""
        part, name = values.part, f"{values.part.number:05d}"
        for space, vectors in values.latents.items():
            write_array(self._folder("latent", space) / f"{name}.npy", vectors.astype(np.float32, copy=False))
        for prediction, outputs in values.predictions.items():
            write_array(self._folder("predictions", prediction) / f"{name}.npy", outputs)
        first_row = self._first_rows[part.number]
        for column, elements in values.confusion.items():
            elements = {**elements, "sample": [first_row + offset for offset in elements["offset"]]}
            table = {name: elements[name] for name in CONFUSION_TYPES}
            write_table(self._folder("confusion", column) / f"{name}.parquet", table, CONFUSION_TYPES)

        texts = [str(i) for i in values.ids]
        if values.instances is not None:
            table = _instance_table(part, texts, first_row, values.instances)
            kinds = {column: self._instance_kind(column) for column in table}
            write_table(self._part(part.number, "instances"), table, kinds)
        table = {ID: texts, STATE: [part.state] * len(texts), **values.columns}
        write_table(self._part(part.number), table, {column: self._kind(column) for column in table})

    @property
    def samples(self) -> int:
        """Number of samples of the plan."""
        return sum(part.stop - part.start for part in self.manifest.parts)

    def columns(self) -> dict[str, ColumnEntry]:
        """Every column of the samples, without the id and the state, in the order of writing."""
        return {name: self.column_entry(name) for name in self._column_names if name not in KEYS}

    @cached_property
    def _column_names(self) -> list[str]:
        return column_names(self._files())

    def column_entry(self, column: str) -> ColumnEntry:
        """What is declared of a column. A metric that returns a dictionary declares for its keys, or for all."""
        return declared_of(column, self.manifest.columns, UNDECLARED)

    def read(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns in row order.

        Returns:
            As `read_columns` does.
        """
        return read_columns(self._files(), {column: self._kind(column) for column in columns})

    def row(self, row: int) -> dict[str, Any]:
        """All values of one sample, with its id and state; None where absent."""
        part = self._part_of(row)
        (values,) = read_rows(self._part(part.number), "LIMIT 1 OFFSET ?", row - self._first_rows[part.number])
        absent = dict.fromkeys(self.columns())  # a column that this sample's part has not
        return {**dict.fromkeys(KEYS), **absent, **values}

    @property
    def has_instances(self) -> bool:
        """Whether the run's integration has element instances."""
        return bool(self.manifest.instances)

    def instance_columns(self) -> dict[str, ColumnEntry]:
        """Every column of the element instances, without `INSTANCE_KEYS`, in the order of writing."""
        names = column_names(self._files("instances")) if self.has_instances else []
        return {
            name: declared_of(name, self.manifest.instance_columns, UNDECLARED)
            for name in names
            if name not in INSTANCE_KEYS
        }

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
        part = self._part_of(row)
        array = _mapped(self._folder("predictions", name) / f"{part.number:05d}.npy")
        return np.array(array[row - self._first_rows[part.number]])

    def _arrays(self, folder: str, name: str) -> list[NDArray[np.float32]]:
        paths = [self._folder(folder, name) / f"{part.number:05d}.npy" for part in self.manifest.parts]
        return [_mapped(path) for path in paths]

    def sample_files(self) -> list[Path]:
        """The Parquet files of the samples, in row order."""
        return self._files()

    def _folder(self, kind: str, name: str) -> Path:
        return self.path / kind / file_name(name)  # names are free text; a slash would make folders of it

    def _part(self, number: int, table: str = "samples") -> Path:
        return self.path / table / f"{number:05d}.parquet"

    def _files(self, table: str = "samples") -> list[Path]:
        return [self._part(part.number, table) for part in self.manifest.parts]

    def _part_of(self, row: int) -> Part:
        if not 0 <= row < self.samples:
            raise IndexError(row)
        return self.manifest.parts[bisect_right(self._first_rows, row) - 1]

    @cached_property
    def _first_rows(self) -> list[int]:
        """The run's row of each part's first sample, by the part's number."""
        rows, row = [], 0
        for part in self.manifest.parts:
            rows.append(row)
            row += part.stop - part.start
        return rows

    def _kind(self, column: str) -> str:
        return KEYS.get(column) or self.column_entry(column).type

    def _instance_kind(self, column: str) -> str:
        return INSTANCE_KEYS.get(column) or declared_of(column, self.manifest.instance_columns, UNDECLARED).type


def _mapped(path: Path) -> NDArray[np.float32]:
    try:
        array: NDArray[np.float32] = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise LeaplabError(f"{path} cannot be read ({error}); evaluate that run again.") from error
    return array


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


def _remove(path: Path) -> None:
    # Renamed first: a removal that is interrupted leaves no half of a run under its name.
    doomed = path.with_name(f".{path.name}.{os.getpid()}.removed")
    shutil.rmtree(doomed, ignore_errors=True)  # of an interrupted process that had the same number
    path.replace(doomed)
    shutil.rmtree(doomed)
