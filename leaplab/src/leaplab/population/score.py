"""By which column a run is judged."""

import re

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.population.columns import Column
from leaplab.population.population import Population
from leaplab.population.tables import numbers_of
from leaplab.store.columns import LOSS, METRIC

SUMMARIES = ("accuracy", "map", "f1", "dice", "iou")
"""Words in the names of metrics that sum a model up, the most telling first; precision without recall does not."""


def score_of(population: Population) -> tuple[Column, NDArray[np.float64], bool] | None:
    """The column by which a run is judged, its values, and whether these are 0 or 1; None where it has none.

    Of the metrics with a direction, the first of: what is 0 or 1 and better when it is 1, as accuracy is; what is
    better when it is higher, those first whose name says that it sums a model up; what is 0 or 1; what is better when
    it is lower. Without such a metric, the first loss.
    """
    columns = [column for column in population.columns.values() if column.kind != "text"]
    directed = [column for column in columns if column.group == METRIC and column.direction is not UNSET]
    candidates = directed or [column for column in columns if column.group == LOSS][:1]
    scored = []
    for column in candidates:
        values = numbers_of(population, column)
        scored.append((column, values, bool(directed) and set(np.unique(values[np.isfinite(values)])) <= {0.0, 1.0}))
    return min(scored, key=lambda each: _preference(each[0], each[2])) if scored else None


def _preference(column: Column, is_binary: bool) -> tuple[int, int]:
    if column.direction != "upward":
        return (2 if is_binary else 3, 0)
    words = set(re.split("[^a-z0-9]+", column.label.lower()))
    return (
        0 if is_binary else 1,
        next((place for place, each in enumerate(SUMMARIES) if each in words), len(SUMMARIES)),
    )
