"""Files that are whole or not there at all, and the folder of those that can be made again."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
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


def write_json(path: Path, value: Any, indent: int = 1) -> None:
    """Write a value as indented JSON."""
    write_text(path, msgspec.json.format(msgspec.json.encode(value), indent=indent).decode() + "\n")


def write_array(path: Path, array: NDArray[np.generic]) -> None:
    """Write a .npy file."""
    with written_aside(path) as aside, aside.open("wb") as file:
        np.save(file, array, allow_pickle=False)


LONGEST_NAME = 180
"""Bytes of a file name: systems allow 255, and something is put before or behind."""


def file_name(text: str) -> str:
    """A single, ordinary file name for any text, another one for another text; plain names are themselves.

    What leads elsewhere, hides a file or is no file name on some system is percent-encoded, and so `unquote` reads it
    back; a name that is too long ends in a digest instead.
    """
    name = quote(text, safe=" @+,=()[]", errors="surrogatepass")
    if name.startswith((".", " ")):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name.endswith((".", " ")):
        name = f"{name[:-1]}%{ord(name[-1]):02X}"
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
        name = f"{name[: LONGEST_NAME - 17].rstrip('%. ')}-{digest}"
    return name or "%"


def cache_folder() -> Path:
    """The user's folder for what leaplab can make again: `LEAPLAB_CACHE`, else the system's place for such."""
    named = os.environ.get("LEAPLAB_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    system = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or system).absolute() / "leaplab"
