"""One run on disk.

runs/NAME/
  manifest.json
  parts/00000.json                      what the part holds, see `leaplab.store.parts`
  samples/00000.parquet                 sample_id, state and every column
  instances/00000.parquet               the element instances of these samples, where the integration has any
  latent/SPACE/00000.npy                [n, W] float32
  latent/SPACE@instances/00000.npy      [m, W] float32, NaN for an instance without a vector
  predictions/NAME/00000.npy            [n, ...] float32, small outputs only
  ground_truths/NAME/00000.npy          [n, ...] float32, small ones only; none on the unlabeled state
  thumbnails/INPUT/00000.npy            [n, 16, 16, C] uint8, of inputs that are images
  confusion/COLUMN/00000.parquet        sample_id, state, offset (in the part), label, expected, probability, id
  history.csv                           step, epoch, state, metric, value of the model's training, where that is known
  derived/                              what analyses made of it; may be deleted at any time

Every Parquet file of a table has the same columns, NULL where a state has no value.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError, MissingError
from leaplab.files import file_name
from leaplab.protocol.plan import Part
from leaplab.protocol.results import Skipped
from leaplab.store.columns import ID, METRIC, OFFSET, STATE, declared_of, group_of
from leaplab.store.confusion import CONFUSION, Elements, read_elements
from leaplab.store.manifest import ColumnEntry, Manifest, read_manifest
from leaplab.store.parquet import column_names, quoted, read_columns, read_rows
from leaplab.store.parts import (
    PartEntry,
    array_path,
    read_entry,
    table_path,
    written_entry,
)
from leaplab.store.remote import RemoteRun, remote_of

INSTANCES_OF = "@instances"
"""Behind the name of a latent space: the vectors of the element instances in it."""
UNDECLARED = ColumnEntry("float")
"""What a metric returns under a key that nobody declared."""
KEYS = {ID: "string", STATE: "string"}
"""What identifies a sample, and the type."""
INSTANCE_ID = "instance_id"
INSTANCE_KEYS = {INSTANCE_ID: "string", OFFSET: "int", ID: "string", STATE: "string", "number": "int"}
"""What identifies an element instance."""


class RunStore:
    """A run's folder, to read from."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._remote = remote_of(path)
        self._entries: dict[int, PartEntry] = {}

    @classmethod
    def open(cls, path: Path) -> "RunStore":
        """Open a run for reading.

        Raises:
            LeaplabError: it is no run, of another schema, or incomplete.
        """
        refreshed(path)
        store = cls(path, read_manifest(path / "manifest.json"))
        missing = len(store.missing_parts())
        if missing:
            raise LeaplabError(
                f"{store.place} is incomplete: {missing} of {len(store.manifest.parts)} parts are missing or damaged;"
                " run the same `leaplab evaluate` again, it makes just these."
            )
        return store

    @property
    def place(self) -> str:
        """Where the run lies, for a person: its folder, or its URL."""
        return str(self.path) if self._remote is None else self._remote.url

    def missing_parts(self) -> list[Part]:
        """Parts that are not whole on disk, or lack what was last computed again."""
        return [part for part in self.manifest.parts if self.entry(part) is None]

    def entry(self, part: Part) -> PartEntry | None:
        """What a part holds; None where it is missing, see `missing_parts`."""
        if part.number not in self._entries:
            entry = self._stored(part)
            if entry is None or entry.revision != self.manifest.revision:
                return None
            self._entries[part.number] = entry
        return self._entries[part.number]

    def _stored(self, part: Part) -> PartEntry | None:
        if self._remote is not None:  # its files come when they are needed
            return written_entry(self.path, part.number)
        return read_entry(self.path, part.number)

    def _here(self, part: Part, path: Path) -> Path:
        """A file of a part, to be read."""
        if self._remote is not None and (entry := self._entries.get(part.number) or self._stored(part)) is not None:
            name = path.relative_to(self.path).as_posix()
            self._remote.fetch({name: entry.files[name]})
        return path

    def _all_here(self, paths: Sequence[tuple[PartEntry, Path]]) -> list[Path]:
        """Files of several parts, to be read."""
        if self._remote is not None:
            names = [(entry, path.relative_to(self.path).as_posix()) for entry, path in paths]
            self._remote.fetch({name: entry.files[name] for entry, name in names})
        return [path for _, path in paths]

    def _whole(self) -> list[tuple[Part, PartEntry]]:
        """The parts that are whole, in their order."""
        return [(part, entry) for part in self.manifest.parts if (entry := self.entry(part)) is not None]

    @property
    def samples(self) -> int:
        """Number of samples that were evaluated; of a part that is missing, those of the plan."""
        return sum(self.states.values())

    @property
    def states(self) -> dict[str, int]:
        """State -> number of samples that were evaluated; of a part that is missing, those of the plan."""
        counts = dict.fromkeys(self.manifest.states, 0)
        for part in self.manifest.parts:
            entry = self.entry(part)
            counts[part.state] += part.stop - part.start if entry is None else entry.rows
        return counts

    @property
    def skipped(self) -> list[Skipped]:
        """Samples that were left out, and why."""
        return [skipped for _, entry in self._whole() for skipped in entry.skipped]

    @property
    def not_finite(self) -> dict[str, int]:
        """Column, `latent/SPACE` or `predictions/NAME` -> how many samples have NaN or infinity in it."""
        counts: Counter[str] = Counter()
        for _, entry in self._whole():
            counts.update(entry.not_finite)
        return dict(counts)

    def columns(self) -> dict[str, ColumnEntry]:
        """Every column of the samples, without the id and the state, in the order of writing."""
        return {name: self.column_entry(name) for name in self._column_names if name not in KEYS}

    @property
    def _column_names(self) -> list[str]:
        return list(dict.fromkeys(name for _, entry in self._whole() for name in entry.columns))

    def column_entry(self, column: str) -> ColumnEntry:
        """What is declared of a column. A metric that returns a dictionary declares for its keys, or for all."""
        return declared_of(column, self.manifest.columns, UNDECLARED)

    def read(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns in row order.

        Returns:
            As `read_columns` does.
        """
        return read_columns(self._files(), {column: self._type(column) for column in columns})

    def row(self, row: int) -> dict[str, Any]:
        """All values of one sample, with its id and state; None where absent."""
        part, offset = self._place_of(row)
        path = self._here(part, table_path(self.path, "samples", None, part.number))
        (values,) = read_rows(path, "LIMIT 1 OFFSET ?", offset)
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
        self._require_instances()
        return read_columns(self._files("instances"), {column: self._instance_type(column) for column in columns})

    def instance_rows(self) -> NDArray[np.int64]:
        """[m] for each element instance, the row of its sample.

        Raises:
            LeaplabError: the run has no element instances.
        """
        counts = [entry.instances for _, entry in self._whole()]
        starts: NDArray[np.int64] = np.repeat(np.array(self._first_rows, np.int64), counts)
        return starts + self.read_instances([OFFSET])[OFFSET].astype(np.int64)

    def instances_of(self, row: int) -> list[dict[str, Any]]:
        """All values of each element instance of one sample, by number; None where absent."""
        if not self.has_instances:
            return []
        part, offset = self._place_of(row)
        path = self._here(part, table_path(self.path, "instances", None, part.number))
        return read_rows(path, f"WHERE {quoted(OFFSET)} = ? ORDER BY number", offset)

    def latent_spaces(self) -> dict[str, int]:
        """Latent space of the samples -> width."""
        spaces = self._shapes("latent")
        return {space: shape[0] for space, shape in sorted(spaces.items()) if not space.endswith(INSTANCES_OF)}

    def latent(self, space: str) -> NDArray[np.float32]:
        """[N, W] float32 in row order.

        Raises:
            LeaplabError: the run has no such space.
        """
        return np.concatenate(self.latent_parts(space))

    def latent_parts(self, space: str) -> list[NDArray[np.float32]]:
        """The same, one array a part, none of which is read before it is asked for.

        Raises:
            LeaplabError: the run has no such space.
        """
        if space not in self.latent_spaces():
            raise LeaplabError(f"{self.path} has no latent space '{space}'; it has {', '.join(self.latent_spaces())}.")
        return [array for _, array in self._arrays("latent", space)]

    def instance_latent(self, space: str) -> NDArray[np.float32] | None:
        """[m, W] float32, by sample and number, of the element instances; NaN for one without a vector.

        Returns:
            None where the run has none in this space.
        """
        arrays = [array for _, array in self._arrays("latent", f"{space}{INSTANCES_OF}")]
        return np.concatenate(arrays) if arrays else None

    def prediction(self, name: str, row: int) -> NDArray[np.float32] | None:
        """One sample's stored output; None where the output was too large to store."""
        return self._of_row("predictions", name, row)

    def ground_truth(self, name: str, row: int) -> NDArray[np.float32] | None:
        """One sample's stored ground truth; None where it has none, or it was too large to store."""
        return self._of_row("ground_truths", name, row)

    def ground_truths(self) -> dict[str, tuple[int, ...]]:
        """Ground truth that is stored -> shape of one sample's."""
        return self._shapes("ground_truths")

    def stored(self, folder: str, name: str, rows: NDArray[np.int64] | None = None) -> NDArray[np.float32] | None:
        """[N, ...] float32 in row order of `predictions` or `ground_truths`; NaN for a sample that has none.

        Args:
            rows: only of these, in their order.

        Returns:
            None where none of that name is stored.
        """
        shape = self._shapes(folder).get(name)
        if shape is None:
            return None
        count = self.samples if rows is None else len(rows)
        values = np.full((count, *shape), np.nan, np.float32)
        for first, (part, entry) in zip(self._first_rows, self._whole(), strict=True):
            of_part = np.arange(first, first + entry.rows)
            here = of_part if rows is None else np.flatnonzero((rows >= first) & (rows < first + entry.rows))
            if name not in entry.arrays.get(folder, {}) or not len(here):
                continue
            array = _mapped(self._here(part, array_path(self.path, folder, name, part.number)))
            values[here] = array[(of_part if rows is None else rows[here]) - first]
        return values

    @property
    def confusion_metrics(self) -> list[str]:
        """Columns of the metrics that give confusion elements, in the order in which they are declared."""
        folders = dict.fromkeys(
            path.split("/")[1] for _, entry in self._whole() for path in entry.files if path.startswith(f"{CONFUSION}/")
        )
        declared = [name for name in self.manifest.columns if group_of(name) == METRIC and file_name(name) in folders]
        known = set(map(file_name, declared))
        return [*declared, *(unquote(folder) for folder in folders if folder not in known)]

    def confusion(self, column: str) -> Elements:
        """All confusion elements of a metric, in row order; read anew each time.

        Raises:
            MissingError: no metric of this name gives any.
        """
        if column not in self.confusion_metrics:
            told = ", ".join(self.confusion_metrics) or "none"
            raise MissingError(f"This run has no confusion elements of '{column}'; it has {told}.")
        firsts = {}
        for first, (part, entry) in zip(self._first_rows, self._whole(), strict=True):
            path = table_path(self.path, CONFUSION, column, part.number)
            if path.relative_to(self.path).as_posix() in entry.files:
                firsts[self._here(part, path)] = first
        return read_elements(firsts)

    def thumbnails(self, rows: NDArray[np.int64] | None = None) -> dict[str, NDArray[np.uint8]]:
        """Input that is an image -> [N, 16, 16, C] uint8 in row order, or of some rows in theirs."""
        found: dict[str, NDArray[np.uint8]] = {}
        for name in self._shapes("thumbnails"):
            parts = [array for _, array in self._arrays("thumbnails", name)]
            if rows is None:
                found[name] = np.concatenate(parts)
                continue
            bounds = np.cumsum([0, *map(len, parts)])
            found[name] = np.zeros((len(rows), *parts[0].shape[1:]), np.uint8)
            for first, last, array in zip(bounds, bounds[1:], parts, strict=False):
                here = np.flatnonzero((rows >= first) & (rows < last))
                found[name][here] = array[rows[here] - first]
        return found

    def sample_files(self) -> list[Path]:
        """The Parquet files of the samples, in row order."""
        return self._files()

    def _shapes(self, folder: str) -> dict[str, tuple[int, ...]]:
        """Name of an array in a folder -> the shape of one row."""
        shapes: dict[str, tuple[int, ...]] = {}
        for _, entry in self._whole():
            for name, shape in entry.arrays.get(folder, {}).items():
                shapes.setdefault(name, shape)
        return shapes

    def _arrays(self, folder: str, name: str) -> list[tuple[Part, NDArray[Any]]]:
        """The array of each part that has one."""
        having = [(part, entry) for part, entry in self._whole() if name in entry.arrays.get(folder, {})]
        paths = [(entry, array_path(self.path, folder, name, part.number)) for part, entry in having]
        return [(part, _mapped(path)) for (part, _), path in zip(having, self._all_here(paths), strict=True)]

    def _of_row(self, folder: str, name: str, row: int) -> NDArray[np.float32] | None:
        part, offset = self._place_of(row)
        entry = self.entry(part)
        if entry is None or name not in entry.arrays.get(folder, {}):
            return None
        return np.array(_mapped(self._here(part, array_path(self.path, folder, name, part.number)))[offset])

    def _files(self, folder: str = "samples") -> list[Path]:
        return self._all_here(
            [(entry, table_path(self.path, folder, None, part.number)) for part, entry in self._whole()]
        )

    def _require_instances(self) -> None:
        if not self.has_instances:
            raise LeaplabError(f"{self.path} has no element instances; its integration declares none.")

    def _place_of(self, row: int) -> tuple[Part, int]:
        """The part of a row, and where in it the row lies."""
        if not 0 <= row < self.samples:
            raise IndexError(row)
        place = bisect_right(self._first_rows, row) - 1
        return self._whole()[place][0], row - self._first_rows[place]

    @property
    def _first_rows(self) -> list[int]:
        """The run's row of the first sample of each part that is whole."""
        rows, row = [], 0
        for _, entry in self._whole():
            rows.append(row)
            row += entry.rows
        return rows

    def _type(self, column: str) -> str:
        return KEYS.get(column) or self.column_entry(column).type

    def _instance_type(self, column: str) -> str:
        return INSTANCE_KEYS.get(column) or declared_of(column, self.manifest.instance_columns, UNDECLARED).type


def refreshed(path: Path) -> RemoteRun | None:
    """Where a run lies whose folder only stands for it, which says the same from then on; None for any other folder.

    Raises:
        LeaplabError: it cannot be reached.
    """
    remote = remote_of(path)
    if remote is not None:
        remote.refresh()
    return remote


def _mapped(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise LeaplabError(f"{path} cannot be read ({error}); evaluate that run again, which mends it.") from error
    return array
