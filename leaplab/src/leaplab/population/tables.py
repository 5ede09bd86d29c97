"""What has columns and rows: the samples of a run, or its element instances; their columns as numbers and as codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from leaplab.population.columns import Column, codes_of
from leaplab.population.computed import CLUSTER_COLUMN


class Table(Protocol):
    """The samples of a run (`Population`), or its element instances (`Objects`)."""

    @property
    def columns(self) -> Mapping[str, Column]:
        """Every column, by its name."""

    def column(self, name: str) -> Column:
        """A column's description.

        Raises:
            MissingError: there is no such column.
        """

    def values(self, name: str) -> NDArray[Any]:
        """[n] of a column's values."""


@dataclass(frozen=True)
class _Coded:
    """What was made of the values of a column.

    Attributes:
        values: whose codes they are; others by identity are coded anew.
        categories: their texts, by code.
        codes: [n] int32, -1 where absent.
    """

    values: NDArray[Any]
    categories: Sequence[str]
    codes: NDArray[np.int32]


_coded: "WeakKeyDictionary[Table, dict[str, _Coded]]" = WeakKeyDictionary()
"""Table -> column -> codes: making them goes through every value as an object, so it is done once."""


def numbers_of(table: Table, column: Column) -> NDArray[np.float64]:
    """[n] values of a column of numbers or truth values (0 and 1), NaN where there is none."""
    values = table.values(column.name)
    if values.dtype != object:
        return values.astype(np.float64)
    if isinstance(column.categories, list) and column.type == "boolean":
        numbers = [float(category == "true") for category in column.categories]
        return np.array([*numbers, np.nan])[category_codes(table, column)]
    # Whole numbers beyond doubles, some absent.
    return np.array([np.nan if value is None else float(value) for value in values])


def category_codes(table: Table, column: Column) -> NDArray[np.int32]:
    """[n] places of a categorical column's values among its categories, -1 where absent; made once for its values."""
    assert isinstance(column.categories, list)
    values = table.values(column.name)
    if column.name == CLUSTER_COLUMN:
        return values.astype(np.int32)
    known = _known(table, column.name, values)
    if known is None or known.categories != column.categories:
        known = _Coded(values, column.categories, codes_of(column.categories, values))
        _coded.setdefault(table, {})[column.name] = known
    return known.codes


def text_codes(table: Table, column: Column) -> tuple[Sequence[str], NDArray[np.int32]]:
    """The distinct values of a text column in the order of their first rows, and [n] the place of each row's."""
    values = table.values(column.name)
    known = _known(table, column.name, values)
    if known is None:
        texts = [text for text in dict.fromkeys(values.tolist()) if text is not None]
        known = _Coded(values, texts, codes_of(texts, values))
        _coded.setdefault(table, {})[column.name] = known
    return known.categories, known.codes


def _known(table: Table, name: str, values: NDArray[Any]) -> _Coded | None:
    known = _coded.get(table, {}).get(name)
    return known if known is not None and known.values is values else None
