"""The two parts that an insight's members divide into, where they do."""

from dataclasses import replace

import numpy as np

from leaplab.analysis.clustering import in_two
from leaplab.analysis.differences import differences
from leaplab.analysis.insight.result import Action, Insight
from leaplab.analysis.insight.samples import Samples

SMALLEST = 60
"""Members of an insight that is small enough to be told as a whole."""
TOLD = 2
"""Columns that a part is described in."""


def divided(insight: Insight, samples: Samples) -> list[Insight]:
    """An insight's parts: its members bisected in the latent space (k-means), the larger part first.

    None where there are fewer than 60 with a vector, the division's silhouette says that it is none, or no column sets
    the parts apart: then there is nothing to say of them. A part's severity is its members' share of the whole's.
    """
    space = samples.space
    if space is None or len(insight.members) < SMALLEST:
        return []
    places = space.places(insight.members)
    known = places >= 0
    members, scores = insight.members[known], insight.scores[known]
    if len(members) < SMALLEST:
        return []
    halves = in_two(space.components[places[known]], np.random.default_rng(0))
    if halves is None:
        return []
    columns = {name: each.of(members) for name, each in samples.columns.items()}
    apart = differences(columns, halves)
    if not any(apart.values()):
        return []
    parts = []
    for half in (0, 1):
        inside = halves == half
        own, rest = members[inside], members[~inside]
        told = "; ".join(each.told() for each in apart[half][:TOLD])
        share = len(own) / len(insight.members)
        parts.append(
            replace(
                insight,
                title=told or f"the other part of {insight.title}",
                explanation=f"{len(own):,} of the {len(insight.members):,} {samples.noun}s of '{insight.title}' lie"
                f" together. {_sentence(told)}",
                severity=insight.severity * share,
                action=Action(len(own), round(insight.action.acquire * share), insight.action.do),
                members=own,
                scores=scores[inside],
                population=len(own),
                baseline={},
                inside={},
                statistics={"share": share},
                tests=(),
                differences_from=rest,
            )
        )
    return parts


def _sentence(told: str) -> str:
    return f"What sets them apart from the others of it: {told}." if told else "No column sets them apart."
