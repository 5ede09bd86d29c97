"""The samples that stand for all of a run of which not all can be looked at."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from leaplab.population.population import Population

LOOKED_AT = 200_000
"""Samples that insights are looked for among at most."""
LEAST = 20_000
"""Of these at least as many of each state, or all that it has: a small state must not be lost among a large one."""


def standing_for(population: "Population", among: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """The rows that are looked at in the place of some: these themselves where they are few enough.

    Args:
        among: rows; None takes all.

    Returns:
        Ascending, drawn of each state by a seed; None where all are looked at.
    """
    count = population.samples if among is None else len(among)
    if count <= LOOKED_AT:
        return among
    rows = np.arange(population.samples) if among is None else among
    _, numbers = np.unique(np.array(population.states)[rows], return_inverse=True)
    generator = np.random.default_rng(0)
    chosen = [
        generator.choice(rows[numbers == state], share, replace=False)
        for state, share in enumerate(shares(np.bincount(numbers), LOOKED_AT, LEAST).tolist())
    ]
    return np.sort(np.concatenate(chosen))


def shares(counts: NDArray[np.int64], total: int, least: int) -> NDArray[np.int64]:
    """[g] how many to take of [g] groups: of each some at least, and beyond that in proportion to what it has.

    Args:
        total: to take of all, at most their sum and at least `least` for each.
    """
    taken = np.minimum(counts, least)
    beyond = counts - taken
    open_ = total - int(taken.sum())
    exact = beyond * (open_ / max(int(beyond.sum()), 1))
    taken = taken + exact.astype(np.int64)
    # What does not divide goes to those that lost most by it.
    short = total - int(taken.sum())
    taken[np.argsort(-(exact % 1), kind="stable")[:short]] += 1
    return taken


def notice_of(population: "Population", among: NDArray[np.int64] | None) -> str | None:
    """The sentence that says so; None where all are looked at."""
    count = population.samples if among is None else len(among)
    if count <= LOOKED_AT:
        return None
    return (
        f"Insights are looked for among {LOOKED_AT:,} of {count:,} samples, drawn at random of each state; counts and"
        " members are of these."
    )
