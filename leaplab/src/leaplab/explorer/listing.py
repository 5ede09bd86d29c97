"""Samples as lists: what is near to one, and what was chosen as a table to take away."""

import csv
from io import StringIO
from typing import Any

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
    return [{"row": each.row, "distance": each.distance} for each in answer.similar]


def table_of(population: Population, mask: str) -> str:
    """Ids, states and all columns of some rows as CSV; absent values are empty.

    Args:
        mask: which, see `leaplab.explorer.masks`.

    Raises:
        QuestionError: the mask is none of this run.
    """
    rows = np.flatnonzero(rows_of_mask(mask, population.samples))
    names = [ID, STATE, *population.store.columns()]
    names += [name for name, column in population.columns.items() if column.group == ANALYSIS]
    columns: list[list[Any]] = [[population.ids[row] for row in rows], [population.states[row] for row in rows]]
    columns += [[_written(value) for value in population.values(name)[rows].tolist()] for name in names[2:]]
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _written(value: Any) -> Any:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value
