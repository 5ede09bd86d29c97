"""Tables in Parquet files: columns of plain values in, numpy columns and rows out, through DuckDB."""

import atexit
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from leaplab.files import written_aside

SQL_TYPES = {"float": "DOUBLE", "int": "BIGINT", "string": "VARCHAR", "boolean": "BOOLEAN"}
DTYPES: dict[str, type] = {"float": np.float64, "int": np.int64, "string": object, "boolean": np.bool_}
DUMMIES: dict[str, Any] = {"float": 0.0, "int": 0, "boolean": False}
"""Stand in an array for values that are absent; a mask beside it makes them NULL."""
NUMBERS = ("float", "int")


def write_table(path: Path, table: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]) -> None:
    """Write columns of values, None where absent, as their stated kinds: a part may be absent throughout."""
    arrays: dict[str, NDArray[Any]] = {}
    selected = []
    for position, (name, values) in enumerate(table.items()):
        kind = kinds[name]
        value, absent, nan = f"value{position}", f"absent{position}", f"nan{position}"
        missing = np.array([item is None for item in values], bool)
        if missing.any() and kind != "string":
            values = [DUMMIES[kind] if item is None else item for item in values]
        arrays[value] = np.array(values, DTYPES[kind])
        column = f"{value}::{SQL_TYPES[kind]}"
        if missing.any() and kind != "string":
            arrays[absent] = missing
            column = f"CASE WHEN {absent} THEN NULL ELSE {column} END"
        if kind == "float" and (not_a_number := np.isnan(arrays[value])).any():
            # DuckDB reads a NaN of numpy as NULL; a loss that is NaN is no absent loss.
            arrays[nan] = not_a_number
            column = f"CASE WHEN {nan} THEN 'nan'::DOUBLE ELSE {column} END"
        selected.append(f"{column} AS {_quoted(name)}")
    with written_aside(path) as aside, _connection() as connection:
        connection.register("part", arrays)
        connection.execute(
            f"COPY (SELECT {', '.join(selected)} FROM part) TO {_literal(aside)} (FORMAT parquet, COMPRESSION zstd)"
        )


def column_names(files: Sequence[Path]) -> list[str]:
    """Every column that one of the files has, in the order of writing."""
    with _connection() as connection:
        return [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {_table(files)}").fetchall()]


def read_columns(files: Sequence[Path], kinds: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Columns of the files, one file after the other.

    Args:
        kinds: column -> its kind.

    Returns:
        Numbers as float64 with NaN where absent; booleans and strings as objects with None where absent.
    """
    selected = ", ".join(
        f"{_quoted(c)}::DOUBLE AS {_quoted(c)}" if kind in NUMBERS else _quoted(c) for c, kind in kinds.items()
    )
    with _connection() as connection:
        read = connection.execute(f"SELECT {selected} FROM {_table(files)}").fetchnumpy()
    return {column: _filled(read[column], kind in NUMBERS) for column, kind in kinds.items()}


def read_rows(file: Path, clause: str, *parameters: Any) -> list[dict[str, Any]]:
    """Rows of one file by column; None where absent. The clause follows `FROM`, with a ? for each parameter."""
    with _connection() as connection:
        cursor = connection.execute(f"SELECT * FROM {_table([file])} {clause}", list(parameters))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"preserve_insertion_order": "true"})
    atexit.register(connection.close)
    return connection


def _connection() -> duckdb.DuckDBPyConnection:
    """A cursor of the process's one in-memory database: opening one for each query costs more than the query."""
    return _database().cursor()


def _table(files: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(map(_literal, files))}], union_by_name = true)"


def _filled(values: NDArray[Any], number: bool) -> NDArray[Any]:
    if number:
        return np.ma.filled(np.ma.asarray(values, np.float64), np.nan)
    filled = np.ma.getdata(values).astype(object)
    filled[np.ma.getmaskarray(values)] = None  # `np.ma.filled(values, None)` would fill in a question mark
    return filled


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
