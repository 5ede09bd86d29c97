"""Samples of a bound integration, read through its handlers one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import MetadataType
from leaplab.worker.code_loader_access import CodeLoader, SampleId, is_grouped
from leaplab.worker.places import told
from leaplab.worker.wanted import EVERYTHING, Wanted
from leaplab.worker.whereabouts import HERE

METADATA_TYPES: dict[str, Callable[[Any], Any]] = {"float": float, "int": int, "string": str, "boolean": bool}
LEAST, BEYOND = -(2**63), 2**63
"""The least whole number of 64 bits, and the one behind the greatest."""
WHOLE = object()
"""Stands for a key where a metadata function returns no dictionary but one value."""
INSTANCE_METADATA = "builtin_instance_extra_metadata"
"""The metadata function by which code-loader declares what its instances say of themselves, and their types."""
BUILT_IN_METADATA = ("builtin_instance_metadata", INSTANCE_METADATA)
"""Metadata functions that code-loader adds for element instances: they say nothing of a whole sample."""


@dataclass(frozen=True)
class Sample:
    """What an integration's handlers say of one sample, nothing batched.

    Attributes:
        inputs: name -> array.
        ground_truths: name -> array; empty on the unlabeled state.
        metadata: column -> value, None where absent.
        latents: custom latent space -> vector.

    What was not wanted is empty.
    """

    inputs: dict[str, NDArray[Any]]
    ground_truths: dict[str, NDArray[Any]]
    metadata: dict[str, Any]
    latents: dict[str, NDArray[Any]]


class SampleReader:
    """Reads samples as `LeapLoader.get_sample` does, with absent metadata as None and declared integers as integers.

    The handlers are called here one by one: half of `get_sample`'s time goes into looking up metadata types, and it
    does not tell which handler failed.

    Args:
        code_loader: that has bound the integration.
        types: metadata column -> its type.
        root: of the integration, for the place of an error.
    """

    def __init__(self, code_loader: CodeLoader, types: Mapping[str, MetadataType], root: Path) -> None:
        self._code_loader = code_loader
        handlers = code_loader.handlers
        self._inputs = _functions("input", handlers.inputs)
        self._ground_truths = _functions("ground truth", handlers.ground_truths)
        declared = [handler for handler in handlers.metadata if handler.name not in BUILT_IN_METADATA]
        self._metadata = _functions("metadata", declared)
        self._has_latents = bool(code_loader.latent_spaces)
        self._types = types
        self._plain = {column: METADATA_TYPES[kind] for column, kind in types.items()}
        self._columns: dict[str, dict[Any, str]] = {each.name: {} for each in self._metadata}
        self._root = root

    def read(self, state: str, sample_id: SampleId, wanted: Wanted = EVERYTHING) -> Sample:
        """One sample. Of a grouped dataset, that sample alone is encoded, as a group of one.

        Raises:
            LeaplabError: a handler raised or returned a value of another type than it declares; names the handler,
                the sample, the place and the error.
        """
        response = self._code_loader.responses[state]
        grouped = is_grouped(response)
        given = [sample_id] if grouped else sample_id
        doing = ""
        try:
            inputs, ground_truths, latents = {}, {}, {}
            metadata: dict[str, Any] = {}
            for name, doing, function in self._inputs if wanted.tensors else ():
                HERE.note(doing)
                found = function(given, response)
                inputs[name] = found[0] if grouped else found
            labelled = wanted.tensors and wanted.ground_truths and state != "unlabeled"
            for name, doing, function in self._ground_truths if labelled else ():
                HERE.note(doing)
                found = function(given, response)
                ground_truths[name] = found[0] if grouped else found
            for name, doing, function in self._metadata if wanted.metadata else ():
                HERE.note(doing)
                found = function(given, response)
                self._add(metadata, name, found[0] if grouped else found)
            if wanted.everything and self._has_latents:
                doing = "custom latent spaces"
                HERE.note(doing)
                latents = self._code_loader.latents(state, sample_id)
        except (Exception, SystemExit) as error:  # whatever the integration's code raises is shown as a sentence
            sentence = str(error) if isinstance(error, LeaplabError) else told(error, self._root)
            raise LeaplabError(
                f"{doing[:1].upper()}{doing[1:]} on sample '{sample_id}' of {state}: {sentence}"
            ) from error
        return Sample(inputs, ground_truths, metadata, latents)

    def raw_metadata(self, state: str, sample_id: SampleId) -> dict[str, Any]:
        """Column -> what the metadata functions return for a sample, as they return it."""
        call = self._code_loader.caller(self._code_loader.responses[state])
        raw: dict[str, Any] = {}
        for handler in self._metadata:
            for key, value in _keyed(call(handler, sample_id)):
                raw[_column(handler.name, key)] = value
        return raw

    def _add(self, metadata: dict[str, Any], name: str, found: Any) -> None:
        """Add what a metadata function returned, each value as its column's type."""
        columns = self._columns[name]
        for key, value in _keyed(found):
            column = columns.get(key)
            if column is None:
                column = columns[key] = _column(name, key)
            # Most are what they are declared to be, and are taken as they are: there are many of each sample.
            kind = type(value)
            if kind is self._plain.get(column) and (kind is str or LEAST <= value < BEYOND):
                metadata[column] = value
            else:
                metadata[column] = self._converted(column, value)

    def _converted(self, column: str, value: Any) -> Any:
        if is_absent(value):
            return None
        if column not in self._types:
            raise LeaplabError(f"the first sample has no key for column '{column}'; return the same keys.")
        return typed(value, self._types[column])


