"""parts/00000.json: what a part of a run holds. It is written last, so where it is, the part is whole."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.files import file_name, write_array, write_json
from leaplab.protocol.results import Skipped
from leaplab.store.parquet import replace_columns, widen_table, write_table


class FileEntry(Struct, frozen=True):
    """A file of a part: its size in bytes and its checksum."""

    size: int
    sha256: str


class PartEntry(Struct, frozen=True):
    """What a part holds.

    Attributes:
        rows: samples that were evaluated: those of the plan without the skipped ones.
        instances: element instances of these.
        columns: of the samples' table, in its order.
        arrays: folder -> name of an array in it -> shape of one row.
        files: path below the run -> the file.
        skipped: samples of the plan that were left out, and why.
        not_finite: column, `latent/SPACE` or `predictions/NAME` -> how many samples have NaN or infinity in it.
        revision: of the run, that its columns are of.
    """

    rows: int
    instances: int
    columns: tuple[str, ...]
    arrays: dict[str, dict[str, tuple[int, ...]]]
    files: dict[str, FileEntry]
    skipped: tuple[Skipped, ...] = ()
    not_finite: dict[str, int] = {}
    revision: int = 0

    def __post_init__(self) -> None:
        # What names the files may come from elsewhere; it must reach none outside of the run.
        for path in (*self.files, *self.arrays):
            if path.startswith("/") or ".." in path.split("/"):
                raise ValueError(f"{path!r} leads out of the run")


class PartFiles:
    """The files of one part as they are written, each whole and on the disk before the part counts.

    Args:
        run: its folder.
        number: of the part.
    """

    def __init__(self, run: Path, number: int) -> None:
        self._run, self._number = run, number
        self.written: dict[str, FileEntry] = {}

    def array(self, folder: str, name: str, values: NDArray[Any]) -> None:
        """Write FOLDER/NAME/00000.npy."""
        path = array_path(self._run, folder, name, self._number)
        write_array(path, values)
        self._add(path)

    def table(
        self, folder: str, name: str | None, columns: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]
    ) -> None:
        """Write FOLDER/NAME/00000.parquet, or FOLDER/00000.parquet."""
        path = table_path(self._run, folder, name, self._number)
        write_table(path, columns, kinds)
        self._add(path)

    def replaced(
        self, folder: str, names: Sequence[str], columns: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]
    ) -> None:
        """Write FOLDER/00000.parquet anew, see `replace_columns`."""
        path = table_path(self._run, folder, None, self._number)
        replace_columns(path, names, columns, kinds)
        self._add(path)

    def widened(self, folder: str, kinds: Mapping[str, str]) -> None:
        """Give FOLDER/00000.parquet these columns, NULL where it has not had one."""
        path = table_path(self._run, folder, None, self._number)
        widen_table(path, kinds)
        self._add(path)

    def _add(self, path: Path) -> None:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        self.written[path.relative_to(self._run).as_posix()] = FileEntry(size, digest)


def array_path(run: Path, folder: str, name: str, number: int) -> Path:
    """Of an array of a part."""
    return run / folder / file_name(name) / f"{number:05d}.npy"  # names are free text; a slash would make folders


def table_path(run: Path, folder: str, name: str | None, number: int) -> Path:
    """Of a table of a part."""
    return (run / folder if name is None else run / folder / file_name(name)) / f"{number:05d}.parquet"


def entry_path(run: Path, number: int) -> Path:
    """Of what says that a part is whole."""
    return run / "parts" / f"{number:05d}.json"


def write_entry(run: Path, number: int, entry: PartEntry) -> None:
    """Publish a part."""
    path = entry_path(run, number)
    write_json(path, entry)
    for each in (path, path.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_entry(run: Path, number: int) -> PartEntry | None:
    """What a part holds; None where it is not whole: not there, damaged, or with a file missing or of another size."""
    entry = written_entry(run, number)
    return None if entry is None or not is_whole(run, entry) else entry  # it is evaluated again, which mends it


def written_entry(run: Path, number: int) -> PartEntry | None:
    """What was last written of a part, whole or not; None where that is nothing, or damaged."""
    try:
        return msgspec.json.decode(entry_path(run, number).read_bytes(), type=PartEntry)
    except (OSError, msgspec.DecodeError):
        return None


def is_whole(run: Path, entry: PartEntry) -> bool:
    """Whether each file of a part is there and of its size."""
    try:
        return all((run / path).stat().st_size == file.size for path, file in entry.files.items())
    except OSError:
        return False


def damaged_files(run: Path, entry: PartEntry) -> list[str]:
    """The files of a part whose content is not what was written: their paths below the run."""
    damaged = []
    for path, file in entry.files.items():
        try:
            with (run / path).open("rb") as opened:
                same = hashlib.file_digest(opened, "sha256").hexdigest() == file.sha256
        except OSError:
            same = False
        if not same:
            damaged.append(path)
    return damaged


def not_finite_rows(values: NDArray[Any]) -> int:
    """How many of [n, ...] hold NaN or infinity."""
    if values.dtype.kind not in "fc" or not values.size:
        return 0
    return int(np.count_nonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1)))
