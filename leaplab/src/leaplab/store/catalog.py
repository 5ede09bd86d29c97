"""All runs of a folder."""

from functools import partial
from pathlib import Path

from msgspec import Struct

from leaplab.errors import LeaplabError
from leaplab.store.lock import locked
from leaplab.store.manifest import read_manifest
from leaplab.store.parts import damaged_files
from leaplab.store.remote import remote_names, remote_of
from leaplab.store.removing import clear_leftovers, remove_run
from leaplab.store.run import RunStore, refreshed
from leaplab.store.writing import WrittenRun


class CatalogEntry(Struct, frozen=True):
    """A run in a list.

    Attributes:
        samples: that were evaluated.
        model: the model file's name.
        integration: its folder.
        created: when, in UTC.
        size: bytes on disk.
        condition: `complete`, `incomplete`, or why it cannot be read.
    """

    name: str
    samples: int
    model: str
    integration: str
    created: str
    size: int
    condition: str


def catalog(runs: Path) -> list[CatalogEntry]:
    """Every run in a folder, newest first; those that cannot be read are listed with the reason, last."""
    entries = []
    for name in remote_names(runs):
        refreshed(runs / name)
    for manifest_path in sorted(runs.glob("*/manifest.json")):
        path = manifest_path.parent
        if path.name.startswith("."):
            continue
        try:
            store = RunStore(path, read_manifest(manifest_path))
        except LeaplabError as error:
            entries.append(CatalogEntry(path.name, 0, "", "", "", _size(path), str(error)))
            continue
        missing, manifest = len(store.missing_parts()), store.manifest
        condition = f"incomplete ({missing} of {len(manifest.parts)} parts missing)" if missing else "complete"
        entries.append(
            CatalogEntry(
                path.name,
                store.samples,
                manifest.model,
                manifest.integration,
                manifest.created,
                _size(path) if remote_of(path) is None else _size_there(store),
                condition,
            )
        )
    return sorted(entries, key=lambda entry: entry.created, reverse=True)


def find_run(runs: Path, run: Path | None) -> Path:
    """The folder of a run by its name or path, or of the newest complete run.

    Raises:
        LeaplabError: there is none.
    """
    if run is None:
        complete = [entry for entry in catalog(runs) if entry.condition == "complete"]
        if not complete:
            raise LeaplabError(f"There is no complete run in {runs.resolve()}; make one by `leaplab evaluate`.")
        return runs / complete[0].name
    for candidate in (runs / run, run):
        remote = remote_of(candidate)
        if (candidate / "manifest.json").exists() if remote is None else remote.fetch_manifest():
            return candidate
    named = remote_of(runs / run)
    if named is not None:
        raise LeaplabError(f"There is no run at {named.url}; `leaplab runs --runs URL` lists those that are.")
    raise LeaplabError(f"There is no run '{run}' in {runs.resolve()}; `leaplab runs` lists those that are.")


def delete_run(runs: Path, name: str) -> None:
    """Delete a run by its name. What a person wrote about it stays, see `leaplab.store.notes`.

    Raises:
        LeaplabError: there is none, or it is being written.
    """
    path = find_run(runs, Path(name))
    with locked(path):
        clear_leftovers(path)
        remove_run(path)


def verify_run(path: Path) -> list[str]:
    """Compare every file of a run with its checksum. A part with a file that differs counts as missing from then on.

    Returns:
        The files that differ: their paths below the run.

    Raises:
        LeaplabError: it is no run, or is being written.
    """
    with locked(path):
        remote = refreshed(path)
        store = WrittenRun(path, read_manifest(path / "manifest.json"))
        damaged = []
        for part in store.manifest.parts:
            entry = store.entry(part)
            look = partial(damaged_files, path) if remote is None else remote.damaged
            if entry is not None and (found := look(entry)):
                damaged += found
                store.forget(part)
        return damaged


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file())


def _size_there(store: RunStore) -> int:
    entries = [entry for part in store.manifest.parts if (entry := store.entry(part)) is not None]
    return sum(file.size for entry in entries for file in entry.files.values())
