"""Where-expressions: one scalar SQL condition over a run's columns, safe against whatever a person or a page sends.

    metadata.label = 4 and loss.cross_entropy > 1
    state = 'unlabeled' or "metadata.w/h" is null
    "tag.look at again" and not tag.done

Known column names stand bare, the longest that fits wins, or in double quotes. DuckDB reads the condition into a tree,
of which every node has to be of a kind that is listed here, and evaluates it on a table of the named columns alone, in
a database of its own without access to files, settings or more memory than it needs. A value that is absent or NaN
compares as unknown, and what is unknown is not selected.
"""

import difflib
import json
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from leaplab.errors import QuestionError
from leaplab.store.interrupts import interruptible
from leaplab.store.parquet import parquet_table, quoted

TIME_LIMIT = 5.0
"""Seconds."""
MEMORY_LIMIT = "512MiB"
LONGEST = 10_000
"""Characters of an expression."""
CLASSES = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
    "TYPE",
}
OPERATORS = {
    *("OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "OPERATOR_NULLIF"),
    *("COMPARE_IN", "COMPARE_NOT_IN"),
}
FUNCTIONS = {
    *("+", "-", "*", "/", "//", "%", "**", "^", "||", "~~", "!~~", "~~*", "!~~*"),
    *(
        "abs",
        "ceil",
        "floor",
        "round",
        "sqrt",
        "ln",
        "log",
        "log10",
        "exp",
        "pow",
        "power",
        "sign",
        "greatest",
        "least",
    ),
    *("isnan", "isfinite", "isinf", "mod"),
    *("lower", "upper", "length", "trim", "ltrim", "rtrim", "substring", "substr", "left", "right", "replace"),
    *("contains", "starts_with", "ends_with", "prefix", "suffix", "like_escape", "ilike_escape", "not_like_escape"),
    *("regexp_matches", "regexp_full_match", "concat", "split_part", "strpos", "position"),
}
WORD = re.compile(r"[A-Za-z_]\w*")


def selected(
    expression: str,
    columns: Iterable[str],
    files: Sequence[Path],
    computed: Mapping[str, NDArray[Any]] | None = None,
) -> NDArray[np.bool_]:
    """Which rows of Parquet files meet a condition.

    Args:
        expression: the condition.
        columns: names that it may use, of the files and computed ones.
        files: the rows, one file after the other.
        computed: column -> one value a row, for columns that no file has.

    Returns:
        [N], in row order.

    Raises:
        QuestionError: it is no such condition, names what is no column, or takes too long or too much memory.
    """
    known = set(columns)
    sql, used = _translated(expression, known)
    _require_distinct(expression, used)
    computed = {name: values for name, values in (computed or {}).items() if name in used}
    with duckdb.connect() as connection, interruptible(connection):
        _require_condition(connection, expression, sql, known)
        try:
            _load(connection, used, files, computed)
            return _evaluated(connection, expression, sql)
        except duckdb.Error as error:
            raise _refused(expression, str(error)) from error


def _translated(expression: str, known: set[str]) -> tuple[str, set[str]]:
    """The condition with every known name in double quotes, and those names."""
    if len(expression) > LONGEST:
        raise QuestionError(f"The condition has {len(expression):,} characters, and {LONGEST:,} are the most.")
    by_length = sorted(known, key=len, reverse=True)
    parts: list[str] = []
    used: set[str] = set()
    place = depth = 0
    while place < len(expression):
        character = expression[place]
        if character in "'\"":
            end = _end_of_quoted(expression, place)
            text = expression[place:end]
            if character == '"':
                name = text[1:-1].replace('""', '"')
                if name not in known:
                    raise _unknown(expression, name, known)
                used.add(name)
            parts.append(text)
            place = end
            continue
        word = WORD.match(expression, place)
        if word is not None:
            name = next((n for n in by_length if expression.startswith(n, place) and _ends(expression, place, n)), "")
            if name:
                used.add(name)
            parts.append(quoted(name) if name else word[0])
            place += len(name) or len(word[0])
            continue
        depth += (character == "(") - (character == ")")
        if depth < 0:
            raise _refused(expression, "a bracket closes that none has opened")
        parts.append(character)
        place += 1
    return "".join(parts), used


def _require_distinct(expression: str, used: set[str]) -> None:
    """DuckDB takes names that differ in case only for one."""
    by_case: dict[str, str] = {}
    for name in sorted(used):
        other = by_case.setdefault(name.lower(), name)
        if other != name:
            raise _refused(expression, f"'{other}' and '{name}' differ in case only; name one of them")


def _end_of_quoted(expression: str, start: int) -> int:
    quote, place = expression[start], start + 1
    while place < len(expression):
        if expression[place] == quote:
            if expression[place + 1 : place + 2] != quote:
                return place + 1
            place += 1
        place += 1
    raise _refused(expression, f"a quote ({quote}) is not closed")


def _ends(expression: str, place: int, name: str) -> bool:
    """Whether a name that begins there ends there too, and is no beginning of a longer word."""
    return not re.match(r"\w\w", f"{name[-1]}{expression[place + len(name) : place + len(name) + 1]}")


def _require_condition(connection: duckdb.DuckDBPyConnection, expression: str, sql: str, known: set[str]) -> None:
    if not sql.strip():
        raise QuestionError("The condition is empty; write one such as state = 'validation'.")
    query = f"SELECT 1 FROM samples WHERE (\n{sql}\n)"
    read = json.loads(connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()[0][0])
    if read.get("error"):
        raise _refused(expression, str(read.get("error_message")))
    (statement,) = read["statements"]
    for node in _nodes(statement["node"]["where_clause"]):
        kind, type_ = node["class"], node["type"]
        if kind == "COLUMN_REF":
            name = ".".join(node["column_names"])
            if len(node["column_names"]) > 1 or name not in known:
                raise _unknown(expression, name, known)
        elif kind == "FUNCTION" and node["function_name"].lower() not in FUNCTIONS:
            raise _refused(expression, f"the function {node['function_name']} is not among those that it may use")
        elif kind not in CLASSES or (kind == "OPERATOR" and type_ not in OPERATORS):
            raise _refused(expression, f"it uses a {type_.replace('_', ' ').lower()}, which no condition may")


def _nodes(tree: Any) -> Iterable[dict[str, Any]]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if "class" in node and "type" in node:
                yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def _load(
    connection: duckdb.DuckDBPyConnection, used: set[str], files: Sequence[Path], computed: Mapping[str, NDArray[Any]]
) -> None:
    """Copy what is named into memory, then shut the database off from everything else."""
    connection.execute(
        f"SET memory_limit = '{MEMORY_LIMIT}'; SET temp_directory = ''; SET preserve_insertion_order = true"
    )
    parts = []
    if stored := sorted(used - computed.keys()):
        parts.append(_without_nan(connection, f"SELECT {', '.join(map(quoted, stored))} FROM {parquet_table(files)}"))
    else:
        parts.append(f"SELECT 1 AS nothing FROM {parquet_table(files)}")
    if computed:
        connection.register("computed", dict(computed))
        parts.append(_without_nan(connection, "SELECT * FROM computed"))
    tables = " POSITIONAL JOIN ".join(f"({part})" for part in parts)
    connection.execute(f"CREATE TABLE samples AS SELECT * FROM {tables}")
    connection.execute("SET enable_external_access = false; SET lock_configuration = true")


def _without_nan(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query with NULL for NaN: DuckDB holds NaN for the greatest number, and a loss that is NaN exceeds nothing."""
    described = connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {query})").fetchall()
    columns = (
        f"CASE WHEN isnan({quoted(name)}) THEN NULL ELSE {quoted(name)} END AS {quoted(name)}"
        if type_ in ("DOUBLE", "FLOAT")
        else quoted(name)
        for name, type_ in described
    )
    return f"SELECT {', '.join(columns)} FROM ({query})"


def _evaluated(connection: duckdb.DuckDBPyConnection, expression: str, sql: str) -> NDArray[np.bool_]:
    timer = threading.Timer(TIME_LIMIT, connection.interrupt)
    timer.start()
    try:
        cursor = connection.execute(f"SELECT (\n{sql}\n) AS chosen FROM samples")
        if str(cursor.description[0][1]) not in ("BOOLEAN", '"NULL"'):
            raise _refused(expression, "it is a value and no condition; compare it with something")
        chosen = cursor.fetchnumpy()["chosen"]
    except duckdb.InterruptException:
        raise QuestionError(f"The condition takes more than {TIME_LIMIT:g} s; write a simpler one.") from None
    finally:
        timer.cancel()
    return np.ma.filled(np.ma.asarray(chosen, bool), False)


def _unknown(expression: str, name: str, known: set[str]) -> QuestionError:
    near = difflib.get_close_matches(name, known, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`leaplab explore` shows which there are."
    return QuestionError(f"The condition {_shown(expression)} names '{name}', which is no column of this run; {hint}")


def _refused(expression: str, reason: str) -> QuestionError:
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    told = re.sub(r"^\w+ Error: ", "", lines[0] if lines else "it cannot be read")
    return QuestionError(f"The condition {_shown(expression)} cannot be used: {told.rstrip('.!')}.")


def _shown(expression: str) -> str:
    text = " ".join(expression.split())
    return f"`{text if len(text) <= 120 else text[:117] + '...'}`"
