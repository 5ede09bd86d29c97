"""Samples that two states share, so that what is held out is not."""

from itertools import combinations

import numpy as np

from leaplab.analysis.duplicates import Grouped, group
from leaplab.analysis.insight.duplication import duplicates_of, looked_at, pairs_told, why_unable
from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import ADDITIONAL, TEST, TRAINING, UNLABELED, VALIDATION, Samples
from leaplab.analysis.insight.wording import sentence

ORDER = (TRAINING, VALIDATION, TEST, UNLABELED, ADDITIONAL)
"""Of two states that share samples, the later one is to lose them."""


def find(samples: Samples) -> Found:
    """Which samples of one state lie in another as well?

    Pairs of equal or nearly equal samples, found as for `duplication`, of which one is in training and the other held
    out, or both in states that are held out. Members are those of the held-out state.

    Severity: the share of the smaller state's samples that the other state has, too.

    Source: see `leaplab.analysis.duplicates`.
    """
    unable = why_unable(samples)
    if unable:
        return silence(unable)
    present = set(samples.states.tolist())
    states = [state for state in ORDER if state in present]
    if len(states) < 2:
        return silence(f"All {len(samples):,} {samples.noun}s are of one state, so none can leak into another.")
    duplicates = duplicates_of(samples)
    scores = np.full(len(samples), np.nan)
    insights = []
    for one, other in combinations(states, 2):
        found = group(duplicates, samples.in_state(one), samples.in_state(other))
        scores[found.rows] = np.fmax(scores[found.rows], found.similarity)
        if len(found.rows):
            insights.append(_insight(samples, one, other, found))
    if not insights:
        return silence(f"No {samples.noun} lies in two states: {looked_at(samples)}.", scores)
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)), "", scores)


def _insight(samples: Samples, one: str, other: str, found: Grouped) -> Insight:
    noun = samples.noun
    of_one, of_other = int(samples.in_state(one).sum()), int(samples.in_state(other).sum())
    held_out = samples.states[found.rows] == other
    shared = {one: int((~held_out).sum()), other: int(held_out.sum())}
    smaller, size = (one, of_one) if of_one < of_other else (other, of_other)
    inside = np.flatnonzero(held_out)
    inside = inside[np.lexsort((found.rows[inside], -found.similarity[inside]))]
    count = len(inside)
    one_only = count == 1
    return Insight(
        title=f"{count:,} {other} {noun}{' lies' if one_only else 's lie'} in {one} as well",
        explanation=(
            f"{count:,} of {of_other:,} {other} {noun}s ({100 * count / of_other:.3g} %)"
            f" {'has' if one_only else 'have'} a copy among {shared[one]:,} of {of_one:,} {one} {noun}s:"
            f" {pairs_told(found)}."
            f" {sentence(looked_at(samples))}"
        ),
        severity=shared[smaller] / size,
        action=Action(0, 0, _what_to_do(one, other, count, noun)),
        members=found.rows[inside],
        scores=found.similarity[inside],
        population=of_other,
        state=other,
        statistics={
            "exact pairs": float(found.exact_pairs),
            "near pairs": float(found.near_pairs),
            "groups": float(len(np.unique(found.groups))),
            f"{noun}s of {one}": float(shared[one]),
            f"{noun}s of {other}": float(shared[other]),
        },
    )


def _what_to_do(one: str, other: str, count: int, noun: str) -> str:
    these = f"this {noun}" if count == 1 else f"these {count:,} {noun}s"
    if other == UNLABELED:
        labelled = "it" if count == 1 else "them"
        return f"Drop {these} from {other}: to label {labelled} would bring nothing that {one} lacks."
    if one == TRAINING:
        return (
            f"Drop {these} from {other}, or the copies from training: the model has seen them, so {other} looks better"
            " than it is."
        )
    return (
        f"Drop {these} from {one} or from {other}: what is chosen on the one is no longer measured anew by the other."
    )
