"""Samples as lists: what is near to one, and what was chosen as a table to take away."""

import csv
from io import StringIO
from typing import Any

import msgspec
import numpy as np

from leaplab.explorer.masks import rows_of_mask
from leaplab.population.population import Population
from leaplab.store.columns import ANALYSIS, ID, STATE


def near(population: Population, row: int, count: int, space: str | None) -> list[dict[str, Any]]:
    """The samples nearest to one in a latent space, by cosine.

    Raises:
        LeaplabError: there is no such row or space, or the sample has no finite vector.
    """
    answer = population.similar([row], count, space=space or None)
    return [
        {"row": each.row, "sample_id": each.sample_id, "state": each.state, "distance": each.distance}
        for each in answer.similar
    ]


def table_of(population: Population, mask: str) -> str:
    """Ids, states and all columns of some rows as CSV; absent values are empty.

    Args:
        mask: which, see `leaplab.explorer.masks`.

    Raises:
        QuestionError: the mask is none of this run.
    """
    columns = _columns(population, mask)
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*([_written(value) for value in values] for values in columns.values()), strict=True))
    return text.getvalue()


def json_of(population: Population, mask: str) -> bytes:
    """The same as JSON: `{run, samples: [{sample_id, state, COLUMN: value}]}`; what is absent or not finite is null.

    Raises:
        QuestionError: the mask is none of this run.
    """
    columns = _columns(population, mask)
    samples = [dict(zip(columns, map(_whole, row), strict=True)) for row in zip(*columns.values(), strict=True)]
    return msgspec.json.encode({"run": population.store.path.absolute().name, "samples": samples})


def _columns(population: Population, mask: str) -> dict[str, list[Any]]:
    rows = np.flatnonzero(rows_of_mask(mask, population.samples))
    columns = {ID: [population.ids[row] for row in rows], STATE: [population.states[row] for row in rows]}
    names = list(population.store.columns())
    names += [name for name, column in population.columns.items() if column.group == ANALYSIS]
    return {**columns, **{name: population.values(name)[rows].tolist() for name in names}}


def _written(value: Any) -> Any:
    if value is None or value != value:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else _whole(value)


def _whole(value: Any) -> Any:
    """An integer of a column with absent values is stored as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
