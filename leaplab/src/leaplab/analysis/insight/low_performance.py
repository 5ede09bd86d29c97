"""Groups of samples on which the model does worse than on the rest."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.insight.result import Action, BoundTest, Found, Insight, silence
from leaplab.analysis.insight.samples import TRAINING, Samples, Score
from leaplab.analysis.insight.wording import is_count, listed, told_p
from leaplab.analysis.numerals import numeral
from leaplab.analysis.slices import LEAST_MEMBERS, Slice, find_slices

WORST = 0.8
"""Quantile of the badness beyond which a sample fails, where no metric says whether it does."""
LEAST_FAILING = 5
"""Members without which there is nothing to look at."""
NAMED_CLASSES = 3
NAMED_SHARE = 1 / 3
"""Of a region's errors that are of one kind, from which on it is named by that."""
FEWEST = 4 * LEAST_MEMBERS


def find(samples: Samples) -> Found:
    """On which samples does the model do worse, and what have these in common?

    Each labelled state by itself: slices that one half of it suggests and the other confirms, see
    `leaplab.analysis.slices`. Members are those of a slice that fail: by a metric that is 0 or 1 where there is one,
    else those among the state's worst fifth; the worst first.

    severity: the share of the state's whole badness above its median that these members hold.
    """
    score = samples.score
    if score is None:
        return silence(samples.absent.get("score", "There is no loss or metric to say where the model does worse."))
    insights: list[Insight] = []
    looked_at = [state for state in samples.labelled_states if _count(samples, score, state) >= FEWEST]
    if not looked_at:
        return silence(
            f"No labelled state has {FEWEST} {samples.noun}s with a value of {score.column}: too few to find a group"
            " in one half and to confirm it in the other."
        )
    space = samples.space
    for state in looked_at:
        among = samples.in_state(state)
        components, rows = (None, None) if space is None else (space.components, space.rows)
        for each in find_slices(score.badness, samples.columns, among, components, rows):
            insight = _insight(samples, score, state, each)
            if len(insight.members) >= LEAST_FAILING:
                insights.append(insight)
    if not insights:
        return silence(
            f"No group of {2 * LEAST_MEMBERS} or more {samples.noun}s of {listed(looked_at, 'or')} has a {score.column}"
            " that is reliably worse than that of the rest."
        )
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)))


def _count(samples: Samples, score: Score, state: str) -> int:
    return int((samples.in_state(state) & np.isfinite(score.badness)).sum())


def _insight(samples: Samples, score: Score, state: str, found: Slice) -> Insight:
    in_state = samples.in_state(state) & np.isfinite(score.badness)
    inside = found.covers & in_state
    badness = score.badness[in_state]
    failing = score.failed if score.failed is not None else score.badness > np.quantile(badness, WORST)
    members = np.flatnonzero(inside & failing)
    members = members[np.argsort(-score.badness[members], kind="stable")]
    middle = np.median(badness)
    whole = np.maximum(badness - middle, 0).sum()
    severity = float(np.maximum(score.badness[members] - middle, 0).sum() / whole) if whole > 0 else 0.0
    rest = in_state & ~inside
    own, others = float(score.values[inside].mean()), float(score.values[rest].mean())
    means = f"its mean {score.column} is {numeral(own)}, that of the others {numeral(others)}"
    told = " and ".join(condition.told() for condition in found.conditions)
    noun = samples.noun
    confusion = _confusion(samples, members)
    title = told or _named_region(samples, inside, confusion)
    sentences = [
        f"{int(inside.sum()):,} of {int(in_state.sum()):,} {noun}s of {state}"
        + (f" where {told}: " if told else ", which lie together in the latent space: ")
        + f"{means} ({found.effect:.2f} standard deviations on the half that confirms it, p {told_p(found.p)})."
    ]
    if confusion is not None:
        sentences.append(
            f"Of the {confusion.wrong:,} that it gets wrong, {confusion.count:,}"
            f" {'is' if confusion.count == 1 else 'are'} {confusion.pair}."
        )
    if any(is_count(condition.column, samples.columns[condition.column]) for condition in found.conditions):
        sentences.append("This is a slice of a count: where there is more to get wrong, a score that adds up is worse.")
    training = samples.in_state(TRAINING)
    in_training = int((found.covers & training).sum()) if training.any() else None
    where = " and ".join(f"({condition.where()})" for condition in found.conditions)
    tests: tuple[BoundTest, ...] = ()
    if where:
        bound = f"<= {others:.6g}" if own > others else f">= {others:.6g}"
        condition = f"state = '{state}' and {where}"
        tests = (BoundTest(f"{score.column} where {told}, {state}", condition, score.column, "mean", bound),)
    return Insight(
        title=title,
        explanation=" ".join(sentences),
        severity=min(severity, 1.0),
        action=_action(noun, len(members), in_training, state),
        members=members,
        scores=score.badness[members],
        population=int(inside.sum()),
        state=state,
        baseline={score.column: others, "failing": _share(failing & rest, rest)},
        inside={score.column: own, "failing": _share(failing & inside, inside)},
        statistics={"z": found.z, "effect": found.effect, "p": found.p, "excess": found.excess, "where": where},
        tests=tests,
        differences_from=np.flatnonzero(rest),
    )


@dataclass(frozen=True)
class _Confusion:
    """The most frequent error: `cat taken for dog`, how often it is, and how many errors there are."""

    pair: str
    count: int
    wrong: int


def _confusion(samples: Samples, members: NDArray[np.int64]) -> _Confusion | None:
    labels = samples.labels
    if labels is None or labels.predicted is None:
        return None
    truth, predicted = labels.codes[members], labels.predicted[members]
    wrong = (truth >= 0) & (predicted >= 0) & (truth != predicted)
    if not wrong.any():
        return None
    pairs = Counter(zip(truth[wrong].tolist(), predicted[wrong].tolist(), strict=True))
    (true, taken), count = min(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return _Confusion(f"{labels.names[true]} taken for {labels.names[taken]}", count, int(wrong.sum()))


def _named_region(samples: Samples, inside: NDArray[np.bool_], confusion: _Confusion | None) -> str:
    """What to call a place in the latent space: by its errors where these are alike, else by its commonest classes."""
    if confusion is not None and confusion.count >= NAMED_SHARE * confusion.wrong:
        return f"{confusion.pair}, in a region of the latent space"
    if samples.labels is None or not (samples.labels.codes[inside] >= 0).any():
        return "a region of the latent space"
    codes = samples.labels.codes[inside]
    counts = np.bincount(codes[codes >= 0])
    commonest = [code for code in np.argsort(-counts, kind="stable")[:NAMED_CLASSES] if counts[code]]
    shares = ", ".join(f"{counts[code] / len(codes):.0%} {samples.labels.names[code]}" for code in commonest)
    return f"a region of the latent space: {shares}"


def _action(noun: str, failing: int, in_training: int | None, state: str) -> Action:
    """What to do; `in_training` counts the slice's training samples, None where these are not looked at."""
    look = f"Look at the {failing:,} that fail, the worst first"
    if in_training is None:
        return Action(failing, 0, f"{look}.")
    if not in_training:
        return Action(
            failing, failing, f"{look}; training has no {noun} of this slice: acquire some, {failing:,} or more."
        )
    if state == TRAINING:
        return Action(failing, 0, f"{look}: what training itself does not fit is wrongly labelled, or hard to tell.")
    return Action(
        failing,
        in_training,
        f"{look}; acquire about {in_training:,} more for training, which doubles what it holds of this slice.",
    )


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else 0.0
