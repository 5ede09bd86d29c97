"""What a run's model claims beside what is true, as the charts that judge it take it: of samples, or of objects.

It comes of the confusion elements that a metric gives; where no metric gives any, of a stored prediction of labels and
the classes that are known.
"""

import threading
from collections.abc import Callable
from functools import cached_property
from hashlib import blake2b
from typing import Literal, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.analysis.charting.confusion import Confused, Things, confused_classes, confused_things, things_of
from leaplab.analysis.charting.operating import Area, Claims, Sweep, average_precision, roc_area, sweep
from leaplab.errors import MissingError
from leaplab.population.columns import MEANINGS_BY_COLOUR, codes_of
from leaplab.population.population import Population
from leaplab.population.samples import class_codes
from leaplab.store.confusion import Elements
from leaplab.store.manifest import Manifest

BACKGROUND = "background"
"""The label that an integration gives to what is no object."""
NO_ANSWER = "no answer"
ALL = "all"
REMEMBERED = 4
"""Selections of rows whose thresholds are remembered."""


class Operating:
    """Claims at every threshold, with the area under each of their curves.

    Args:
        claims: of a label, or of all.
    """

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    @cached_property
    def sweep(self) -> Sweep:
        """The counts at every threshold."""
        return sweep(self._claims)

    @cached_property
    def average_precision(self) -> Area:
        """Of the precision-recall curve."""
        return average_precision(self._claims)

    @cached_property
    def roc_area(self) -> Area:
        """Of the ROC curve."""
        return roc_area(self._claims)


