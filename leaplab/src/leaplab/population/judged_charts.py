"""Charts that judge a model by its claims: what was taken for what, and whether a confidence is what it says."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.calibration import BINS, calibrated
from leaplab.analysis.charting.chart import Axis, Chart, Group, Outcome
from leaplab.analysis.charting.confusion import Confused
from leaplab.analysis.charting.operating import outcome_of
from leaplab.analysis.charting.proportions import wilson
from leaplab.errors import QuestionError
from leaplab.population.chart_question import Charted, ChartQuestion
from leaplab.population.judged import ALL, Judged, judged_of, place_of_label
from leaplab.population.population import Population

MOST_LABELS = 30
"""That a matrix has room for."""
NOTHING_TO_JUDGE = (
    "No metric of this run gives confusion elements, and it has no stored prediction of labels whose classes are known,"
    " so nothing says what was taken for what."
)


def judged_for(asked: Charted) -> tuple[Judged | None, NDArray[np.bool_]]:
    """What a question is about, and [N] which of the run's rows are wanted.

    Raises:
        LeaplabError: the question makes no sense.
    """
    question = asked.question
    kept = np.zeros(asked.population.samples, bool)
    kept[asked.rows] = True
    judged = judged_of(asked.population, question.x)
    if judged is not None:
        place_of_label(judged, question.label)
    return judged, kept


def empty_chart(asked: Charted, x_axis: Axis, y_axis: Axis, told: str, aggregate: str = "share") -> Chart:
    """A chart of nothing, which says why."""
    question = asked.question
    absent = len(asked.rows)
    return Chart(
        question.kind, question.x, question.y, None, aggregate, "samples", x_axis, y_axis, 0, absent, told=told
    )


def rounded_down(share: float | None) -> str:
    """Never rounded up: what is not quite 1 does not read as 1."""
    return f"{math.floor((share or 0.0) * 1e4) / 1e4:.4f}"


def confusion(asked: Charted) -> Chart:
    """What was taken for what: a cell a pair of labels, with its share of the true label's row.

    Raises:
        LeaplabError: there is no such metric or label, or the question makes no sense.
    """
    judged, kept = judged_for(asked)
    sides = Axis("predicted", "category", None, []), Axis("true", "category", None, [])
    if judged is None:
        return empty_chart(asked, *sides, NOTHING_TO_JUDGE)
    question = asked.question
    confused = judged.confused(kept, question.threshold)
    if not len(confused.row):
        return empty_chart(asked, *sides, f"None of these samples has {_nouns(judged)} to judge by.")
    matrix, label = confused.matrix(), place_of_label(judged, question.label)
    shown = _shown(matrix, confused.labels)
    totals = matrix.sum(axis=1)
    share, low, high = wilson(matrix, np.maximum(totals, 0)[:, None] * np.ones_like(matrix))
    groups = [
        Group(
            f"{confused.true_labels[true]} taken for {confused.predicted_labels[predicted]}",
            int(matrix[true, predicted]),
            float(share[true, predicted]),
            float(low[true, predicted]),
            float(high[true, predicted]),
            x=confused.predicted_labels[predicted],
            y=confused.true_labels[true],
        )
        for true in shown(len(confused.true_labels))
        for predicted in shown(len(confused.predicted_labels))
        if (matrix[true, predicted] or (true == predicted < confused.labels and totals[true]))
        and (label is None or label in (true, predicted))
    ]
    notices = list(judged.notices)
    if confused.labels > MOST_LABELS:
        notices.append(f"Of {confused.labels} labels the {MOST_LABELS} with the most mistakes are drawn.")
    outcomes = _outcomes(judged, confused, matrix, question.threshold or 0.0)
    of_samples = judged.of == "samples"
    return Chart(
        question.kind,
        judged.column,
        None,
        None,
        "share",
        judged.of,
        replace(sides[0], categories=[confused.predicted_labels[p] for p in shown(len(confused.predicted_labels))]),
        replace(sides[1], categories=[confused.true_labels[p] for p in shown(len(confused.true_labels))]),
        int(matrix.sum()),
        len(asked.rows) - int(matrix.sum()) if of_samples else 0,
        groups=groups,
        outcomes=outcomes if label is None else [outcomes[label]],
        threshold=question.threshold,
        measures={"right": float(np.trace(matrix[: confused.labels, : confused.labels]) / matrix.sum())}
        if of_samples
        else {},
        told=_told_of_samples(confused, matrix) if of_samples else _told_of_objects(confused, matrix, judged.paired),
        notices=notices,
    )


def cell_rows(
    population: Population,
    question: ChartQuestion,
    true: str,
    predicted: str,
    among: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Rows of the samples that have something in a cell of a confusion matrix, ascending.

    Args:
        question: of the matrix; its threshold counts.
        true, predicted: the cell's labels, as the matrix has them.
        among: rows of the samples that the matrix is of; None takes all.

    Raises:
        LeaplabError: there is no such matrix, or no such label on that side of it.
    """
    rows = np.arange(population.samples) if among is None else among
    judged, kept = judged_for(Charted(population, population, rows, question))
    if judged is None:
        raise QuestionError(NOTHING_TO_JUDGE)
    confused = judged.confused(kept, question.threshold)
    sides = ((true, confused.true_labels, "true"), (predicted, confused.predicted_labels, "predicted"))
    for name, labels, side in sides:
        if name not in labels:
            raise QuestionError(f"The matrix has no {side} label '{name}'.")
    return confused.rows_of_cell(confused.true_labels.index(true), confused.predicted_labels.index(predicted))


