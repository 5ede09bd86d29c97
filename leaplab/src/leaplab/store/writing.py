"""Writing a run: part by part, each whole or not there, by one process at a time."""

import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import duckdb
import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.plain_text import plain_text
from leaplab.protocol.plan import Part
from leaplab.protocol.results import Skipped
from leaplab.store.columns import ID, LOSS, METRIC, STATE, group_of
from leaplab.store.manifest import Manifest, read_manifest, write_manifest
from leaplab.store.parts import PartEntry, PartFiles, entry_path, not_finite_rows, write_entry
from leaplab.store.run import CONFUSION_TYPES, INSTANCES_OF, KEYS, OFFSET, RunStore

REMOVED = ".removed"
"""Ends the name of a run that is being deleted."""

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
        instance_latents: space -> [m, W], of these; NaN for one without a vector.
        ground_truths: name -> [n, ...].
        thumbnails: input -> [n, 16, 16, C] uint8.
        skipped: samples of the plan that are not among the n.
    """

    part: Part
    ids: Sequence[str | int]
    columns: Mapping[str, Sequence[Any]]
    latents: Mapping[str, NDArray[Any]]
    predictions: Mapping[str, NDArray[Any]]
    confusion: Mapping[str, Mapping[str, Sequence[Any]]]
    instances: Mapping[str, Sequence[Any]] | None = None
    instance_latents: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    ground_truths: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    thumbnails: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()


class WrittenRun(RunStore):
    """A run's folder, to write parts to."""

    @classmethod
    def begin(cls, path: Path, manifest: Manifest, replace: Replace = "never") -> Self:
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
            remove_run(path)
        elif path.exists() and not _is_bare(path):
            raise LeaplabError(f"{path} exists and is no run; choose another --name.")
        with _telling(path):
            write_manifest(manifest_path, manifest)
        return cls(path, manifest)

    @classmethod
    def _to_take_up(cls, path: Path, manifest: Manifest, replace: Replace) -> Self | None:
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

    def forget_skipped(self) -> None:
        """Take the parts that lack skipped samples for missing, so that they are evaluated again."""
        for part, entry in self._whole():
            if entry.skipped:
                self.forget(part)

    def forget(self, part: Part) -> None:
        """Take a part for missing, so that it is evaluated again."""
        self._entries.pop(part.number, None)
        entry_path(self.path, part.number).unlink(missing_ok=True)

    def write_part(self, values: PartValues) -> None:
        """Write one part.

        Raises:
            LeaplabError: the folder holds another run by now, or cannot be written.
        """
        with _telling(self.path):
            self._write_part(values)

    def _write_part(self, values: PartValues) -> None:
        part, ids = values.part, [plain_text(str(i)) for i in values.ids]
        files = PartFiles(self.path, part.number)
        not_finite = {
            column: count
            for column, found in values.columns.items()
            if group_of(column) in (LOSS, METRIC) and (count := _not_finite(found))
        }
        vectors = {space: found.astype(np.float32, copy=False) for space, found in values.latents.items()}
        vectors |= {f"{space}{INSTANCES_OF}": found for space, found in values.instance_latents.items()}
        arrays: tuple[tuple[str, Mapping[str, NDArray[Any]]], ...] = (
            ("latent", vectors),
            ("predictions", values.predictions),
            ("ground_truths", values.ground_truths),
            ("thumbnails", values.thumbnails),
        )
        for folder, named in arrays:
            for name, array in named.items():
                files.array(folder, name, array)
                judged = folder == "predictions" or (folder == "latent" and name in values.latents)
                if judged and (count := not_finite_rows(array)):
                    not_finite[f"{folder}/{name}"] = count
        for column, elements in values.confusion.items():
            table = {**_keys_of(part, ids, elements[OFFSET]), **{key: elements[key] for key in CONFUSION_TYPES}}
            files.table("confusion", column, table, {**KEYS, OFFSET: "int", **CONFUSION_TYPES})
        shapes = {folder: {name: array.shape[1:] for name, array in named.items()} for folder, named in arrays if named}
        instances = 0
        if values.instances is not None:
            instances = len(values.instances[OFFSET])
            table = _instance_table(part, ids, values.instances)
            files.table("instances", None, table, {column: self._instance_type(column) for column in table})
        table = {ID: ids, STATE: [part.state] * len(ids), **values.columns}
        files.table("samples", None, table, {column: self._type(column) for column in table})
        entry = PartEntry(len(ids), instances, tuple(table), shapes, files.written, tuple(values.skipped), not_finite)
        self._publish(part, entry)

    def finish(self) -> None:
        """Give every part's table the columns that some part has, NULL where this one has no value.

        Raises:
            LeaplabError: as `write_part`.
        """
        names = list(self._column_names)
        for part, entry in self._whole():
            if list(entry.columns) == names:
                continue
            with _telling(self.path):
                files = PartFiles(self.path, part.number)
                files.widened("samples", {name: self._type(name) for name in names})
                self._publish(part, structs.replace(entry, columns=tuple(names), files=entry.files | files.written))

    def _publish(self, part: Part, entry: PartEntry) -> None:
        if read_manifest(self.path / "manifest.json").identity != self.manifest.identity:
            raise LeaplabError(f"{self.path} holds another run by now, which something else has begun; evaluate again.")
        write_entry(self.path, part.number, entry)
        self._entries[part.number] = entry


