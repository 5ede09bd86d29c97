"""What of a run a loss can be predicted from: the samples whose loss is known, and a ranking of those and of others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaplab.analysis.conformal import FEWEST
from leaplab.analysis.differences import Values
from leaplab.analysis.insight.samples import ADDITIONAL, TEST, TRAINING, UNLABELED, VALIDATION, Samples, Score
from leaplab.analysis.numerals import numeral
from leaplab.analysis.predicted_loss import are_probabilities, entropies, features, regression_ranking
from leaplab.errors import MissingError, QuestionError
from leaplab.population.columns import MEANINGS_BY_COLOUR, values_of
from leaplab.population.samples import Chosen, choose
from leaplab.store.columns import INPUT, METRIC, group_of

if TYPE_CHECKING:
    from leaplab.population.population import Population

HELD_OUT = (VALIDATION, TEST, TRAINING, ADDITIONAL)
"""States that a prediction is fitted on: the first that has enough samples with a loss."""
PRESENT = 0.5
"""Share of a state's samples that a column must have a value for."""


@dataclass(frozen=True)
class Evidence:
    """Samples, numbered in a canonical order, ranked by how bad they probably are.

    Attributes:
        rows: [N] the row of the run of each sample.
        score: the column that is predicted.
        quantity: what is predicted of it, in words.
        loss: [N] the score, turned so that more is worse; NaN where absent.
        failed: [N] whether the model is wrong; None where no metric says that.
        base: the state that the ranking's loss is known of, and fitted on.
        known: [n] its samples, without those that cannot be ranked.
        asked: [m] the samples of the state that was asked for which are not among these.
        out_of_fold: [n] ranking of the known samples, each without its own loss.
        ranking: [m] of the samples that were asked for.
        more: further samples that the ranking was fitted on.
        fitted_on: the states of all that it was fitted on.
        components: [N, D] of a latent space, 0 where a sample has no vector; None where there is none.
        recipe: how the ranking was made, in words.
        warnings: what to know before trusting it, a sentence each.
    """

    rows: NDArray[np.int64]
    score: str
    quantity: str
    loss: NDArray[np.float64]
    failed: NDArray[np.bool_] | None
    base: str
    known: NDArray[np.int64]
    asked: NDArray[np.int64]
    out_of_fold: NDArray[np.float64]
    ranking: NDArray[np.float64]
    more: NDArray[np.int64]
    fitted_on: tuple[str, ...]
    components: NDArray[np.float32] | None
    recipe: str
    warnings: tuple[str, ...]


def evidence_of(population: "Population", state: str, score: str | None, space: str | None) -> Evidence:
    """Rank the samples of a state, and those whose loss is known.

    Raises:
        LeaplabError: see `leaplab.population.predicted_loss.predicted_loss_of`.
    """
    chosen = choose(population, None, score, None, space)
    samples = chosen.samples
    if samples.score is None:
        raise QuestionError(
            f"{samples.absent['score']} A prediction is fitted on samples whose loss is known: evaluate a labelled"
            " state as well, or name another loss or metric by --score."
        )
    quantity, loss = _loss(population, samples.score)
    entropy, prediction = _entropy(population, chosen)
    usable = np.ones(len(samples), np.bool_)
    if samples.space is not None:
        usable = np.isin(np.arange(len(samples)), samples.space.rows)
    if entropy is not None:
        usable &= np.isfinite(entropy)
    base = _base(samples, np.isfinite(loss), usable, samples.score.column)
    inside, of_base = samples.in_state(state), samples.in_state(base)
    known = np.flatnonzero(of_base & usable & np.isfinite(loss))
    asked = np.flatnonzero(inside & usable & ~np.isin(np.arange(len(samples)), known))
    if not len(asked) and base != state:
        raise QuestionError(
            f"No sample of {state} has a finite vector and prediction, so nothing tells its loss; look at the model."
        )
    if np.ptp(loss[known]) == 0:
        raise QuestionError(
            f"{samples.score.column} is the same for every sample of {base}, so there is nothing to predict; name"
            " another by --score."
        )
    components = None
    if samples.space is not None:
        components = np.zeros((len(samples), samples.space.components.shape[1]), np.float32)
        components[samples.space.rows] = samples.space.components
    none, no_rows, warnings = np.zeros(0), np.zeros(0, np.int64), _warnings(samples, loss, usable, state, base)
    evidence = Evidence(
        chosen.rows, samples.score.column, quantity, loss, samples.score.failed, base, known, asked, none, none,
        no_rows, (base,), components, "", warnings,
    )  # fmt: skip
    if entropy is not None:
        recipe = f"entropy of the prediction '{prediction}', and isotonic regression of the loss on it"
        return replace(evidence, out_of_fold=entropy[known], ranking=entropy[asked], recipe=recipe)
    return _by_regression(population, chosen, evidence, usable, state)


def _loss(population: "Population", score: Score) -> tuple[str, NDArray[np.float64]]:
    """What is predicted, in words, and its values: a score of which more is better counts from its best value."""
    if population.column(score.column).direction != "upward":
        return score.column, score.badness
    best = float(np.nanmax(score.values))
    return f"{numeral(best)} - {score.column}", best - score.values


def _entropy(population: "Population", chosen: Chosen) -> tuple[NDArray[np.float64] | None, str]:
    """Of the first prediction, where it is stored and has one value a label."""
    predictions = population.store.manifest.predictions
    stored = population.store.stored("predictions", predictions[0].name) if predictions else None
    if stored is None or stored.ndim != 2 or stored.shape[1] < 2:
        return None, ""
    outputs = stored[chosen.rows]
    if stored.shape[1] != len(predictions[0].labels) and not are_probabilities(outputs):
        return None, ""
    return entropies(outputs), predictions[0].name


