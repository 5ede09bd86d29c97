"""The tables of a part: which columns they have, and in which order."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leaplab.protocol.plan import Part
from leaplab.store.columns import ID, INPUT, LOSS, METADATA, METRIC, OFFSET, STATE, group_of
from leaplab.store.confusion import CONFUSION, CONFUSION_TYPES, ELEMENT_ID
from leaplab.store.parts import PartFiles, not_finite_rows
from leaplab.store.run import KEYS

COLUMN_ORDER = ("", METADATA, INPUT, LOSS, METRIC)
"""Groups of columns as they stand in the table of a part's samples."""


def write_confusion(
    files: PartFiles, part: Part, ids: Sequence[str], confusion: Mapping[str, Mapping[str, Sequence[Any]]]
) -> None:
    """Write a table of confusion elements for each metric that has them; offsets count within the part."""
    for column, elements in confusion.items():
        found = {**elements, ELEMENT_ID: [each or None for each in elements.get(ELEMENT_ID, ())]}
        found[ELEMENT_ID] = found[ELEMENT_ID] or [None] * len(elements[OFFSET])
        table = {**_keys_of(part, ids, elements[OFFSET]), **{key: found[key] for key in CONFUSION_TYPES}}
        files.table(CONFUSION, column, table, {**KEYS, OFFSET: "int", **CONFUSION_TYPES})


def in_place(former: Sequence[str], new: Sequence[str], groups: Sequence[str], order: Sequence[str]) -> list[str]:
    """The names of a table's columns in the order in which a part is written, some groups replaced by the new ones."""
    names = [*(name for name in former if group_of(name) not in groups), *new]
    return sorted(names, key=lambda name: order.index(group_of(name)))


def not_finite_columns(columns: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """Loss or metric -> how many of its values are NaN or infinity, of those that have one."""
    scores = {column: found for column, found in columns.items() if group_of(column) in (LOSS, METRIC)}
    return {column: count for column, found in scores.items() if (count := _not_finite(found))}


def _not_finite(values: Sequence[Any]) -> int:
    if isinstance(values, np.ndarray):
        return not_finite_rows(values)
    return sum(isinstance(value, float) and not math.isfinite(value) for value in values)


def _keys_of(part: Part, ids: Sequence[str], offsets: Sequence[int]) -> dict[str, Sequence[Any]]:
    """What leads from rows of another table to their samples."""
    return {ID: [ids[offset] for offset in offsets], STATE: [part.state] * len(offsets), OFFSET: offsets}


def instance_table(part: Part, ids: Sequence[str], instances: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """The table of the element instances of some samples, whose offset, number and columns are given."""
    offsets, numbers = instances[OFFSET], instances["number"]
    keys: dict[str, Sequence[Any]] = {
        "instance_id": [f"{ids[offset]}_{number}" for offset, number in zip(offsets, numbers, strict=True)],
        **_keys_of(part, ids, offsets),
        "number": numbers,
    }
    return keys | {column: values for column, values in instances.items() if column not in keys}
