"""Columns by which a list of samples is balanced, kept apart or ordered, and former lists to go on from."""

import csv
import errno
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.population.columns import texts_of
from leaplab.store.columns import ID, STATE
from leaplab.store.parquet import read_rows

if TYPE_CHECKING:
    from leaplab.population.population import Population


def in_canonical_order(population: "Population", rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows by state and id, so that the order of an evaluation decides nothing."""
    return np.array(sorted(rows.tolist(), key=lambda row: (population.states[row], population.ids[row])), np.int64)


def codes_of_column(
    population: "Population", name: str, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Sequence[str]]:
    """[n] the code of each row's value, -1 where it has none; and the values by code.

    Raises:
        LeaplabError: there is no such column, or none of these rows has a value of it.
    """
    population.column(name)
    values = population.values(name)[rows]
    if values.dtype.kind == "f" and (values[np.isfinite(values)] % 1).any():
        texts = [repr(value) if value == value else None for value in values.tolist()]
    elif values.dtype.kind == "f":
        texts = [str(int(value)) if np.isfinite(value) else None for value in values.tolist()]
    else:
        texts = texts_of(values)
    names = sorted({text for text in texts if text is not None}, key=lambda text: (len(text), text))
    if not names:
        raise QuestionError(f"None of these samples has a value of '{name}'; name another column.")
    codes = {text: code for code, text in enumerate(names)}
    return np.array([-1 if text is None else codes[text] for text in texts], np.int64), names


def balancing_codes(
    population: "Population", name: str, rows: NDArray[np.int64], most: int
) -> tuple[NDArray[np.int64], Sequence[str]]:
    """As `codes_of_column`, of a column of which each value can have its share.

    Args:
        most: samples that are shared out.

    Raises:
        LeaplabError: it has more values than that, too.
    """
    codes, names = codes_of_column(population, name, rows)
    if len(names) > most:
        kind = "is a number on a scale" if population.column(name).type == "float" else "has too many values"
        raise QuestionError(
            f"'{name}' {kind} ({len(names):,} values in these samples), so {most:,} cannot be shared out equally; name"
            " a column of categories."
        )
    return codes, names


def numbers_of_column(population: "Population", name: str, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n] the value of each row, NaN where it has none.

    Raises:
        LeaplabError: there is no such column, it holds no numbers, or none of these rows has a value of it.
    """
    if population.column(name).type not in ("float", "int", "boolean"):
        raise QuestionError(f"'{name}' holds no numbers, so nothing of it is greatest; name another column.")
    values = population.values(name)[rows]
    numbers = np.array([np.nan if value is None else float(value) for value in values.tolist()])
    if np.isnan(numbers).all():
        raise QuestionError(f"None of these samples has a value of '{name}'; name another column.")
    return numbers


def rows_of_list(population: "Population", path: Path) -> NDArray[np.int64]:
    """The rows of a list that -o or --json wrote: CSV, JSON or Parquet with a column `sample_id`.

    A sample whose state has changed since, as it does once it is labelled, is found by its id.

    Raises:
        LeaplabError: there is no such file, it is no such list, or it names a sample that the run has not.
    """
    table = _read(path)
    if ID not in table:
        raise LeaplabError(f"{path} has no column {ID}; name a list that -o wrote.")
    states = table.get(STATE, [None] * len(table[ID]))
    rows = []
    for sample_id, state in zip(table[ID], states, strict=True):
        try:
            rows.append(_row(population, str(sample_id), state))
        except LeaplabError as error:
            raise type(error)(f"{path}: {error}") from error
    return np.unique(np.array(rows, np.int64))


def _row(population: "Population", sample_id: str, state: Any) -> int:
    if isinstance(state, str):
        try:
            return population.row_of(sample_id, state)
        except MissingError:  # it has been labelled since, and is of another state
            pass
    return population.row_of(sample_id)


def _read(path: Path) -> Mapping[str, Sequence[Any]]:
    try:
        if path.suffix == ".parquet":
            records: Any = _rows_of_parquet(path)
        elif path.suffix == ".json":
            read = json.loads(path.read_text(encoding="utf-8"))
            records = read.get("samples") if isinstance(read, dict) else read
        else:
            records = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    except OSError as error:
        raise MissingError(f"{path} cannot be read ({error.strerror}); name a list that -o wrote.") from error
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise LeaplabError(f"{path} is no list of samples; name one that -o wrote.") from error
    if not isinstance(records, list) or not records or not all(isinstance(each, dict) for each in records):
        raise LeaplabError(f"{path} is no list of samples; name one that -o wrote.")
    return {name: [each.get(name) for each in records] for name in records[0]}


def _rows_of_parquet(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    try:
        return read_rows(path, "")
    except LeaplabError as error:  # which advises for a run's own files
        raise ValueError(str(error)) from error
