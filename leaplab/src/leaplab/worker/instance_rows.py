"""The element instances of samples on their way: what the masks encoder says, and what instance metrics give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leaplab.protocol.description import Description
from leaplab.protocol.results import InstanceRows
from leaplab.worker.encoding import Encoded
from leaplab.worker.instances import Instance
from leaplab.worker.scoring import Scores

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration


def read_instances(integration: Integration, encoded: Encoded) -> InstanceRows:
    """What the masks encoder says of the instances of encoded samples; the batch learns how many each sample has.

    No mask is kept: those of one sample may come to hundreds of megabytes.

    Raises:
        LeaplabError: see `InstanceReader.read`.
    """
    description = integration.description
    rows, batch = InstanceRows(), encoded.batch
    keys = [spec.name for spec in description.instance_metadata]
    rows.columns = {column: [] for column in _values(None, keys)}
    batch.instances = [integration.instance_count(batch.state, sample_id) for sample_id in batch.ids]
    for offset, sample_id in enumerate(batch.ids):
        for number, instance in enumerate(integration.instances(batch.state, sample_id)):
            rows.offset.append(offset)
            rows.number.append(number)
            for column, value in _values(instance, keys).items():
                rows.columns[column].append(value)
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
