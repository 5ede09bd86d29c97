"""The way of the samples, in the integration's process: encode -> infer -> score, one part of a plan after another.

Inference runs in a thread of its own (onnxruntime and TensorFlow release the interpreter's lock), so that the next
batch is encoded meanwhile. All functions of the integration are called from one thread.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Description
from leaplab.protocol.model import LATENT_SPACE
from leaplab.protocol.operations import EvaluateOrder
from leaplab.protocol.plan import Part, Plan
from leaplab.protocol.results import Confusion, InstanceRows, PartResult
from leaplab.worker.encoding import Encoded, encode
from leaplab.worker.instance_rows import add_scores, read_instances
from leaplab.worker.model import Predictor
from leaplab.worker.planning import planned_ids
from leaplab.worker.scoring import Scores, score

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

Array = NDArray[Any]
MAX_STORED_PREDICTION = 4096
"""Values a sample: larger outputs (a detector's) are not stored but computed again for the sample one looks at."""


@dataclass
class _Pending:
    """A batch whose inference goes on."""

    part: Part
    encoded: Encoded
    inferred: Future[tuple[list[Array], Array | None]]
    instances: InstanceRows | None


def evaluate(integration: Integration, order: EvaluateOrder) -> Iterator[PartResult]:
    """Evaluate some parts of a plan, one result a part, in order.

    Raises:
        LeaplabError: a sample, a handler or the model is not as the contract has it.
    """
    plan, predictor = order.plan, integration.predictor(order.load)
    size = predictor.fixed_batch or plan.batch_size
    has_instances = bool(integration.description.instances)
    with ThreadPoolExecutor(1, "inference") as pool:
        pending: _Pending | None = None
        collector: _Collector | None = None
        for part, ids in _batches(integration, plan, order.parts, size):
            encoded = encode(integration, part.state, ids)
            future = pool.submit(infer, predictor, integration.description, encoded, size)
            instances = read_instances(integration, encoded) if has_instances else None
            if pending is not None:
                collector, done = _collected(integration, plan, pending, collector)
                yield from done
            pending = _Pending(part, encoded, future, instances)
        if pending is not None:
            collector, done = _collected(integration, plan, pending, collector)
            yield from done


def infer(
    predictor: Predictor, description: Description, encoded: Encoded, size: int
) -> tuple[list[Array], Array | None]:
    """The model's outputs and latent vectors of one batch; a model of fixed batch size gets the last sample repeated.

    Raises:
        LeaplabError: the number of outputs is not that of the prediction types, or an output has no batch axis.
    """
    count = len(encoded.batch.ids)
    feed = [encoded.batch.inputs[name] for name in description.model_inputs]
    if predictor.fixed_batch is not None and count < size:
        feed = [np.concatenate([array, np.repeat(array[-1:], size - count, axis=0)]) for array in feed]
    outputs, latent = predictor.predict(feed)
    declared = len(description.predictions)
    if declared and declared != len(outputs):
        raise LeaplabError(
            f"The model has {len(outputs)} outputs, but the integration declares {declared} prediction types"
            f" ({', '.join(p.name for p in description.predictions)}); declare one for every output."
        )
    for position, (output, prediction) in enumerate(zip(outputs, description.predictions)):
        if output.ndim < 1 or output.shape[0] != max(count, predictor.fixed_batch or 0):
            raise LeaplabError(
                f"Output {position} of the model has shape {output.shape} for a batch of {count}; its first axis must"
                " be the batch."
            )
        labels = len(prediction.labels)
        axis = prediction.channel_dim
        if labels and (not -output.ndim <= axis < output.ndim or output.shape[axis] != labels):
            raise LeaplabError(
                f"Output {position} of the model has shape {output.shape}, but prediction type '{prediction.name}'"
                f" names {labels} labels along axis {axis}; correct the labels or name the right model by --model."
            )
    return [output[:count] for output in outputs], None if latent is None else latent[:count]


def _batches(
    integration: Integration, plan: Plan, parts: Iterable[Part], size: int
) -> Iterator[tuple[Part, list[str | int]]]:
    ids_of: dict[str, list[str | int]] = {}
    for part in parts:
        if part.state not in ids_of:
            ids_of[part.state] = planned_ids(integration, part.state, plan.limit)
        ids = ids_of[part.state]
        for start in range(part.start, part.stop, size):
            yield part, ids[start : min(start + size, part.stop)]


class _Collector:
    """Gathers the batches of one part."""

    def __init__(self, part: Part, description: Description) -> None:
        self.result = PartResult(part)
        self._description = description
        self._latents: dict[str, list[Array]] = {}
        self._predictions: dict[str, list[Array]] = {}

    def add(self, encoded: Encoded, latent: Array | None, scores: Scores, instances: InstanceRows | None) -> None:
        result, offset = self.result, len(self.result.ids)
        count = len(encoded.batch.ids)
        result.ids += encoded.batch.ids
        for name, values in encoded.metadata.items():
            result.metadata.setdefault(name, []).extend(values)
        for column, scored in scores.columns.items():
            gathered = result.scores.setdefault(column, [])
            gathered.extend([None] * (offset - len(gathered)))  # a metric's keys may come and go with the batch
            gathered.extend(scored)
        for name, vectors in encoded.latents.items():
            self._latents.setdefault(name, []).append(np.stack(vectors))
        if latent is not None:
            self._latents.setdefault(LATENT_SPACE, []).append(latent)
        for spec, output in zip(self._description.predictions, encoded.batch.predictions):
            if output.size <= MAX_STORED_PREDICTION * count:
                self._predictions.setdefault(spec.name, []).append(output.astype(np.float32, copy=False))
        for column, elements in scores.confusion.items():
            whole = result.confusion.setdefault(column, Confusion())
            whole.offset.extend(offset + place for place in elements.offset)
            whole.label.extend(elements.label)
            whole.expected.extend(elements.expected)
            whole.probability.extend(elements.probability)
        if instances is not None:
            add_scores(instances, scores, self._description)
            result.instances = result.instances or InstanceRows()
            result.instances.extend(instances, offset)

    @property
    def complete(self) -> bool:
        return len(self.result.ids) == self.result.part.stop - self.result.part.start

    def finished(self) -> PartResult:
        for gathered in self.result.scores.values():
            gathered.extend([None] * (len(self.result.ids) - len(gathered)))
        self.result.latents = {name: np.concatenate(arrays) for name, arrays in self._latents.items()}
        self.result.predictions = {name: np.concatenate(arrays) for name, arrays in self._predictions.items()}
        return self.result


def _collected(
    integration: Integration, plan: Plan, pending: _Pending, collector: _Collector | None
) -> tuple[_Collector | None, list[PartResult]]:
    batch = pending.encoded.batch
    batch.predictions, latent = pending.inferred.result()
    if collector is None:
        collector = _Collector(pending.part, integration.description)
    collector.add(pending.encoded, latent, score(integration, batch, plan.float16), pending.instances)
    if collector.complete:
        return None, [collector.finished()]
    return collector, []
