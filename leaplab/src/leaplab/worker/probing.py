"""The handlers on a few samples of each state, in the integration's process: what they do, as observations.

First, last and random samples go through every encoder and metadata function twice, through the model in a batch and
one at a time, and through every wired loss, metric and visualizer; their element instances through the masks encoder. A
handler that fails hides no other.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Iterator, Sequence

import numpy as np

from leaplab.protocol.description import Description
from leaplab.protocol.observations import Probe, Topic
from leaplab.worker.probing_instances import probe_instances
from leaplab.worker.probing_samples import probe_samples, probe_simulations, probe_variety
from leaplab.worker.probing_scores import probe_scores

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

RANDOM_SAMPLES = 4
SEED = 0
ID_CONTAINERS = (list, tuple, range)
ID_TYPES = (str, np.str_, int)
"""What code-loader 1.0.215 takes, exactly: no subclass, so no bool, and nothing of numpy's but text."""


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
    if _is_wired(description):
        probe_scores(integration, samples, seen.note)
    seen.untried += _untried(integration, seen)
    probe_simulations(integration, seen.note)
    return seen


def _is_wired(description: Description) -> bool:
    """Whether an integration test or a written wiring tells what feeds the scores."""
    nodes = (*description.losses, *description.metrics, *description.instance_metrics, *description.visualizers)
    return description.has_integration_test or bool(nodes)


def _untried(integration: Integration, seen: Probe) -> Iterator[str]:
    """What `probe_scores` left out, and why."""
    if not _is_wired(integration.description):
        yield (
            "The model, losses, metrics and visualizers were not tried: neither an integration test nor --wiring FILE"
            " tells which prediction, ground truth and input feeds them."
        )
    elif any(observation.topic == Topic.MODEL_LOAD for observation in seen.observations):
        yield "Predictions, losses, metrics and visualizers were not tried: there is no model that runs."
    elif (size := integration.predictor().fixed_batch) is not None:
        yield f"The model was tried on batches of {size} alone, which is fixed in it."


def _chosen(ids: Sequence[str | int]) -> list[str | int]:
    rng = np.random.default_rng(SEED)
    if not ids:
        return []
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
        unusual = _unusual(integration.code_loader.responses[state].sample_ids)
        if unusual:
            seen.note(Topic.IDS_TYPE, state, f"The sample ids of {state} are {unusual}")
        known: set[str | int] = set()
        twice = next((sample_id for sample_id in ids if sample_id in known or known.add(sample_id)), None)  # type: ignore[func-returns-value]
        if twice is not None:
            seen.note(Topic.IDS_TWICE, state, f"Sample id '{twice}' occurs {ids.count(twice)} times in {state}")
        if any(isinstance(sample_id, int) for sample_id in ids):
            seen.note(Topic.IDS_INTEGERS, state, f"The sample ids of {state} are integers")
        elif shared := [sample_id for sample_id in ids if owners.setdefault(sample_id, state) != state]:
            count = len(set(shared))
            text = f"{count} sample ids of {state} occur in {owners[shared[0]]} too, '{shared[0]}' for one"
            seen.note(Topic.IDS_SHARED, state, text)


def _probe_instance_ids(integration: Integration, state: str, ids: list[str | int], seen: Probe) -> None:
    known = set(map(str, ids))
    for sample_id in ids:
        for number in range(integration.instance_count(state, sample_id)):
            if f"{sample_id}_{number}" in known:
                text = (
                    f"Sample id '{sample_id}_{number}' of {state} is also the id of instance {number} of '{sample_id}'"
                )
                seen.note(Topic.IDS_TWICE, state, text)


def _unusual(given: Any) -> str:
    """What newer versions of code-loader do not take about the ids of a state; empty where there is nothing."""
    if type(given) not in ID_CONTAINERS:
        return f"in a {_full_name(type(given))}"
    flat = [member for one in given for member in (one if type(one) is list else [one])]
    odd = next((type(sample_id) for sample_id in flat if type(sample_id) not in ID_TYPES), None)
    return "" if odd is None else f"of the type {_full_name(odd)}"


def _full_name(found: type) -> str:
    return found.__qualname__ if found.__module__ == "builtins" else f"{found.__module__}.{found.__qualname__}"
