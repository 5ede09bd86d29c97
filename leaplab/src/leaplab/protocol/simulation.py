"""Samples that a simulation makes, and what the model says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.model import LATENT_SPACE
from leaplab.protocol.plan import BATCH_SIZE


@dataclass(frozen=True)
class SimulationOrder:
    """Samples to simulate, with the model that `LOAD` was given.

    Attributes:
        name: of the simulation.
        parameters: one value each of its parameters: a number, or a text of its values.
        samples: how many; the simulation's N.
        seed: of the simulation.
        space: latent space that the vectors are of: the model's, or one of the integration's own.
        batch_size: samples in a batch.
        inputs: whether the encoded inputs come along.
    """

    name: str
    parameters: dict[str, Any]
    samples: int
    seed: int
    space: str = LATENT_SPACE
    batch_size: int = BATCH_SIZE
    inputs: bool = False


@dataclass(frozen=True)
class VectorOrder:
    """Samples of the integration whose latent vectors are asked for, with the model that `LOAD` was given.

    Attributes:
        state: theirs.
        sample_ids: as text.
        space: see `SimulationOrder`.
    """

    state: str
    sample_ids: tuple[str, ...]
    space: str = LATENT_SPACE


@dataclass(frozen=True)
class Simulated:
    """What a simulation gave.

    Attributes:
        ids: of its samples, as text, in its order.
        vectors: [N, W] float32, finite.
        sha256: of the encoded inputs of all of them.
        inputs: input -> [N, ...] float32; empty where they were not asked for.
    """

    ids: list[str]
    vectors: NDArray[np.float32]
    sha256: str
    inputs: dict[str, NDArray[np.float32]] = field(default_factory=dict)
