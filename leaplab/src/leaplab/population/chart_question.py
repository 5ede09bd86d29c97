"""What a chart is asked for, and what it is made of."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leaplab.population.population import Population
from leaplab.population.tables import Table

Of = Literal["samples", "objects"]


@dataclass(frozen=True)
class ChartQuestion:
    """What is to be drawn.

    Attributes:
        kind: one of `KINDS`.
        x, y: columns along the first and the second axis; what each kind needs, it says.
        split: a column of categories, each of which becomes a series.
        value: the column that a heat-map's cells aggregate; None counts samples.
        aggregate: `mean`, `median`, `count`, `share`, `sum`, `min`, `max` or `quantile:Q`; None takes `mean` where
            there is something to aggregate, else `count`.
        bins: into how many a number is divided; None chooses.
        label: the class that a curve or a threshold is of; None takes all.
        threshold: the least confidence that counts as a claim; None takes that of the highest F1, or none.
        of: what is counted: samples, or their element instances.
    """

    kind: str
    x: str | None = None
    y: str | None = None
    split: str | None = None
    value: str | None = None
    aggregate: str | None = None
    bins: int | None = None
    label: str | None = None
    threshold: float | None = None
    of: Of = "samples"


@dataclass(frozen=True)
class Charted:
    """What a chart is made of.

    Attributes:
        population: the run.
        table: its samples, or its objects.
        rows: [n] of the table that are wanted, ascending.
        question: the question.
    """

    population: Population
    table: Table
    rows: NDArray[np.int64]
    question: ChartQuestion