def _base(samples: Samples, scored: NDArray[np.bool_], usable: NDArray[np.bool_], score: str) -> str:
    counts = {state: int((samples.in_state(state) & scored & usable).sum()) for state in HELD_OUT}
    enough = [state for state, count in counts.items() if count >= FEWEST]
    if enough:
        return enough[0]
    some = [f"{state} has {count}" for state, count in counts.items() if count]
    if not some:
        raise MissingError(
            f"No labelled state has a finite {score}, so nothing says how a loss comes about; evaluate validation, too."
        )
    raise QuestionError(
        f"A prediction is fitted on {FEWEST} samples of one state with a finite {score} at least, but"
        f" {' and '.join(some)}; evaluate more of them."
    )


def _warnings(
    samples: Samples, loss: NDArray[np.float64], usable: NDArray[np.bool_], state: str, base: str
) -> tuple[str, ...]:
    told = []
    if base != VALIDATION:
        told.append(f"There are no {FEWEST} validation samples with a loss, so the prediction is fitted on {base}.")
    if base == TRAINING:
        told.append("The model has learned these samples, so losses on others are probably greater than predicted.")
    for each in dict.fromkeys((base, state)):
        inside = samples.in_state(each)
        count, left_out = int(inside.sum()), int((inside & ~usable).sum())
        if left_out:
            told.append(
                f"{left_out:,} of {count:,} {each} samples have a vector or a prediction with NaN or infinity, and are"
                " left out."
            )
        lost = int((inside & ~np.isfinite(loss)).sum())
        if each == base and lost:
            told.append(f"{lost:,} of {count:,} {each} samples have no finite loss, and nothing is fitted on them.")
    if samples.space is None:
        told.append(
            f"{samples.absent['space']} Until then nothing says which samples are unlike those fitted on, and no"
            " interval is withheld."
        )
    return tuple(told)


def _by_regression(
    population: "Population", chosen: Chosen, evidence: Evidence, usable: NDArray[np.bool_], state: str
) -> Evidence:
    samples, known, asked, warnings = chosen.samples, evidence.known, evidence.asked, evidence.warnings
    columns = _columns(population, chosen, evidence, state)
    nothing = (
        "The run has neither probabilities nor a latent space nor columns that tell samples apart which are known"
        f" on {state}, so nothing tells its losses; evaluate with --latent TENSOR."
    )
    if samples.space is None and not columns:
        raise MissingError(nothing)
    if not samples.in_state(UNLABELED).any():
        warnings += (
            "The run has no unlabeled state, so nothing says which metadata are known without a label, and only image"
            " properties are used beside the vectors.",
        )
    more = np.zeros(0, np.int64)
    if TRAINING not in (state, evidence.base):
        more = np.flatnonzero(samples.in_state(TRAINING) & usable & np.isfinite(evidence.loss))
    # Of all states together, so that what is fitted is the same for each that is asked for.
    rows, vectors = np.flatnonzero(usable), None if samples.space is None else samples.space.vectors
    of_known, of_asked, of_more = (np.searchsorted(rows, each) for each in (known, asked, more))
    given = features(vectors, {name: each.of(rows) for name, each in columns.items()}, of_known)
    if not given.linear.shape[1]:
        raise MissingError(nothing)
    ranking = regression_ranking(given, evidence.loss[rows], of_known, of_asked, of_more)
    seen = [f"{len(columns)} columns"] if columns else []
    if samples.space is not None:
        seen.insert(0, f"the latent space '{samples.space.name}'")
    states = (evidence.base, TRAINING) if ranking.with_more else (evidence.base,)
    return replace(
        evidence,
        out_of_fold=ranking.out_of_fold,
        ranking=ranking.asked,
        more=more if ranking.with_more else more[:0],
        fitted_on=states,
        recipe=f"mean of ridge and boosted trees on {' and '.join(seen)}, and isotonic regression of the loss on it",
        warnings=warnings,
    )


def _columns(population: "Population", chosen: Chosen, evidence: Evidence, state: str) -> Mapping[str, Values]:
    """Columns that are known without a label: those with values on the unlabeled state which are not all the same.

    A constant there is what an integration puts where the truth is not known. Without an unlabeled state these are the
    properties that leaplab computes of the inputs.
    """
    samples = chosen.samples
    unlabeled = samples.in_state(UNLABELED)
    candidates = dict(samples.columns)
    if unlabeled.any():
        candidates |= {
            name: values_of(column, population.values(name)[chosen.rows])
            for name, column in population.columns.items()
            if column.group == METRIC and column.kind != "text" and name != evidence.score
        }
    else:
        candidates = {name: each for name, each in candidates.items() if group_of(name) == INPUT}
    parts = [evidence.known, np.flatnonzero(samples.in_state(state))]
    kept = {}
    for name, values in candidates.items():
        meaning = population.column(name).meaning
        if meaning is not UNSET and meaning in MEANINGS_BY_COLOUR:
            continue
        present = [np.isfinite(values.numbers[part]).mean() >= PRESENT for part in parts]
        if unlabeled.any():
            there = values.numbers[unlabeled]
            present.append(np.isfinite(there).mean() >= PRESENT and np.nanmin(there) < np.nanmax(there))
        if all(present):
            kept[name] = values
    return kept
