"""Tables in Parquet files: columns of plain values in, numpy columns and rows out, through DuckDB."""

import atexit
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.files import written_aside
from leaplab.protocol.plain_text import plain_text
from leaplab.store.interrupts import interruptible

SQL_TYPES = {"float": "DOUBLE", "int": "BIGINT", "string": "VARCHAR", "boolean": "BOOLEAN"}
DTYPES: dict[str, type] = {"float": np.float64, "int": np.int64, "string": object, "boolean": np.bool_}
DUMMIES: dict[str, Any] = {"float": 0.0, "int": 0, "boolean": False}
"""Stand in an array for values that are absent; a mask beside it makes them NULL."""
AS_PARQUET = "(FORMAT parquet, COMPRESSION zstd)"
EXACT_IN_DOUBLE = 2**53
"""Up to here every whole number is a double of its own."""


def write_table(path: Path, table: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]) -> None:
    """Write columns of values, None where absent, as their stated kinds: a part may be absent throughout."""
    arrays, selected = _as_arrays(table, kinds)
    columns = ", ".join(f"{column} AS {quoted(name)}" for name, column in selected.items())
    with written_aside(path) as aside, _connection() as connection:
        connection.register("part", arrays)
        connection.execute(f"COPY (SELECT {columns} FROM part) TO {_literal(aside)} {AS_PARQUET}")


def replace_columns(
    path: Path, names: Sequence[str], table: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]
) -> None:
    """Write a file anew: these columns in this order, those that the table has from there, the others from the file.

    Args:
        table: as many rows as the file has, in its order.
    """
    arrays, selected = _as_arrays(table, kinds)
    columns = ", ".join(f"{selected.get(name, 'file.' + quoted(name))} AS {quoted(name)}" for name in names)
    rows = f"{parquet_table([path])} AS file"
    with written_aside(path) as aside, _reading([path]) as connection:
        if arrays:
            connection.register("part", arrays)
            rows += " POSITIONAL JOIN part"
        connection.execute(f"COPY (SELECT {columns} FROM {rows}) TO {_literal(aside)} {AS_PARQUET}")


def _as_arrays(
    table: Mapping[str, Sequence[Any]], kinds: Mapping[str, str]
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Arrays for DuckDB to read, and each column as SQL makes it of them."""
    arrays: dict[str, NDArray[Any]] = {}
    selected: dict[str, str] = {}
    for position, (name, values) in enumerate(table.items()):
        kind = kinds[name]
        value, absent, nan = f"value{position}", f"absent{position}", f"nan{position}"
        if isinstance(values, np.ndarray):
            missing = np.zeros(len(values), bool)
        else:
            missing = np.array([item is None for item in values], bool)
        if kind == "string":
            values = [None if item is None else plain_text(item) for item in values]
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
        selected[name] = column
    return arrays, selected


def widen_table(path: Path, kinds: Mapping[str, str]) -> None:
    """Give a file these columns in this order, NULL where it has not had one."""
    present = set(column_names([path]))
    selected = ", ".join(
        quoted(name) if name in present else f"NULL::{SQL_TYPES[kind]} AS {quoted(name)}"
        for name, kind in kinds.items()
    )
    with written_aside(path) as aside, _reading([path]) as connection:
        connection.execute(f"COPY (SELECT {selected} FROM {parquet_table([path])}) TO {_literal(aside)} {AS_PARQUET}")


def column_names(files: Sequence[Path]) -> list[str]:
    """Every column that one of the files has, in the order of writing."""
    with _reading(files) as connection:
        return [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {parquet_table(files)}").fetchall()]


def read_columns(files: Sequence[Path], kinds: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Columns of the files, one file after the other.

    Args:
        kinds: column -> its kind.

    Returns:
        Floats as float64 with NaN where absent; integers as int64, with absent ones as float64 with NaN, or as objects
        with None where a double would merge them; booleans and strings as objects with None where absent.
    """
    selected = ", ".join(f"{quoted(c)}::{SQL_TYPES[kind]} AS {quoted(c)}" for c, kind in kinds.items())
    with _reading(files) as connection:
        read = connection.execute(f"SELECT {selected} FROM {parquet_table(files)}").fetchnumpy()
    return {column: _filled(read[column], kind) for column, kind in kinds.items()}


def read_arrays(files: Sequence[Path], selected: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Expressions over the rows of files, one file after the other, as DuckDB gives them: masked where absent.

    Args:
        selected: name -> SQL.
    """
    expressions = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in selected.items())
    with _reading(files) as connection:
        read: dict[str, NDArray[Any]] = connection.execute(
            f"SELECT {expressions} FROM {parquet_table(files)}"
        ).fetchnumpy()
    return read


def row_counts(files: Sequence[Path]) -> list[int]:
    """How many rows each file has."""
    with _reading(files) as connection:
        query = "SELECT file_name, num_rows FROM parquet_file_metadata(?)"
        counts = dict(connection.execute(query, [list(map(str, files))]).fetchall())
    return [counts[str(file)] for file in files]


def read_rows(file: Path, clause: str, *parameters: Any) -> list[dict[str, Any]]:
    """Rows of one file by column; None where absent. The clause follows `FROM`, with a ? for each parameter."""
    with _reading([file]) as connection:
        cursor = connection.execute(f"SELECT * FROM {parquet_table([file])} {clause}", list(parameters))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


@contextmanager
def _reading(files: Sequence[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    with _connection() as connection:
        try:
            yield connection
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise LeaplabError(
                f"{files[0].parent} cannot be read ({reason}); evaluate that run again, which mends it."
            ) from error


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"preserve_insertion_order": "true"})
    atexit.register(connection.close)
    return connection


@contextmanager
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor of the process's one in-memory database: opening one for each query costs more than the query."""
    with _database().cursor() as connection, interruptible(connection):
        yield connection


def parquet_table(files: Sequence[Path]) -> str:
    """The rows of files, one file after the other, as SQL has a table."""
    return f"read_parquet([{', '.join(map(_literal, files))}], union_by_name = true)"


def _filled(values: NDArray[Any], kind: str) -> NDArray[Any]:
    if kind == "float":
        return np.ma.filled(np.ma.asarray(values, np.float64), np.nan)
    if kind == "int":
        whole = np.ma.asarray(values, np.int64)
        if not np.ma.getmaskarray(whole).any():
            return np.ma.getdata(whole)
        if whole.count() == 0 or max(abs(int(whole.max())), abs(int(whole.min()))) <= EXACT_IN_DOUBLE:
            return np.ma.filled(whole.astype(np.float64), np.nan)
    filled = np.ma.getdata(values).astype(object)
    filled[np.ma.getmaskarray(values)] = None  # `np.ma.filled(values, None)` would fill in a question mark
    return filled


def quoted(name: str) -> str:
    """A column's name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
