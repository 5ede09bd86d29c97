"""One sample under the loupe, in the integration's process: its scores and its visualizers."""

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.worker.encoding import Encoded, encode
from leaplab.worker.instance_rows import InstanceRows, add_scores, read_instances
from leaplab.worker.loading import predictor_of
from leaplab.worker.pipeline import infer
from leaplab.worker.scoring import Batch, score


@dataclass(frozen=True)
class Visual:
    """What a visualizer returned, free of code-loader's classes.

    Attributes:
        name: the visualizer's unique name.
        type: the LeapDataType's value.
        fields: the Leap* object's fields, nested dataclasses as dictionaries.
        error: a sentence where the visualizer failed; then there are no fields.
    """

    name: str
    type: str
    fields: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Tensor:
    """An array that a sample has on its way, in figures. Range and mean are None where nothing is finite."""

    kind: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    minimum: float | None
    maximum: float | None
    mean: float | None


@dataclass(frozen=True)
class Inspection:
    """Everything about one sample.

    Attributes:
        tensors: inputs, ground truths and predictions, without the batch axis.
        metadata: column -> value, None where absent.
        scores: column of a loss or metric -> value.
        visuals: what the visualizers returned.
        instances: number, name, mask_share, metadata.KEY and metric.COLUMN of each element instance.
    """

    state: str
    sample_id: str
    tensors: list[Tensor]
    metadata: dict[str, Any]
    scores: dict[str, float | None]
    visuals: list[Visual]
    instances: list[dict[str, Any]] = field(default_factory=list)


def inspect_sample(integration: Any, state: str, sample_id: str) -> Inspection:
    """Every handler on one sample, which is named by its id's text: for `session.call(inspect_sample, ...)`.

    Raises:
        LeaplabError: there is no such sample, or a handler other than a visualizer failed.
    """
    encoded = _inferred(integration, state, sample_id)
    batch, description = encoded.batch, integration.description
    names = [prediction.name for prediction in description.predictions]
    names += [f"output {position}" for position in range(len(names), len(batch.predictions))]
    tensors = [_tensor("input", name, array[0]) for name, array in batch.inputs.items()]
    tensors += [_tensor("ground truth", name, array[0]) for name, array in batch.ground_truths.items()]
    tensors += [_tensor("prediction", name, array[0]) for name, array in zip(names, batch.predictions, strict=True)]
    instances = read_instances(integration, encoded) if description.instances else InstanceRows()
    scored = score(integration, batch, float16=False)
    add_scores(instances, scored, description)
    scores = {column: values[0] for column, values in scored.columns.items()}
    metadata = {column: values[0] for column, values in encoded.metadata.items()}
    visuals = _visuals(integration, batch)
    return Inspection(state, sample_id, tensors, metadata, scores, visuals, instances.rows())


def visualize(integration: Any, state: str, sample_id: str) -> list[Visual]:
    """Every wired visualizer on one sample, in the integration's order: for `session.call(visualize, ...)`.

    A visualizer that fails hides no other.

    Raises:
        LeaplabError: there is no such sample, or it cannot be encoded or inferred.
    """
    return _visuals(integration, _inferred(integration, state, sample_id).batch)


def _inferred(integration: Any, state: str, sample_id: str) -> Encoded:
    # A run and a command line know ids as text; in the integration they may be integers.
    by_text = {str(known): known for known in integration.sample_ids(state)}
    if sample_id not in by_text:
        some = ", ".join(list(by_text)[:3])
        raise LeaplabError(f"The integration has no sample '{sample_id}' in {state}; its ids are like {some}.")
    predictor = predictor_of(integration, None)
    encoded = encode(integration, state, [by_text[sample_id]])
    encoded.batch.predictions, _ = infer(predictor, integration.description, encoded, predictor.fixed_batch or 1)
    return encoded


def _tensor(kind: str, name: str, array: Any) -> Tensor:
    finite = array[np.isfinite(array)]
    figures = (float(finite.min()), float(finite.max()), float(finite.mean())) if finite.size else (None, None, None)
    return Tensor(kind, name, array.shape, str(array.dtype), *figures)


def _visuals(integration: Any, batch: Batch) -> list[Visual]:
    visuals = []
    for node in integration.description.visualizers:
        arguments = batch.arguments(node)
        if arguments is None:
            continue
        try:
            result = integration.run_visualizer(node, batch.state, batch.ids[0], arguments)
        except LeaplabError as error:
            visuals.append(Visual(node.column, node.type, error=str(error)))
        else:
            visuals.append(Visual(node.column, node.type, plain(result)))
    return visuals


def plain(value: Any) -> Any:
    """A Leap* object's fields as a dictionary: nested dataclasses are dictionaries, too, and `type` is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "type"}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return np.asarray(value) if isinstance(value, np.ndarray) else value
