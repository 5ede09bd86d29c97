"""The handlers on a few samples of each state, in the integration's process: what they do, as observations.

First, last and random samples go through every encoder and metadata function twice, through the model in a batch and
one at a time, and through every wired loss, metric and visualizer; their element instances through the masks encoder. A
handler that fails hides no other.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Sequence

import numpy as np

from leaplab.protocol.observations import Probe
from leaplab.worker.probing_instances import probe_instances
from leaplab.worker.probing_samples import probe_samples, probe_simulations, probe_variety
from leaplab.worker.probing_scores import probe_scores

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

RANDOM_SAMPLES = 4
SEED = 0


def probe(integration: Integration) -> Probe:
    """Probe a bound integration."""
    description = integration.description
    seen = Probe(has_integration_test=description.has_integration_test, losses=len(description.losses))
    _probe_ids(integration, seen)
    chosen = {state: _chosen(integration.sample_ids(state)) for state in description.states}
    seen.samples = sum(map(len, chosen.values()))
    samples = {state: probe_samples(integration, state, ids, seen.note) for state, ids in chosen.items()}
    probe_variety(samples, seen.note)
    probe_instances(integration, chosen, seen.note)
    if description.has_integration_test:
        probe_scores(integration, samples, seen.note)
    probe_simulations(integration, seen.note)
    return seen


def _chosen(ids: Sequence[str | int]) -> list[str | int]:
    rng = np.random.default_rng(SEED)
    picked = {0, len(ids) - 1, *rng.integers(0, len(ids), RANDOM_SAMPLES).tolist()}
    return [ids[position] for position in sorted(picked)]


def _probe_ids(integration: Integration, seen: Probe) -> None:
    owners: dict[str | int, str] = {}
    for state in integration.description.states:
        ids = integration.sample_ids(state)
        listed = integration.code_loader.flat_sample_ids(state)  # with those of element instances
        text = "\n".join(map(str, listed))
        seen.ids[state] = (len(listed), hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest())
        _probe_instance_ids(integration, state, ids, seen)
        known: set[str | int] = set()
        twice = next((sample_id for sample_id in ids if sample_id in known or known.add(sample_id)), None)  # type: ignore[func-returns-value]
        if twice is not None:
            seen.note("ids.twice", state, f"Sample id '{twice}' occurs {ids.count(twice)} times in {state}")
        if any(isinstance(sample_id, int) for sample_id in ids):
            seen.note("ids.integers", state, f"The sample ids of {state} are integers")
        elif shared := [sample_id for sample_id in ids if owners.setdefault(sample_id, state) != state]:
            count = len(set(shared))
            text = f"{count} sample ids of {state} occur in {owners[shared[0]]} too, '{shared[0]}' for one"
            seen.note("ids.shared", state, text)


def _probe_instance_ids(integration: Integration, state: str, ids: list[str | int], seen: Probe) -> None:
    known = set(map(str, ids))
    for sample_id in ids:
        for number in range(integration.instance_count(state, sample_id)):
            if f"{sample_id}_{number}" in known:
                text = (
                    f"Sample id '{sample_id}_{number}' of {state} is also the id of instance {number} of '{sample_id}'"
                )
                seen.note("ids.twice", state, text)