@contextmanager
def _telling(run: Path) -> Iterator[None]:
    """A disk that is full or not to be written is a sentence; what is whole of the run stays."""
    try:
        yield
    except OSError as error:
        raise LeaplabError(_cannot_be_written(run, error.strerror or str(error))) from error
    except duckdb.IOException as error:
        raise LeaplabError(_cannot_be_written(run, str(error).splitlines()[0])) from error


def _cannot_be_written(run: Path, reason: str) -> str:
    return f"{run} cannot be written ({reason}); make room, or name another folder by --runs, and evaluate again."


def _not_finite(values: Sequence[Any]) -> int:
    if isinstance(values, np.ndarray):
        return not_finite_rows(values)
    return sum(isinstance(value, float) and not math.isfinite(value) for value in values)


def _is_bare(path: Path) -> bool:
    """Whether a folder holds nothing but what hides: of the desktop, or of an evaluation that was just beginning."""
    return path.is_dir() and all(found.name.startswith(".") for found in path.iterdir())


def _keys_of(part: Part, ids: Sequence[str], offsets: Sequence[int]) -> dict[str, Sequence[Any]]:
    """What leads from rows of another table to their samples."""
    return {ID: [ids[offset] for offset in offsets], STATE: [part.state] * len(offsets), OFFSET: offsets}


def _instance_table(part: Part, ids: Sequence[str], instances: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    offsets, numbers = instances[OFFSET], instances["number"]
    keys: dict[str, Sequence[Any]] = {
        "instance_id": [f"{ids[offset]}_{number}" for offset, number in zip(offsets, numbers, strict=True)],
        **_keys_of(part, ids, offsets),
        "number": numbers,
    }
    return keys | {column: values for column, values in instances.items() if column not in keys}


def remove_run(path: Path) -> None:
    """Delete a run. One that is interrupted leaves no half of a run under its name."""
    doomed = path.with_name(f".{path.name}.{os.getpid()}{REMOVED}")
    shutil.rmtree(doomed, ignore_errors=True)  # of an interrupted process that had the same number
    path.replace(doomed)
    shutil.rmtree(doomed)


def clear_leftovers(path: Path) -> None:
    """Remove what writers that were killed have left in a run and beside it; the run's lock must be held."""
    beside = re.compile(rf"\.{re.escape(path.name)}\.\d+{re.escape(REMOVED)}")
    for found in path.parent.iterdir() if path.parent.is_dir() else ():
        if beside.fullmatch(found.name):
            shutil.rmtree(found, ignore_errors=True)
    # What analyses write in `derived` may be of a process that is alive.
    for folder in path.iterdir() if path.is_dir() else ():
        for found in folder.rglob(".*.part") if folder.is_dir() and folder.name != "derived" else ():
            found.unlink(missing_ok=True)
    for found in path.glob(".*.part"):
        found.unlink(missing_ok=True)
