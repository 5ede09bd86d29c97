"""Tuning from start to finish: target, start, search, and the check on samples that no trial has seen."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.components import canonical_order
from leaplab.analysis.gap import MOST, drawn, gap_test, pooled_components
from leaplab.analysis.whitening import fit_whitening
from leaplab.errors import MissingError, QuestionError
from leaplab.files import file_name
from leaplab.population.population import Population
from leaplab.protocol.description import SimulationSpec
from leaplab.protocol.simulation import Simulated, SimulationOrder
from leaplab.tune.journal import Journal
from leaplab.tune.objective import Measured, Objective, energy_distance
from leaplab.tune.parameters import Parameters, distributions_of, simulation_named, start_of
from leaplab.tune.rendering import Bind, Renderer, differences_from, renderer
from leaplab.tune.result import Checked, Tuning
from leaplab.tune.search import Trial, search
from leaplab.tune.writing import require_folder, write_population

VERSION = 1
SAMPLES = 64
LEAST_TARGET = 20
MOST_CHECKED = 500
"""Samples of a population that is checked."""
TRIED = 8
"""Samples that a simulation makes twice, before anything else."""


@dataclass(frozen=True)
class Question:
    """What is tuned, and to what.

    Attributes:
        simulation: its name.
        target: condition on the run's columns; the samples that the simulation's are to be like.
        start: `name=value` of parameters that do not start in the middle of their bounds.
        trials: the most.
        samples: that a trial makes.
        seed: of the search, of the halves of the target, and of what trials simulate; the check has the next one.
        workers: processes that simulate, and parameters that are tried at the same time.
        space: latent space; None takes the run's first.
    """

    simulation: str
    target: str
    start: tuple[str, ...] = ()
    trials: int = 60
    samples: int = SAMPLES
    seed: int = 0
    workers: int = 1
    space: str | None = None


@dataclass(frozen=True)
class Halves:
    """Rows of the target, in two halves.

    Attributes:
        fitted: that trials are measured by.
        held_out: that only the start and the best are measured by.
    """

    fitted: NDArray[np.int64]
    held_out: NDArray[np.int64]


def tune(
    population: Population,
    question: Question,
    bind: Bind,
    write: Path | None = None,
    overwrite: bool = False,
    notice: Callable[[str], None] = lambda _: None,
    progress: Callable[[list[Trial]], None] = lambda _: None,
) -> Tuning:
    """Fit the parameters of a simulation.

    Trials are kept in the run's `derived` folder: the same question goes on where it was interrupted, and answers the
    same. The answer depends on the number of workers, since these many parameters are chosen before any of them is
    measured.

    Args:
        population: the run.
        bind: binds the integration; called once a worker.
        write: a folder for the best population; None writes none.
        overwrite: whether one that is there may be replaced.
        notice: is told what to know before trusting the answer.
        progress: is told the trials so far.

    Raises:
        LeaplabError: the question makes no sense, or the integration, the simulation or the model fails.
    """
    _require_sense(question)
    if write is not None:
        require_folder(write, overwrite)
    space = population.space(question.space)
    halves = halves_of(population, question.target, space, question.seed)
    with renderer(bind, question.workers, space) as rendering:
        simulation = simulation_named(rendering.description.simulations, question.simulation)
        start = start_of(simulation, question.start)
        rendering.load(population.store.manifest.latent_source)
        for sentence in differences_from(population, rendering, halves.fitted):
            notice(sentence)
        work = _Work(population, question, rendering, simulation, halves, start)
        searched = work.search(progress)
        best = searched.best
        first, last = work.check(start), work.check(best.parameters)
        folder = None
        if write is not None:
            folder = write_population(
                write, work.checked_population(best.parameters, inputs=True), rendering.description, work.about(last)
            )
        return Tuning(
            population.store.path.name,
            question.simulation,
            question.target,
            simulation.parameters,
            last,
            first,
            tuple(searched.trials),
            best.number,
            work.noise,
            searched.ended,
            len(halves.fitted),
            len(halves.held_out),
            folder,
        )


def halves_of(population: Population, target: str, space: str, seed: int) -> Halves:
    """The target's rows with a finite vector, at most 4,000, in two halves by a seeded choice.

    Which sample is in which half depends on states and ids, and not on the order of an evaluation.

    Raises:
        LeaplabError: the condition is none, or fewer than 20 samples meet it.
    """
    met = population.where(target)
    vectors = population.vectors(space)
    rows = met[np.isin(met, vectors.rows)]
    if len(rows) < LEAST_TARGET:
        found = "No sample meets" if not len(met) else f"Only {len(rows)} samples with a vector meet"
        raise QuestionError(f"{found} the target's condition; it takes {LEAST_TARGET}: widen --target.")
    keys = [(population.states[row], population.ids[row]) for row in rows.tolist()]
    order = np.array(sorted(range(len(rows)), key=keys.__getitem__))
    chosen = rows[order][np.random.default_rng(seed).permutation(len(rows))][: 2 * MOST]
    return Halves(chosen[::2], chosen[1::2])


def others_of(population: Population, halves: Halves, space: str) -> NDArray[np.float32]:
    """Vectors of the run's samples that are not of the target, at most 2,000 by a seeded choice."""
    vectors = population.vectors(space)
    target = np.concatenate([halves.fitted, halves.held_out])
    others = vectors.values[~np.isin(vectors.rows, target)]
    some = others[drawn(others)]
    return some[canonical_order(some)]  # no order of an evaluation decides how sums are rounded


