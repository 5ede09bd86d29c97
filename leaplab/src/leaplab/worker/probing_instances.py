"""The masks encoder on the element instances of some samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.description import InputSpec
from leaplab.protocol.observations import Topic
from leaplab.worker.code_loader_access import SampleId
from leaplab.worker.instances import Instance
from leaplab.worker.probing_samples import Note, made_up

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration


def probe_instances(integration: Integration, chosen: dict[str, list[SampleId]], note: Note) -> None:
    """Every instance of the samples twice, by state, and values of their metadata that stand for none."""
    if not integration.description.instances:
        return
    encoder = integration.masks_encoder
    shapes = _shapes(integration.description.inputs)
    seen: list[dict[str, Any]] = []
    for state, ids in chosen.items():
        for sample_id in ids:
            try:
                first, again = (list(integration.instances(state, sample_id)) for _ in range(2))
            except LeaplabError as error:
                note(Topic.HANDLER_RAISES, encoder, str(error))
                continue
            for number, (one, other) in enumerate(zip(first, again)):
                if not _same(one, other):
                    text = f"Instance {number} of sample '{sample_id}' of {state} differs between two calls"
                    note(Topic.HANDLER_RANDOM, encoder, text)
                if one is not None and one.mask.shape not in shapes:
                    text = (
                        f"The mask of instance {number} of sample '{sample_id}' of {state} has shape {one.mask.shape}"
                    )
                    inputs = ", ".join(f"'{spec.name}' {spec.shape}" for spec in integration.description.inputs)
                    note(Topic.INSTANCE_SHAPE, encoder, f"{text}; the inputs are {inputs}")
            seen += [instance.metadata for instance in first if instance is not None]
    for spec in integration.description.instance_metadata:
        fake = made_up({metadata[spec.name] for metadata in seen} - {None})
        if fake is not None:
            text = f"Instance metadata '{spec.name}' is {fake!r} on some instances"
            note(Topic.METADATA_FAKE, f"{encoder}_{spec.name}", text)


def _shapes(inputs: Iterable[InputSpec]) -> set[tuple[int, ...]]:
    """Those of the inputs, with their channels and without."""
    found = {spec.shape for spec in inputs}
    for spec in inputs:
        # A positive channel_dim counts the axis of the batch.
        axis = spec.channel_dim - 1 if spec.channel_dim > 0 else len(spec.shape) + spec.channel_dim
        found.add((*spec.shape[:axis], *spec.shape[axis + 1 :]))
    return found


def _same(one: Instance | None, other: Instance | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.name, one.metadata) == (other.name, other.metadata) and np.array_equal(one.mask, other.mask)
