"""Groups of samples on which the model has learned training by heart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import TEST, TRAINING, VALIDATION, Samples, Score
from leaplab.analysis.insight.wording import first_of, told_p
from leaplab.analysis.numerals import numeral
from leaplab.analysis.overfitting import LEAST_OF_A_STATE, LEAST_SHARE, Gap, gaps

SEEN = 0.8
"""Quantile of training's badness in a group beyond which its held-out samples are members."""
SAME = 0.5
"""Share of two groups' samples that both have, from which on they are told once."""


def find(samples: Samples) -> Found:
    """Where is the model worse on samples that it was not trained on?

    Validation, else test, against training: over all samples, and inside each cluster and each category of a column
    with 15 samples of both. A group is told where its gap exceeds that of all samples, tested by permutation of the
    states within it (`leaplab.analysis.overfitting`; Janssen 1997, Holm 1979), by at least a fifth of its held-out
    badness. Of groups that share half of their samples, the one with the greatest severity is told.

    Members are a group's held-out samples that are worse than four fifths of its training samples; the worst first.
    Badness is counted from 0, or from the best value of any sample where that is less.

    severity: the gap's share of the group's mean held-out badness, such as 1 - training's loss / validation's.
    """
    score = samples.score
    if score is None:
        return silence(samples.absent.get("score", "There is no loss or metric to compare the states by."))
    known = np.isfinite(score.badness)
    counts = {state: int((samples.in_state(state) & known).sum()) for state in (TRAINING, VALIDATION, TEST)}
    if not counts[TRAINING]:
        return silence(f"No {samples.noun} of training has a value of {score.column}, so there is no gap to it.")
    state = next((each for each in (VALIDATION, TEST) if counts[each]), None)
    if state is None:
        return silence(
            f"No {samples.noun} of validation or test has a value of {score.column} to compare training with."
        )
    if min(counts[TRAINING], counts[state]) < LEAST_OF_A_STATE:
        return silence(
            f"Training and {state} have {counts[TRAINING]:,} and {counts[state]:,} {samples.noun}s with a value of"
            f" {score.column}; it takes {LEAST_OF_A_STATE} of each."
        )
    rows = np.flatnonzero((samples.in_state(TRAINING) | samples.in_state(state)) & known)
    held_out = samples.in_state(state)[rows]
    badness = score.badness[rows] - min(0.0, float(score.badness[rows].min()))
    groups = _groups(samples, rows)
    found = gaps(badness, held_out, [group.places for group in groups])
    everything = _Group(f"all {samples.noun}s", "", np.arange(len(rows)))
    of = {gap.group: groups[gap.group] if gap.group >= 0 else everything for gap in found}
    insights = [
        _insight(samples, score, state, rows, held_out, badness, of[gap.group], gap, also)
        for gap, also in _told_once(found, of)
    ]
    if not insights:
        return silence(
            f"{score.column} is not reliably worse on {state} than on training by {LEAST_SHARE:.0%}, neither over all"
            f" {samples.noun}s nor, beyond that, in any of {len(groups):,} clusters and categories."
        )
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)))


@dataclass(frozen=True)
class _Group:
    """Samples of both states: what they are, the column that says so, and their places among the rows."""

    told: str
    column: str
    places: NDArray[np.int64]


def _groups(samples: Samples, rows: NDArray[np.int64]) -> list[_Group]:
    groups = []
    if samples.space is not None:
        numbers = np.full(len(samples), -1)
        numbers[samples.space.rows] = samples.space.clusters.numbers
        groups += _by_code(numbers[rows], "cluster", [f"cluster {number}" for number in range(numbers.max() + 1)])
    for name, values in samples.columns.items():
        if values.categories is not None:
            codes = values.numbers[rows]
            whole = np.where(np.isfinite(codes), codes, -1).astype(np.int64)
            groups += _by_code(whole, name, [f"{name} {category}" for category in values.categories])
    return [group for group in groups if len(group.places) < len(rows)]


