"""Files that are whole or not there at all, and the folder of those that can be made again."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path to write to; it becomes `path` when the block ends well, and nothing stays when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write a .npy file."""
    with written_aside(path) as aside, aside.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def cache_folder() -> Path:
    """The user's folder for what leaplab can make again: `LEAPLAB_CACHE`, else the system's place for such."""
    named = os.environ.get("LEAPLAB_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    system = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or system).absolute() / "leaplab"
