"""One sample under the loupe, in the integration's process: its scores and its visualizers."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Node
from leaplab.protocol.inspection import Inspection, SampleOrder, Shown, Tensor, Visual
from leaplab.protocol.results import InstanceRows
from leaplab.worker.batch import Batch, infer
from leaplab.worker.encoding import Encoded, encode
from leaplab.worker.input_properties import input_hashes
from leaplab.worker.instance_rows import add_scores, read_instances
from leaplab.worker.scoring import score
from leaplab.worker.wanted import Wanted

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration


SHOWING = ("Image", "ImageWithBBox", "ImageMask", "ImageWithHeatmap", "Video", "PointCloud", "Graph", "Text", "Audio")
"""Types of visualizers that show a sample itself, the plainest first; bars show what a model makes of it."""


def inspect_sample(integration: Integration, order: SampleOrder) -> Inspection:
    """Every handler on one sample.

    Raises:
        LeaplabError: there is no such sample, or a handler other than a visualizer failed.
    """
    encoded = _inferred(integration, order)
    batch, description = encoded.batch, integration.description
    names = [prediction.name for prediction in description.predictions]
    names += [f"output {position}" for position in range(len(names), len(batch.predictions))]
    tensors = [_tensor("input", name, array[0]) for name, array in batch.inputs.items()]
    tensors += [_tensor("ground truth", name, array[0]) for name, array in batch.ground_truths.items()]
    tensors += [_tensor("prediction", n, array[0]) for n, array in zip(names, batch.predictions) if array is not None]
    instances = read_instances(integration, encoded)[0] if description.instances else InstanceRows()
    scored = score(integration, batch, float16=False)
    add_scores(instances, scored, description)
    scores = {column: values[0] for column, values in scored.columns.items()}
    metadata = {column: values[0] for column, values in encoded.metadata.items()}
    visuals = _visuals(integration, batch)
    return Inspection(order.state, order.sample_id, tensors, metadata, scores, visuals, instances.rows())


def visualize(integration: Integration, order: SampleOrder) -> Shown:
    """Every wired visualizer on one sample, in the integration's order, and the hash of what the sample is now.

    A visualizer that fails hides no other.

    Raises:
        LeaplabError: there is no such sample, or it cannot be encoded or inferred.
    """
    batch = _inferred(integration, order).batch
    hashes = input_hashes([batch.inputs[spec.name] for spec in integration.description.inputs])
    return Shown(_visuals(integration, batch), hashes[0] if hashes else None)


def picture(integration: Integration, order: SampleOrder) -> Visual | None:
    """What the plainest wired visualizer makes of one sample; only what feeds it is computed.

    Returns:
        Where it fails, what the next one makes, and with an error where all do; None where none shows the sample.

    Raises:
        LeaplabError: there is no such sample, or it cannot be encoded or inferred.
    """
    sample_id = integration.sample_id_of(order.state, order.sample_id)
    failed: Visual | None = None
    for node in sorted(integration.description.visualizers, key=_plainness):
        if node.type not in SHOWING:
            continue
        sources = {source.kind for source in node.arguments.values()}
        wanted = Wanted(False, False, True, False, "prediction" in sources, "ground_truth" in sources)
        batch = encode(integration, order.state, [sample_id], wanted=wanted).batch
        if wanted.model:
            batch.predictions = infer(integration.predictor(), integration.description, batch).outputs
        visual = _visual(integration, batch, node)
        if visual is not None and visual.error is None:
            return visual
        failed = failed or visual
    return failed


def _plainness(node: Node) -> tuple[int, int]:
    """Visualizers of inputs alone before those that need a model; of these, by what they show."""
    kinds = [source.kind for source in node.arguments.values()]
    cost = 2 if "prediction" in kinds else 1 if "ground_truth" in kinds else 0
    return cost, SHOWING.index(node.type) if node.type in SHOWING else len(SHOWING)


def _inferred(integration: Integration, order: SampleOrder) -> Encoded:
    sample_id = integration.sample_id_of(order.state, order.sample_id)
    predictor = integration.predictor()
    encoded = encode(integration, order.state, [sample_id])
    encoded.batch.predictions = infer(predictor, integration.description, encoded.batch).outputs
    return encoded


def _tensor(kind: str, name: str, array: Any) -> Tensor:
    finite = array[np.isfinite(array)]
    figures = (float(finite.min()), float(finite.max()), float(finite.mean())) if finite.size else (None, None, None)
    return Tensor(kind, name, array.shape, str(array.dtype), *figures)


def _visuals(integration: Integration, batch: Batch) -> list[Visual]:
    drawn = (_visual(integration, batch, node) for node in integration.description.visualizers)
    return [visual for visual in drawn if visual is not None]


def _visual(integration: Integration, batch: Batch, node: Node) -> Visual | None:
    """None where these samples lack what the visualizer takes."""
    arguments = batch.arguments(node)
    if arguments is None:
        return None
    try:
        result = integration.run_visualizer(node, batch.state, batch.ids[0], arguments)
    except LeaplabError as error:
        return Visual(node.column, node.type, error=str(error))
    return Visual(node.column, node.type, plain(result))


def plain(value: Any) -> Any:
    """A Leap* object's fields as a dictionary: nested dataclasses are dictionaries, too, and `type` is left out.

    What no renderer could read, an object of the integration's own class say, is its text.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "type"}
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str, bytes, np.ndarray, np.generic)):
        return np.asarray(value) if isinstance(value, np.ndarray) else value
    return np.asarray(value) if hasattr(value, "__array__") else repr(value)
