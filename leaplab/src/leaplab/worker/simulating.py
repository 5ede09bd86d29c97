"""Simulations of a bound integration: their samples, through the integration's encoders and its model."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, Sequence, cast

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Description, SimulationParameter, SimulationSpec
from leaplab.protocol.model import LATENT_SPACE
from leaplab.protocol.simulation import Simulated, SimulationOrder, VectorOrder
from leaplab.worker.batch import infer
from leaplab.worker.code_loader_access import CodeLoader, SampleId
from leaplab.worker.encoding import Encoded, encode
from leaplab.worker.places import told
from leaplab.worker.samples import Sample
from leaplab.worker.wanted import Wanted
from leaplab.worker.whereabouts import HERE, MODEL

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

STATE = "additional"
"""That of what a simulation makes."""
INPUTS = Wanted(everything=False, metadata=False)


def simulation_specs(code_loader: CodeLoader) -> tuple[SimulationSpec, ...]:
    """The simulations that an integration declares, in its order."""
    return tuple(
        SimulationSpec(each.name, tuple(_parameter(name, config) for name, config in each.sim_config.items()))
        for each in code_loader.simulations
    )


def simulate(integration: Integration, order: SimulationOrder) -> Simulated:
    """Run a simulation, encode what it gives, and run the model on it.

    Raises:
        LeaplabError: there is no such simulation; it raises, or gives another number of samples than it was asked for,
            groups, or an id twice; an input is not as the integration's other samples have it; or a vector is not
            finite.
    """
    code_loader = integration.code_loader
    known = [each.name for each in code_loader.simulations]
    if order.name not in known:
        raise LeaplabError(f"There is no simulation '{order.name}'; this integration has {', '.join(known) or 'none'}.")
    of = f"The simulation '{order.name}'"
    try:
        HERE.move(0, 0, order.samples, f"seed {order.seed}")
        HERE.note(f"simulation '{order.name}'")
        response = code_loader.simulate(order.name, order.parameters, order.samples, order.seed)
        ids = code_loader.ids_of(response)
    except LeaplabError as error:
        raise LeaplabError(f"{of} {error}") from error
    except (Exception, SystemExit) as error:  # whatever the integration's code raises is shown as a sentence
        given = ", ".join(f"{name}={value}" for name, value in order.parameters.items())
        raise LeaplabError(f"{of} with {given} fails: {told(error, integration.root)}") from error
    finally:
        HERE.leave()
    if len(ids) != order.samples:
        raise LeaplabError(f"{of} gives {len(ids)} samples for N={order.samples}; let it give as many as it is asked.")
    if len(set(ids)) < len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise LeaplabError(f"{of} gives the id '{twice}' more than once; give each sample its own.")
    try:
        vectors, digest, inputs = _through_the_model(
            integration, response, STATE, ids, order.space, order.batch_size, order.inputs
        )
    except LeaplabError as error:
        raise LeaplabError(f"{of}: {error}") from error
    return Simulated([str(each) for each in ids], vectors, digest, inputs)


def latent_vectors_of(integration: Integration, order: VectorOrder) -> NDArray[np.float32]:
    """[n, W] the latent vectors of some of the integration's own samples, as an evaluation gives them.

    Raises:
        LeaplabError: there is no such sample, an encoder or the model fails on it, or there is no such space.
    """
    by_text = {str(each): each for each in integration.sample_ids(order.state)}
    missing = [each for each in order.sample_ids if each not in by_text]
    if missing:
        raise LeaplabError(f"The integration has no sample '{missing[0]}' of {order.state} any more.")
    ids = [by_text[each] for each in order.sample_ids]
    response = integration.code_loader.responses[order.state]
    vectors, _, _ = _through_the_model(integration, response, order.state, ids, order.space, len(ids), False)
    return vectors


class _Reader:
    """Inputs and custom latent vectors of the samples of a response, as `encode` asks an integration for them."""

    def __init__(self, integration: Integration, response: Any, state: str, space: str) -> None:
        self._handlers = integration.code_loader.handlers.inputs
        self._call = integration.code_loader.caller(response)
        self._root, self._state = integration.root, state
        self._latents: Callable[[SampleId], dict[str, Any]] = lambda _: {}
        if space != LATENT_SPACE:
            self._latents = lambda sample_id: integration.code_loader.latents_of(response, sample_id)
        self.description: Description = replace(integration.description, ground_truths=(), metadata=())

    def sample(self, state: str, sample_id: SampleId, wanted: Wanted) -> Sample:
        name, inputs = "", {}
        try:
            for handler in self._handlers:
                name = f"Input '{handler.name}'"
                HERE.note(f"input '{handler.name}'")
                inputs[handler.name] = self._call(handler, sample_id)
            name = "Custom latent spaces"
            latents = self._latents(sample_id)
        except (Exception, SystemExit) as error:  # whatever the integration's code raises is shown as a sentence
            raise LeaplabError(f"{name} on sample '{sample_id}' of {state}: {told(error, self._root)}") from error
        return Sample(inputs, {}, {}, latents)


def _through_the_model(
    integration: Integration, response: Any, state: str, ids: Sequence[SampleId], space: str, size: int, keep: bool
) -> tuple[NDArray[np.float32], str, dict[str, NDArray[np.float32]]]:
    reader = _Reader(integration, response, state, space)
    size = max(1, (integration.predictor().fixed_batch if space == LATENT_SPACE else None) or size)
    digest = hashlib.sha256()
    vectors, kept = [], []
    for start in range(0, len(ids), size):
        some = list(ids[start : start + size])

        def begin(row: int, some: list[SampleId] = some, start: int = start) -> None:
            HERE.move(0, start + row, start + row + 1, some[row])

        encoded = encode(cast("Integration", reader), state, some, begin, wanted=INPUTS)
        HERE.leave()
        for name in sorted(encoded.batch.inputs):
            digest.update(encoded.batch.inputs[name].tobytes())
        found = _vectors(integration, encoded, space, start, size)
        if not np.isfinite(found).all():
            bad = some[int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])]
            raise LeaplabError(f"The vector of sample '{bad}' in the latent space '{space}' holds NaN or infinity.")
        vectors.append(found)
        if keep:
            kept.append(encoded.batch.inputs)
    inputs = {name: np.concatenate([each[name] for each in kept]) for name in (kept[0] if kept else ())}
    return np.concatenate(vectors), digest.hexdigest(), inputs


def _vectors(integration: Integration, encoded: Encoded, space: str, start: int, size: int) -> NDArray[np.float32]:
    if space != LATENT_SPACE:
        if space not in encoded.latents:
            raise LeaplabError(f"The integration has no latent space '{space}' any more.")
        return np.stack(encoded.latents[space])
    ids = encoded.batch.ids
    with MODEL.at(0, start, start + len(ids), ids[0], "model"):
        latent = infer(integration.predictor(), integration.description, encoded.batch, size).latent
    if latent is None:
        raise LeaplabError("The model gives no latent vectors; evaluate with --latent TENSOR to take some.")
    return latent


def _parameter(name: str, config: Any) -> SimulationParameter:
    values = getattr(config.bounds, "values", None)
    if values is not None:
        return SimulationParameter(name, "string", values=tuple(map(str, values)))
    return SimulationParameter(name, config.type.value, config.bounds.min, config.bounds.max)
