"""Samples of a kind that training has too few of."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import ADDITIONAL, TEST, TRAINING, UNLABELED, VALIDATION, Samples
from leaplab.analysis.insight.wording import counted, listed
from leaplab.analysis.novelty import Novelty, RareClusters, novelty, rare_clusters, samples_to_add

SMALLEST = 30
"""Samples of a state that is compared."""
NOVEL = 0.99
"""Percentile of training's own distances beyond which a sample is called novel: 1 of 100 by chance."""
FEW, MOST = 0.1, 0.5
"""Shares of novel samples, below and above which the words change."""


def find(samples: Samples) -> Found:
    """Which kinds of samples of a state does training lack?

    Each other state is compared with training, in latent space: a sample is the more novel the farther its 10th
    nearest training sample is, as a percentile of training's own distances. k-means on both, weighted alike, gives
    clusters; one counts where training has significantly less than half of the state's share of it.

    Severity: the sum over these clusters of (share of the state) x (1 - share of training / share of the state).

    Source: see `leaplab.analysis.novelty`.
    """
    if samples.space is None:
        return silence(samples.absent.get("space", "There is no latent space to compare the states in."))
    space = samples.space
    states = samples.states[space.rows]
    training = space.components[states == TRAINING]
    if len(training) < SMALLEST:
        return silence(
            f"{counted(len(training), f'training {samples.noun}')} {'has' if len(training) == 1 else 'have'} a latent"
            f" vector; the states are compared with {SMALLEST} at least."
        )
    compared = [s for s in (VALIDATION, TEST, UNLABELED, ADDITIONAL) if int((states == s).sum()) >= SMALLEST]
    if not compared:
        return silence(f"No state beside training has {SMALLEST} {samples.noun}s with a latent vector.")
    scores = np.full(len(samples), np.nan)
    insights, clusters = [], []
    for state in compared:
        rows = space.rows[states == state]
        others = space.components[states == state]
        novel = novelty(training, others)
        rare = rare_clusters(training, others, tried=len(compared))
        scores[rows] = novel.percentiles
        clusters.append(rare.clusters)
        if len(rare.rare):
            insights.append(_insight(samples, state, rows, len(training), novel, rare))
    if not insights:
        return silence(
            f"Training has enough of every kind of {samples.noun}: of {counted(max(clusters), 'cluster')} there is"
            f" none in which its share is surely below half of that of {listed(compared, 'or')}.",
            scores,
        )
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)), "", scores)


def _insight(
    samples: Samples, state: str, rows: NDArray[np.int64], training: int, novel: Novelty, rare: RareClusters
) -> Insight:
    inside = np.flatnonzero(np.isin(rare.numbers, rare.rare))
    inside = inside[np.lexsort((inside, -novel.distances[inside]))]
    in_training = int(rare.reference_counts.sum())
    of_state, of_training = len(inside) / len(rows), in_training / training
    severity = float((rare.other_counts / len(rows) * (1 - rare.ratios)).sum())
    is_novel = novel.percentiles > NOVEL
    acquire = samples_to_add(training, len(rows), rare.reference_counts, rare.other_counts)
    label = min(acquire, len(inside)) if state == UNLABELED else 0
    noun, count = samples.noun, len(rare.rare)
    return Insight(
        title=f"{counted(count, 'kind')} of {state} {noun}s {'is' if count == 1 else 'are'} rare in training",
        explanation=(
            f"{counted(count, 'cluster')} of {rare.clusters} {'holds' if count == 1 else 'hold'}"
            f" {of_state:.1%} of {state} ({len(inside):,} of {len(rows):,}) and {of_training:.1%} of training"
            f" ({in_training:,} of {training:,}). {_of_novelty(float(is_novel.mean()), state, noun)}"
        ),
        severity=min(max(severity, 0.0), 1.0),
        action=Action(label, acquire - label, _what_to_do(label, acquire, noun)),
        members=rows[inside],
        scores=novel.percentiles[inside],
        population=len(rows),
        state=state,
        baseline={"share of training": of_training},
        inside={f"share of {state}": of_state},
        statistics={
            "clusters": float(count),
            "clusters in all": float(rare.clusters),
            "rate ratio": of_training / of_state,
            "least significant p": float(rare.p.max()),
            "share of novel samples": float(is_novel.mean()),
            "share of novel samples among the members": float(is_novel[inside].mean()),
            **{f"cluster {place + 1}: severity": part for place, part in enumerate(_parts(rare, len(rows)))},
        },
    )


def _parts(rare: RareClusters, of_state: int) -> Sequence[float]:
    return [float(part) for part in rare.other_counts / of_state * (1 - rare.ratios)]


def _of_novelty(share: float, state: str, noun: str) -> str:
    told = (
        f"{share:.1%} of {state} {'lies' if share else 'lie'} farther from training than 99 % of training's own {noun}s"
    )
    if share < FEW:
        return f"{told}: few are new in themselves, it is the mix that differs (other roads, same camera, say)."
    if share > MOST:
        return f"{told}: most are unlike anything in training (another camera, say)."
    return f"{told}: some are unlike anything in training, others are kinds that it has too few of."


def _what_to_do(label: int, acquire: int, noun: str) -> str:
    goal = f"{'gives' if acquire == 1 else 'give'} training half of the state's share of each of these clusters"
    more = f"{counted(acquire, f'more {noun}')} of these kinds {goal}"
    if not label:
        return f"Acquire training {noun}s like these: {more}."
    if label == acquire:
        return f"Label {label:,} of these {noun}s and train on them: {more}."
    return f"Label these {label:,} {noun}s and train on them, and acquire {acquire - label:,} more: {more}."
