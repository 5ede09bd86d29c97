"""The search for parameters: which are tried next, and when it ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.tune.journal import Journal, quiet
from leaplab.tune.objective import Measured, Objective
from leaplab.tune.parameters import Parameters
from leaplab.tune.response import Bounds, proposed

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

PATIENCE_SHARE, LEAST_PATIENCE = 1 / 3, 10
"""A search that gets no better for this share of its trials, and for at least so many, ends."""
SETTLED = 6
"""So many do where the best is as near as noise lets it be told."""

Measure = Callable[[Sequence[Parameters]], list[Measured]]
"""Measures several at once."""


@dataclass(frozen=True)
class Trial:
    """Parameters that were tried, and what came of them.

    Attributes:
        number: from 0, which is the start.
        distance: to the half of the target that is fitted to, see `leaplab.tune.objective`.
        coverage: likewise.
        value: likewise.
    """

    number: int
    parameters: Parameters
    distance: float
    coverage: float
    value: float


@dataclass(frozen=True)
class Searched:
    """The trials of a search, in their order.

    Attributes:
        ended: why it ended, as a sentence.
    """

    trials: list[Trial]
    ended: str

    @property
    def best(self) -> Trial:
        """The one with the least value; of equal ones the first."""
        return min(self.trials, key=lambda trial: trial.value)


def search(
    distributions: "dict[str, BaseDistribution]",
    start: Parameters,
    measure: Measure,
    journal: Journal,
    *,
    trials: int,
    seed: int,
    together: int,
    noise: float,
    objective: Objective | None = None,
    progress: Callable[[list[Trial]], None] = lambda _: None,
) -> Searched:
    """Try parameters, the start first.

    Of two trials one is chosen by a tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), which looks
    everywhere, and one by what the samples of former trials tell of those of others, see `leaplab.tune.response`, as
    soon as there are enough of them. Each trial has a seed of its own, made of the search's seed and its number. So
    what is tried depends on the trials before it alone, and a search that goes on from a journal asks for what it has
    asked for before.

    Args:
        measure: is asked for at most `together` parameters at once, none of which sees what the others give.
        trials: the most, 1 or more.
        noise: a distance that is not above it ends the search, as soon as a few trials more bring nothing better.
        objective: that predicted samples are measured by; None leaves all to the estimator.
        progress: called with the trials so far, whenever there are more.
    """
    import optuna

    found: list[Trial] = []
    made: list[NDArray[np.float32]] = []
    bounds = Bounds(distributions)
    patience = max(int(np.ceil(trials * PATIENCE_SHARE)), LEAST_PATIENCE)
    with quiet():
        study = optuna.create_study(direction="minimize")
        study.enqueue_trial(start)
    while len(found) < trials:
        asked: list[optuna.Trial] = []
        for number in range(len(found), min(len(found) + together, trials)):
            own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
            chosen = None
            if objective is not None and number % 2 and len(made) == len(found):
                chosen = proposed(
                    bounds,
                    [each.parameters for each in found],
                    [each.value for each in found],
                    made,
                    [each.params for each in asked],
                    lambda samples: objective.measure(samples).value,
                    objective.centre,
                    own,
                )
            with quiet():
                if chosen is not None:
                    study.enqueue_trial(chosen)
                # Of what is tried at the same time, each keeps away from the others (the default since Optuna 5).
                study.sampler = optuna.samplers.TPESampler(seed=own, multivariate=True, constant_liar=True)
                asked.append(study.ask(distributions))
        known = [journal.measured(each.number, each.params) for each in asked]
        missing = [place for place, each in enumerate(known) if each is None]
        if missing:
            for place, each in zip(missing, measure([asked[place].params for place in missing]), strict=True):
                known[place] = each
        for trial, result in zip(asked, known, strict=True):
            assert result is not None
            journal.keep(trial.number, trial.params, distributions, result)
            with quiet():
                study.tell(trial, result.value)
            if result.made is not None:
                made.append(result.made)
            found.append(Trial(trial.number, dict(trial.params), result.distance, result.coverage, result.value))
        progress(found)
        if ended := _ended(found, noise, patience):
            return Searched(found, ended)
    return Searched(found, "All trials were made.")


def front_of(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that no other beats in distance and coverage both, the nearest first."""
    front: list[Trial] = []
    for each in sorted(trials, key=lambda trial: (trial.distance, trial.coverage, trial.number)):
        if not front or each.coverage < front[-1].coverage:
            front.append(each)
    return front


def _ended(trials: Sequence[Trial], noise: float, patience: int) -> str:
    best = min(trials, key=lambda trial: trial.value)
    since = len(trials) - 1 - best.number
    if best.distance <= noise and since >= SETTLED:
        return "It ended early: the best is as near as two halves of the target are to each other."
    return f"It ended early: {since} trials in a row brought nothing better." if since >= patience else ""
