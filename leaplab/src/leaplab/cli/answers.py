"""Answers of analyses as files: a table in CSV, JSON or Parquet, by the file's suffix."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from leaplab.errors import LeaplabError
from leaplab.files import write_json, write_text
from leaplab.store.parquet import write_table

KINDS = {bool: "boolean", int: "int", float: "float"}


def write_answer(path: Path, table: Mapping[str, Sequence[Any]], overwrite: bool) -> None:
    """Write columns of values, None where absent; CSV where the suffix is neither .json nor .parquet.

    Raises:
        LeaplabError: the file is there and must not be replaced, or cannot be written.
    """
    if path.exists() and not overwrite:
        raise LeaplabError(f"{path} is there already; name another file, or replace it by --overwrite.")
    rows = list(zip(*table.values(), strict=True))
    try:
        if path.suffix == ".json":
            write_json(path, [dict(zip(table, row, strict=True)) for row in rows])
        elif path.suffix == ".parquet":
            write_table(path, table, {name: _kind_of(values) for name, values in table.items()})
        else:
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(table)
            writer.writerows(rows)
            write_text(path, text.getvalue())
    except OSError as error:
        raise LeaplabError(f"{path} cannot be written ({error.strerror}); name another file by -o.") from error


def _kind_of(values: Sequence[Any]) -> str:
    types = {type(value) for value in values if value is not None}
    return KINDS.get(next(iter(types)), "string") if len(types) == 1 else "float" if types == {int, float} else "string"
