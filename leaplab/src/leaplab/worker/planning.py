"""What an evaluation does, decided before it starts: which samples, in which parts."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from leaplab.store.manifest import Part

PART_SIZE = 2_000
BATCH_SIZE = 32
SEED = 0


class Plan(Struct, frozen=True):
    """An evaluation.

    Attributes:
        limit: the most samples a state, see `planned_ids`; None takes all.
        float16: hand losses and metrics their tensors as the platform stores them.
        latent: tensor or layer to take latent vectors from; None finds what feeds the head.
        ids_sha256: of all sample ids, by state, and of how many element instances each has.
        instances: state -> number of element instances of its samples; empty where the integration has none.
    """

    states: dict[str, int]
    parts: tuple[Part, ...]
    ids_sha256: str
    limit: int | None = None
    batch_size: int = BATCH_SIZE
    float16: bool = False
    latent: str | None = None
    instances: dict[str, int] = {}

    @property
    def samples(self) -> int:
        """Number of samples of all parts."""
        return sum(self.states.values())

    def sha256(self) -> str:
        """Of everything that decides the run's bytes, apart from code and model."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def make_plan(
    integration: Any,
    states: Sequence[str] | None = None,
    limit: int | None = None,
    batch_size: int = BATCH_SIZE,
    part_size: int = PART_SIZE,
    float16: bool = False,
    latent: str | None = None,
) -> Plan:
    """Plan an evaluation of some states (None: all), at most `limit` samples each.

    Raises:
        LeaplabError: a state does not exist.
    """
    counts: dict[str, int] = {}
    instances: dict[str, int] = {}
    parts: list[Part] = []
    digest = hashlib.sha256()
    for state in states or integration.description.states:
        ids = planned_ids(integration, state, limit)
        counts[state] = len(ids)
        digest.update("\n".join([state, *map(str, ids)]).encode())
        if integration.description.instances:
            having = [integration.instance_count(state, sample_id) for sample_id in ids]
            instances[state] = sum(having)
            digest.update(str(having).encode())
        for start in range(0, len(ids), part_size):
            parts.append(Part(len(parts), state, start, min(start + part_size, len(ids))))
    return Plan(counts, tuple(parts), digest.hexdigest(), limit, batch_size, float16, latent, instances)


def planned_ids(integration: Any, state: str, limit: int | None) -> list[str | int]:
    """The ids of a state, or a seeded random choice of `limit` of them, in their order.

    The first ones would not do: many a dataset lies sorted by class.

    Raises:
        LeaplabError: there is no such state.
    """
    ids: list[str | int] = integration.sample_ids(state)
    if limit is None or limit >= len(ids):
        return ids
    chosen = np.random.default_rng(SEED).choice(len(ids), limit, replace=False)
    return [ids[position] for position in sorted(chosen)]