def _by_code(codes: NDArray[np.int64], column: str, names: list[str]) -> list[_Group]:
    order = np.argsort(codes, kind="stable")
    distinct, starts = np.unique(codes[order], return_index=True)
    parts = np.split(order, starts[1:])
    return [
        _Group(names[code], column, np.sort(part))
        for code, part in zip(distinct.tolist(), parts, strict=True)
        if code >= 0 and len(part) >= 2 * LEAST_OF_A_STATE
    ]


def _told_once(found: list[Gap], of: dict[int, _Group]) -> list[tuple[Gap, list[str]]]:
    # Each gap that is told, with the names of the groups that it stands for
    told: list[tuple[Gap, list[str]]] = []
    for gap in sorted(found, key=lambda gap: -_severity(gap)):
        places = of[gap.group].places
        for other, also in told:
            theirs = of[other.group].places
            shared = len(np.intersect1d(places, theirs, assume_unique=True))
            if gap.group >= 0 and shared >= SAME * (len(places) + len(theirs) - shared):
                also.append(of[gap.group].told)
                break
        else:
            told.append((gap, []))
    return told


def _severity(gap: Gap) -> float:
    return min(1.0, gap.difference / gap.held_out)


def _insight(
    samples: Samples,
    score: Score,
    state: str,
    rows: NDArray[np.int64],
    held_out: NDArray[np.bool_],
    badness: NDArray[np.float64],
    group: _Group,
    gap: Gap,
    also: list[str],
) -> Insight:
    inside = np.zeros(len(rows), np.bool_)
    inside[group.places] = True
    of_training, of_held_out = inside & ~held_out, inside & held_out
    usual = np.quantile(badness[of_training], SEEN)
    beyond = of_held_out & (badness > usual)
    members = np.flatnonzero(beyond if beyond.any() else of_held_out)
    members = members[np.argsort(-badness[members], kind="stable")]
    count, severity = int(of_training.sum()), _severity(gap)
    own, others = (float(score.values[rows[part]].mean()) for part in (of_held_out, of_training))
    overall = gap.group < 0
    sentences = [
        f"Mean {score.column} of {group.told} is {numeral(own)} on {state} ({int(of_held_out.sum()):,}) and"
        f" {numeral(others)} on training ({count:,}): {severity:.0%} of what {state} loses there is the gap"
        + (f" (p {told_p(gap.p)})." if overall else "; it is wider than that of all samples by")
        + ("" if overall else f" {numeral(gap.excess)} (p {told_p(gap.p)}).")
    ]
    if also:
        sentences.append(f"Mostly the same samples: {first_of(also, 1)}.")
    return Insight(
        title=f"overfitting: {group.told}",
        explanation=" ".join(sentences),
        severity=severity,
        action=_action(gap, group, count, len(members), state),
        members=rows[members],
        scores=badness[members],
        population=int(inside.sum()),
        state=state,
        baseline={f"{score.column} of training": others},
        inside={f"{score.column} of {state}": own},
        statistics={"gap": gap.difference, "excess": gap.excess, "p": gap.p, "training": float(count)},
        differences_from=rows[of_training] if overall else rows[held_out & ~inside],
    )


def _action(gap: Gap, group: _Group, count: int, members: int, state: str) -> Action:
    if gap.group < 0:
        return Action(
            members,
            0,
            f"Regularise, augment or stop the training earlier; the {members:,} members are those of {state} that are"
            " worse than four fifths of training.",
        )
    # A gap falls as the number of training samples grows; what brings it down to that of all, at most as many again.
    usual = gap.difference - gap.excess
    acquire = min(count, int(np.ceil(count * gap.excess / usual))) if usual > 0 else count
    return Action(
        members,
        acquire,
        f"Acquire about {acquire:,} more of {group.told} for training, which holds {count:,}, or augment these; look at"
        f" the {members:,} members, which are worse than four fifths of training's.",
    )
