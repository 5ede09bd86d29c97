"""Which samples an evaluation is of, in which parts."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Iterable

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.plan import Part, Plan, PlanOrder, part_size
from leaplab.worker.input_properties import channel_axis, scale_of

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

SEED = 0


def make_plan(integration: Integration, order: PlanOrder) -> Plan:
    """Plan an evaluation of some states, at most `limit` samples each.

    Raises:
        LeaplabError: a state does not exist.
    """
    counts: dict[str, int] = {}
    instances: dict[str, int] = {}
    parts: list[Part] = []
    digest = hashlib.sha256()
    planned = {
        state: planned_ids(integration, state, order.limit) for state in order.states or integration.description.states
    }
    size = order.part_size or part_size(sum(map(len, planned.values())), order.batch_size)
    for state, ids in planned.items():
        counts[state] = len(ids)
        digest.update("\n".join([state, *map(str, ids)]).encode(errors="surrogatepass"))
        if integration.description.instances:
            having = [integration.instance_count(state, sample_id) for sample_id in ids]
            instances[state] = sum(having)
            digest.update(str(having).encode())
        for start in range(0, len(ids), size):
            parts.append(Part(len(parts), state, start, min(start + size, len(ids))))
    return Plan(
        counts,
        tuple(parts),
        digest.hexdigest(),
        order.limit,
        order.batch_size,
        order.float16,
        order.latent,
        instances,
        _scales(integration, counts),
    )


def _scales(integration: Integration, states: Iterable[str]) -> dict[str, tuple[float, float]]:
    """The scale of each input that is an image, by the first sample of each state, which binding has read already."""
    images = [spec.name for spec in integration.description.inputs if channel_axis(spec) is not None]
    ends: dict[str, list[float]] = {name: [] for name in images}
    for state in states if images else ():
        with suppress(LeaplabError):  # it is told, or skipped, where it is evaluated
            sample = integration.sample(state, integration.sample_ids(state)[0])
            for name in images:
                ends[name] += [float(np.min(sample.inputs[name])), float(np.max(sample.inputs[name]))]
    return {
        name: scale_of(min(found), max(found)) for name, found in ends.items() if np.isfinite(found).all() and found
    }


def planned_ids(integration: Integration, state: str, limit: int | None) -> list[str | int]:
    """The ids of a state, or a seeded random choice of `limit` of them, in their order.

    The first ones would not do: many a dataset lies sorted by class.

    Raises:
        LeaplabError: there is no such state.
    """
    ids = integration.sample_ids(state)
    if limit is None or limit >= len(ids):
        return ids
    chosen = np.random.default_rng(SEED).choice(len(ids), limit, replace=False)
    return [ids[position] for position in sorted(chosen)]
