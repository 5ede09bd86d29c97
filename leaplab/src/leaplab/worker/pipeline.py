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

from leaplab.protocol.description import Description
from leaplab.protocol.model import LATENT_SPACE
from leaplab.protocol.operations import EvaluateOrder
from leaplab.protocol.plan import Part, Plan
from leaplab.protocol.results import Confusion, InstanceRows, PartResult
from leaplab.worker.batch import NUMERIC, Inferred, infer
from leaplab.worker.encoding import Encoded, encode
from leaplab.worker.instance_rows import add_scores, read_instances
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
    inferred: Future[Inferred]
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
            future = pool.submit(infer, predictor, integration.description, encoded.batch, size)
            instances = read_instances(integration, encoded) if has_instances else None
            if pending is not None:
                collector, done = _collected(integration, plan, pending, collector)
                yield from done
            pending = _Pending(part, encoded, future, instances)
        if pending is not None:
            collector, done = _collected(integration, plan, pending, collector)
            yield from done


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

    def add(self, encoded: Encoded, inferred: Inferred, scores: Scores, instances: InstanceRows | None) -> None:
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
        if inferred.latent is not None:
            self._latents.setdefault(LATENT_SPACE, []).append(inferred.latent)
        for position, (spec, output) in enumerate(zip(self._description.predictions, inferred.outputs)):
            if output is None or position in inferred.unbatched or output.dtype.kind not in NUMERIC:
                continue  # text, or nothing of which each sample has a share
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
        self.result.predictions = {
            name: np.concatenate(arrays)
            for name, arrays in self._predictions.items()
            # One that had no batch axis in some batches, or was small enough in some, is not of every sample.
            if sum(map(len, arrays)) == len(self.result.ids)
        }
        return self.result


def _collected(
    integration: Integration, plan: Plan, pending: _Pending, collector: _Collector | None
) -> tuple[_Collector | None, list[PartResult]]:
    batch = pending.encoded.batch
    inferred = pending.inferred.result()
    batch.predictions = inferred.outputs
    if collector is None:
        collector = _Collector(pending.part, integration.description)
    collector.add(pending.encoded, inferred, score(integration, batch, plan.float16), pending.instances)
    if collector.complete:
        return None, [collector.finished()]
    return collector, []
