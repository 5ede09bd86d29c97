"""Generated data in the place of real data that is not there: it says so, and real data is never touched."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data_access.errors import DataError

MARKER = "GENERATED.txt"
"""In the folder of what was generated: that it is a substitute, and the settings that it was made with."""


def is_generated(folder: Path) -> bool:
    """Whether what lies there is a substitute."""
    return (folder / MARKER).is_file()


def is_due(folder: Path, text: str, what: str, elsewhere: str, overwrite: bool = False) -> bool:
    """Whether a substitute is still to be written; not where one with the same text lies there.

    Args:
        text: of its marker.
        what: that would lie there if it were real, as in `a dataset that was`.
        elsewhere: what to do to have a substitute in spite of real data.
        overwrite: whether a generated one of another text may go.

    Raises:
        DataError: real data lies there, or a substitute of another text that must not go.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file where a folder belongs: move it away, or {elsewhere}.")
    if not folder.exists() or not any(folder.iterdir()):
        return True
    if not is_generated(folder):
        raise DataError(f"{folder} holds {what} not generated, and is left alone: {elsewhere}.")
    if (folder / MARKER).read_text(encoding="utf-8") == text:
        return False
    if not overwrite:
        raise DataError(f"{folder} was generated with other settings: run again with --replace to replace it.")
    return True


@contextmanager
def replaced(folder: Path, text: str) -> Iterator[Path]:
    """A folder aside to write a substitute into; it takes the place of `folder`, with its marker, once that is done.

    Raises:
        DataError: it cannot be written.
    """
    # Whatever a killed run has left is made again: to the same bytes.
    aside = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        yield aside
        (aside / MARKER).write_text(text, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{folder} cannot be written: {reason}. Make room or choose another.") from error
