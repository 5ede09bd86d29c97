"""Batches, gathered into a part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.description import Description
from leaplab.protocol.model import LATENT_SPACE
from leaplab.protocol.plan import Part
from leaplab.protocol.results import Confusion, InstanceRows, PartResult, Skipped
from leaplab.worker.batch import NUMERIC
from leaplab.worker.input_properties import InputFacts
from leaplab.worker.instance_rows import add_scores

if TYPE_CHECKING:
    from leaplab.worker.pipeline import Finished

Array = NDArray[Any]
MAX_STORED_VALUES = 4096
"""Values a sample: larger predictions (a detector's) and ground truths are not stored but made again for the sample
that one looks at."""


LOOKED_AT_TOGETHER = 2**18
"""Values of small batches whose inputs are looked at together: few enough to stay in a processor's cache."""


class Collector:
    """Gathers the batches of one part.

    Args:
        look_at: tells the facts of inputs, name -> [B, ...].
    """

    def __init__(self, part: Part, description: Description, look_at: Callable[[dict[str, Array]], InputFacts]) -> None:
        self._result = PartResult(part)
        self._description = description
        self._latents: dict[str, list[Array]] = {}
        self._predictions: dict[str, list[Array]] = {}
        self._ground_truths: dict[str, list[Array]] = {}
        self._thumbnails: dict[str, list[NDArray[np.uint8]]] = {}
        self._vectors: list[Array] = []
        self._look_at = look_at
        self._unseen: list[dict[str, Array]] = []
        self._unseen_size = 0

    def add(self, finished: Finished, facts: InputFacts | None) -> None:
        """Add a batch; the facts are of its inputs, which are looked at here where there are none yet."""
        encoded, inferred, scores = finished.encoded, finished.inferred, finished.scores
        result, offset = self._result, len(self._result.ids)
        count = len(encoded.batch.ids)
        result.ids += encoded.batch.ids
        for name, values in encoded.metadata.items():
            result.metadata.setdefault(name, []).extend(values)
        if facts is None:
            self._unseen.append(encoded.batch.inputs)
            self._unseen_size += sum(array.size for array in encoded.batch.inputs.values())
            if self._unseen_size >= LOOKED_AT_TOGETHER:
                self._look_at_unseen()
        else:
            self._look_at_unseen()
            self._add_facts(facts)
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
            if output.size <= MAX_STORED_VALUES * count:
                self._predictions.setdefault(spec.name, []).append(output.astype(np.float32, copy=False))
        for name, array in encoded.batch.ground_truths.items():
            if array.size <= MAX_STORED_VALUES * count:
                self._ground_truths.setdefault(name, []).append(array)
        for column, elements in scores.confusion.items():
            whole = result.confusion.setdefault(column, Confusion())
            whole.offset.extend(offset + place for place in elements.offset)
            whole.label.extend(elements.label)
            whole.expected.extend(elements.expected)
            whole.probability.extend(elements.probability)
            whole.id.extend(elements.id)
        if finished.instances is not None:
            add_scores(finished.instances, scores, self._description)
            result.instances = result.instances or InstanceRows()
            result.instances.extend(finished.instances, offset)
        if finished.vectors is not None:
            self._vectors.append(finished.vectors)

    def finished(self, skipped: Sequence[Skipped]) -> PartResult:
        """The whole part, without the samples that were skipped."""
        self._look_at_unseen()
        result = self._result
        count = len(result.ids)
        for gathered in result.scores.values():
            gathered.extend([None] * (count - len(gathered)))
        for columns in (result.metadata, result.scores, result.inputs, *map(vars, result.confusion.values())):
            columns.update({name: _compact(values) for name, values in columns.items()})
        for elements in result.confusion.values():
            if not any(elements.id):  # a classification's: nothing to send for each of its many elements
                elements.id = []
        result.latents = {name: np.concatenate(arrays) for name, arrays in self._latents.items()}
        result.predictions = _of_every_sample(self._predictions, count)
        result.ground_truths = _of_every_sample(self._ground_truths, count)
        result.thumbnails = {name: np.concatenate(arrays) for name, arrays in self._thumbnails.items()}
        if result.instances is None and self._description.instances:
            result.instances = InstanceRows()
        if self._vectors:
            result.instance_latents = {LATENT_SPACE: np.concatenate(self._vectors)}
        result.skipped = list(skipped)
        return result

    def _look_at_unseen(self) -> None:
        if self._unseen:
            together = {name: np.concatenate([each[name] for each in self._unseen]) for name in self._unseen[0]}
            self._unseen, self._unseen_size = [], 0
            self._add_facts(self._look_at(together))

    def _add_facts(self, facts: InputFacts) -> None:
        for name, values in facts.columns.items():
            self._result.inputs.setdefault(name, []).extend(values)
        for name, small in facts.thumbnails.items():
            self._thumbnails.setdefault(name, []).append(small)


def _compact(values: list[Any]) -> Any:
    """Numbers of one type as an array, which crosses to the lab as it is."""
    types = set(map(type, values))
    if types == {float}:
        return np.array(values, np.float64)
    if types == {bool}:
        return np.array(values, np.bool_)
    if types == {int} and min(values) >= -(2**63) and max(values) < 2**63:
        return np.array(values, np.int64)
    return values


def _of_every_sample(arrays: dict[str, list[Array]], count: int) -> dict[str, Array]:
    """Those that are whole: one that has no batch axis, or is too large, in some batches is not of every sample."""
    return {name: np.concatenate(found) for name, found in arrays.items() if sum(map(len, found)) == count}
