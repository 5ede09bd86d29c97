"""The board that a run begins with: charts of its task that have something to show, found by its columns alone."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.population.boards import Board, BoardChart
from leaplab.population.chart_question import ChartQuestion
from leaplab.population.charts import KINDS, chart_of
from leaplab.population.columns import MEANINGS_BY_COLOUR, Column
from leaplab.population.population import Population
from leaplab.population.score import score_of
from leaplab.population.tables import category_codes, numbers_of
from leaplab.store.columns import INPUT, LOSS, METADATA, STATE_COLUMN

NAME = "Proposed"
MOST_DOMAINS = 12
"""Categories of a column that may tell where samples come from."""
FEWEST_CLASSES = 4
"""Classes whose means are worth a chart."""


def proposed_board(population: Population) -> Board:
    """Six to eight charts: how good each class or state is, with what classes are confused, what the loss goes along
    with, how far confidence can be trusted, and how the training went. A chart that would show nothing is left out."""
    run = _Run(population)
    charts = _of_classes(run) if run.label is not None else _of_others(run)
    return Board(NAME, [chart for chart in charts if chart is not None and chart.kind in KINDS])


@dataclass(frozen=True)
class _Run:
    """What the proposal looks at."""

    population: Population

    @cached_property
    def columns(self) -> list[Column]:
        return list(self.population.columns.values())

    @cached_property
    def label(self) -> Column | None:
        """The column of classes, of more than one."""
        found = [
            column
            for meaning in MEANINGS_BY_COLOUR
            for column in self.columns
            if column.meaning == meaning and isinstance(column.categories, list) and len(column.categories) > 1
        ]
        return found[0] if found else None

    @cached_property
    def loss(self) -> Column | None:
        return next((column for column in self.columns if column.group == LOSS and column.kind == "continuous"), None)

    @cached_property
    def score(self) -> Column | None:
        found = score_of(self.population)
        return None if found is None else found[0]

    @cached_property
    def by_state(self) -> str | None:
        return STATE_COLUMN if len(set(self.population.states)) > 1 else None

    @cached_property
    def domain(self) -> str | None:
        """The first column that may tell where samples come from; else the state."""
        for column in self.columns:
            if column.group == METADATA and column.type == "string" and isinstance(column.categories, list):
                several = 2 <= len(column.categories) <= MOST_DOMAINS
                if several and column.meaning in (UNSET, None):
                    return column.name
        return self.by_state

    @cached_property
    def confusion(self) -> str | None:
        return next(iter(self.population.store.confusion_metrics), None)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        assert self.loss is not None
        return numbers_of(self.population, self.loss)

    @cached_property
    def numbers(self) -> list[Column]:
        """What a loss may go along with."""
        return [
            column
            for column in self.columns
            if column.group in (METADATA, INPUT)
            and column.kind == "continuous"
            and column.meaning != "time"
            and column.min != column.max
        ]

    @cached_property
    def strongest(self) -> Column | None:
        """The number that the loss goes along with most."""
        if self.loss is None:
            return None
        known = np.isfinite(self.losses)
        return self._most({c.name: abs(_pearson(numbers_of(self.population, c)[known], self.losses[known]))
                           for c in self.numbers})  # fmt: skip

    @cached_property
    def apart(self) -> Column | None:
        """The statistic of the inputs in which the domains differ most: by the share of its variance between them."""
        if self.domain is None:
            return None
        codes = category_codes(self.population, self.population.column(self.domain))
        number = int(codes.max(initial=-1)) + 1
        strength = {}
        for column in self.numbers:
            if column.group != INPUT and not column.label.startswith("image"):
                continue
            values = numbers_of(self.population, column)
            both = (codes >= 0) & np.isfinite(values)
            count = np.maximum(np.bincount(codes[both], minlength=number), 1)
            means = np.bincount(codes[both], values[both], minlength=number) / count
            total = values[both].var() if both.any() else 0.0
            within = ((values[both] - means[codes[both]]) ** 2).mean() if both.any() else 0.0
            strength[column.name] = 1 - within / total if total > 0 else 0.0
        return self._most(strength)

    @cached_property
    def has_history(self) -> bool:
        if "curves" not in KINDS:
            return False
        try:
            return bool(chart_of(self.population, ChartQuestion("curves")).curves)
        except LeaplabError:
            return False

    def _most(self, strength: dict[str, float]) -> Column | None:
        best = max(strength, key=lambda name: strength[name], default=None)
        return None if best is None or not strength[best] > 0 else self.population.column(best)


def _of_classes(run: _Run) -> list[BoardChart | None]:
    assert run.label is not None
    assert isinstance(run.label.categories, list)
    several = len(run.label.categories) >= FEWEST_CLASSES
    label, loss, score, state = run.label.name, run.loss, run.score, run.by_state
    means = run.strongest
    return [
        BoardChart("bar", x=label, y=score.name) if score else BoardChart("bar", x=label),
        _judged(run, "confusion"),
        BoardChart("bar", x=state, y=score.name) if state and score else None,
        BoardChart("group-means", x=means.name, y=loss.name, split=label) if several and means and loss else None,
        _judged(run, "calibration"),
        _curves(run),
        None if loss else _apart(run),
    ]


def _of_others(run: _Run) -> list[BoardChart | None]:
    loss, score, state, domain = run.loss, run.score, run.by_state, run.domain
    strongest = run.strongest
    judged = score or loss
    return [
        BoardChart("bar", x=state, y=judged.name) if state and judged else None,
        BoardChart("bar", x=domain, y=loss.name) if domain and domain != state and loss else None,
        _judged(run, "precision-recall"),
        BoardChart("histogram", x=loss.name) if loss and run.confusion is None else None,
        BoardChart("line", x=strongest.name, y=loss.name) if strongest and loss else None,
        _apart(run),
        _curves(run),
        BoardChart("bar", x=state) if state and not judged else None,
    ]


def _judged(run: _Run, kind: str) -> BoardChart | None:
    return None if run.confusion is None else BoardChart(kind, x=run.confusion)


def _apart(run: _Run) -> BoardChart | None:
    column = run.apart
    return BoardChart("box", x=run.domain, y=column.name) if column is not None else None


def _curves(run: _Run) -> BoardChart | None:
    return BoardChart("curves") if run.has_history else None


def _pearson(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if len(x) < 3 or x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])
