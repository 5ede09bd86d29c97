"""The way of the samples, in the integration's process: encode -> infer -> score, one part of a plan after another.

Inference runs in a thread of its own (onnxruntime and TensorFlow release the interpreter's lock), so that the next
batch is encoded meanwhile; so do the properties of inputs, which are numpy's. All functions of the integration are
called from one thread.
"""

from __future__ import annotations

import os
import re
import resource
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.operations import EvaluateOrder
from leaplab.protocol.plan import Part
from leaplab.protocol.results import Effort, InstanceRows, PartResult, Skipped
from leaplab.protocol.whereabouts import OUT_OF_MEMORY
from leaplab.worker.batch import Inferred, infer
from leaplab.worker.collector import Collector
from leaplab.worker.encoding import Encoded, encode
from leaplab.worker.input_properties import InputFacts, input_facts
from leaplab.worker.instance_rows import count_instances, read_instances
from leaplab.worker.planning import planned_ids
from leaplab.worker.scoring import Scores, score
from leaplab.worker.wanted import wanted
from leaplab.worker.whereabouts import HERE, MODEL

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

WORTH_A_THREAD = 2**20
"""Values of a batch from which on another thread computes their properties: a smaller one costs more to hand over, and
waits for others, with which it is looked at."""
HANDLER = re.compile(r"(?:The )?((?:[A-Z]|the |input|ground)[a-z ]* '[^']*'|Custom latent spaces)")
"""What a sentence about a failure begins with."""


@dataclass
class _Step:
    """Samples of a part that come together.

    Attributes:
        offsets: their places in the part.
        careful: nothing else runs at the same time.
        ends: they are the last of the part; there may be none.
    """

    part: Part
    ids: list[str | int]
    offsets: list[int]
    careful: bool = False
    ends: bool = False


@dataclass
class _Pending:
    """A batch whose inference goes on."""

    step: _Step
    encoded: Encoded
    inferred: Future[Inferred]
    facts: Future[InputFacts] | None


@dataclass
class Finished:
    """A batch with all that is known of it."""

    encoded: Encoded
    inferred: Inferred
    scores: Scores
    instances: InstanceRows | None
    vectors: NDArray[np.float32] | None


def evaluate(integration: Integration, order: EvaluateOrder) -> Iterator[PartResult]:
    """Evaluate some parts of a plan, one result a part, in order.

    Raises:
        LeaplabError: a sample, a handler or the model is not as the contract has it, and the order does not let such
            samples be skipped.
    """
    with ThreadPoolExecutor(1, "inference") as models, ThreadPoolExecutor(1, "properties") as properties:
        yield from _Evaluation(integration, order, models, properties).results()


class _Stopwatch:
    """What is spent on a part."""

    def __init__(self) -> None:
        self._since = time.perf_counter(), time.process_time()
        self.functions = self.model = 0.0

    def lap(self) -> Effort:
        """What was spent since the last time."""
        now = time.perf_counter(), time.process_time()
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        effort = Effort(now[0] - self._since[0], now[1] - self._since[1], self.functions, self.model, most)
        self._since, self.functions, self.model = now, 0.0, 0.0
        return effort


