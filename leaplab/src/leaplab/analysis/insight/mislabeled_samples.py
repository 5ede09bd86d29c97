"""Samples whose label the latent space contradicts."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import Labels, Samples, Space
from leaplab.analysis.insight.wording import first_of, too_few_classes
from leaplab.analysis.mislabeled import MOST_CLASSES, SMALLEST_CLASS, LabelScores, label_scores, neighbours_majority

FIRST = 100
"""Samples, from the highest score on, that the severity is about."""
FIRST_SHARE = 0.1
"""Of a state's samples that the first ones are at most."""
LEAST_MEMBERS = 5
TOLD_APART = 0.5
"""Share of the way from chance to 1 that the balanced accuracy has to go for a contradiction to say anything."""


def find(samples: Samples) -> Found:
    """Which labels may be wrong?

    Each labelled state by itself: a classifier of the latent space, fitted without the sample, scores how much likelier
    another class is than the label (`leaplab.analysis.mislabeled`, after Northcutt et al., JAIR 70, 2021). Members have
    a score above 0 *and* a label against which more than half of their labelled nearest neighbours bear one other
    class; the highest score comes first. It is a ranking: hard samples with a right label are among them. The same for
    any order of the samples.

    There is no insight where the classifier's balanced accuracy goes less than half of the way from chance to 1, since
    nearly all labels are contradicted then; nor with fewer than 5 members.

    severity: the share of the 100 highest scores (of the highest tenth, in a state of fewer than 1,000 samples) whose
        neighbours bear one other class.
    """
    labels, space = samples.labels, samples.space
    if labels is None:
        return silence(samples.absent.get("labels", "The run tells no classes."))
    if space is None:
        return silence(samples.absent.get("space", "The run has no latent space."))
    scores = np.full(len(samples), np.nan)
    insights: list[Insight] = []
    reasons: list[str] = []
    for state in samples.labelled_states:
        ranked = _rank(samples, labels, space, state)
        if isinstance(ranked, str):
            reasons.append(ranked)
            continue
        scores[ranked.rows] = ranked.found.scores
        told = _insight(samples, labels, space, ranked)
        if isinstance(told, str):
            reasons.append(told)
        else:
            insights.append(told)
    insights.sort(key=lambda insight: -insight.severity)
    if not insights:
        reason = " ".join(reasons) or f"No labelled state has a {samples.noun}."
        return silence(reason, None if np.isnan(scores).all() else scores)
    return Found(tuple(insights), scores=scores)


@dataclass(frozen=True)
class _Ranked:
    """The samples of a state whose labels are ranked, by row, and the names of the classes that are left out."""

    state: str
    rows: NDArray[np.int64]
    places: NDArray[np.int64]
    found: LabelScores
    left_out: list[str]
    least_accuracy: float


def _rank(samples: Samples, labels: Labels, space: Space, state: str) -> _Ranked | str:
    places = np.flatnonzero(samples.in_state(state)[space.rows] & (labels.codes[space.rows] >= 0))
    sizes = np.bincount(labels.codes[space.rows[places]], minlength=len(labels.names))
    small = np.flatnonzero((sizes > 0) & (sizes < SMALLEST_CLASS))
    places = places[sizes[labels.codes[space.rows[places]]] >= SMALLEST_CLASS]
    classes = int((sizes >= SMALLEST_CLASS).sum())
    if classes < 2:
        return too_few_classes(state, classes, SMALLEST_CLASS, samples.noun)
    if classes > MOST_CLASSES:
        return f"{state.capitalize()} has {classes:,} classes; labels are ranked for up to {MOST_CLASSES:,}."
    vectors = space.vectors[places]
    if (vectors == vectors[0]).all():
        return f"All vectors of {state} in the latent space '{space.name}' are equal, so they tell no classes apart."
    rows = space.rows[places]
    found = label_scores(vectors, labels.codes[rows])
    least = 1 / classes + TOLD_APART * (1 - 1 / classes)
    return _Ranked(state, rows, places, found, [labels.names[code] for code in small.tolist()], least)


