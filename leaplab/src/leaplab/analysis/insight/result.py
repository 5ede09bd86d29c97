"""What a finder gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Action:
    """What to do about an insight.

    Attributes:
        label: how many samples to label, or to look at again.
        acquire: how many samples to acquire.
        do: one sentence.
    """

    label: int
    acquire: int
    do: str


@dataclass(frozen=True)
class BoundTest:
    """A test that a later run can be put to.

    Attributes:
        name: what it holds.
        where: a condition over the columns, see `leaplab.population.where`.
        column: that is looked at.
        aggregate: mean, median, min, max, count or share.
        bound: such as `<= 0.4`.
    """

    name: str
    where: str
    column: str
    aggregate: str
    bound: str


@dataclass(frozen=True)
class Insight:
    """One finding.

    Attributes:
        title: a few words.
        explanation: a sentence or two, with the numbers.
        severity: in [0, 1], by the formula of its kind.
        action: what to do.
        members: [k] rows of the samples, those to look at first in front.
        scores: [k] how strongly each is one.
        population: how many samples it is about: the slice, the cluster or the state that its members are of.
        state: that it was found in; None for several.
        baseline: name -> value of the samples that it is compared with.
        inside: name -> value of its own.
        statistics: name -> value: effect sizes, corrected p-values, counts.
        tests: what a later run can be put to.
        differences_from: [j] rows that its members are told apart from; None takes all others of its state.
    """

    title: str
    explanation: str
    severity: float
    action: Action
    members: NDArray[np.int64]
    scores: NDArray[np.float64]
    population: int
    state: str | None = None
    baseline: Mapping[str, float] = field(default_factory=dict)
    inside: Mapping[str, float] = field(default_factory=dict)
    statistics: Mapping[str, float | str] = field(default_factory=dict)
    tests: tuple[BoundTest, ...] = ()
    differences_from: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Found:
    """What one finder says of some samples.

    Attributes:
        insights: the most severe first.
        silent: why there is none; empty where there is one.
        scores: [n] of every sample, NaN where it has none; None where the finder gives no score.
    """

    insights: tuple[Insight, ...] = ()
    silent: str = ""
    scores: NDArray[np.float64] | None = None


def silence(reason: str, scores: NDArray[np.float64] | None = None) -> Found:
    """No insight, and why."""
    return Found((), reason, scores)
