"""The loss that a model probably has on the samples of a state, where no label says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.analysis.conformal import FEWEST, Decile, Expected, Skill, deciles, expected_losses, skill, unlike
from leaplab.errors import QuestionError
from leaplab.population.cached import cached
from leaplab.population.computed import ComputedColumn, computed_columns
from leaplab.population.loss_evidence import evidence_of
from leaplab.population.notebook import page_of_predicted_loss
from leaplab.store.columns import ANALYSIS, column_of

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
SEED = 0
MOSTLY = 0.5
"""Share of intervals that are withheld from which on the prediction as a whole is doubtful."""
PREDICTED, LOW, HIGH = "predicted_loss", "predicted_loss_low", "predicted_loss_high"
"""Columns that are kept on the run."""


@dataclass(frozen=True)
class PredictedLoss:
    """The loss that each sample of a state is expected to have, and how far to trust it.

    The samples stand in the order of the prediction, the greatest first; equal ones by the ranking, then by id.

    Attributes:
        state: the state that was asked for.
        score: the loss or metric that is predicted.
        quantity: what a prediction is of: the score itself, or how far it lies below its best value where more of it is
            better. More is worse.
        rows: [n] int64, of the run.
        ids: [n] their ids.
        states: [n] their states.
        predicted: [n] float64.
        low: [n] lower end of an interval of 90 %, NaN where withheld.
        high: [n] its upper end.
        ranking: [n] float64, how bad a sample is in comparison with the others, such as the entropy.
        real: [n] the loss that is stored, NaN where there is none.
        fitted_on: the states that it was fitted on.
        recipe: in a sentence.
        skill: on samples whose loss is known and was not used.
        measured_on: what those are, in words.
        calibration: their predicted and real loss by tenths, the least predicted first.
        withheld_share: share of the n samples that are too unlike what was fitted for an interval.
        warnings: what to know before trusting it: a sentence each.
        population: that a notebook draws the map of.
    """

    state: str
    score: str
    quantity: str
    rows: NDArray[np.int64]
    ids: Sequence[str]
    states: Sequence[str]
    predicted: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    ranking: NDArray[np.float64]
    real: NDArray[np.float64]
    fitted_on: Sequence[str]
    recipe: str
    skill: Skill
    measured_on: str
    calibration: Sequence[Decile]
    withheld_share: float
    warnings: Sequence[str]
    population: "Population | None" = field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample: sample_id, state, predicted, low, high; None where withheld."""
        numbers = {"predicted": self.predicted, "low": self.low, "high": self.high}
        told = {name: [None if value != value else value for value in all_.tolist()] for name, all_ in numbers.items()}
        return {"sample_id": list(self.ids), "state": list(self.states), **told}

    def answer(self, most: int | None = None) -> dict[str, Any]:
        """What was predicted and how good that is, for JSON.

        Args:
            most: samples that are listed; None lists all.
        """
        table = {name: values[:most] for name, values in self.table().items()}
        return {
            "fitted_on": self.fitted_on,
            "recipe": self.recipe,
            "skill": self.skill,
            "withheld_share": self.withheld_share,
            "samples": [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)],
        }

    def told(self) -> list[str]:
        """In sentences: how good it is, how many intervals are withheld, and what to know before trusting it."""
        known, where = self.skill, f"{self.measured_on[:1].upper()}{self.measured_on[1:]}"
        if known.top_tenth_share == known.top_tenth_share:
            measured = (
                f"{where}, the first 10 % by prediction hold {100 * known.top_tenth_share:.0f} % of the loss (chance"
                f" 10, best possible {100 * known.top_tenth_best:.0f})."
            )
        else:
            measured = f"{where}, no sample has any loss."
        if known.spearman == known.spearman:
            measured += f" Rank correlation with the loss {known.spearman:.2f}."
        if known.auroc_wrong is not None:
            measured += f" AUROC of being wrong {known.auroc_wrong:.3f}."
        if known.coverage == known.coverage:
            measured += f" {100 * known.coverage:.0f} % of the losses lie in their interval of 90 %."
        withheld = "No interval is withheld."
        if self.withheld_share:
            withheld = (
                f"{100 * self.withheld_share:.3g} % of the intervals are withheld: these samples lie farther from those"
                " fitted on than 99 % of those lie from each other."
            )
        if self.withheld_share > MOSTLY and self.state not in self.measured_on:
            withheld += " What is predicted for them is a guess, of which the skill says nothing."
        return [measured, withheld, *self.warnings]

    def _repr_html_(self) -> str:
        return page_of_predicted_loss(self)


