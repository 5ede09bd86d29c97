"""What the samples of a part gave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.plan import Part


@dataclass
class Confusion:
    """Confusion elements: `offset` is the sample's place among those that they are of.

    Numbers of a whole part are arrays. `id` pairs those of one object within a sample; of a whole part it is empty
    where no element has one.
    """

    offset: Any = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    expected: Any = field(default_factory=list)
    probability: Any = field(default_factory=list)
    id: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Skipped:
    """A sample that was left out of an evaluation.

    Attributes:
        sample_id: as text.
        handler: that failed on it: `input 'image'`, `metric 'iou'`, `model`, or `process` where no one can tell.
        reason: a sentence.
    """

    state: str
    sample_id: str
    handler: str
    reason: str


@dataclass
class InstanceRows:
    """Element instances, a row each, by sample and number.

    Attributes:
        offset: place of the instance's sample among the samples.
        number: of the instance within its sample, from 0.
        columns: name, mask_share, metadata.KEY and metric.COLUMN -> one value an instance, None where absent.
    """

    offset: list[int] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    columns: dict[str, list[Any]] = field(default_factory=dict)

    def extend(self, others: InstanceRows, samples: int) -> None:
        """Append the instances of further samples, which come behind `samples` others."""
        self.offset += [samples + offset for offset in others.offset]
        self.number += others.number
        for column, values in others.columns.items():
            self.columns.setdefault(column, []).extend(values)

    def table(self) -> dict[str, list[Any]]:
        """Offset, number and columns, as `RunStore.write_part` takes them."""
        return {"offset": self.offset, "number": self.number, **self.columns}

    def rows(self) -> list[dict[str, Any]]:
        """Number and columns of each instance."""
        table = {"number": self.number, **self.columns}
        return [dict(zip(table, values)) for values in zip(*table.values())]


@dataclass(frozen=True)
class Effort:
    """What a part took of the integration's process.

    Attributes:
        seconds: from the end of the part before it, or from the order, to its own.
        processor: seconds of processors, of all threads.
        functions: seconds in which the integration's functions encoded and scored.
        model: seconds of inference, which goes on at the same time.
        memory: bytes that the process has taken at most.
    """

    seconds: float
    processor: float
    functions: float
    model: float
    memory: int


@dataclass
class PartResult:
    """What a part of the plan gave.

    Attributes:
        ids: of the samples that it has values of, as planned but for those that were left out.
        metadata: column -> one value a sample, None where absent.
        scores: column -> one value a sample, None where not computed; float64 where none is.
        inputs: property of the inputs -> one value a sample.
        latents: space -> [n, W] float32.
        predictions: name -> [n, ...] float32, small outputs only.
        confusion: metric column -> its elements; offsets count within the part.
        instances: element instances; offsets count within the part. None where the integration has none.
        instance_latents: space -> [m, W] float32, of these; NaN for one whose mask is empty.
        ground_truths: name -> [n, ...] float32, small ones only.
        thumbnails: input that is an image -> [n, 16, 16, C] uint8.
        skipped: samples that were left out.
        effort: what it took; no part of the run.
    """

    part: Part
    ids: list[str | int] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    latents: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    predictions: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    confusion: dict[str, Confusion] = field(default_factory=dict)
    instances: InstanceRows | None = None
    instance_latents: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    ground_truths: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    thumbnails: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    effort: Effort | None = None
