"""A run's samples, or its element instances, as the analyses take them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.analysis.insight.samples import Labels, Samples, Score, Space
from leaplab.errors import LeaplabError, QuestionError
from leaplab.population.columns import Column, described, is_told_in, values_of
from leaplab.protocol.description import PredictionSpec
from leaplab.store.columns import INPUT, LOSS, METADATA, METRIC, STATE
from leaplab.store.run import INSTANCE_ID, INSTANCE_KEYS, INSTANCES_OF, RunStore

if TYPE_CHECKING:
    from leaplab.population.population import Population

HASH_COLUMN = f"{INPUT}.hash"
TOLD_GROUPS = (METADATA, INPUT)
"""Columns that a finding is told in: what a sample is, not how the model did on it."""
SUM_OF_LABELS = 1e-3
"""How far the sum of one sample's class labels may be from 1."""


@dataclass(frozen=True)
class Chosen:
    """Samples, and which of the run they are.

    Attributes:
        samples: by state and id, so that no order of an evaluation decides an answer.
        rows: [n] of the run: of its samples, or of its element instances.
        ids: [n] of the sample or the instance.
        of_instances: whether they are element instances.
    """

    samples: Samples
    rows: NDArray[np.int64]
    ids: list[str]
    of_instances: bool = False


def choose(
    population: "Population",
    among: NDArray[np.int64] | None = None,
    score: str | None = None,
    label: str | None = None,
    space: str | None = None,
) -> Chosen:
    """A run's samples.

    Args:
        among: rows; None takes all.
        score: a loss or metric; None takes the first loss, else the first metric that has a direction.
        label: a column of classes; None takes the ground truth that has the shape of the first prediction's labels.
        space: latent space; None takes the first.

    Raises:
        LeaplabError: there is no such column or space, or the column is no score or no label.
    """
    rows = np.arange(population.samples) if among is None else among
    states, ids = np.array(population.states, object), np.array(population.ids, object)
    rows = rows[_by_text(states[rows], ids[rows])]
    absent: dict[str, str] = {}
    told = {
        name: values_of(column, population.values(name)[rows])
        for name, column in population.columns.items()
        if is_told_in(column) and column.group in TOLD_GROUPS and name != HASH_COLUMN
    }
    columns = population.columns
    chosen = _score(population, columns, rows, score, absent)
    hashes = population.values(HASH_COLUMN)[rows] if HASH_COLUMN in columns else None
    thumbnails = population.store.thumbnails(rows)
    samples = Samples(
        states=states[rows],
        columns=told,
        score=chosen,
        labels=_labels(population, columns, rows, label, absent),
        space=_space(population, rows, space, absent),
        hashes=hashes,
        thumbnails=thumbnails,
        domains=tuple(name for name in population.store.manifest.domains if name in told),
        absent=absent,
    )
    return Chosen(samples, rows, ids[rows].tolist())


def choose_instances(
    population: "Population", among: NDArray[np.int64] | None = None, space: str | None = None
) -> Chosen | None:
    """A run's element instances, with what is known of their samples; None where it has none.

    Args:
        among: rows of the samples whose instances are taken; None takes all.

    Raises:
        LeaplabError: there is no such space.
    """
    store = population.store
    if not store.has_instances:
        return None
    entries = store.instance_columns()
    table = store.read_instances([*INSTANCE_KEYS, *entries])
    of_sample = store.instance_rows()
    rows = np.arange(len(of_sample)) if among is None else np.flatnonzero(np.isin(of_sample, among))
    states, ids = table[STATE], table[INSTANCE_ID]
    # Ids of instances are made of ids of samples, so that two samples may lead to one id: the number tells them apart.
    rows = rows[_by_text(states[rows], ids[rows])]
    columns = {name: described(name, entry, table[name]) for name, entry in entries.items()}
    told = {
        name: values_of(column, table[name][rows])
        for name, column in columns.items()
        if is_told_in(column) and column.group != METRIC
    }
    for name, column in population.columns.items():
        if name not in told and is_told_in(column) and column.group in TOLD_GROUPS and name != HASH_COLUMN:
            told[name] = values_of(column, population.values(name)[of_sample[rows]])
    absent: dict[str, str] = {}
    metric = next((c for c in columns.values() if c.group == METRIC and c.direction is not UNSET), None)
    chosen = None
    if metric is None:
        absent["score"] = "No metric of the element instances says which way is better."
    else:
        chosen = _scored(metric, table[metric.name][rows].astype(np.float64), None, absent)
    vectors = store.instance_latent(population.space(space)) if population.spaces else None
    known = None
    if vectors is not None:
        kept = np.flatnonzero(np.isfinite(vectors[rows]).all(axis=1))
        if len(kept):
            known = Space(f"{population.space(space)}{INSTANCES_OF}", kept, vectors[rows[kept]])
    samples = Samples(states[rows], told, chosen, None, known, absent=absent, noun="object")
    return Chosen(samples, rows, ids[rows].tolist(), of_instances=True)


def _by_text(states: NDArray[np.object_], ids: NDArray[np.object_]) -> NDArray[np.int64]:
    return np.array(sorted(range(len(ids)), key=lambda row: (states[row], ids[row])), np.int64)


