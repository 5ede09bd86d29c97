"""Confusion elements of a run as arrays: what each label was expected to be, and how sure of it the model was."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaplab.store.columns import OFFSET
from leaplab.store.parquet import column_names, quoted, read_arrays, row_counts

CONFUSION = "confusion"
"""The folder of their tables."""
ELEMENT_ID = "id"
CONFUSION_TYPES = {"label": "string", "expected": "boolean", "probability": "float", ELEMENT_ID: "string"}


@dataclass(frozen=True)
class Elements:
    """The confusion elements of a metric, k of them, in row order.

    Attributes:
        labels: distinct ones, sorted.
        row: [k] int64, of the run's sample.
        label: [k] int32, place among the labels.
        expected: [k] bool.
        probability: [k] float64.
        thing: [k] uint64, equal for elements of one sample with the same id; 0 for one without an id. None where no
            element has one.
        kept_ids: whether the run's files have a place for ids. Those of an earlier leaplab have none, whatever the
            integration gave.
    """

    labels: list[str]
    row: NDArray[np.int64]
    label: NDArray[np.int32]
    expected: NDArray[np.bool_]
    probability: NDArray[np.float64]
    thing: NDArray[np.uint64] | None
    kept_ids: bool


def read_elements(files: Mapping[Path, int]) -> Elements:
    """The elements of some parts.

    Args:
        files: table of a part -> the run's row of the part's first sample, in row order.
    """
    paths = list(files)
    kept_ids = ELEMENT_ID in column_names(paths)
    labels = sorted(map(str, read_arrays(paths, {"label": "DISTINCT label"})["label"]))
    places = ", ".join("'" + label.replace("'", "''") + "'" for label in labels) or "''"
    selected = {
        OFFSET: f"{quoted(OFFSET)}::BIGINT",
        "label": f"enum_code(label::ENUM({places}))::INTEGER",
        "expected": "expected",
        "probability": "probability",
    }
    if kept_ids:
        # Ids tell things apart within a sample only, where two of them hardly meet in 64 bits.
        selected["thing"] = f"CASE WHEN {ELEMENT_ID} IS NULL THEN 0::UBIGINT ELSE greatest(hash({ELEMENT_ID}), 1) END"
    found = read_arrays(paths, selected)
    starts = np.repeat(np.array(list(files.values()), np.int64), row_counts(paths))
    thing = found.get("thing")
    return Elements(
        labels,
        starts + found[OFFSET],
        np.asarray(found["label"], np.int32),
        np.asarray(found["expected"], np.bool_),
        np.ma.filled(np.ma.asarray(found["probability"], np.float64), np.nan),
        None if thing is None or not thing.any() else np.asarray(thing, np.uint64),
        kept_ids,
    )
