"""Writing a run: part by part, each whole or not there, by one process at a time."""

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
from leaplab.store.columns import GROUPS, ID, METADATA, METRIC, OFFSET, STATE, group_of
from leaplab.store.confusion import CONFUSION
from leaplab.store.history import History, keep_history
from leaplab.store.manifest import ColumnEntry, Manifest, Update, read_manifest, write_manifest
from leaplab.store.parquet import column_names
from leaplab.store.part_tables import COLUMN_ORDER, in_place, instance_table, not_finite_columns, write_confusion
from leaplab.store.parts import (
    FileEntry,
    PartEntry,
    PartFiles,
    entry_path,
    is_whole,
    not_finite_rows,
    table_path,
    write_entry,
    written_entry,
)
from leaplab.store.removing import remove_run
from leaplab.store.run import INSTANCES_OF, RunStore, refreshed

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
        confusion: metric column -> offset, label, expected, probability and id; offsets count within the part, and no
            ids are given where no element has one.
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
        manifest_path, remote = path / "manifest.json", refreshed(path)
        if manifest_path.exists():
            present = None if replace == "always" else cls._to_take_up(path, manifest, replace)
            if present is not None:
                return present
            remove_run(path)
        elif remote is not None and remote.is_taken():
            raise LeaplabError(f"{remote.url} holds something and is no run; choose another --name.")
        elif remote is None and path.exists() and not _is_bare(path):
            raise LeaplabError(f"{path} exists and is no run; choose another --name.")
        return cls._with(path, manifest)

    @classmethod
    def _with(cls, path: Path, manifest: Manifest) -> Self:
        """The run, with a new manifest."""
        store = cls(path, manifest)
        with _telling(path):
            write_manifest(path / "manifest.json", manifest)
            if store._remote is not None:
                store._remote.put_manifest()
        return store

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

    @classmethod
    def begin_again(cls, path: Path, manifest: Manifest, groups: Sequence[str]) -> Self:
        """Open a run to compute some groups of its columns once more, by code that may have changed since.

        One that was interrupted in doing so goes on where it stopped. Where the code has changed meanwhile, or other
        groups are asked for, its parts that lack the former time are evaluated as a whole.

        Args:
            manifest: of an evaluation as a whole, as things are now.
            groups: of columns, see `leaplab.store.columns`.

        Raises:
            LeaplabError: there is no run there, or one of another model, other samples or other options.
        """
        refreshed(path)
        present = cls(path, read_manifest(path / "manifest.json"))
        if present.manifest.basis != manifest.basis:
            raise LeaplabError(
                f"{path} is of another model, other samples or other options, so that nothing of it can stay;"
                " evaluate without --only, with --update."
            )
        former, ordered = present.manifest, tuple(group for group in GROUPS if group in groups)
        if present.outdated_parts() and former.identity == manifest.identity and former.updates[-1].groups == ordered:
            return present
        renewed = structs.replace(
            manifest,
            created=former.created,
            latent_source=former.latent_source,
            columns=_renewed(former.columns, manifest.columns, ordered),
            instance_columns=_renewed(former.instance_columns, manifest.instance_columns, ordered),
            code_sha256=former.code_sha256,
            inference_threads=former.inference_threads,
            revision=former.revision + 1,
            updates=(*former.updates, Update(manifest.created, ordered, manifest.code_sha256)),
        )
        return cls._with(path, renewed)

    def outdated_parts(self) -> list[Part]:
        """Parts that lack nothing but what was last to be computed again.

        One of which samples were left out is not among them: they may fail no more, or others may.
        """
        return [part for part in self.manifest.parts if self.is_outdated(part)]

    def is_outdated(self, part: Part) -> bool:
        """Whether a part is one of the `outdated_parts`."""
        entry = self._stored(part) if self.entry(part) is None else None
        # What lacks several times lacks more than the last time tells.
        return entry is not None and entry.revision == self.manifest.revision - 1 and not entry.skipped

    def forget_skipped(self) -> None:
        """Take the parts that lack skipped samples for missing, so that they are evaluated again."""
        for part, entry in self._whole():
            if entry.skipped:
                self.forget(part)

    def forget(self, part: Part) -> None:
        """Take a part for missing, so that it is evaluated again."""
        self._entries.pop(part.number, None)
        entry = entry_path(self.path, part.number)
        if self._remote is not None:
            self._remote.delete([entry.relative_to(self.path).as_posix()])
        entry.unlink(missing_ok=True)

    def write_part(self, values: PartValues) -> None:
        """Write one part, and publish it.

        Raises:
            LeaplabError: the folder holds another run by now, or cannot be written.
        """
        self.publish(values.part, self.write_files(values))

    def renew_part(self, values: PartValues) -> None:
        """Put the columns that were computed again, and confusion elements, in the place of those of a part.

        Args:
            values: of all samples of one of the `outdated_parts`; columns of other groups, and arrays, are left out.

        Raises:
            LeaplabError: as `write_part`.
        """
        self.publish(values.part, self.renew_files(values))

    def write_files(self, values: PartValues) -> PartEntry:
        """Write the files of one part, which counts once `publish` is given the entry.

        Raises:
            LeaplabError: the folder cannot be written.
        """
        with _telling(self.path):
            return self._put(self._write_files(values), {})

    def renew_files(self, values: PartValues) -> PartEntry:
        """As `renew_part`, without publishing.

        Raises:
            LeaplabError: the folder cannot be written.
        """
        former = self._stored(values.part)
        with _telling(self.path):
            return self._put(self._renew_files(values), former.files if former else {})

    def _put(self, entry: PartEntry, former: Mapping[str, FileEntry]) -> PartEntry:
        """Put the files of a part that are others than its former ones where the run lies."""
        if self._remote is not None:
            self._remote.put(path for path, file in entry.files.items() if former.get(path) != file)
        return entry

    def publish(self, part: Part, entry: PartEntry) -> None:
        """Make a part one of the run, its files being written.

        Raises:
            LeaplabError: the folder holds another run by now, or cannot be written; or the files are not there.
        """
        with _telling(self.path):
            self._publish(part, entry)

    def write_history(self, history: History) -> None:
        """Write what the model's training wrote down, in the place of what the run has of it.

        Raises:
            LeaplabError: as `write_part`.
        """
        with _telling(self.path):
            keep_history(self.path, history)
            if self._remote is not None:
                self._remote.put_history()

    def _write_files(self, values: PartValues) -> PartEntry:
        part, ids = values.part, [plain_text(str(i)) for i in values.ids]
        files = PartFiles(self.path, part.number)
        not_finite = not_finite_columns(values.columns)
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
        write_confusion(files, part, ids, values.confusion)
        shapes = {folder: {name: array.shape[1:] for name, array in named.items()} for folder, named in arrays if named}
        instances = 0
        if values.instances is not None:
            instances = len(values.instances[OFFSET])
            table = instance_table(part, ids, values.instances)
            files.table("instances", None, table, {column: self._instance_type(column) for column in table})
        table = {ID: ids, STATE: [part.state] * len(ids), **values.columns}
        files.table("samples", None, table, {column: self._type(column) for column in table})
        skipped, revision = tuple(values.skipped), self.manifest.revision
        return PartEntry(len(ids), instances, tuple(table), shapes, files.written, skipped, not_finite, revision)

    def _renew_files(self, values: PartValues) -> PartEntry:
        part, groups, former = values.part, self.manifest.updates[-1].groups, self._stored(values.part)
        assert former is not None, f"part {part.number} is not whole"
        assert len(values.ids) == former.rows, f"part {part.number} has {former.rows} samples, not {len(values.ids)}"
        files = PartFiles(self.path, part.number)
        new = {column: found for column, found in values.columns.items() if group_of(column) in groups}
        names = in_place(former.columns, list(new), groups, COLUMN_ORDER)
        self._here(part, table_path(self.path, "samples", None, part.number))
        files.replaced("samples", names, new, {column: self._type(column) for column in new})
        if values.instances is not None:
            found = {column: each for column, each in values.instances.items() if group_of(column) in groups}
            present = column_names([self._here(part, table_path(self.path, "instances", None, part.number))])
            order = in_place(present, list(found), groups, ("", METADATA, METRIC))
            files.replaced("instances", order, found, {column: self._instance_type(column) for column in found})
        kept = former.files
        if METRIC in groups:
            ids = [plain_text(str(i)) for i in values.ids]
            write_confusion(files, part, ids, values.confusion)
            kept = {path: file for path, file in kept.items() if not path.startswith(f"{CONFUSION}/")}
        not_finite = {name: count for name, count in former.not_finite.items() if group_of(name) not in groups}
        return structs.replace(
            former,
            columns=tuple(names),
            files=kept | files.written,
            not_finite=not_finite | not_finite_columns(new),
            revision=self.manifest.revision,
        )

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
                self._here(part, table_path(self.path, "samples", None, part.number))
                files.widened("samples", {name: self._type(name) for name in names})
                widened = structs.replace(entry, columns=tuple(names), files=entry.files | files.written)
                self._publish(part, self._put(widened, entry.files))

    def _publish(self, part: Part, entry: PartEntry) -> None:
        if self._remote is not None:
            self._remote.fetch_manifest()
        present = read_manifest(self.path / "manifest.json")
        if (present.identity, present.revision) != (self.manifest.identity, self.manifest.revision):
            raise LeaplabError(f"{self.path} holds another run by now, which something else has begun; evaluate again.")
        if not (is_whole(self.path, entry) if self._remote is None else self._remote.is_whole(entry)):
            raise LeaplabError(
                f"The files of part {part.number} are not in {self.path} as it is here; name by --runs a folder that"
                " all who write it see, and evaluate again."
            )
        former = written_entry(self.path, part.number)
        write_entry(self.path, part.number, entry)
        self._entries[part.number] = entry
        former_files = sorted(former.files.keys() - entry.files.keys()) if former else []
        if self._remote is not None:
            self._remote.put_entry(part.number)
            self._remote.delete(former_files)
        for path in former_files:
            (self.path / path).unlink(missing_ok=True)


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


def _renewed(
    former: Mapping[str, ColumnEntry], current: Mapping[str, ColumnEntry], groups: Sequence[str]
) -> dict[str, ColumnEntry]:
    """What is declared of the columns where some groups of them are of the current code."""
    kept = {name: entry for name, entry in former.items() if group_of(name) not in groups}
    return kept | {name: entry for name, entry in current.items() if group_of(name) in groups}


def _is_bare(path: Path) -> bool:
    """Whether a folder holds nothing but what hides: of the desktop, or of an evaluation that was just beginning."""
    return path.is_dir() and all(found.name.startswith(".") for found in path.iterdir())
