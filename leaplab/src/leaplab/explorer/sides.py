"""The populations that a page names: by a condition, by its filters, by a mask, or as all that is left."""

import re

import numpy as np

from leaplab.errors import QuestionError
from leaplab.explorer.masks import rows_of_mask
from leaplab.explorer.model import Filter
from leaplab.explorer.planning_model import Side
from leaplab.population.columns import Column
from leaplab.population.gap import Picked, columns_named
from leaplab.population.population import Population
from leaplab.store.columns import STATE, STATE_COLUMN
from leaplab.store.parquet import quoted

PLAIN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
"""A name that stands in a condition without quotes."""
REST = "everything else"


def chosen_of(population: Population, side: Side) -> str | Picked:
    """A population as `leaplab.population.gap` takes it: a condition, wherever it can be told in one.

    Raises:
        LeaplabError: it is none or several at once, or all that is not in another one; a filter or mask is none.
    """
    if [side.where is not None, side.filters is not None, side.mask is not None, side.rest].count(True) != 1:
        raise QuestionError("Name a population by a condition, by filters or by a selection, and by one of them only.")
    if side.rest:
        raise QuestionError("Everything else needs another population beside it; choose one that is not the rest.")
    if side.where is not None:
        return side.where
    if side.filters is not None:
        return condition_of(population, side.filters)
    assert side.mask is not None
    return Picked(side.told, np.flatnonzero(rows_of_mask(side.mask, population.samples)), tuple(side.columns))


def both_chosen(population: Population, source: Side, target: Side) -> tuple[str | Picked, str | Picked]:
    """Two populations, of which one may be all that is not in the other.

    Raises:
        LeaplabError: see `chosen_of`.
    """
    if source.rest and not target.rest:
        other = chosen_of(population, target)
        return _rest(population, other), other
    one = chosen_of(population, source)
    return one, _rest(population, one) if target.rest else chosen_of(population, target)


def _rest(population: Population, other: str | Picked) -> Picked:
    rows = other.rows if isinstance(other, Picked) else population.where(other)
    columns = tuple(columns_named(population, other))
    return Picked(REST, np.setdiff1d(np.arange(population.samples), rows), columns)


def condition_of(population: Population, filters: list[Filter]) -> str:
    """The condition that samples meet which meet all filters.

    Raises:
        LeaplabError: there is no such column, or a filter says nothing or does not fit its column.
    """
    return " and ".join(_condition(population.column(each.column), each) for each in filters)


def _condition(column: Column, asked: Filter) -> str:
    name = STATE if column.name == STATE_COLUMN else column.name
    name = name if PLAIN.fullmatch(name) else quoted(name)
    if asked.keep is not None:
        if column.kind == "continuous":
            raise QuestionError(f"'{column.name}' is a number; filter it by `low` and `high`.")
        if not asked.keep:
            raise QuestionError(f"The filter of '{column.name}' keeps nothing; choose a value.")
        known = [_literal(column, text) for text in asked.keep if text is not None]
        parts = [f"{name} in ({', '.join(known)})" if len(known) > 1 else f"{name} = {known[0]}"] if known else []
        parts += [f"{name} is null"] if None in asked.keep else []
        return parts[0] if len(parts) == 1 else f"({' or '.join(parts)})"
    if column.kind != "continuous":
        raise QuestionError(f"'{column.name}' has categories; filter it by `keep`.")
    ends = [(">=", asked.low), ("<=", asked.high)]
    parts = [f"{name} {sign} {_number(end)}" for sign, end in ends if end is not None]
    if not parts:
        raise QuestionError(f"The filter of '{column.name}' says neither what to keep nor a range.")
    return " and ".join(parts)


def _literal(column: Column, text: str) -> str:
    if column.type == "string":
        return "'" + text.replace("'", "''") + "'"
    if isinstance(column.categories, list) and text not in column.categories:
        raise QuestionError(f"'{column.name}' has no value '{text}'.")
    return text


def _number(value: float) -> str:
    if not np.isfinite(value):
        raise QuestionError("A range ends at a number, not at infinity or NaN.")
    return repr(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
