"""What a run's columns are: their kind, range or categories, direction, and what they mean."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from leaplab.analysis.differences import Values
from leaplab.store.columns import ANALYSIS, METADATA, group_of, label_of
from leaplab.store.manifest import ColumnEntry

MAX_CATEGORIES = 1000
"""A column of more distinct strings is text: shown for a sample, no colour."""
MAX_INTEGER_CATEGORIES = 20
"""An integer column of more distinct values is a number on a scale."""
Kind = Literal["categorical", "continuous", "text"]
Meaning = Literal["label", "class name", "ordinal", "time", "identifier"]
LABELS = ("label", "class", "category", "target", "class_id", "label_id", "category_id")
CLASS_NAMES = ("class_name", "label_name", "category_name", "class_label")
TIMES = re.compile(r"(^|_)(time|timestamp|date|datetime|epoch)(_|$)|_(ns|us|ms)$")
MEANINGS_BY_COLOUR: tuple[Meaning, ...] = ("class name", "label")
"""What a population is coloured by first: names say more than numbers."""


class Column(Struct, frozen=True):
    """A column of the samples.

    Attributes:
        name: with its group, `metadata.label`.
        label: without it.
        group: sample, metadata, loss, metric, input or analysis.
        type: as stored: float, int, string or boolean.
        kind: categorical columns have `categories`, continuous ones a range; text has neither.
        categories: their texts, in the order of their codes.
        min, max: of the finite values; None where there are none.
        direction: which way is better; of a metric whose insights are not to be drawn, neither is.
        insights: whether insights are to be drawn; of metrics only.
        meaning: what the values stand for, where that can be told.
    """

    name: str
    label: str
    group: str
    type: str
    kind: Kind
    categories: list[str] | UnsetType = UNSET
    min: float | UnsetType | None = UNSET
    max: float | UnsetType | None = UNSET
    direction: str | UnsetType = UNSET
    insights: bool | UnsetType = UNSET
    meaning: Meaning | UnsetType = UNSET


def described(name: str, entry: ColumnEntry, values: NDArray[Any]) -> Column:
    """What a column of these values is.

    Args:
        name: with its group.
        entry: what is declared of it.
        values: [N], as `RunStore.read` gives them.
    """
    group, label = group_of(name), label_of(name)
    texts = _categories(entry.type, values)
    meaning = _meaning(label, entry.type, values, texts) if group == METADATA else UNSET
    if texts is not None:
        if len(texts) > MAX_CATEGORIES:
            return Column(name, label, group, entry.type, "text", meaning=meaning)
        return Column(name, label, group, entry.type, "categorical", texts, meaning=meaning)
    if values.dtype == object:  # whole numbers beyond doubles, some absent
        values = np.array([np.nan if value is None else float(value) for value in values])
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
    insights = UNSET if entry.insights is None else entry.insights
    direction = direction_of(entry)
    return Column(name, label, group, entry.type, "continuous", UNSET, low, high, direction, insights, meaning)


def described_computed(name: str, label: str, values: NDArray[np.float64], direction: str | None) -> Column:
    """What a column is that an analysis made: a number on a scale, see `leaplab.population.computed`."""
    made = described(name, ColumnEntry("float", direction=direction), values)
    return msgspec.structs.replace(made, label=label)


def direction_of(entry: ColumnEntry) -> str | UnsetType:
    """Which way is better; without insights neither more nor less of it is."""
    return UNSET if entry.direction is None or entry.insights is False else entry.direction


def texts_of(values: NDArray[Any]) -> list[str | None]:
    """The values as their categories are written; None where absent."""
    if values.dtype == object:
        return [
            None if v is None else ("true" if v else "false") if isinstance(v, bool | np.bool_) else str(v)
            for v in values
        ]
    return [None if value != value else str(int(value)) for value in values.tolist()]


def codes_of(categories: Sequence[str], values: NDArray[Any]) -> NDArray[np.int32]:
    """The place of each value among the categories; -1 where absent."""
    codes = {category: code for code, category in enumerate(categories)}
    if values.dtype == object:
        distinct = set(values.tolist())
        of_value = dict(zip(distinct, texts_of(np.array([*distinct, None], object)[:-1]), strict=True))
        found = {value: -1 if text is None else codes[text] for value, text in of_value.items()}
        return np.fromiter(map(found.__getitem__, values.tolist()), np.int32, len(values))
    present = np.isfinite(values)
    distinct_numbers, places = np.unique(values[present], return_inverse=True)
    of_number = np.array([codes[str(int(value))] for value in distinct_numbers.tolist()], np.int32)
    coded = np.full(len(values), -1, np.int32)
    coded[present] = of_number[places]
    return coded


def is_told_in(column: Column) -> bool:
    """Whether a finding may be told in a column: not in what names a sample, nor in what no insights are wanted of."""
    if column.group == ANALYSIS or column.kind == "text" or column.meaning == "identifier":
        return False
    return column.insights is not False


def values_of(column: Column, values: NDArray[Any]) -> Values:
    """A column as analyses take it: numbers, or codes of categories, NaN where absent."""
    if not isinstance(column.categories, list):
        return Values(values.astype(np.float64))
    codes = codes_of(column.categories, values)
    return Values(np.where(codes < 0, np.nan, codes), column.categories)


def default_colour(columns: Sequence[Column], otherwise: Sequence[str]) -> str:
    """What to colour a population by: class names, then labels, then any metadata with categories, then `otherwise`."""
    telling = [
        column
        for column in columns
        if column.group == METADATA and isinstance(column.categories, list) and len(column.categories) > 1
    ]
    ordered = [column for meaning in MEANINGS_BY_COLOUR for column in telling if column.meaning == meaning]
    # Names before numbers.
    ordered += sorted(telling, key=lambda column: column.type != "string")
    names = {column.name for column in columns}
    return next((c.name for c in ordered), None) or next(name for name in otherwise if name in names)


def _categories(type_: str, values: NDArray[Any]) -> list[str] | None:
    if type_ == "string":
        return sorted({value for value in values if value is not None})
    if type_ == "boolean":
        return [text for text, value in (("false", False), ("true", True)) if (values == value).any()]
    if type_ == "int":
        present = {int(value) for value in values.tolist() if value is not None and value == value}
        if len(present) <= MAX_INTEGER_CATEGORIES:
            return [str(value) for value in sorted(present)]
    return None


def _meaning(label: str, type_: str, values: NDArray[Any], texts: list[str] | None) -> Meaning | UnsetType:
    name = label.lower()
    if name in CLASS_NAMES or (name in LABELS and type_ == "string"):
        return "class name"
    if name in LABELS and texts is not None:
        return "label"
    if TIMES.search(name) and type_ in ("int", "float", "string"):
        return "time"
    if type_ == "string" and texts is not None and len(texts) == len(values) > MAX_INTEGER_CATEGORIES:
        return "identifier"
    return "ordinal" if type_ == "int" and texts is not None else UNSET