class _Evaluation:
    def __init__(
        self, integration: Integration, order: EvaluateOrder, models: ThreadPoolExecutor, properties: ThreadPoolExecutor
    ) -> None:
        self._integration, self._order = integration, order
        self._models, self._properties = models, properties
        self._predictor = integration.predictor(order.load)
        self._wanted = wanted(order.only, integration.description)
        self._size = self._predictor.fixed_batch or order.plan.batch_size
        self._bad = {(bad.part, bad.offset): bad for bad in order.bad}
        self._ids: dict[str, list[str | int]] = {}
        self._skipped: dict[int, dict[int, Skipped]] = {}
        self._collector: Collector | None = None
        self._spent = _Stopwatch()

    def results(self) -> Iterator[PartResult]:
        pending: _Pending | None = None
        for step in (step for part in self._order.parts for step in self._steps(part)):
            if step.careful and pending is not None:
                yield from self._collected(pending)
                pending = None
            following = self._begun(step)
            if pending is not None:
                yield from self._collected(pending)
            pending = following
            if step.careful:
                yield from self._collected(pending)
                pending = None
        if pending is not None:
            yield from self._collected(pending)

    def _steps(self, part: Part) -> Iterator[_Step]:
        integration, plan = self._integration, self._order.plan
        if part.state not in self._ids:
            self._ids[part.state] = planned_ids(integration, part.state, plan.limit)
        ids = self._ids[part.state][part.start : part.stop]
        careful = np.zeros(len(ids), bool)
        for number, start, stop in self._order.careful:
            if number == part.number:
                careful[start:stop] = True
        for start in range(0, len(ids), self._size):
            stop = min(start + self._size, len(ids))
            together: list[int] = []
            for offset in range(start, stop):
                bad = self._bad.get((part.number, offset))
                if bad is not None:
                    self._skip(part, offset, ids[offset], bad.handler, bad.reason)
                elif careful[offset]:
                    yield _Step(part, [ids[offset]], [offset], careful=True)
                else:
                    together.append(offset)
            ends = stop == len(ids)
            if together or ends:
                yield _Step(part, [ids[offset] for offset in together], together, ends=ends)

    def _begun(self, step: _Step) -> _Pending:
        number, offsets, kept = step.part.number, step.offsets, list(range(len(step.ids)))

        def begin(row: int) -> None:
            HERE.move(number, offsets[row], offsets[row] + 1, step.ids[row])

        def failed(row: int, error: LeaplabError) -> None:
            self._left_out(step.part, offsets[row], step.ids[row], error)
            kept.remove(row)

        skipping = failed if self._order.skip else None
        since = time.perf_counter()
        encoded = encode(self._integration, step.part.state, step.ids, begin, skipping, self._wanted)
        self._spent.functions += time.perf_counter() - since
        HERE.leave()
        step.offsets = [offsets[row] for row in kept]
        inferred = self._models.submit(self._inferred, step, encoded)
        facts = None
        size = sum(array.size for array in encoded.batch.inputs.values())
        if self._wanted.everything and size >= WORTH_A_THREAD:
            facts = self._properties.submit(self._looked_at, encoded.batch.inputs)
        return _Pending(step, encoded, inferred, facts)

    def _looked_at(self, inputs: Mapping[str, NDArray[Any]]) -> InputFacts:
        return input_facts(inputs, self._integration.description.inputs, self._order.plan.scales)

    def _inferred(self, step: _Step, encoded: Encoded) -> Inferred:
        if not encoded.batch.ids or not self._wanted.model:
            return Inferred([], None, {})
        since = time.perf_counter()
        with MODEL.at(step.part.number, step.offsets[0], step.offsets[-1] + 1, encoded.batch.ids[0], "model"):
            inferred = infer(self._predictor, self._integration.description, encoded.batch, self._size)
        self._spent.model += time.perf_counter() - since
        return inferred

    def _collected(self, pending: _Pending) -> Iterator[PartResult]:
        step, encoded, count = pending.step, pending.encoded, len(pending.encoded.batch.ids)
        collector = self._collector = self._collector or Collector(
            step.part, self._integration.description, self._looked_at
        )
        facts = None if self._wanted.everything else InputFacts()
        if pending.facts is not None:
            facts = pending.facts.result()
        if count:
            finished, rows = self._done(step, encoded, pending.inferred)
            if finished is not None:
                collector.add(finished, facts.only(rows) if facts is not None and len(rows) < count else facts)
        if step.ends:
            self._collector = None
            number = step.part.number  # of the next part some may be skipped already
            result = collector.finished([skipped for _, skipped in sorted(self._skipped.pop(number, {}).items())])
            result.effort = self._spent.lap()
            yield result

    def _done(
        self, step: _Step, encoded: Encoded, inferring: Future[Inferred]
    ) -> tuple[Finished | None, Sequence[int]]:
        """A batch with its scores, and which of its samples that are: those on which nothing failed."""
        rows = range(len(encoded.batch.ids))
        try:
            return self._scored(step, encoded, inferring.result(), rows), rows
        except LeaplabError as error:
            whole = error
        # What fails on many samples may fail by one of them, which is to be named, or left out.
        bad: dict[int, LeaplabError] = {}
        for row in rows if len(rows) > 1 else ():
            try:
                self._again(step, encoded, [row])
            except LeaplabError as found:
                bad[row] = found
        if not self._order.skip:
            # Where each of them fails, or none alone, it is no sample's fault.
            raise next(iter(bad.values())) if 0 < len(bad) < len(rows) else whole
        good = [row for row in rows if row not in bad]
        finished = None
        if bad and good:
            try:
                finished = self._again(step, encoded, good)
            except LeaplabError as found:
                whole = found
        if finished is None:
            bad.update((row, whole) for row in rows if row not in bad)
        for row, reason in bad.items():
            self._left_out(step.part, step.offsets[row], encoded.batch.ids[row], reason)
        return finished, good

    def _again(self, step: _Step, encoded: Encoded, rows: Sequence[int]) -> Finished:
        some = encoded.only(rows)
        part = _Step(step.part, list(some.batch.ids), [step.offsets[row] for row in rows], step.careful)
        return self._scored(part, some, self._models.submit(self._inferred, part, some).result(), range(len(rows)))

    def _scored(self, step: _Step, encoded: Encoded, inferred: Inferred, rows: range) -> Finished:
        integration, offsets, since = self._integration, step.offsets, time.perf_counter()
        encoded.batch.predictions = inferred.outputs
        instances = vectors = None

        def begin(row: int) -> None:
            HERE.move(step.part.number, offsets[row], offsets[row] + 1, encoded.batch.ids[row])

        if integration.description.instances:
            if self._wanted.metadata:
                features = inferred.features if self._wanted.everything else ()
                instances, vectors = read_instances(integration, encoded, features, begin)
            else:
                instances = count_instances(integration, encoded)
        HERE.move(step.part.number, offsets[rows[0]], offsets[rows[-1]] + 1, encoded.batch.ids[0])
        scores = score(integration, encoded.batch, self._order.plan.float16, self._wanted)
        HERE.leave()
        self._spent.functions += time.perf_counter() - since
        return Finished(encoded, inferred, scores, instances, vectors)

    def _left_out(self, part: Part, offset: int, sample_id: Any, error: LeaplabError) -> None:
        if isinstance(error.__cause__, MemoryError) and HERE.is_shared:
            # What fills the memory may stay in it, and fail every sample that comes after: another process goes on.
            HERE.move(part.number, offset, offset + 1, sample_id)
            HERE.note(_handler_of(error))
            os._exit(OUT_OF_MEMORY)
        self._skip(part, offset, sample_id, _handler_of(error), str(error))

    def _skip(self, part: Part, offset: int, sample_id: Any, handler: str, reason: str) -> None:
        self._skipped.setdefault(part.number, {})[offset] = Skipped(part.state, str(sample_id), handler, reason)


def _handler_of(error: LeaplabError) -> str:
    found = HANDLER.match(str(error))
    return found[1][0].lower() + found[1][1:] if found else "model"
