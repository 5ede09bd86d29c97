"""Answers of analyses as files: a table in CSV, JSON or Parquet, by the file's suffix."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.files import write_json, write_text
from leaplab.store.csv_text import csv_text
from leaplab.store.parquet import write_table

FIGURES = (".png", ".svg")
KINDS = {bool: "boolean", int: "int", float: "float"}


def write_answer(path: Path, table: Mapping[str, Sequence[Any]], overwrite: bool) -> None:
    """Write columns of values, None where absent; CSV where the suffix is neither .json nor .parquet.

    Raises:
        LeaplabError: the file is there and must not be replaced, or cannot be written.
    """
    require_free(path, overwrite)
    with writing(path, "-o"):
        if path.suffix == ".json":
            write_json(path, [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)])
        elif path.suffix == ".parquet":
            write_table(path, table, {name: _kind_of(values) for name, values in table.items()})
        else:
            write_text(path, csv_text(table))


def require_free(path: Path, overwrite: bool) -> None:
    """Accept a file that is not there, or may be replaced.

    Raises:
        LeaplabError: it is there and must not be replaced.
    """
    if path.exists() and not overwrite:
        raise LeaplabError(f"{path} is there already; name another file, or replace it by --overwrite.")


def require_figure(path: Path, overwrite: bool) -> None:
    """Accept a file that a figure can be drawn into.

    Raises:
        LeaplabError: its suffix is of no format, or it is there and must not be replaced.
    """
    if path.suffix.lower() not in FIGURES:
        raise LeaplabError(f"{path} is no name of a figure; let it end in .png or .svg.")
    require_free(path, overwrite)


@contextmanager
def writing(path: Path, option: str) -> Iterator[None]:
    """Say in a sentence why a file cannot be written, and by which option to name another."""
    try:
        yield
    except OSError as error:
        raise LeaplabError(f"{path} cannot be written ({error.strerror}); name another file by {option}.") from error


def _kind_of(values: Sequence[Any]) -> str:
    types = {type(value) for value in values if value is not None}
    return KINDS.get(next(iter(types)), "string") if len(types) == 1 else "float" if types == {int, float} else "string"
