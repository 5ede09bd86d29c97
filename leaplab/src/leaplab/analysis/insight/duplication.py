"""Samples that a state holds more than once."""

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.duplicates import Duplicates, Grouped, find_duplicates, group
from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import Samples
from leaplab.analysis.insight.wording import counted, sentence


def find(samples: Samples) -> Found:
    """Which samples does one state hold more than once?

    Exact copies are those whose inputs are equal, by their hash. Near ones are neighbours in latent space whose
    pictures are the same but for an encoder's noise or a small shift. What is linked by pairs is a group, of which all
    but the first can go.

    Severity: the share of the state's samples that have a copy in it.

    Source: see `leaplab.analysis.duplicates`.
    """
    unable = why_unable(samples)
    if unable:
        return silence(unable)
    duplicates = duplicates_of(samples)
    scores = np.full(len(samples), np.nan)
    insights = []
    for state in sorted(set(samples.states.tolist())):
        inside = samples.in_state(state)
        found = group(duplicates, inside)
        scores[found.rows] = found.similarity
        if len(found.rows):
            insights.append(_insight(samples, state, int(inside.sum()), found))
    if not insights:
        return silence(f"No {samples.noun} is there twice in a state: {looked_at(samples)}.", scores)
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)), "", scores)


def _insight(samples: Samples, state: str, of_state: int, found: Grouped) -> Insight:
    noun, count = samples.noun, len(found.rows)
    _, firsts = np.unique(found.groups, return_index=True)
    spare = np.delete(np.arange(count), firsts)
    spare = spare[np.lexsort((found.rows[spare], -found.similarity[spare]))]
    groups, drop = len(firsts), len(spare)
    told = f"{count:,} of {of_state:,} {noun}s ({100 * count / of_state:.3g} %) have a copy in {state}: "
    told += pairs_told(found)
    differ = _of_two_labels(samples, found)
    if differ:
        told += f"; in {differ:,} of {counted(groups, 'group')} the labels differ, so one is wrong"
    return Insight(
        title=f"{drop:,} {noun}{' is a copy' if drop == 1 else 's are copies'} in {state}",
        explanation=f"{told}. {sentence(looked_at(samples))}",
        severity=count / of_state,
        action=Action(
            differ,
            0,
            f"Drop {'this one' if drop == 1 else f'these {drop:,}'} and keep one of each group: a copy adds nothing to"
            " learn from, and counts twice in every mean.",
        ),
        members=found.rows[spare],
        scores=found.similarity[spare],
        population=of_state,
        state=state,
        statistics={
            "exact pairs": float(found.exact_pairs),
            "near pairs": float(found.near_pairs),
            "groups": float(groups),
            "largest group": float(np.bincount(found.groups).max()),
            "groups whose labels differ": float(differ),
        },
    )


def _of_two_labels(samples: Samples, found: Grouped) -> int:
    if samples.labels is None:
        return 0
    codes = samples.labels.codes[found.rows]
    known = codes >= 0
    pairs = np.unique(np.stack([found.groups[known], codes[known]], axis=1), axis=0)
    return int((np.bincount(pairs[:, 0]) > 1).sum()) if len(pairs) else 0


def duplicates_of(samples: Samples) -> Duplicates:
    """The duplicates among samples, within a state and across."""
    space = samples.space
    if space is None or not samples.thumbnails:
        return find_duplicates(len(samples), samples.hashes)
    return find_duplicates(
        len(samples), samples.hashes, space.rows, space.vectors, space.graph.rows, samples.thumbnails
    )


def why_unable(samples: Samples) -> str:
    """Why no copy of any kind can be told; empty where one can."""
    if len(samples) < 2:
        return f"There {'is one' if len(samples) else 'is no'} {samples.noun}, so none can be a copy of another."
    if not _has_hashes(samples.hashes) and (samples.space is None or not samples.thumbnails):
        return (
            f"Neither a hash of the inputs nor a picture of each {samples.noun} is stored, so copies cannot be told; a"
            " new evaluation stores them."
        )
    return ""


def looked_at(samples: Samples) -> str:
    """What was looked for: the rest of a sentence."""
    if samples.space is None or not samples.thumbnails:
        lacking = "pictures" if samples.space is not None else "latent vectors"
        return f"only equal inputs were looked for, since there are no {lacking} to tell near copies by"
    if not _has_hashes(samples.hashes):
        return "only pictures that look the same were looked for, since no hash of the inputs is stored"
    return f"equal inputs were looked for, and the same pictures among the {samples.noun}s nearest in latent space"


def pairs_told(found: Grouped) -> str:
    """The numbers of pairs, in words."""
    exact = f"{counted(found.exact_pairs, 'pair')} with equal inputs"
    near = f"{counted(found.near_pairs, 'pair')} with the same picture but for noise or a small shift"
    return " and ".join(told for told, count in ((exact, found.exact_pairs), (near, found.near_pairs)) if count)


def _has_hashes(hashes: NDArray[np.object_] | None) -> bool:
    return hashes is not None and any(isinstance(value, str) and value for value in hashes.tolist())
