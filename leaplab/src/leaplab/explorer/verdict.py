"""What the model makes of one sample and whether that is right, and how its loss and metrics lie among the others."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.population.columns import MEANINGS_BY_COLOUR, Column, texts_of
from leaplab.population.population import Population
from leaplab.population.samples import SUM_OF_LABELS
from leaplab.population.score import score_of
from leaplab.store.columns import LOSS, METRIC

MISSED, FALSE, FOUND = "false_negatives", "false_positives", "true_positives"
"""How the labels of metrics end that count objects, behind what they have in common."""


class Judge:
    """Says of the samples of a run how the model did on them.

    Args:
        population: the run.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._rows: dict[str, NDArray[np.int64]] = {}

    def verdict(self, row: int) -> dict[str, Any] | None:
        """One line about a sample, see `leaplab.explorer.model.Verdict`.

        The class that the model predicts, where a stored prediction has one number a label; its truth is the stored
        ground truth of that shape that names one class, else the column of classes that has the labels for categories.
        Else how many objects were missed and how many are false, where two metrics count them. Else the predicted
        number beside the true one. Else the score by which the run is judged; None where it has none.
        """
        return self._of_class(row) or self._of_objects(row) or self._of_number(row) or self._of_score()

    def rank(self, column: Column, row: int) -> dict[str, int] | None:
        """Where a sample's value lies among those of its state; None where it has none.

        Returns:
            `of`, how many samples of the state have a finite value; `least`, how many of these have at most this one,
            `most`, how many at least.
        """
        if column.kind == "text":
            return None
        numbers = self._numbers(column)
        value = numbers[row]
        if not np.isfinite(value):
            return None
        others = numbers[self._rows_of(self._population.states[row])]
        others = others[np.isfinite(others)]
        return {"of": len(others), "least": int((others <= value).sum()), "most": int((others >= value).sum())}

    def _numbers(self, column: Column) -> NDArray[np.float64]:
        """[N] values as numbers, of truth values too; NaN for what is none."""
        values = self._population.values(column.name)
        if values.dtype == object:
            return np.array([float(v) if isinstance(v, bool | int | float) else np.nan for v in values])
        return values.astype(np.float64)

    def _rows_of(self, state: str) -> NDArray[np.int64]:
        if not self._rows:
            states = np.array(self._population.states, object)
            self._rows = {each: np.flatnonzero(states == each) for each in self._population.store.manifest.states}
        return self._rows[state]

    def _of_class(self, row: int) -> dict[str, Any] | None:
        store = self._population.store
        for spec in store.manifest.predictions:
            output = store.prediction(spec.name, row)
            if len(spec.labels) < 2 or output is None or output.shape != (len(spec.labels),):
                continue
            if not np.isfinite(output).all():
                continue
            predicted = spec.labels[int(output.argmax())]
            is_distribution = output.min() >= 0 and abs(float(output.sum()) - 1) <= SUM_OF_LABELS
            truth = self._stored_class(row, spec.labels) or self._class_of_column(row, spec.labels)
            return {
                "kind": "class",
                "truth": truth,
                "predicted": predicted,
                "share": float(output.max()) if is_distribution else None,
                "right": None if truth is None else truth == predicted,
            }
        return None

    def _stored_class(self, row: int, labels: tuple[str, ...]) -> str | None:
        store = self._population.store
        for name, shape in store.ground_truths().items():
            if shape != (len(labels),):
                continue
            values = store.ground_truth(name, row)
            if values is None or not np.isfinite(values).all():
                continue
            if values.min() >= 0 and abs(float(values.sum()) - 1) <= SUM_OF_LABELS:
                return labels[int(values.argmax())]
        return None

    def _class_of_column(self, row: int, labels: tuple[str, ...]) -> str | None:
        for meaning in MEANINGS_BY_COLOUR:
            for column in self._population.columns.values():
                if not isinstance(column.categories, list) or column.meaning != meaning:
                    continue
                if set(column.categories) == set(labels):
                    return texts_of(self._population.values(column.name)[row : row + 1])[0]
        return None

    def _of_objects(self, row: int) -> dict[str, Any] | None:
        if self._counting is None:
            return None
        counts = {}
        for name, column in self._counting.items():
            value = float(self._numbers(column)[row])
            if np.isfinite(value):
                counts[name] = value
        if MISSED not in counts or FALSE not in counts:
            return None
        return {
            "kind": "objects",
            "missed": counts[MISSED],
            "false": counts[FALSE],
            "found": counts.get(FOUND),
            "right": counts[MISSED] == 0 and counts[FALSE] == 0,
        }

    @cached_property
    def _counting(self) -> dict[str, Column] | None:
        """The metrics that count objects, the first that there are both of missed and of false ones."""
        metrics = {c.label: c for c in self._population.columns.values() if c.group == METRIC and c.kind != "text"}
        for label in metrics:
            prefix = label.removesuffix(MISSED)
            if prefix != label and f"{prefix}{FALSE}" in metrics:
                names = (MISSED, FALSE, FOUND)
                return {name: metrics[f"{prefix}{name}"] for name in names if f"{prefix}{name}" in metrics}
        return None

    def _of_number(self, row: int) -> dict[str, Any] | None:
        store = self._population.store
        truths = {name: shape for name, shape in store.ground_truths().items() if np.prod(shape) == 1}
        for spec in store.manifest.predictions:
            output = store.prediction(spec.name, row)
            if output is None or output.size != 1 or not np.isfinite(output).all():
                continue
            alone = len(truths) == 1 and len(store.manifest.predictions) == 1
            name = spec.name if spec.name in truths else next(iter(truths)) if alone else None
            truth = None if name is None else store.ground_truth(name, row)
            if truth is not None and np.isfinite(truth).all():
                return {"kind": "number", "truth": float(truth.item()), "predicted": float(output.item())}
        return None

    def _of_score(self) -> dict[str, Any] | None:
        return None if self._score is None else {"kind": "score", "column": self._score}

    @cached_property
    def _score(self) -> str | None:
        scored = score_of(self._population)
        return None if scored is None else scored[0].name


def is_ranked(column: Column) -> bool:
    """Whether a value of it is told with its rank."""
    return column.group in (LOSS, METRIC)
