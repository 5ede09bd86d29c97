"""All runs of a folder."""

from pathlib import Path

from msgspec import Struct

from leaplab.errors import LeaplabError
from leaplab.store.manifest import read_manifest
from leaplab.store.run import RunStore


class CatalogEntry(Struct, frozen=True):
    """A run in a list. `condition` is `complete`, `incomplete`, or why it cannot be read."""

    name: str
    samples: int
    model: str
    created: str
    condition: str


def catalog(runs: Path) -> list[CatalogEntry]:
    """Every run in a folder, newest first; those that cannot be read are listed with the reason, last."""
    entries = []
    for manifest_path in sorted(runs.glob("*/manifest.json")):
        path = manifest_path.parent
        if path.name.startswith("."):
            continue
        try:
            store = RunStore(path, read_manifest(manifest_path))
        except LeaplabError as error:
            entries.append(CatalogEntry(path.name, 0, "", "", str(error)))
            continue
        missing = len(store.missing_parts())
        condition = f"incomplete ({missing} of {len(store.manifest.parts)} parts missing)" if missing else "complete"
        entries.append(CatalogEntry(path.name, store.samples, store.manifest.model, store.manifest.created, condition))
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
        if (candidate / "manifest.json").exists():
            return candidate
    raise LeaplabError(f"There is no run '{run}' in {runs.resolve()}; `leaplab runs` lists those that are.")
