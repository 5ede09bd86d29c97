"""Domains, named by the integration, that the model sees differently."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.corrections import holm
from leaplab.analysis.differences import Values
from leaplab.analysis.gap import (
    GapTest,
    Separation,
    centroid_distance,
    column_gaps,
    drawn,
    gap_test,
    pooled_components,
    separation,
)
from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import Samples, Space
from leaplab.analysis.insight.wording import first_of, listed, told_p

SMALLEST = 30
"""Samples of a domain that is compared."""
ALL_PAIRS = 4
"""Domains of a column that are all compared with each other; of more, the largest with each other one."""
MOST_PAIRS = 12
"""That are tested: with more, no p of 499 permutations, mostly .004 at least, could hold after the correction."""
LEVEL = 0.05
COLUMNS_TOLD = 3
PAIRS_TOLD = 3
BARELY = 0.55
"""AUC up to which two domains are hardly told apart by a linear model."""


@dataclass(frozen=True)
class _Pair:
    """Two domains of a column: rows of the space, and what they are called."""

    column: str
    names: tuple[str, str]
    source: NDArray[np.int64]
    target: NDArray[np.int64]


@dataclass(frozen=True)
class _Tested:
    """A pair, the rows of it that were compared, and what came of that."""

    pair: _Pair
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    test: GapTest
    separation: Separation
    distance: float


def find(samples: Samples) -> Found:
    """Do the domains that the integration names lie apart in latent space?

    Each pair of a domain column's values (the largest with each other one, where there are more than four; the 12
    largest pairs at most), 2,000 samples of each at most: a permutation test of energy distance and second moments on
    whitened principal components; cross-validated AUC of telling them apart as the size of the effect; columns that
    differ between them.

    Severity: 2 x AUC - 1; there is no insight where p, corrected for all pairs (Holm), is above .05.

    Source: see `leaplab.analysis.gap`.
    """
    if not samples.domains:
        return silence(
            "The integration names no metadata whose values are domains; set"
            " leap_binder.leap_analysis_configuration.domain_gap_metadata to do so."
        )
    if samples.space is None:
        return silence(samples.absent.get("space", "There is no latent space to compare the domains in."))
    pairs = [pair for name in samples.domains for pair in _pairs(name, samples, samples.space)]
    if not pairs:
        named = f"column {samples.domains[0]} has" if len(samples.domains) == 1 else "columns have"
        return silence(f"The domain {named} no two values with {SMALLEST} {samples.noun}s each.")
    pairs.sort(key=lambda pair: -min(len(pair.source), len(pair.target)))
    tested = [_compare(pair, samples.space) for pair in pairs[:MOST_PAIRS]]
    p = holm([each.test.p for each in tested])
    insights = [
        _insight(samples, samples.space, each, corrected)
        for each, corrected in zip(tested, p, strict=True)
        if corrected <= LEVEL
    ]
    left_out = _left_out(pairs[MOST_PAIRS:])
    if not insights:
        told = "1 pair of domains was" if len(tested) == 1 else f"{len(tested)} pairs of domains were"
        return silence(
            f"No domains lie apart: {told} compared, and the least p after correction is {told_p(min(p))}.{left_out}"
        )
    insights = [replace(each, explanation=f"{each.explanation}{left_out}") for each in insights]
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)))


def _left_out(pairs: list[_Pair]) -> str:
    """The sentence on pairs that are too many to be tested together; empty where there is none."""
    if not pairs:
        return ""
    names = first_of([f"{one} and {other}" for pair in pairs for one, other in [pair.names]], PAIRS_TOLD)
    return f" The smallest pairs were not compared, as too many tests find nothing: {names}."


def _pairs(column: str, samples: Samples, space: Space) -> list[_Pair]:
    values = samples.columns.get(column)
    if values is None:
        return []
    numbers = values.numbers[space.rows]
    distinct, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    large = counts >= SMALLEST
    by_size = np.lexsort((distinct[large], -counts[large]))
    domains = distinct[large][by_size].tolist()
    chosen = combinations(domains, 2) if len(domains) <= ALL_PAIRS else ((domains[0], other) for other in domains[1:])
    return [
        _Pair(
            column,
            (_name(values, one), _name(values, other)),
            np.flatnonzero(numbers == one),
            np.flatnonzero(numbers == other),
        )
        for one, other in chosen
    ]


def _name(values: Values, value: float) -> str:
    return f"{value:g}" if values.categories is None else values.categories[int(value)]


def _compare(pair: _Pair, space: Space) -> _Tested:
    source = pair.source[drawn(space.vectors[pair.source])]
    target = pair.target[drawn(space.vectors[pair.target])]
    one, other = pooled_components(space.vectors[source], space.vectors[target])
    return _Tested(pair, source, target, gap_test(one, other), separation(one, other), centroid_distance(one, other))


def _insight(samples: Samples, space: Space, tested: _Tested, p: float) -> Insight:
    pair, apart = tested.pair, tested.separation
    one, other = pair.names
    short = pair.column.split(".", 1)[-1]
    nearness = apart.nearness[len(tested.source) :]
    order = np.lexsort((tested.target, -nearness))
    masks = [np.zeros(len(samples), bool) for _ in range(2)]
    for mask, rows in zip(masks, (pair.source, pair.target), strict=True):
        mask[space.rows[rows]] = True
    told = {name: values for name, values in samples.columns.items() if name not in samples.domains}
    columns = column_gaps(told, masks[0], masks[1])[:COLUMNS_TOLD]
    because = f" They differ most in {listed([each.column for each in columns])}." if columns else ""
    if apart.auc <= BARELY:
        because = f" A linear model hardly tells them apart: it is their spread that differs.{because}"
    return Insight(
        title=f"{short}: {other} lies apart from {one}",
        explanation=(
            f"The model's latent vectors tell {other} ({len(pair.target):,} {samples.noun}s) from {one}"
            f" ({len(pair.source):,}) with an AUC of {apart.auc:.2f} (0.5 is chance; 95 % interval {apart.low:.2f} to"
            f" {apart.high:.2f}); p {told_p(p)} after correction.{because}"
        ),
        severity=max(2 * apart.auc - 1, 0.0),
        action=Action(
            0,
            0,
            f"Bring the two closer where the difference should not matter (by augmentation, or by tuning a simulation),"
            f" or train on more {samples.noun}s of the domain that it has too few of.",
        ),
        members=space.rows[tested.target[order]],
        scores=nearness[order],
        population=len(pair.target),
        statistics={
            "p": p,
            "AUC": apart.auc,
            "AUC, lower bound": apart.low,
            "AUC, upper bound": apart.high,
            "energy distance": tested.test.energy,
            "difference of second moments": tested.test.moments,
            "distance of the centres": tested.distance,
            **{f"{each.column}: effect": each.effect for each in columns},
        },
        differences_from=space.rows[pair.source],
    )
