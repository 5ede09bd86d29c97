"""What has columns and rows: the samples of a run, or its element instances; their columns as numbers and as codes."""

from collections.abc import Mapping
from typing import Any, Protocol

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


def numbers_of(table: Table, column: Column) -> NDArray[np.float64]:
    """[n] values of a continuous column, NaN where there is none."""
    values = table.values(column.name)
    if values.dtype == object:  # whole numbers beyond doubles, some absent
        return np.array([np.nan if value is None else float(value) for value in values])
    return values.astype(np.float64)


def category_codes(table: Table, column: Column) -> NDArray[np.int32]:
    """[n] places of a categorical column's values among its categories, -1 where absent."""
    assert isinstance(column.categories, list)
    values = table.values(column.name)
    return values.astype(np.int32) if column.name == CLUSTER_COLUMN else codes_of(column.categories, values)