def _insight(samples: Samples, labels: Labels, space: Space, ranked: _Ranked) -> Insight | str:
    found, state, noun = ranked.found, ranked.state, samples.noun
    count = len(ranked.rows)
    if found.balanced_accuracy < ranked.least_accuracy:
        return (
            f"In {state} the latent space '{space.name}' does not tell the classes of {labels.source} well enough apart"
            f" to doubt a label: a classifier of it has a balanced accuracy of {found.balanced_accuracy:.2f}, and"
            f" {ranked.least_accuracy:.2f} is what it takes."
        )
    by_place = labels.codes[space.rows]
    around = neighbours_majority(space.graph.rows, by_place, ranked.places)
    contradicted = (around >= 0) & (around != labels.codes[ranked.rows])
    order = np.lexsort((ranked.rows, -found.scores))
    first = order[: min(FIRST, int(np.ceil(FIRST_SHARE * count)))]
    severity = float(contradicted[first].mean())
    members = order[(contradicted & (found.scores > 0))[order]]
    if len(members) < LEAST_MEMBERS:
        those = f"only {len(members):,}" if len(members) else "none"
        return (
            f"In {state} no labels stand out: of {count:,} {noun}s there {'is' if len(members) < 2 else 'are'} {those}"
            " whose label is contradicted by both a classifier of the latent space and most of the neighbours."
        )
    rows = ranked.rows[members]
    pair, times = _most_frequent_pair(labels, rows[: len(first)], found.likely[members[: len(first)]])
    return Insight(
        title=f"{len(rows):,} labels of {state} to look at again",
        explanation=_explanation(samples, labels, space, ranked, len(rows))
        + f" Of the first {len(first):,} by score, the neighbours of {int(contradicted[first].sum()):,} mostly bear"
        f' another class; most often it is "{pair}" (label -> likelier class, {times:,} of the first'
        f" {min(len(first), len(rows)):,} to look at)." + _left_out(ranked.left_out),
        severity=severity,
        action=Action(
            len(rows),
            0,
            f"Look at the {len(rows):,} {noun}s again, the highest score first, and stop where the labels are right:"
            " they are those of which both the classifier and most neighbours contradict the label.",
        ),
        members=rows,
        scores=found.scores[members],
        population=count,
        state=state,
        baseline=_mean_score(samples, np.setdiff1d(ranked.rows, rows)),
        inside=_mean_score(samples, rows),
        statistics={
            "ranked": float(count),
            "contradicted of the first": severity,
            "balanced accuracy": found.balanced_accuracy,
            "most frequent pair": pair,
            "times": float(times),
        },
    )


def _explanation(samples: Samples, labels: Labels, space: Space, ranked: _Ranked, doubted: int) -> str:
    return (
        f"For {doubted:,} of {len(ranked.rows):,} {samples.noun}s of {ranked.state} both a classifier of the latent"
        f" space '{space.name}', fitted without them, and most of their nearest neighbours say another class than"
        f" {labels.source}. This is a ranking: hard {samples.noun}s that are labelled right are among them."
    )


def _left_out(classes: list[str]) -> str:
    if not classes:
        return ""
    one = len(classes) == 1
    return (
        f" Left out: the {'class' if one else 'classes'} {first_of(classes)}, with fewer than {SMALLEST_CLASS}"
        f" samples{'' if one else ' each'}."
    )


def _most_frequent_pair(labels: Labels, rows: NDArray[np.int64], likely: NDArray[np.int64]) -> tuple[str, int]:
    pairs = Counter(zip(labels.codes[rows].tolist(), likely.tolist(), strict=True))
    (given, other), times = min(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return f"{labels.names[given]} -> {labels.names[other]}", times


def _mean_score(samples: Samples, rows: NDArray[np.int64]) -> dict[str, float]:
    if samples.score is None:
        return {}
    values = samples.score.values[rows]
    known = values[np.isfinite(values)]
    return {samples.score.column: float(known.mean())} if len(known) else {}