def _space(
    population: "Population", rows: NDArray[np.int64], space: str | None, absent: dict[str, str]
) -> Space | None:
    if not population.spaces and space is None:
        absent["space"] = "The run has no latent space; evaluate with --latent TENSOR to take one."
        return None
    name = population.space(space)
    try:
        vectors = population.vectors(name)
    except LeaplabError as error:
        absent["space"] = str(error)
        return None
    place = np.full(population.samples, -1)
    place[vectors.rows] = np.arange(len(vectors.rows))
    kept = np.flatnonzero(place[rows] >= 0)
    if not len(kept):
        absent["space"] = f"None of these samples has a finite vector in the latent space '{name}'."
        return None
    return Space(name, kept, vectors.values[place[rows[kept]]])


def _score(
    population: "Population",
    columns: Mapping[str, Column],
    rows: NDArray[np.int64],
    score: str | None,
    absent: dict[str, str],
) -> Score | None:
    if score is not None:
        column = population.column(score)
        if column.group not in (LOSS, METRIC) or column.kind == "text":
            raise QuestionError(f"'{score}' is no loss and no metric; name one of these by --score.")
        if column.group == METRIC and column.direction is UNSET:
            raise QuestionError(
                f"The metric '{score}' has no direction, so nothing says whether more of it is better; declare one, or"
                " name another --score."
            )
    else:
        losses = [column for column in columns.values() if column.group == LOSS]
        metrics = [c for c in columns.values() if c.group == METRIC and c.direction is not UNSET]
        if not losses and not metrics:
            absent["score"] = "The run has no loss, and no metric with a direction."
            return None
        column = (losses or metrics)[0]
    return _scored(column, population.values(column.name)[rows].astype(np.float64), (population, rows), absent)


def _scored(
    column: Column,
    values: NDArray[np.float64],
    of: "tuple[Population, NDArray[np.int64]] | None",
    absent: dict[str, str],
) -> Score | None:
    """A column as a score. Infinite values count as the greatest or least finite one, since they have no mean."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        absent["score"] = f"No sample has a finite value of {column.name}."
        return None
    values = np.clip(values, finite.min(), finite.max())
    badness = -values if column.direction == "upward" else values
    failed = None if of is None else _failed(*of)
    if failed is None and set(np.unique(finite).tolist()) == {0.0, 1.0} and column.group == METRIC:
        failed = np.asarray(badness == badness[np.isfinite(badness)].max())
    return Score(column.name, values, badness, failed)


def _failed(population: "Population", rows: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    for column in population.columns.values():
        if column.group == METRIC and column.direction in ("upward", "downward"):
            values = population.values(column.name)[rows].astype(np.float64)
            if set(np.unique(values[~np.isnan(values)]).tolist()) == {0.0, 1.0}:
                return np.asarray(values == (0.0 if column.direction == "upward" else 1.0))
    return None


def _labels(
    population: "Population",
    columns: Mapping[str, Column],
    rows: NDArray[np.int64],
    label: str | None,
    absent: dict[str, str],
) -> Labels | None:
    store = population.store
    prediction = store.manifest.predictions[0] if store.manifest.predictions else None
    if label is not None:
        return _labels_of_column(population.column(label), population.values(label)[rows], store, prediction, rows)
    names = () if prediction is None else prediction.labels
    if prediction is not None and len(names) > 1:
        for truth, shape in store.ground_truths().items():
            if shape == (len(names),):
                codes = class_codes(store.stored("ground_truths", truth, rows), np.arange(len(rows)))
                if codes is not None and (codes >= 0).any():
                    return Labels(truth, codes, names, _predicted(store, prediction, rows))
    absent["labels"] = (
        "No ground truth has one number for each label of the prediction, so the classes are not known; name their"
        " column by --label."
    )
    return None


def _labels_of_column(
    column: Column,
    values: NDArray[Any],
    store: RunStore,
    prediction: PredictionSpec | None,
    rows: NDArray[np.int64],
) -> Labels:
    if isinstance(column.categories, list):
        numbers = values_of(column, values).numbers
        names = list(column.categories)
        codes = np.where(np.isfinite(numbers), numbers, -1).astype(np.int64)
    elif column.type == "int":
        known = np.isfinite(values.astype(np.float64))
        distinct, places = np.unique(values[known].astype(np.int64), return_inverse=True)
        names = [str(each) for each in distinct]
        codes = np.full(len(values), -1, np.int64)
        codes[known] = places
    else:
        raise QuestionError(f"'{column.name}' has no categories, so it is no label; name another column by --label.")
    predicted = None
    if prediction is not None and set(names) == set(prediction.labels):
        by_label = np.array([names.index(each) for each in prediction.labels])
        codes_of_labels = _predicted(store, prediction, rows)
        if codes_of_labels is not None:
            predicted = np.where(codes_of_labels >= 0, by_label[codes_of_labels], -1)
    return Labels(column.name, codes, names, predicted)


def _predicted(store: RunStore, prediction: PredictionSpec, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    chosen = store.stored("predictions", prediction.name, rows)
    if chosen is None or chosen.shape[1:] != (len(prediction.labels),):
        return None
    known = ~np.isnan(chosen).any(axis=1)
    return np.where(known, chosen.argmax(axis=1), -1)


def class_codes(values: NDArray[np.float32] | None, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The class that each sample's labels say; None where they are no labels of one class a sample."""
    if values is None:
        return None
    chosen = values[rows]
    known = np.isfinite(chosen).all(axis=1)
    sums, least = chosen[known].sum(axis=1), chosen[known].min(initial=0)
    if least < 0 or (np.abs(sums - 1) > SUM_OF_LABELS).any():
        return None
    return np.where(known, chosen.argmax(axis=1), -1).astype(np.int64)
