"""Charts of a run: which there are, and what each is asked for.

A kind of chart is a function of a table, the rows that are wanted, and the question; the functions stand in modules of
their own, by family.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Chart
from leaplab.errors import QuestionError
from leaplab.population.chart_question import Charted, ChartQuestion, Of
from leaplab.population.column_charts import bar, box, heatmap, histogram, line
from leaplab.population.judged_charts import calibration, confusion
from leaplab.population.notebook import page_of_chart
from leaplab.population.operating_charts import precision_recall, roc
from leaplab.population.population import Population
from leaplab.population.relation_charts import correlation_table, group_means, scatter
from leaplab.population.training_charts import curves
from leaplab.store.columns import STATE, STATE_COLUMN

OPTIONS = ("x", "y", "split", "value", "aggregate", "bins", "label", "threshold")
"""What of a question only some kinds take."""
ONLY_SAMPLES: tuple[Of, ...] = ("samples",)


@dataclass(frozen=True)
class Kind:
    """A kind of chart.

    Attributes:
        made: what makes it; raises `LeaplabError` where the question makes no sense.
        told: what it shows, in a few words.
        needs: of `OPTIONS`, what it cannot do without.
        takes: of `OPTIONS`, what it takes besides.
        of: what it may count.
    """

    made: Callable[[Charted], Chart]
    told: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    of: tuple[Of, ...] = ("samples", "objects")


KINDS: Mapping[str, Kind] = {
    "bar": Kind(
        bar, "A number of each category of a column, or of its ranges.", ("x",), ("y", "split", "aggregate", "bins")
    ),
    "line": Kind(line, "A number along another, range by range.", ("x",), ("y", "split", "aggregate", "bins")),
    "scatter": Kind(scatter, "Two numbers of each sample, and how they correlate.", ("x", "y"), ("split",)),
    "histogram": Kind(histogram, "How often the values of a column come.", ("x",), ("split", "aggregate", "bins")),
    "box": Kind(box, "Quartiles and whiskers of a number.", ("y",), ("x", "split", "bins")),
    "heatmap": Kind(heatmap, "A number of each pair of two columns.", ("x", "y"), ("value", "aggregate", "bins")),
    "group-means": Kind(group_means, "Means of two numbers, a mark a category.", ("x", "y", "split")),
    "correlation": Kind(correlation_table, "Which numbers go together.", (), ("x", "y")),
    "confusion": Kind(
        confusion, "What was taken for what, each cell with its samples.", (), ("x", "label", "threshold"), ONLY_SAMPLES
    ),
    "roc": Kind(
        roc, "Positives found against false alarms, at every threshold.", (), ("x", "label", "threshold"), ONLY_SAMPLES
    ),
    "precision-recall": Kind(
        precision_recall,
        "Claims that are right against positives that are found.",
        (),
        ("x", "label", "threshold"),
        ONLY_SAMPLES,
    ),
    "calibration": Kind(
        calibration, "How often the model is right where it is so sure.", (), ("x", "label", "bins"), ONLY_SAMPLES
    ),
    "curves": Kind(curves, "The history of the training, a curve a state.", (), ("x", "y"), ONLY_SAMPLES),
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
    _require_fitting(kind, question)
    x, y, split, value = (
        STATE_COLUMN if name == STATE else name for name in (question.x, question.y, question.split, question.value)
    )
    question = replace(question, x=x, y=y, split=split, value=value)
    if question.of == "samples":
        rows = np.arange(population.samples) if among is None else among
        return kind.made(Charted(population, population, rows, question))
    objects = population.objects
    if not objects.count:
        raise QuestionError("This run has no element instances; draw its samples.")
    rows = np.arange(objects.count) if among is None else np.flatnonzero(np.isin(objects.rows, among))
    return kind.made(Charted(population, objects, rows, question))


def _require_fitting(kind: Kind, question: ChartQuestion) -> None:
    given = [option for option in OPTIONS if getattr(question, option) is not None]
    missing = [option for option in kind.needs if option not in given]
    if missing:
        raise QuestionError(
            f"A chart '{question.kind}' takes {' and '.join(kind.needs)}; name {' and '.join(missing)}."
        )
    spare = [option for option in given if option not in (*kind.needs, *kind.takes)]
    if spare:
        takes = ", ".join((*kind.needs, *kind.takes))
        raise QuestionError(f"A chart '{question.kind}' takes no {' and no '.join(spare)}; it takes {takes}.")
    if question.of not in kind.of:
        raise QuestionError(f"A chart '{question.kind}' is of {' or '.join(kind.of)}.")


@dataclass(frozen=True)
class RunChart(Chart):
    """A chart that draws itself in a notebook."""

    def _repr_html_(self) -> str:
        return page_of_chart(self)
