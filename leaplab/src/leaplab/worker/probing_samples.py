"""Encoders, metadata functions, latent spaces and simulations on some samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.observations import RAISES, handler_in
from leaplab.worker.code_loader_access import SampleId
from leaplab.worker.samples import Sample

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

Array = NDArray[Any]
Note = Callable[[str, str, str], None]
Samples = Dict[SampleId, Sample]
FLOAT16_EXACT = 2048
"""Larger integers are not exact in float16, at which the platform stores every tensor."""
MADE_UP = ("none", "nan", "null", "n/a", "na", "unknown", "missing", "")
"""Texts that stand for no text."""


def probe_samples(integration: Integration, state: str, ids: list[SampleId], note: Note) -> Samples:
    """Every handler twice on each sample; the samples on which none raises."""
    description = integration.description
    shapes = {f"input '{spec.name}'": spec.shape for spec in description.inputs}
    shapes.update({f"ground truth '{spec.name}'": spec.shape for spec in description.ground_truths})
    columns = {spec.name for spec in description.metadata}
    undeclared = integration.code_loader.undeclared_metadata
    good: Samples = {}
    for sample_id in ids:
        where = f"sample '{sample_id}' of {state}"
        try:
            sample, again = integration.sample(state, sample_id), integration.sample(state, sample_id)
            raw = integration.raw_metadata(state, sample_id)
        except LeaplabError as error:
            note(RAISES, handler_in(str(error)), str(error))
            continue
        for kind, arrays, repeated in (
            ("input", sample.inputs, again.inputs),
            ("ground truth", sample.ground_truths, again.ground_truths),
        ):
            for name, array in arrays.items():
                _probe_array(kind, name, array, shapes[f"{kind} '{name}'"], where, note)
                _probe_repetition(f"{kind} '{name}'", name, array, repeated[name], where, note)
        for name, vector in sample.latents.items():
            _probe_repetition(f"latent space '{name}'", name, np.asarray(vector), again.latents[name], where, note)
        for column, value in sample.metadata.items():
            if value != again.metadata.get(column) and value == value:
                note("handler.random", column, f"Metadata '{column}' of {where} differs between two calls")
        for column in sorted(columns - sample.metadata.keys()):
            note("metadata.keys", column, f"Metadata '{column}' is missing on {where}, though other samples have it")
        for column, value in raw.items():
            if isinstance(value, (float, np.floating)) and not np.isfinite(value):
                note("metadata.nan", column, f"Metadata '{column}' of {where} is {value}")
            if value is None and column in undeclared:
                note("metadata.undeclared", column, f"Metadata '{column}' of {where} is None, and declares no type")
        good[sample_id] = sample
    return good


def probe_variety(samples: dict[str, Samples], note: Note) -> None:
    """Inputs that never change, and values that stand for none."""
    everything = [sample for state in samples.values() for sample in state.values()]
    if len(everything) < 2:
        return
    for name, first in everything[0].inputs.items():
        if all(np.array_equal(sample.inputs[name], first, equal_nan=True) for sample in everything[1:]):
            note("encoder.constant", name, f"The input '{name}' is the same on all {len(everything)} samples looked at")
    for column in everything[0].metadata:
        values = {sample.metadata.get(column) for sample in everything} - {None}
        fake = made_up(values)
        if fake is not None:
            note("metadata.fake", column, f"Metadata '{column}' is {fake!r} on some samples")


def probe_simulations(integration: Integration, note: Note) -> None:
    """Each simulation twice with one seed, as the platform runs it."""
    for simulation in integration.code_loader.simulations:
        parameters = {name: _lowest(config.bounds) for name, config in simulation.sim_config.items()}
        try:
            first, second = (
                integration.code_loader.run_simulation(simulation.name, parameters, samples=2) for _ in range(2)
            )
        except Exception as error:  # whatever the integration's code raises is shown as a sentence
            note("simulation", simulation.name, f"The simulation '{simulation.name}' raises {error!r}")
            continue
        if len(first["sample_ids"]) != 2:
            text = f"The simulation '{simulation.name}' gives {len(first['sample_ids'])} samples for N=2"
            note("simulation", simulation.name, text)
        elif any(not np.array_equal(array, second["encoded"][name]) for name, array in first["encoded"].items()):
            note("simulation", simulation.name, f"The simulation '{simulation.name}' differs for one and the same seed")


def _lowest(bounds: Any) -> Any:
    values = getattr(bounds, "values", None)
    return values[0] if values else bounds.min


def made_up(values: set[Any]) -> Any:
    """A value that stands for none; None where there is none such beside real values."""
    texts = {value for value in values if isinstance(value, str)}
    fakes = {value for value in texts if value.strip().lower() in MADE_UP}
    if fakes and texts != fakes:
        return min(fakes)
    numbers = {value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)}
    # Of a quantity that is never negative, -1 is no value.
    return -1 if -1 in numbers and len(numbers) > 1 and all(value >= 0 or value == -1 for value in numbers) else None


def _probe_repetition(what: str, name: str, array: Array, again: Array, where: str, note: Note) -> None:
    if array.shape == again.shape and not np.array_equal(array, again, equal_nan=True):
        note("handler.random", name, f"The {what} of {where} differs between two calls")


def _probe_array(kind: str, name: str, array: Array, shape: tuple[int, ...], where: str, note: Note) -> None:
    if array.dtype != np.float32:
        note("encoder.dtype", name, f"The {kind} '{name}' of {where} is {array.dtype}")
    # code-loader reports a scalar's shape as [1].
    if array.shape != shape and not (array.shape == () and shape == (1,)):
        text = f"The {kind} '{name}' of {where} has shape {array.shape}, the first sample's {shape}"
        note("encoder.shape", name, text)
        return
    if kind == "input" and not np.isfinite(array).all():
        note("encoder.finite", name, f"The input '{name}' of {where} holds NaN or infinity")
    finite = array[np.isfinite(array)]
    if kind == "ground truth" and finite.size and (worst := np.abs(finite).max()) > FLOAT16_EXACT:
        note("ground-truth.float16", name, f"The ground truth '{name}' of {where} holds {worst:g}")
