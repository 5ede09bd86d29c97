"""What an evaluation does, decided before it starts: which samples, in which parts."""

from __future__ import annotations

from dataclasses import dataclass, field

BATCH_SIZE = 32
LEAST_PART, LARGEST_PART = 128, 2_000
"""Samples. Each part costs some milliseconds, however small it is, and is done again as a whole after a loss."""
PARTS = 16
"""Into which few samples are divided, so that several workers have their share."""


@dataclass(frozen=True)
class Part:
    """Samples `start` to `stop` of a state, evaluated and written together."""

    number: int
    state: str
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """An evaluation.

    Attributes:
        limit: the most samples a state, chosen at random by a fixed seed; None takes all.
        float16: hand losses and metrics their tensors as the platform stores them.
        latent: tensor or layer to take latent vectors from; None finds what feeds the head.
        ids_sha256: of all sample ids, by state, and of how many element instances each has.
        instances: state -> number of element instances of its samples; empty where the integration has none.
        scales: input that is an image -> the least and the greatest value of the scale that its values are on.
    """

    states: dict[str, int]
    parts: tuple[Part, ...]
    ids_sha256: str
    limit: int | None = None
    batch_size: int = BATCH_SIZE
    float16: bool = False
    latent: str | None = None
    instances: dict[str, int] = field(default_factory=dict)
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """Number of samples of all parts."""
        return sum(self.states.values())


@dataclass(frozen=True)
class PlanOrder:
    """What a plan is asked for.

    Attributes:
        states: to evaluate; None takes all.
        limit: the most samples a state; None takes all.
        batch_size: samples in a batch.
        part_size: samples in a part; None leaves it to `part_size`.
        float16: see `Plan`.
        latent: see `Plan`.
    """

    states: tuple[str, ...] | None = None
    limit: int | None = None
    batch_size: int = BATCH_SIZE
    part_size: int | None = None
    float16: bool = False
    latent: str | None = None


def part_size(samples: int, batch_size: int) -> int:
    """Samples in a part of an evaluation of so many, in whole batches where there are few."""
    batches = -(-samples // (PARTS * batch_size))
    return min(max(batches * batch_size, LEAST_PART), LARGEST_PART)
