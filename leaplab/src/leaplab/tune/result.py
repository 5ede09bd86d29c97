"""What tuning a simulation gave."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaplab.protocol.description import SimulationParameter
from leaplab.tune.parameters import Parameters
from leaplab.tune.search import Trial, front_of


@dataclass(frozen=True)
class Checked:
    """Parameters, measured by samples of another seed and by the half of the target that no trial has seen.

    Attributes:
        distance: unbiased energy distance to that half; about 0, and as often below it, where there is no difference.
        p: of the test of a domain gap to it, see `leaplab.analysis.gap.gap_test`.
    """

    parameters: Parameters
    distance: float
    p: float


@dataclass(frozen=True)
class Tuning:
    """What tuning a simulation gave.

    Attributes:
        run: the target's.
        simulation: its name.
        target: the condition.
        parameters: of the simulation, with their bounds.
        best: the parameters with the least value.
        start: those that the search started from.
        trials: in their order; the first is of the start.
        best_number: the trial of the best.
        noise: a distance that two halves of the target keep below in 95 % of its splits.
        ended: why the search ended, as a sentence.
        fitted: samples of the target that trials were measured by.
        held_out: samples of the target that start and best were measured by.
        population: the folder that the best population was written to; None where none was.
    """

    run: str
    simulation: str
    target: str
    parameters: tuple[SimulationParameter, ...]
    best: Checked
    start: Checked
    trials: tuple[Trial, ...]
    best_number: int
    noise: float
    ended: str
    fitted: int
    held_out: int
    population: Path | None

    @property
    def front(self) -> list[Trial]:
        """The trials that no other beats in distance and coverage both, the nearest first."""
        return front_of(self.trials)

    @property
    def reduced(self) -> float | None:
        """The share of the start's distance that is gone; None where that was not above 0."""
        return 1 - self.best.distance / self.start.distance if self.start.distance > 0 else None

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a trial: number, the parameters, distance, coverage, value."""
        table: dict[str, list[Any]] = {"number": [each.number for each in self.trials]}
        table |= {p.name: [each.parameters[p.name] for each in self.trials] for p in self.parameters}
        for name in ("distance", "coverage", "value"):
            table[name] = [getattr(each, name) for each in self.trials]
        return table

    def as_json(self) -> dict[str, Any]:
        """As `leaplab tune --json` prints it."""
        return {
            "best": self.best,
            "start": self.start,
            "trials": self.trials,
            "front": self.front,
            "population": None if self.population is None else str(self.population),
        }