def calibration(asked: Charted) -> Chart:
    """How often the model is right where it is so sure: bins of confidence.

    Raises:
        LeaplabError: there is no such metric or label, or the question makes no sense.
    """
    judged, kept = judged_for(asked)
    sides = Axis("confidence", "number", None, None, 0.0, 1.0), Axis("share right", "number", None, None, 0.0, 1.0)
    if judged is None:
        return empty_chart(asked, *sides, NOTHING_TO_JUDGE)
    question = asked.question
    confidence, right = judged.confidences(kept, place_of_label(judged, question.label))
    if not len(confidence):
        return empty_chart(asked, *sides, f"None of these samples has {_nouns(judged)} to judge by.")
    if confidence.min() < 0 or confidence.max() > 1:
        told = "The model's scores are no probabilities: they leave 0 to 1, so none says how often it is right."
        return empty_chart(asked, *sides, told)
    found = calibrated(confidence, right, question.bins or BINS)
    share, low, high = wilson(found.right, found.count)
    groups = [
        Group(
            f"{found.edges[place]:.3g} to {found.edges[place + 1]:.3g}",
            int(found.count[place]),
            float(share[place]),
            float(low[place]),
            float(high[place]),
            x=float(found.confidence[place]),
            x_low=float(found.edges[place]),
            x_high=float(found.edges[place + 1]),
        )
        for place in np.flatnonzero(found.count)
    ]
    sure, rightly = float(confidence.mean()), float(right.mean())
    return Chart(
        question.kind,
        judged.column,
        None,
        None,
        "share",
        judged.of,
        *sides,
        len(confidence),
        len(asked.rows) - len(confidence) if judged.of == "samples" else 0,
        groups=groups,
        measures={"ece": found.error, "confidence": sure, "right": rightly},
        told=_told_of_confidence(judged, question.label, len(confidence), sure, rightly, found.error),
        notices=list(judged.notices),
    )


class _Shown:
    """Which places of a side are drawn: those of the labels that are chosen, and what follows the labels."""

    def __init__(self, chosen: NDArray[np.int64], labels: int) -> None:
        self._chosen, self._labels = chosen.tolist(), labels

    def __call__(self, size: int) -> list[int]:
        return [*self._chosen, *range(self._labels, size)]


def _shown(matrix: NDArray[np.int64], labels: int) -> _Shown:
    right = np.diag(matrix)[:labels]
    mistakes = matrix.sum(axis=0)[:labels] + matrix.sum(axis=1)[:labels] - 2 * right
    chosen = np.argsort(-mistakes, kind="stable")[:MOST_LABELS] if labels > MOST_LABELS else np.arange(labels)
    return _Shown(np.sort(chosen), labels)


