"""Charts of a run: which there are, and what each is asked for.

A kind of chart is a function of a table, the rows that are wanted, and the question; the functions stand in modules of
their own, by family.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Chart
from leaplab.errors import QuestionError
from leaplab.population.chart_question import Charted, ChartQuestion
from leaplab.population.column_charts import bar
from leaplab.population.judged_charts import calibration, confusion
from leaplab.population.objects import Objects
from leaplab.population.operating_charts import precision_recall, roc
from leaplab.population.population import Population
from leaplab.population.training_charts import curves


@dataclass(frozen=True)
class Kind:
    """A kind of chart.

    Attributes:
        made: what makes it; raises `LeaplabError` where the question makes no sense.
        told: what it shows, in a few words.
    """

    made: Callable[[Charted], Chart]
    told: str


KINDS: Mapping[str, Kind] = {
    "bar": Kind(bar, "A number of each category of a column, or of ranges of a number."),
    "confusion": Kind(confusion, "What was taken for what, each cell with its samples."),
    "roc": Kind(roc, "Positives that are found against false alarms, at every threshold."),
    "precision-recall": Kind(precision_recall, "Claims that are right against positives that are found."),
    "calibration": Kind(calibration, "How often the model is right where it is so sure."),
    "curves": Kind(curves, "The history of the training, a curve a state."),
}
"""Name -> kind, in the order in which a person is offered them."""


def chart_of(population: Population, question: ChartQuestion, among: NDArray[np.int64] | None = None) -> Chart:
    """A chart of a run.

    Args:
        among: rows of the samples; None takes all. Of objects, those that lie in these samples.

    Raises:
        LeaplabError: there is no such kind or column, or the question makes no sense.
    """
    kind = KINDS.get(question.kind)
    if kind is None:
        raise QuestionError(f"There is no chart '{question.kind}'; there are {', '.join(KINDS)}.")
    if question.of == "samples":
        rows = np.arange(population.samples) if among is None else among
        return kind.made(Charted(population, population, rows, question))
    objects = Objects(population)
    if not objects.count:
        raise QuestionError("This run has no element instances; draw its samples.")
    rows = np.arange(objects.count) if among is None else np.flatnonzero(np.isin(objects.rows, among))
    return kind.made(Charted(population, objects, rows, question))
