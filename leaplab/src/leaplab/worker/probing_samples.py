"""Encoders, metadata functions, latent spaces and simulations on some samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.observations import Topic, handler_in
from leaplab.worker.code_loader_access import SampleId
from leaplab.worker.samples import Sample

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

Array = NDArray[Any]
Note = Callable[[str, str, str], None]
Samples = Dict[SampleId, Sample]
FLOAT16_EXACT = 2048
"""Larger integers are not exact in float16, at which the platform stores every tensor."""
FLOAT64_EXACT = 2**53
"""Larger integers are not exact in a double, as which the platform reads numbers."""
MADE_UP = ("none", "nan", "null", "n/a", "na", "unknown", "missing", "")
"""Texts that stand for no text."""


def probe_samples(integration: Integration, state: str, ids: list[SampleId], note: Note) -> Samples:
    """Every handler twice on each sample; the samples on which none raises."""
    description = integration.description
    shapes = {f"input '{spec.name}'": spec.shape for spec in description.inputs}
    shapes.update({f"ground truth '{spec.name}'": spec.shape for spec in description.ground_truths})
    types = {spec.name: spec.type for spec in description.metadata}
    undeclared = integration.code_loader.undeclared_metadata
    good: Samples = {}
    for sample_id in ids:
        where = f"sample '{sample_id}' of {state}"
        try:
            sample, again = integration.sample(state, sample_id), integration.sample(state, sample_id)
            raw = integration.raw_metadata(state, sample_id)
        except LeaplabError as error:
            note(Topic.HANDLER_RAISES, handler_in(str(error)), str(error))
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
                note(Topic.HANDLER_RANDOM, column, f"Metadata '{column}' of {where} differs between two calls")
        for column in sorted(types.keys() - sample.metadata.keys()):
            note(
                Topic.METADATA_KEYS, column, f"Metadata '{column}' is missing on {where}, though other samples have it"
            )
        for column, value in raw.items():
            if isinstance(value, (float, np.floating)) and not np.isfinite(value):
                note(Topic.METADATA_NAN, column, f"Metadata '{column}' of {where} is {value}")
            _probe_metadata(column, value, types.get(column, ""), where, note)
            if value is None and column in undeclared:
                note(Topic.METADATA_UNDECLARED, column, f"Metadata '{column}' of {where} is None, and declares no type")
        good[sample_id] = sample
    return good


def probe_variety(samples: dict[str, Samples], note: Note) -> None:
    """Inputs that never change, and values that stand for none."""
    everything = [sample for state in samples.values() for sample in state.values()]
    if len(everything) < 2:
        return
    for name, first in everything[0].inputs.items():
        if all(np.array_equal(sample.inputs[name], first, equal_nan=True) for sample in everything[1:]):
            note(
                Topic.ENCODER_CONSTANT,
                name,
                f"The input '{name}' is the same on all {len(everything)} samples looked at",
            )
    for column in everything[0].metadata:
        values = {sample.metadata.get(column) for sample in everything} - {None}
        fake = made_up(values)
        if fake is not None:
            note(Topic.METADATA_FAKE, column, f"Metadata '{column}' is {fake!r} on some samples")


def probe_simulations(integration: Integration, note: Note) -> None:
    """Each simulation twice with one seed, as the platform runs it."""
    for simulation in integration.code_loader.simulations:
        parameters = {name: _lowest(config.bounds) for name, config in simulation.sim_config.items()}
        try:
            first, second = (
                integration.code_loader.run_simulation(simulation.name, parameters, samples=2) for _ in range(2)
            )
        except Exception as error:  # whatever the integration's code raises is shown as a sentence
            note(Topic.SIMULATION, simulation.name, f"The simulation '{simulation.name}' raises {error!r}")
            continue
        if len(first["sample_ids"]) != 2:
            text = f"The simulation '{simulation.name}' gives {len(first['sample_ids'])} samples for N=2"
            note(Topic.SIMULATION, simulation.name, text)
        elif any(not np.array_equal(array, second["encoded"][name]) for name, array in first["encoded"].items()):
            note(
                Topic.SIMULATION,
                simulation.name,
                f"The simulation '{simulation.name}' differs for one and the same seed",
            )


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


def _probe_metadata(column: str, value: Any, declared: str, where: str, note: Note) -> None:
    """Whether a value as it was returned becomes, as its column's type, what it means."""
    if isinstance(value, str) and declared == "boolean":
        text = f"Metadata '{column}' of {where} is the text {value!r}, and its column is of truth values"
        note(Topic.METADATA_TEXT, column, f"{text}: code-loader takes every text but the empty one for true")
    elif isinstance(value, str) and declared in ("int", "float") and not _reads_as(declared, value):
        text = f"Metadata '{column}' of {where} is the text {value!r}, and its column is declared {declared}"
        note(Topic.METADATA_TEXT, column, f"{text}: code-loader takes it for absent")
    elif isinstance(value, (int, np.integer)) and abs(int(value)) > FLOAT64_EXACT:
        apart = int(np.spacing(abs(float(value))))
        text = f"Metadata '{column}' of {where} is {int(value)}, where doubles lie {apart} apart"
        note(Topic.METADATA_LARGE, column, text)


def _reads_as(declared: str, text: str) -> bool:
    try:
        int(text) if declared == "int" else float(text)
    except ValueError:
        return False
    return True


def _probe_repetition(what: str, name: str, array: Array, again: Array, where: str, note: Note) -> None:
    if array.shape == again.shape and not np.array_equal(array, again, equal_nan=True):
        note(Topic.HANDLER_RANDOM, name, f"The {what} of {where} differs between two calls")


def _probe_array(kind: str, name: str, array: Array, shape: tuple[int, ...], where: str, note: Note) -> None:
    if array.dtype != np.float32:
        note(Topic.ENCODER_DTYPE, name, f"The {kind} '{name}' of {where} is {array.dtype}")
    # code-loader reports a scalar's shape as [1].
    if array.shape != shape and not (array.shape == () and shape == (1,)):
        text = f"The {kind} '{name}' of {where} has shape {array.shape}, the first sample's {shape}"
        note(Topic.ENCODER_SHAPE, name, text)
        return
    if kind == "input" and not np.isfinite(array).all():
        note(Topic.ENCODER_FINITE, name, f"The input '{name}' of {where} holds NaN or infinity")
    finite = array[np.isfinite(array)]
    if kind == "ground truth" and finite.size and (worst := np.abs(finite).max()) > FLOAT16_EXACT:
        note(Topic.GROUND_TRUTH_FLOAT16, name, f"The ground truth '{name}' of {where} holds {worst:g}")