class _Function(NamedTuple):
    """A function of the integration.

    Attributes:
        doing: what tells where the process is while it runs.
    """

    name: str
    doing: str
    function: Callable[[Any, Any], Any]


def _functions(kind: str, handlers: Iterable[Any]) -> list[_Function]:
    return [_Function(each.name, f"{kind} '{each.name}'", each.function) for each in handlers]


def _keyed(found: Any) -> Iterable[tuple[Any, Any]]:
    """Key and value of each that a metadata function returned."""
    return found.items() if isinstance(found, dict) else ((WHOLE, found),)


def _column(name: str, key: Any) -> str:
    return name if key is WHOLE else f"{name}_{key}"


def is_absent(value: Any) -> bool:
    """Whether code-loader takes a metadata value for absent."""
    return value is None or (isinstance(value, (float, int, np.number)) and not math.isfinite(value))


def typed(value: Any, declared: MetadataType) -> Any:
    """A present metadata value as its declared type; None where it has no such reading, as code-loader has it.

    Raises:
        LeaplabError: it is declared int, and is no whole number.
    """
    try:
        converted = METADATA_TYPES[declared](value)
    except ValueError:
        return None
    if declared == "int" and converted != value:
        raise LeaplabError(f"it is declared int but returned {value!r}; declare it float.")
    if declared == "int" and not LEAST <= converted < BEYOND:
        raise LeaplabError(f"it returned {value!r}, which is beyond 64 bits; declare it float or string.")
    return converted


def sample_ids_by_state(code_loader: CodeLoader) -> dict[str, list[SampleId]]:
    """State -> ids of its samples: groups flattened, element instances, which code-loader appends, left out.

    They are left out by their position, not by their id: instance 1 of 'a' has the id of a sample 'a_1'.
    """
    instances_of = code_loader.instances_of()
    ids: dict[str, list[SampleId]] = {}
    for state, found in code_loader.sample_ids().items():
        flat = [member for group in found for member in group] if found and isinstance(found[0], list) else found
        ids[state] = _without_instances(flat, instances_of[state])
    return ids


def _without_instances(ids: list[SampleId], instances_of: Mapping[SampleId, Sequence[str]]) -> list[SampleId]:
    """The first of the ids, as many as leave room behind them for the instances of each."""
    count, end = 0, len(ids)
    while count < end:
        end -= len(instances_of.get(ids[count], ()))
        count += 1
    return ids[:count]