class Judged(Protocol):
    """What can be asked of a model's claims. `kept` is [N] bool: the run's rows that are wanted."""

    column: str | None
    labels: list[str]
    of: Literal["samples", "objects"]
    paired: bool
    """Whether a thing that was taken for another label is told from one that was missed."""
    notices: list[str]

    def count(self, kept: NDArray[np.bool_]) -> int:
        """How many samples, or objects and false alarms, there are to judge by."""

    def confused(self, kept: NDArray[np.bool_], threshold: float | None) -> Confused:
        """What was taken for what."""

    def claims(self, kept: NDArray[np.bool_], label: int | None) -> Claims:
        """The claims of a label, of all labels together where it is None."""

    def confidences(self, kept: NDArray[np.bool_], label: int | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """How sure the model was of what it says, and whether that is right; of one label, wherever it is claimed."""

    def operating(self, kept: NDArray[np.bool_], label: int | None) -> Operating:
        """The claims of a label, or of all, at every threshold."""


class _Remembered:
    """The thresholds of the selections that were last asked for: to move one must not sort everything again."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, int | None], Operating] = {}
        self._lock = threading.Lock()

    def operating(
        self, rows: NDArray[np.bool_], label: int | None, claims: Callable[[], Claims], labels: int
    ) -> Operating:
        key = (blake2b(np.packbits(rows).tobytes()).digest(), label)
        with self._lock:  # the charts of a page are asked for at once, of the same rows
            found = self._kept.pop(key, None) or Operating(claims())
            self._kept[key] = found
            for oldest in list(self._kept)[: -REMEMBERED * (labels + 1)]:
                del self._kept[oldest]
            return found


class JudgedSamples:
    """Samples of which every label has a score.

    Args:
        column: the metric that gives them; None where none does.
        labels: L of them.
        rows: [n] of the run, ascending.
        expected: [n, L] which labels are true.
        scores: [n, L].
    """

    of: Literal["samples", "objects"] = "samples"
    paired = True

    def __init__(
        self,
        column: str | None,
        labels: list[str],
        rows: NDArray[np.int64],
        expected: NDArray[np.bool_],
        scores: NDArray[np.float64],
    ) -> None:
        finite = np.isfinite(scores).all(axis=1)
        self.column, self.labels, self.notices = column, labels, []
        if not finite.all():
            self.notices.append(
                f"{int((~finite).sum()):,} samples have a score that is NaN or infinite, and are left out."
            )
        self._rows, self._expected, self._scores = rows[finite], expected[finite], scores[finite]
        several = int((self._expected.sum(axis=1) != 1).sum()) if len(labels) > 1 else 0
        self._one = np.ones(len(self._rows), bool) if len(labels) == 1 else self._expected.sum(axis=1) == 1
        if several:
            self.notices.append(
                f"{several:,} samples have no true label, or several; the confusion matrix leaves them out."
            )
        self._remembered = _Remembered()
        self._whole: dict[int | None, Claims] = {}

    def count(self, kept: NDArray[np.bool_]) -> int:
        """See `Judged`."""
        return int(np.count_nonzero(kept[self._rows]))

    def confused(self, kept: NDArray[np.bool_], threshold: float | None) -> Confused:
        """See `Judged`. A single label is claimed from one half on, and is not the label below."""
        chosen = kept[self._rows] & self._one
        rows, scores = self._rows[chosen], self._scores[chosen]
        if len(self.labels) == 1:
            sides = [*self.labels, f"not {self.labels[0]}"]
            claimed = scores[:, 0] >= (0.5 if threshold is None else threshold)
            return Confused(rows, 1 - self._expected[chosen, 0], 1 - claimed.astype(np.int64), sides, sides, 1)
        truth = self._expected[chosen].argmax(axis=1)
        return confused_classes(rows, truth, scores, self.labels, threshold, NO_ANSWER)

    def claims(self, kept: NDArray[np.bool_], label: int | None) -> Claims:
        """See `Judged`."""
        whole = self._sorted(label)
        wanted = kept[self._rows][whole.cluster]
        if wanted.all():
            return whole
        return Claims(
            whole.score[wanted], whole.right[wanted], whole.cluster[wanted], whole.missed, whole.has_negatives
        )

    def confidences(self, kept: NDArray[np.bool_], label: int | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """See `Judged`. Of all labels, the surest one of each sample."""
        chosen = kept[self._rows]
        scores, expected = self._scores[chosen], self._expected[chosen]
        if label is None and len(self.labels) > 1:
            best = scores.argmax(axis=1) if len(scores) else np.zeros(0, np.int64)
            places = np.arange(len(scores))
            return scores[places, best], expected[places, best]
        return scores[:, label or 0], expected[:, label or 0]

    def operating(self, kept: NDArray[np.bool_], label: int | None) -> Operating:
        """See `Judged`."""
        return self._remembered.operating(kept, label, lambda: self.claims(kept, label), len(self.labels))

    def _sorted(self, label: int | None) -> Claims:
        """All claims of a label, or of all, the surest first: a selection of rows has no need to sort."""
        if label not in self._whole:
            scores = self._scores.ravel() if label is None else self._scores[:, label]
            expected = self._expected.ravel() if label is None else self._expected[:, label]
            order = np.argsort(-scores)
            of_sample = (order // len(self.labels) if label is None else order).astype(np.int32)
            self._whole[label] = Claims(
                scores[order], expected[order], of_sample, np.zeros(0, np.int32), has_negatives=True
            )
        return self._whole[label]


class JudgedObjects:
    """Objects and false alarms, by elements whose ids tell which belong together.

    Args:
        column: the metric that gives the elements.
        labels: without the background, L of them.
        elements: all of them.
    """

    of: Literal["samples", "objects"] = "objects"

    def __init__(self, column: str, labels: list[str], elements: Elements) -> None:
        self.column: str | None = column
        self.labels, self.notices = labels, []
        places = np.array([labels.index(each) if each in labels else len(labels) for each in elements.labels], np.int64)
        self._elements, self._label = elements, places[elements.label]
        absent = int(np.isnan(elements.probability).sum())
        if absent:
            self.notices.append(f"{absent:,} claims have a confidence that is NaN, and count as none.")
        self._score = np.where(elements.probability > 0, elements.probability, 0.0)
        self.paired = elements.thing is not None
        if not self.paired:
            self.notices.append(_unpaired(elements.kept_ids))
        self._remembered = _Remembered()

    def count(self, kept: NDArray[np.bool_]) -> int:
        """See `Judged`."""
        return len(self.confused(kept, None).row)

    def confused(self, kept: NDArray[np.bool_], threshold: float | None) -> Confused:
        """See `Judged`."""
        things, chosen = self._things, kept[self._things.row]
        wanted = Things(things.row[chosen], things.true[chosen], things.claimed[chosen], things.score[chosen])
        return confused_things(wanted, self.labels, threshold, BACKGROUND)

    def claims(self, kept: NDArray[np.bool_], label: int | None) -> Claims:
        """See `Judged`."""
        order = self._order[self._is_of(self._order, kept, label)]
        elements, missed = self._elements, self._missed[self._is_of(self._missed, kept, label)]
        return Claims(
            self._score[order], elements.expected[order], elements.row[order], elements.row[missed], has_negatives=False
        )

    def confidences(self, kept: NDArray[np.bool_], label: int | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """See `Judged`."""
        claims = self.claims(kept, label)
        return claims.score, claims.right

    def operating(self, kept: NDArray[np.bool_], label: int | None) -> Operating:
        """See `Judged`."""
        return self._remembered.operating(kept, label, lambda: self.claims(kept, label), len(self.labels))

    @cached_property
    def _things(self) -> Things:
        elements = self._elements
        return things_of(elements.row, self._label, elements.expected, self._score, elements.thing, len(self.labels))

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """Elements that claim a label, the surest first."""
        claimed = np.flatnonzero((self._label < len(self.labels)) & (self._score > 0))
        return claimed[np.argsort(-self._score[claimed], kind="stable")]

    @cached_property
    def _missed(self) -> NDArray[np.int64]:
        """Elements of objects that nothing claims."""
        return np.flatnonzero((self._label < len(self.labels)) & self._elements.expected & (self._score <= 0))

    def _is_of(self, elements: NDArray[np.int64], kept: NDArray[np.bool_], label: int | None) -> NDArray[np.bool_]:
        wanted = kept[self._elements.row[elements]]
        return wanted if label is None else wanted & (self._label[elements] == label)


_reading = threading.RLock()
_judged: "WeakKeyDictionary[Population, dict[str | None, Judged | None]]" = WeakKeyDictionary()


def judged_of(population: Population, column: str | None = None) -> Judged | None:
    """What a run's model claims, read once a run.

    Args:
        column: a metric that gives confusion elements; None takes the first, else a stored prediction of labels whose
            classes are known.

    Returns:
        None where the run has neither, or the metric told nothing of any sample.

    Raises:
        MissingError: the metric gives no confusion elements.
    """
    with _reading:
        known = _judged.setdefault(population, {})
        if column not in known:
            known[column] = _first(population) if column is None else _of_elements(population, column)
        return known[column]


def _first(population: Population) -> Judged | None:
    metrics = (judged_of(population, name) for name in population.store.confusion_metrics)
    return next((judged for judged in metrics if judged is not None), None) or _of_predictions(population)


def _of_elements(population: Population, column: str) -> Judged | None:
    elements = population.store.confusion(column)
    if not len(elements.row):
        return None
    manifest = population.store.manifest
    size = len(elements.labels)
    by_sample = _by_sample(elements)
    if by_sample is None:
        named = [label for label in elements.labels if label != BACKGROUND]
        return JudgedObjects(column, _in_own_order(named, manifest), elements)
    labels = _in_own_order([elements.labels[code] for code in by_sample[0]], manifest)
    codes = [elements.labels.index(label) for label in labels]
    place = np.argsort(by_sample, axis=1)[:, codes]  # where each sample has each label
    expected = np.take_along_axis(elements.expected.reshape(-1, size), place, 1)
    scores = np.take_along_axis(elements.probability.reshape(-1, size), place, 1)
    rows = elements.row[::size]
    return JudgedSamples(column, labels, rows, expected, scores)


def _by_sample(elements: Elements) -> NDArray[np.int32] | None:
    """[n, L] the labels of each sample's elements, where every sample has one of each label and none has an id."""
    size = len(elements.labels)
    if elements.thing is not None or len(elements.row) % size:
        return None
    labels, rows = elements.label.reshape(-1, size), elements.row.reshape(-1, size)
    if (rows != rows[:, :1]).any() or (np.diff(rows[:, 0]) <= 0).any():
        return None
    alike = labels[:1] if (labels == labels[0]).all() else labels
    if (np.sort(alike, axis=1) != np.arange(size)).any():
        return None
    return np.broadcast_to(alike, labels.shape)


def _of_predictions(population: Population) -> Judged | None:
    store = population.store
    for spec in store.manifest.predictions:
        if len(spec.labels) < 2 or len(set(spec.labels)) < len(spec.labels):
            continue
        scores = store.stored("predictions", spec.name)
        if scores is None or scores.shape[1:] != (len(spec.labels),):
            continue
        truth = _known_classes(population, spec.labels)
        if not (truth >= 0).any():
            continue
        rows = np.flatnonzero(truth >= 0)
        expected = truth[rows, None] == np.arange(len(spec.labels))
        return JudgedSamples(None, list(spec.labels), rows, expected, scores[rows].astype(np.float64))
    return None


def _known_classes(population: Population, labels: tuple[str, ...]) -> NDArray[np.int64]:
    """[N] the class of each sample, -1 where it is not known: by a stored ground truth, else by a column of classes."""
    truth = np.full(population.samples, -1, np.int64)
    rows = np.arange(population.samples)
    for name, shape in population.store.ground_truths().items():
        if shape == (len(labels),):
            codes = class_codes(population.store.stored("ground_truths", name), rows)
            if codes is not None:
                truth = np.where(truth < 0, codes, truth)
    for meaning in MEANINGS_BY_COLOUR:
        for column in population.columns.values():
            if column.categories is UNSET or column.meaning != meaning or set(column.categories) != set(labels):
                continue
            truth = np.where(truth < 0, codes_of(labels, population.values(column.name)), truth)
    return truth


def _in_own_order(labels: list[str], manifest: Manifest) -> list[str]:
    """As a prediction of the model has them, where it has all of them; else as they are."""
    for spec in manifest.predictions:
        if set(labels) <= set(spec.labels):
            return [label for label in spec.labels if label in labels]
    return labels


def _unpaired(kept_ids: bool) -> str:
    told = (
        "Its elements have no ids that tell which belong to one object, so an object that was taken for another label"
        " counts as missed, and the claim as a false alarm"
    )
    mended = (
        "give each ConfusionMatrixElement the `id` of its object"
        if kept_ids
        else "the run is of an earlier leaplab, which dropped them: `leaplab evaluate --only metrics` adds them"
    )
    return f"{told}; {mended}."


def place_of_label(judged: Judged, label: str | None) -> int | None:
    """The place of a label among those of a run; None of None.

    Raises:
        MissingError: there is no such label.
    """
    if label is None:
        return None
    if label not in judged.labels:
        some = ", ".join(judged.labels[:12]) + (
            f" and {len(judged.labels) - 12} more" if len(judged.labels) > 12 else ""
        )
        raise MissingError(f"There is no label '{label}'; there are {some}.")
    return judged.labels.index(label)
