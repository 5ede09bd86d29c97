"""How good the model is, at first sight."""

import re
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.population.columns import MEANINGS_BY_COLOUR, Column
from leaplab.population.population import Population
from leaplab.population.tables import category_codes, numbers_of
from leaplab.store.columns import LOSS, METRIC

FEWEST = 10
"""Samples of a class that is called the best or the worst."""
SUMMARIES = ("accuracy", "map", "f1", "dice", "iou")
"""Words in the names of metrics that sum a model up, the most telling first; precision without recall does not."""
JUDGED = ("validation", "test", "training")
"""States by which classes are judged, the first that there is."""


def headline(population: Population) -> dict[str, Any] | None:
    """The score of each state, and the best and the worst class, see `leaplab.explorer.model.Headline`.

    The score is chosen by `score_of`; None where the run has none.
    """
    scored = score_of(population)
    if scored is None:
        return None
    column, values, is_binary = scored
    better = 1 if column.direction == "upward" else -1
    states = np.array(population.states, object)
    told = []
    for state in population.store.manifest.states:
        known = values[(states == state) & np.isfinite(values)]
        if len(known):
            wrong = int((known != (1 if better > 0 else 0)).sum()) if is_binary else None
            told.append({"state": state, "value": float(known.mean()), "count": len(known), "wrong": wrong})
    if not told:
        return None
    judged = next((state for state in JUDGED if any(each["state"] == state for each in told)), told[0]["state"])
    best, worst = _classes(population, np.where(states == judged, values, np.nan), better)
    upward = column.direction == "upward"
    return {
        "column": column.name, "label": column.label, "upward": upward, "binary": is_binary,
        "states": told, "judged": judged, "best": best, "worst": worst,
    }  # fmt: skip


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


def _classes(
    population: Population, values: NDArray[np.float64], better: int
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    columns = [column for column in population.columns.values() if isinstance(column.categories, list)]
    telling = [column for meaning in MEANINGS_BY_COLOUR for column in columns if column.meaning == meaning]
    if not telling:
        return None, None
    column = telling[0]
    assert isinstance(column.categories, list)
    codes = category_codes(population, column)
    known = np.isfinite(values) & (codes >= 0)
    counts = np.bincount(codes[known], minlength=len(column.categories))
    sums = np.bincount(codes[known], values[known], minlength=len(column.categories))
    judged = np.flatnonzero(counts >= FEWEST)
    if len(judged) < 2:
        return None, None
    means = sums[judged] / counts[judged]
    order = np.argsort(-better * means, kind="stable")
    best, worst = (
        {"column": column.name, "name": column.categories[judged[place]], "value": float(means[place])}
        for place in (order[0], order[-1])
    )
    return best, worst
