"""What the page asks of a population, in the form that it reads."""

import hashlib
from dataclasses import asdict
from typing import Any

import numpy as np

from leaplab.analysis.projection import METHODS
from leaplab.errors import MissingError, QuestionError
from leaplab.explorer.painting import STEPS, Scale, quantised, scale_of
from leaplab.population.columns import Column, default_colour
from leaplab.population.computed import CLUSTER_COLUMN
from leaplab.population.objects import Objects
from leaplab.population.population import Population
from leaplab.population.tables import Table, category_codes, numbers_of
from leaplab.store.columns import LOSS, STATE_COLUMN

BINS = 32
"""Of a continuous column's histogram."""
PAGE = 100_000
"""Ids that are sent at once."""
MOST_ROWS = 1_000
"""Rows whose exact values are sent at once."""


def key_of(population: Population) -> str:
    """A name of what the run holds, for addresses whose answer may be kept for ever."""
    manifest = population.store.manifest
    text = f"{population.store.path.resolve()}\n{manifest.identity}\n{manifest.revision}\n{manifest.created}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def overview(population: Population, objects: Objects) -> dict[str, Any]:
    """The run, its columns, and what the page opens with.

    Args:
        objects: of the same run.
    """
    manifest = population.store.manifest
    columns = list(population.columns.values())
    return {
        "key": key_of(population),
        "name": population.store.path.name,
        "integration": manifest.integration.rstrip("/").rpartition("/")[2],
        "model": manifest.model,
        "samples": population.samples,
        "notice": " ".join(population.notices) or None,
        "states": [{"name": state, "count": count} for state, count in manifest.states.items()],
        "columns": [column_told(column) for column in columns],
        "objects": _objects(objects),
        "latent_spaces": [{"name": name, "width": width} for name, width in population.spaces.items()],
        "projections": list(METHODS),
        "defaults": {
            "colour": default_colour(columns, (CLUSTER_COLUMN, STATE_COLUMN)),
            "size": next((column.name for column in columns if column.group == LOSS), None),
            "space": next(iter(population.spaces), None),
            "projection": METHODS[0],
        },
    }


def _objects(objects: Objects) -> dict[str, Any] | None:
    if not objects.count:
        return None
    columns = [column_told(column) for column in objects.columns.values()]
    return {"count": objects.count, "columns": columns, "colour": objects.default_colour}


def summary(table: Table, name: str) -> dict[str, Any]:
    """A column's values in short, see `leaplab.explorer.model.Summary`.

    Raises:
        MissingError: there is no such column.
        QuestionError: it is text.
    """
    column = table.column(name)
    if column.kind == "text":
        raise QuestionError(f"Column '{name}' is text, and is not summed up.")
    if column.kind == "categorical":
        counts, absent = category_counts(category_codes(table, column), column)
        return {"counts": counts, "absent": absent}
    numbers = numbers_of(table, column)
    scale = scale_of(numbers)
    return {"scale": asdict(scale), "histogram": bin_counts(bins_of(numbers, scale)), "absent": scale.absent}


def category_counts(codes: np.ndarray[Any, np.dtype[np.integer]], column: Column) -> tuple[list[int], int]:
    """How many have each category, and how many none."""
    assert isinstance(column.categories, list)
    counts = np.bincount(codes + 1, minlength=len(column.categories) + 1).tolist()
    return counts[1:], counts[0]


def bins_of(numbers: np.ndarray[Any, np.dtype[np.float64]], scale: Scale) -> np.ndarray[Any, np.dtype[np.int64]]:
    """[N] the bin of each value between the ends of a scale, -1 where there is none."""
    codes = quantised(numbers, scale.low, scale.high).astype(np.int64)
    return np.where(codes > STEPS, -1, np.minimum(codes * BINS // (STEPS + 1), BINS - 1))


def bin_counts(bins: np.ndarray[Any, np.dtype[np.integer]]) -> list[int]:
    """How many lie in each bin."""
    counts: list[int] = np.bincount(bins + 1, minlength=BINS + 1).tolist()
    return counts[1:]


def exact_values(population: Population, name: str, rows: list[int]) -> list[Any]:
    """The values of some rows as the run holds them; numbers that JSON has no word for as text.

    Raises:
        MissingError: there is no such column or row.
        QuestionError: too many rows at once.
    """
    if len(rows) > MOST_ROWS:
        raise QuestionError(f"At most {MOST_ROWS:,} rows are answered at once, not {len(rows):,}.")
    for row in rows:
        population.require_row(row)
    return [json_value(value) for value in population.values(population.column(name).name)[rows].tolist()]


def ids_page(population: Population, start: int, count: int) -> dict[str, Any]:
    """Ids from a row on."""
    return {"start": start, "ids": population.ids[start : start + min(count, PAGE)]}


def find(population: Population, text: str) -> dict[str, int]:
    """The row of the sample with this id (or `STATE/ID`), else of the first whose id holds the text.

    Raises:
        MissingError: there is none.
    """
    ids = population.ids
    if text in ids:
        return {"row": ids.index(text)}
    state, slash, rest = text.partition("/")
    for row, known in enumerate(ids):
        if slash and known == rest and population.states[row] == state:
            return {"row": row}
    for row, known in enumerate(ids):
        if text in known:
            return {"row": row}
    raise MissingError(f"No sample id contains \u201c{text}\u201d.")


def json_value(value: Any) -> Any:
    """JSON has no NaN or infinity, and a page's numbers are doubles: what they cannot say, a text does."""
    from leaplab.store.parquet import EXACT_IN_DOUBLE

    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return str(value) if isinstance(value, int) and abs(value) > EXACT_IN_DOUBLE else value


def column_told(column: Column) -> dict[str, Any]:
    """A column as the page takes it, see `leaplab.explorer.model.Column`."""
    fields = ("name", "label", "group", "type", "kind", "categories", "min", "max", "direction", "insights", "meaning")
    values = {field: getattr(column, field) for field in fields}
    return {field: value for field, value in values.items() if isinstance(value, str | int | float | bool | list)}
