"""How good the model is, at first sight."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.population.columns import MEANINGS_BY_COLOUR
from leaplab.population.population import Population
from leaplab.population.score import score_of
from leaplab.population.tables import category_codes

FEWEST = 10
"""Samples of a class that is called the best or the worst."""
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
