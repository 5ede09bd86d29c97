"""The element instances of samples on their way: what the masks encoder says, and what instance metrics give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.description import Description
from leaplab.protocol.results import InstanceRows
from leaplab.worker.encoding import Encoded
from leaplab.worker.instance_vectors import are_maps, instance_vector, maps_of
from leaplab.worker.instances import Instance
from leaplab.worker.model import Feature
from leaplab.worker.scoring import Scores

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration


def read_instances(
    integration: Integration,
    encoded: Encoded,
    features: Sequence[Feature] = (),
    begin: Callable[[int], object] = lambda row: None,
) -> tuple[InstanceRows, NDArray[np.float32] | None]:
    """What the masks encoder says of the instances of encoded samples; the batch learns how many each sample has.

    No mask is kept: those of one sample may come to hundreds of megabytes.

    Args:
        features: what feeds the model's head, of these samples.
        begin: called with the place of each sample before its instances are read.

    Returns:
        The instances, and their vectors [m, W], NaN for one whose mask is empty; None where no maps feed the head.

    Raises:
        LeaplabError: see `InstanceReader.read`.
    """
    description = integration.description
    rows, batch = InstanceRows(), encoded.batch
    keys = [spec.name for spec in description.instance_metadata]
    rows.columns = {column: [] for column in _values(None, keys)}
    count_instances(integration, encoded)
    vectors: list[NDArray[Any] | None] = []
    for offset, sample_id in enumerate(batch.ids):
        begin(offset)
        maps = maps_of(features, offset)
        for number, instance in enumerate(integration.instances(batch.state, sample_id)):
            rows.offset.append(offset)
            rows.number.append(number)
            for column, value in _values(instance, keys).items():
                rows.columns[column].append(value)
            if maps is not None:
                vectors.append(None if instance is None else instance_vector(instance.nonzero, maps))
    return rows, _stacked(vectors, features) if are_maps(features) else None


def count_instances(integration: Integration, encoded: Encoded) -> InstanceRows:
    """The instances of encoded samples without a column; the batch learns how many each sample has."""
    batch = encoded.batch
    batch.instances = [integration.instance_count(batch.state, sample_id) for sample_id in batch.ids]
    rows = InstanceRows()
    for offset, count in enumerate(batch.instances):
        rows.offset += [offset] * count
        rows.number += range(count)
    return rows


def add_scores(rows: InstanceRows, scores: Scores, description: Description) -> None:
    """Lay the results of the instance metrics beside the instances; None where a metric did not run."""
    for node in description.instance_metrics:
        column = f"metric.{node.column}"
        scored = scores.instances.get(column)
        rows.columns[column] = [None] * len(rows.number) if scored is None else [v for each in scored for v in each]


def _values(instance: Instance | None, keys: list[str]) -> dict[str, Any]:
    if instance is None:
        return dict.fromkeys(("name", "mask_share", *(f"metadata.{key}" for key in keys)))
    metadata = {f"metadata.{key}": instance.metadata[key] for key in keys}
    return {"name": instance.name, "mask_share": instance.mask_share, **metadata}


def _stacked(vectors: Sequence[NDArray[Any] | None], features: Sequence[Feature]) -> NDArray[np.float32]:
    width = sum(feature.values.shape[feature.channel_axis] for feature in features)
    stack = np.full((len(vectors), width), np.nan, np.float32)
    for row, vector in enumerate(vectors):
        if vector is not None:
            stack[row] = vector
    return stack