class _Work:
    """One question on its way."""

    def __init__(
        self,
        population: Population,
        question: Question,
        rendering: Renderer,
        simulation: SimulationSpec,
        halves: Halves,
        start: Parameters,
    ) -> None:
        self._population, self._question, self._rendering = population, question, rendering
        self._simulation, self._halves, self._start = simulation, halves, start
        tried = self._order(start, min(question.samples, TRIED), question.seed)
        self._digest = rendering.require_repeatable(tried)
        self._journal = Journal(self._journal_path())
        self._vectors = population.vectors(rendering.space)
        fitted = self._of(halves.fitted)
        others = others_of(population, halves, rendering.space)
        if len(others) < len(fitted):
            # A run of the target alone does not tell in which ways other samples differ from it.
            (made,) = rendering.simulate([self._order(start, question.samples, question.seed)])
            others = np.concatenate([others, made.vectors])
        # Never fitted to what a trial makes, so that distances compare from trial to trial.
        self._components = fit_whitening(np.concatenate([fitted, others]))
        if not self._components.loadings.shape[1]:
            raise MissingError(f"All vectors of the latent space '{rendering.space}' are equal; name another --space.")
        self._objective = Objective(self._components.of(fitted))
        self.noise = self._objective.noise(question.samples, question.seed)

    def search(self, progress: Callable[[list[Trial]], None]) -> Any:
        question = self._question
        return search(
            distributions_of(self._simulation),
            self._start,
            self._measured,
            self._journal,
            trials=question.trials,
            seed=question.seed,
            together=question.workers,
            noise=self.noise,
            objective=self._objective,
            progress=progress,
        )

    def check(self, parameters: Parameters) -> Checked:
        """Measure parameters by samples of another seed and the half of the target that no trial has seen."""
        key = json.dumps(parameters, sort_keys=True)
        known = self._journal.checked(key)
        if known is None:
            made = self.checked_population(parameters).vectors
            held_out = self._of(self._halves.held_out)
            distance = energy_distance(self._components.of(made), self._components.of(held_out))
            known = {"distance": distance, "p": gap_test(*pooled_components(made, held_out)).p}
            self._journal.keep_checked(key, known)
        return Checked(parameters, known["distance"], known["p"])

    def checked_population(self, parameters: Parameters, inputs: bool = False) -> Simulated:
        """What a check looks at."""
        count = min(max(self._question.samples, len(self._halves.held_out)), MOST_CHECKED)
        (made,) = self._rendering.simulate([self._order(parameters, count, self.check_seed, inputs)])
        return made

    @property
    def check_seed(self) -> int:
        return self._question.seed + 1

    def about(self, best: Checked) -> dict[str, Any]:
        """What parameters.json says."""
        return {
            "simulation": self._simulation.name,
            "parameters": best.parameters,
            "seed": self.check_seed,
            "target": self._question.target,
            "run": self._population.store.path.name,
            "distance": best.distance,
            "p": best.p,
        }

    def _measured(self, several: Sequence[Parameters]) -> list[Measured]:
        orders = [self._order(each, self._question.samples, self._question.seed) for each in several]
        # As they lie in the journal, so that a search that goes on computes with the same numbers.
        seen = [self._components.of(made.vectors).astype(np.float32) for made in self._rendering.simulate(orders)]
        return [self._objective.measure(each) for each in seen]

    def _order(self, parameters: Parameters, samples: int, seed: int, inputs: bool = False) -> SimulationOrder:
        return SimulationOrder(
            self._question.simulation, parameters, samples, seed, self._rendering.space, inputs=inputs
        )

    def _of(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._vectors.values[np.searchsorted(self._vectors.rows, rows)]

    def _journal_path(self) -> Path:
        """A file for everything that decides what a trial gives; not for how many trials there are."""
        import optuna

        question, manifest, rendering = self._question, self._population.store.manifest, self._rendering
        decides = [
            VERSION,
            optuna.__version__,
            (manifest.identity, manifest.revision),
            (rendering.description.code_sha256, rendering.latent_source, rendering.space, self._digest),
            (question.simulation, self._start, question.samples, question.seed, question.workers),
            (self._halves.fitted.tolist(), self._halves.held_out.tolist()),
        ]
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
        return self._population.store.path / "derived" / "tune" / f"{file_name(question.simulation)}-{digest}.journal"


def _require_sense(question: Question) -> None:
    for option, value, least in (
        ("--trials", question.trials, 1),
        ("--samples", question.samples, 2),
        ("--workers", question.workers, 1),
        ("--seed", question.seed, 0),
    ):
        if value < least:
            raise QuestionError(f"{option} is at least {least}, not {value}.")