def _outcomes(judged: Judged, confused: Confused, matrix: NDArray[np.int64], threshold: float) -> list[Outcome]:
    """By label, and of all together."""
    size = confused.labels
    true = np.diag(matrix)[:size]
    false, missed = matrix.sum(axis=0)[:size] - true, matrix.sum(axis=1)[:size] - true
    spared = matrix.sum() - true - false - missed if judged.of == "samples" else None
    named = [
        outcome_of(
            label,
            threshold,
            int(true[place]),
            int(false[place]),
            int(missed[place]),
            None if spared is None else int(spared[place]),
        )
        for place, label in enumerate(judged.labels)
    ]
    together = outcome_of(
        ALL,
        threshold,
        int(true.sum()),
        int(false.sum()),
        int(missed.sum()),
        None if spared is None else int(spared.sum()),
    )
    return [*named, together]


def _told_of_samples(confused: Confused, matrix: NDArray[np.int64]) -> str:
    size, whole = confused.labels, int(matrix.sum())
    right = matrix[np.arange(min(matrix.shape)), np.arange(min(matrix.shape))].copy()
    wrong = matrix[:, :size].sum() - right[:size].sum() if size > 1 else whole - right.sum()
    unanswered = int(matrix[:, size:].sum()) if size > 1 else 0
    told = f"Of {_many(whole, 'sample')} {int(wrong):,} ({wrong / whole:.2%}) {_is(wrong)} taken for another label"
    if unanswered:
        told += f" and {unanswered:,} {'gets' if unanswered == 1 else 'get'} no answer"
    if not wrong:
        return f"{told}."
    off = matrix[:, : len(right)].copy()
    off[np.arange(len(right)), np.arange(len(right))] = 0
    true, predicted = np.unravel_index(int(off.argmax()), off.shape)
    told += f"; most often {confused.true_labels[true]} for {confused.predicted_labels[predicted]}"
    told += f" ({_times(int(off[true, predicted]))})."
    totals = matrix.sum(axis=1)
    missed = np.where(totals > 0, off.sum(axis=1) / np.maximum(totals, 1), -1)
    worst = int(missed.argmax())
    return f"{told} The worst is {confused.true_labels[worst]}: {missed[worst]:.2%} of its {totals[worst]:,} are wrong."


def _told_of_objects(confused: Confused, matrix: NDArray[np.int64], paired: bool) -> str:
    size = confused.labels
    objects = matrix[:size]
    whole, right, missed = int(objects.sum()), int(np.trace(objects[:, :size])), int(objects[:, size].sum())
    alarms = int(matrix[size, :size].sum())
    otherwise = f", {_are(missed)} missed and {_are(whole - right - missed)} taken for another label"
    if not paired:
        otherwise = f" and {_are(missed)} missed or taken for another label"
    told = (
        f"Of {_many(whole, 'object')} {_are(right)} found for what they are{otherwise};"
        f" there {_is(alarms)} {_many(alarms, 'false alarm')}."
    )
    totals = objects.sum(axis=1)
    if not whole or right == whole:
        return told
    lost = np.where(totals > 0, 1 - np.diag(objects[:, :size]) / np.maximum(totals, 1), -1)
    worst = int(lost.argmax())
    off = objects[worst].copy()
    off[worst] = 0
    mostly = int(off.argmax())
    as_what = (
        ("missed" if paired else "missed or taken for another label")
        if mostly == size
        else f"taken for {confused.predicted_labels[mostly]}"
    )
    return f"{told} The worst is {confused.true_labels[worst]}: {off[mostly]:,} of its {totals[worst]:,} are {as_what}."


def _told_of_confidence(
    judged: Judged, label: str | None, count: int, sure: float, rightly: float, error: float
) -> str:
    what = f"claims of {label}" if label is not None else "claims" if judged.of == "objects" else "answers"
    apart = sure - rightly
    side = "too sure" if apart > 0 else "less sure than it might be"
    verdict = "as sure as it is right" if abs(apart) < 0.005 else f"{abs(apart):.4f} {side}"
    return (
        f"Over {count:,} {what} the mean confidence is {rounded_down(sure)} and {rounded_down(rightly)} are right: the"
        f" model is {verdict}, and its expected calibration error is {error:.4f}."
    )


def _nouns(judged: Judged) -> str:
    return "objects or claims" if judged.of == "objects" else "a known label and scores"


def _are(count: int) -> str:
    return f"{count:,} {_is(count)}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
