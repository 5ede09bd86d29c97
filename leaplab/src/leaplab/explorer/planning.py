"""What a person plans by: gaps between populations, lists to label and to prune, predicted losses, similar samples.

Each question is answered by the function that the command of its name calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import QuestionError
from leaplab.explorer import planning_model as model
from leaplab.explorer.masks import mask_of
from leaplab.explorer.model import Model
from leaplab.explorer.sides import both_chosen, chosen_of
from leaplab.population.gap import CENTROID_DISTANCE, NEARNESS, DomainGap, gap_of
from leaplab.population.gap_matrix import SMALLEST, DomainGaps, gaps_of
from leaplab.population.labelling import RANK, LabellingList, Wishes, labelling_list_of
from leaplab.population.population import Population
from leaplab.population.predicted_loss import HIGH, LOW, PREDICTED, PredictedLoss, predicted_loss_of
from leaplab.population.pruning import KEPT, PrunedList, Terms, pruned_of
from leaplab.population.similar import SimilarSamples
from leaplab.population.tables import category_codes
from leaplab.store.columns import ANALYSIS, STATE_COLUMN, column_of

SUGGESTED = 6
"""Pairs of populations that are suggested."""
FIRST_STATE, UNLABELED = "training", "unlabeled"


class Table(Protocol):
    """An answer."""

    def table(self) -> dict[str, list[Any]]:
        """Column -> values."""


@dataclass(frozen=True)
class Question:
    """A kind of question.

    Attributes:
        asked: the form of its body.
        told: the form of its answer.
        answer: what answers it; each raises `LeaplabError` where there is no answer.
        tell: the answer for the page.
    """

    asked: type[Model]
    told: type[Model]
    answer: Callable[[Population, Any], Table]
    tell: Callable[[Population, Any, Any], dict[str, Any]]


def _gap(population: Population, asked: model.GapAsked) -> DomainGap:
    source, target = both_chosen(population, asked.source, asked.target)
    rank = None if asked.rank is None else chosen_of(population, asked.rank)
    return gap_of(population, source, target, rank, asked.space)


def _tell_gap(_: Population, answer: DomainGap, asked: model.GapAsked) -> dict[str, Any]:
    told = answer.answer()
    return {
        **told,
        "ranked": told["ranked"][: asked.limit],
        "space": answer.space,
        "headline": answer.headline(),
        "unexplaining": answer.unexplaining,
        "told": [each.told() for each in answer.measured.columns],
        "rows": [each.row for each in answer.ranked[: asked.limit]],
        "count": len(answer.ranked),
        "made": _made(NEARNESS, CENTROID_DISTANCE) if answer.rank is not None else [],
    }


def _gaps(population: Population, asked: model.GapsAsked) -> DomainGaps:
    return gaps_of(population, asked.by, asked.space)


def _tell_gaps(_: Population, answer: DomainGaps, __: model.GapsAsked) -> dict[str, Any]:
    fields = ("populations", "matrix", "counts", "warnings")
    return {field: getattr(answer, field) for field in fields}


def _labelling(population: Population, asked: model.LabellingAsked) -> LabellingList:
    wishes = Wishes(asked.state, asked.balance, asked.apart, space=asked.space)
    return labelling_list_of(population, asked.budget, wishes)


def _tell_labelling(_: Population, answer: LabellingList, asked: model.LabellingAsked) -> dict[str, Any]:
    return {
        "budget": answer.budget,
        "samples": answer.samples[: asked.limit],
        "told": answer.told(),
        "notices": answer.notices,
        "rows": answer.rows.tolist(),
        "made": _made(RANK),
    }


def _pruning(population: Population, asked: model.PruningAsked) -> PrunedList:
    if (asked.share is None) == (asked.count is None):
        raise QuestionError("Say how much to keep: a share of the samples, or how many.")
    terms = Terms(asked.state, balance=asked.balance, first=asked.first, space=asked.space)
    keep = asked.share if asked.share is not None else asked.count
    assert keep is not None
    return pruned_of(population, keep, terms)


def _tell_pruning(population: Population, answer: PrunedList, asked: model.PruningAsked) -> dict[str, Any]:
    return {
        "kept": answer.kept[: asked.limit],
        "dropped": len(answer.dropped),
        "told": answer.told(),
        "notices": answer.notices,
        "rows": answer.rows[: asked.limit].tolist(),
        "count": len(answer.rows),
        "kept_mask": _mask(population, answer.rows),
        "dropped_mask": _mask(population, answer.dropped),
        "made": _made(KEPT),
    }


def _prediction(population: Population, asked: model.PredictionAsked) -> PredictedLoss:
    return predicted_loss_of(population, asked.state, asked.score, asked.space)


def _tell_prediction(_: Population, answer: PredictedLoss, asked: model.PredictionAsked) -> dict[str, Any]:
    return {
        **answer.answer(asked.limit),
        "quantity": answer.quantity,
        "told": answer.told(),
        "rows": answer.rows[: asked.limit].tolist(),
        "count": len(answer.rows),
        "made": _made(PREDICTED, LOW, HIGH),
    }


def _similar(population: Population, asked: model.SimilarAsked) -> SimilarSamples:
    return population.similar(asked.rows, asked.count, space=asked.space)


def _tell_similar(population: Population, answer: SimilarSamples, _: model.SimilarAsked) -> dict[str, Any]:
    fields = ("space", "metric", "query", "similar")
    return {"run": population.store.path.name, **{field: getattr(answer, field) for field in fields}}


QUESTIONS: Mapping[str, Question] = {
    "gap": Question(model.GapAsked, model.Gap, _gap, _tell_gap),
    "gaps": Question(model.GapsAsked, model.Gaps, _gaps, _tell_gaps),
    "label": Question(model.LabellingAsked, model.LabellingList, _labelling, _tell_labelling),
    "prune": Question(model.PruningAsked, model.PrunedList, _pruning, _tell_pruning),
    "predicted-loss": Question(model.PredictionAsked, model.PredictedLoss, _prediction, _tell_prediction),
    "similar": Question(model.SimilarAsked, model.SimilarSamples, _similar, _tell_similar),
}
"""Name -> what may be asked."""


def suggestions(population: Population) -> dict[str, Any]:
    """Populations that are worth comparing, see `leaplab.explorer.planning_model.Suggestions`.

    The values of each column that the integration calls domains, the one with the most samples against each other one;
    then training against each other state, first of all against what has no labels.
    """
    named = [name for name in population.store.manifest.domains if name in population.columns]
    pairs: list[dict[str, Any]] = []
    for name in named:
        large = _large(population, name)
        pairs += [_pair(name, large[0], other) for other in large[1:]]
    states = _large(population, STATE_COLUMN)
    first = FIRST_STATE if FIRST_STATE in states else next(iter(states), None)
    others = sorted((state for state in states if state != first), key=lambda state: state != UNLABELED)
    pairs += [_pair(STATE_COLUMN, str(first), other) for other in others]
    comparable = [name for name in (*named, STATE_COLUMN) if len(_large(population, name)) > 1]
    return {"gaps": pairs[:SUGGESTED], "by": comparable[0] if comparable else None}


def _pair(column: str, source: str, target: str) -> dict[str, Any]:
    sides = {what: {"column": column, "keep": [value]} for what, value in (("source", source), ("target", target))}
    return {"title": f"{target} against {source}", **sides}


def _large(population: Population, name: str) -> Sequence[str]:
    """The values of a column with enough samples to be compared, the one with the most first."""
    column = population.column(name)
    if not isinstance(column.categories, list):
        return []
    codes = category_codes(population, column)
    counts = np.bincount(codes[codes >= 0], minlength=len(column.categories))
    order = np.argsort(-counts, kind="stable")
    return [column.categories[code] for code in order.tolist() if counts[code] >= SMALLEST]


def _mask(population: Population, rows: NDArray[np.int64]) -> str:
    chosen = np.zeros(population.samples, np.bool_)
    chosen[rows] = True
    return mask_of(chosen)


def _made(*names: str) -> list[str]:
    return [column_of(ANALYSIS, name) for name in names]
