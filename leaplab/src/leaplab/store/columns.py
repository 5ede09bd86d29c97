"""The one grammar of column names.

    sample.state                                what identifies a sample; its id and state stand bare in SQL
    metadata.HANDLER, metadata.HANDLER_KEY      what the integration's metadata functions say
    loss.NAME, metric.NAME, metric.NAME_KEY     what its losses and metrics give
    input.PROPERTY                              what leaplab itself computes of an input
    analysis.NAME                               what an analysis made of the run

A handler that returns a dictionary has a column a key; which keys, only its results tell. So a column's owner is the
longest declared name that fits.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

Entry = TypeVar("Entry")

ID, STATE = "sample_id", "state"
"""Columns of every table: what identifies a sample."""
OFFSET = "offset"
"""Of tables beside that of the samples: where in its part a sample lies, which leads to its row in the run."""
SAMPLE, METADATA, LOSS, METRIC, INPUT, ANALYSIS = "sample", "metadata", "loss", "metric", "input", "analysis"
GROUPS = (SAMPLE, METADATA, LOSS, METRIC, INPUT, ANALYSIS)
STATE_COLUMN = f"{SAMPLE}.{STATE}"
"""The state among the columns that a person chooses from."""


def column_of(group: str, name: str) -> str:
    """The column of a name in a group."""
    assert group in GROUPS, group
    return f"{group}.{name}"


def group_of(column: str) -> str:
    """What a column belongs to; empty for one without a group, such as an instance's name."""
    group, dot, _ = column.partition(".")
    return group if dot and group in GROUPS else ""


def label_of(column: str) -> str:
    """A column's name without its group, as a person reads it."""
    return column.partition(".")[2] if group_of(column) else column


def key_column(owner: str, key: str) -> str:
    """The column of one key of what a handler returns; of the handler itself where the key is empty."""
    return f"{owner}_{key}" if key else owner


def owner_of(column: str, declared: Iterable[str]) -> str | None:
    """The declared name that a column is of: the longest that is the column, or is followed by a key."""
    return max((name for name in declared if column == name or column.startswith(f"{name}_")), key=len, default=None)


def declared_of(column: str, declared: Mapping[str, Entry], otherwise: Entry) -> Entry:
    """What is declared of a column, or of its owner."""
    owner = owner_of(column, declared)
    return otherwise if owner is None else declared[owner]
