"""What was taken for what: of samples by their surest label, of objects by the claims at their place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Confused:
    """Things that are a label and were taken for one, k of them.

    Attributes:
        row: [k] of the run's sample that each belongs to.
        true, predicted: [k] places among the labels of each side.
        true_labels, predicted_labels: what there is to be and to be taken for; the first are the labels themselves, in
            one order, and one more may follow on each side: the background, or no answer.
        labels: how many of them are labels.
    """

    row: NDArray[np.int64]
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    true_labels: list[str]
    predicted_labels: list[str]
    labels: int

    def matrix(self) -> NDArray[np.int64]:
        """[true, predicted] how many are which."""
        height, width = len(self.true_labels), len(self.predicted_labels)
        cells = np.bincount(self.true * width + self.predicted, minlength=height * width)
        return cells.reshape(height, width).astype(np.int64)

    def rows_of_cell(self, true: int, predicted: int) -> NDArray[np.int64]:
        """Rows of the samples that have something in a cell, ascending, each once."""
        return np.unique(self.row[(self.true == true) & (self.predicted == predicted)])


@dataclass(frozen=True)
class Things:
    """Objects and false alarms, k of them, by row.

    Attributes:
        row: [k] of the run's sample.
        true: [k] label of the object; one past the labels for a false alarm.
        claimed: [k] label of the surest claim; one past the labels where nothing is claimed.
        score: [k] of that claim.
    """

    row: NDArray[np.int64]
    true: NDArray[np.int64]
    claimed: NDArray[np.int64]
    score: NDArray[np.float64]


def confused_classes(
    rows: NDArray[np.int64],
    truth: NDArray[np.int64],
    scores: NDArray[np.float64],
    labels: list[str],
    threshold: float | None,
    no_answer: str,
) -> Confused:
    """Samples by their surest label, of equal ones the first.

    Args:
        truth: [n] places among the labels.
        scores: [n, labels].
        threshold: below which the surest label is no answer; None takes every answer.
        no_answer: what that is called.
    """
    predicted = scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)
    if threshold is None:
        return Confused(rows, truth, predicted, labels, labels, len(labels))
    best = scores[np.arange(len(scores)), predicted]
    predicted = np.where(best >= threshold, predicted, len(labels))
    return Confused(rows, truth, predicted, labels, [*labels, no_answer], len(labels))


def confused_things(things: Things, labels: list[str], threshold: float | None, background: str) -> Confused:
    """Objects and false alarms by the surest claim at their place.

    A claim below the threshold is none: its object was taken for the background, and a false alarm is nothing.
    """
    least = -np.inf if threshold is None else threshold
    claimed = np.where(things.score >= least, things.claimed, len(labels))
    kept = (things.true < len(labels)) | (claimed < len(labels))
    sides = [*labels, background]
    return Confused(things.row[kept], things.true[kept], claimed[kept], sides, sides, len(labels))


def things_of(
    row: NDArray[np.int64],
    label: NDArray[np.int64],
    expected: NDArray[np.bool_],
    score: NDArray[np.float64],
    thing: NDArray[np.uint64] | None,
    background: int,
) -> Things:
    """Elements of an object or false alarm as one.

    Args:
        label: [e] of each element; `background` is the greatest.
        score: [e] 0 for what is not claimed.
        thing: [e] equal for elements of one thing in a row, 0 for an element that is alone; None: all are.
    """
    claim = np.where((label < background) & (score > 0), score, 0.0)
    true = np.where(expected & (label < background), label, background)
    if thing is not None:
        alone = np.where(thing == 0, np.arange(len(row)), -1)
        order = np.lexsort((-claim, alone, thing, row))  # the surest claim of a thing comes first
        keys = np.stack([row[order], thing[order].view(np.int64), alone[order]])
        starts = np.flatnonzero(np.append(len(row) > 0, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
        row, label, claim = row[order][starts], label[order][starts], claim[order][starts]
        true = np.minimum.reduceat(true[order], starts) if len(starts) else true
    return Things(row, true, np.where(claim > 0, label, background), claim)
