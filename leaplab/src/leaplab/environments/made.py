"""Where the environments that leaplab made lie, and which of them is a folder's."""

import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from leaplab.environments.asked import Asked, read_asked
from leaplab.environments.imports import Imports, read_imports
from leaplab.environments.python_versions import Wanted, wanted_versions
from leaplab.errors import LeaplabError
from leaplab.files import cache_folder, write_text

RECIPE = 1
"""Counts up when environments are made in another way: those made before are then out of date."""
MARKER = "leaplab.json"


@dataclass(frozen=True)
class Recipe:
    """What decides a folder's environment.

    Attributes:
        root: absolute.
        asked: its requirements.
        wanted: its Python.
        imports: the modules that its code imports.
    """

    root: Path
    asked: Asked
    wanted: Wanted
    imports: Imports

    @property
    def folder(self) -> Path:
        """Where its environment lies or would lie.

        The modules do not count: an environment grows by one that the code comes to import.
        """
        decides = [RECIPE, str(self.root), self.asked.content, self.wanted.minors, str(self.wanted.admitted)]
        return _folders() / f"{_name(self.root)}-{_digest(decides)}"


@dataclass(frozen=True)
class Marker:
    """What lies in a finished environment, written last.

    Attributes:
        root: the folder that it was made for.
        key: the environment's name in the cache.
        python: its interpreter.
        version: its Python.
        requirements: the file that it was made of; None where the folder has none.
        modules: those that the code imported.
        notes: a sentence for each choice that was made on the way.
        missing: a sentence for each thing that could not be brought.
    """

    root: str
    key: str
    python: str
    version: str
    requirements: str | None
    modules: tuple[str, ...]
    notes: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What the cache has for a folder.

    Attributes:
        python: interpreter of the finished environment; None where there is none that is up to date.
        requirements: the name of the file that it was made of; empty where there was none.
        told: a sentence that says why an environment that is there does not do.
    """

    python: Path | None = None
    requirements: str = ""
    told: str = ""


def read_recipe(root: Path) -> Recipe:
    """What decides the environment of a folder; runs nothing.

    Raises:
        LeaplabError: leap.yaml or the requirements cannot be read.
    """
    root = root.resolve()
    return Recipe(root, read_asked(root), wanted_versions(root), read_imports(root))


def made_environment(root: Path) -> Path | None:
    """The interpreter of the finished, up-to-date environment that `leaplab env` made for a folder."""
    return find_made(root).python


def find_made(root: Path) -> Found:
    """The same, with a sentence where there is one that does not do."""
    root = root.resolve()
    made = sorted(_folders().glob(f"{_name(root)}-*/{MARKER}"))
    if not made:
        return Found()
    again = f"run `leaplab env {root}` again"
    try:
        recipe = read_recipe(root)
    except LeaplabError as error:
        return Found(told=f"Whether the environment made for {root} is up to date cannot be told: {error}")
    marker = read_marker(recipe.folder)
    if marker is None:
        return Found(told=f"The environment made for {root} is out of date, for what it asks for has changed; {again}.")
    if new := sorted(recipe.imports.modules.keys() - set(marker.modules)):
        which = f"{recipe.imports.modules[new[0]]} imports {new[0]} since"
        return Found(told=f"The environment made for {root} is out of date, for {which}; {again}.")
    return Found(interpreter_of(recipe.folder), Path(marker.requirements or "").name)


def read_marker(folder: Path) -> Marker | None:
    """What a finished environment says of itself; None of one that is not finished."""
    try:
        content: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return Marker(**content | {key: tuple(content[key]) for key in ("modules", "notes", "missing")})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or written by another leaplab


def write_marker(folder: Path, marker: Marker) -> None:
    """Declare an environment finished."""
    write_text(folder / MARKER, json.dumps(asdict(marker), indent=1) + "\n")


def interpreter_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / "bin" / "python"


def other_environments(recipe: Recipe) -> list[Path]:
    """What was made for the same folder when it asked for something else."""
    return [
        path for path in sorted(_folders().glob(f"{_name(recipe.root)}-*/")) if path.is_dir() and path != recipe.folder
    ]


@contextmanager
def alone(folder: Path, waits: Callable[[], None]) -> Iterator[int]:
    """Hold the lock of an environment; `waits` is called where another process has it.

    Gives the lock's file descriptor. A process that inherits it holds the lock as well, also when this one is killed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _folders() -> Path:
    return cache_folder().absolute() / "environments"  # pip is run from another folder


def _name(root: Path) -> str:
    """Of every environment of a folder: readable, and no other folder's."""
    return f"{re.sub(r'[^A-Za-z0-9_.]+', '_', root.name)[:40]}-{_digest(str(root))}"


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