def predicted_loss_of(
    population: "Population",
    state: str,
    score: str | None = None,
    space: str | None = None,
    among: NDArray[np.int64] | None = None,
) -> PredictedLoss:
    """The loss that the samples of a state are expected to have; it is kept on the run as `analysis.predicted_loss`.

    Args:
        state: unlabeled, or one whose losses are known, as a check of the prediction itself.
        score: a loss or metric; None takes the first loss, else the first metric that has a direction.
        space: latent space; None takes the first.
        among: rows that are told of; None takes all of the state. What is fitted does not depend on it.

    Raises:
        LeaplabError: there is no such state, column or space; the column is no score, or constant; no state has enough
            samples with a score; or nothing is known of the samples that a loss could be predicted from.
    """
    population.require_state(state)
    named = population.space(space) if population.spaces or space is not None else None
    parameters = {"state": state, "score": score, "space": named, "seed": SEED}

    def computed() -> NDArray[np.uint8]:
        return np.frombuffer(msgspec.msgpack.encode(_predicted(population, state, score, named)), np.uint8)

    content = cached(population.store, "predicted loss", VERSION, parameters, computed).tobytes()
    known = msgspec.msgpack.decode(content, type=_Kept)
    rows = np.array(known.rows, np.int64)
    arrays = {name: np.array(getattr(known, name), np.float64) for name in ARRAYS}
    _keep(population, state, known, rows, arrays)
    told = np.ones(len(rows), np.bool_) if among is None else np.isin(rows, among)
    if not told.any():
        raise QuestionError(f"There is no sample of {state} to predict the loss of; widen the condition.")
    rows, arrays = rows[told], {name: values[told] for name, values in arrays.items()}
    return PredictedLoss(
        state,
        known.score,
        known.quantity,
        rows,
        [population.ids[row] for row in rows],
        [state] * len(rows),
        **arrays,
        fitted_on=known.fitted_on,
        recipe=known.recipe,
        skill=known.skill,
        measured_on=known.measured_on,
        calibration=known.calibration,
        withheld_share=float(np.isnan(arrays["low"]).mean()),
        warnings=known.warnings,
        population=population,
    )


class _Kept(Struct):
    """What is cached of an answer."""

    score: str
    quantity: str
    rows: list[int]
    predicted: list[float]
    low: list[float]
    high: list[float]
    ranking: list[float]
    real: list[float]
    fitted_on: tuple[str, ...]
    recipe: str
    skill: Skill
    measured_on: str
    calibration: tuple[Decile, ...]
    warnings: tuple[str, ...]


ARRAYS = ("predicted", "low", "high", "ranking", "real")


def _keep(
    population: "Population",
    state: str,
    known: _Kept,
    rows: NDArray[np.int64],
    arrays: Mapping[str, NDArray[np.float64]],
) -> None:
    """Make the answer columns of the run, where they are not that already."""
    former = computed_columns(population.store)
    for name, what, of in ((PREDICTED, "", "predicted"), (LOW, ", lower end", "low"), (HIGH, ", upper end", "high")):
        values = np.full(population.samples, np.nan)
        values[rows] = arrays[of]
        label = f"predicted {known.quantity} of {state}{what}"
        there = former.get(column_of(ANALYSIS, name))
        if there is None or there.label != label or not np.array_equal(there.values, values, equal_nan=True):
            population.keep(name, ComputedColumn(label, values, "downward"))


def _predicted(population: "Population", state: str, score: str | None, space: str | None) -> _Kept:
    evidence = evidence_of(population, state, score, space)
    loss, known, asked = evidence.loss, evidence.known, evidence.asked
    values, low, high, ranking = np.full((4, len(loss)), np.nan)
    ranking[known], ranking[asked] = evidence.out_of_fold, evidence.ranking
    for rows, others in ((known, None), (asked, ranking[asked])):
        expected = expected_losses(ranking[known], loss[known], others, SEED)
        values[rows], low[rows], high[rows] = expected.values, expected.low, expected.high
    withheld = np.zeros(len(loss), np.bool_)
    if evidence.components is not None:
        withheld[known], withheld[asked] = unlike(evidence.components, known, evidence.more, asked, SEED)
    told = np.concatenate([known, asked]) if evidence.base == state else asked
    judged, where = asked[np.isfinite(loss[asked])], f"on {state} itself"
    if len(judged) < FEWEST:
        judged, where = known, f"out of fold on {evidence.base}"
    failed = None if evidence.failed is None else evidence.failed[judged]
    expected = Expected(values[judged], low[judged], high[judged])
    measured = skill(ranking[judged], expected, loss[judged], withheld[judged], failed)
    low[withheld], high[withheld] = np.nan, np.nan
    # The samples are numbered by state and id, so that these decide between equal ones.
    told = told[np.lexsort((told, -ranking[told], -values[told]))]
    arrays = dict(zip(ARRAYS, (values, low, high, ranking, loss), strict=True))
    return _Kept(
        score=evidence.score,
        quantity=evidence.quantity,
        rows=evidence.rows[told].tolist(),
        fitted_on=evidence.fitted_on,
        recipe=evidence.recipe,
        skill=measured,
        measured_on=where,
        calibration=tuple(deciles(values[judged], loss[judged])),
        warnings=evidence.warnings,
        **{name: each[told].tolist() for name, each in arrays.items()},
    )
