"""What the lab may ask of an integration's process, by name, with the types of the question and the answer.

`leaplab.worker.operations` has the function behind each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.description import Description
from leaplab.protocol.explaining import Cells, CellsOrder, ExplainOrder, Explanation, Layer, LayersOrder, ShapesOrder
from leaplab.protocol.inspection import Inspection, Mask, SampleOrder, Shown, Visual
from leaplab.protocol.model import LoadedModel, LoadOrder, ModelSource
from leaplab.protocol.observations import Probe
from leaplab.protocol.plan import Part, Plan, PlanOrder
from leaplab.protocol.results import PartResult
from leaplab.protocol.simulation import Simulated, SimulationOrder, VectorOrder

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Operation(Generic[Asked, Answer]):
    """A question with one answer."""

    name: str


@dataclass(frozen=True)
class Stream(Generic[Asked, Answer]):
    """A question whose answers come one after another."""

    name: str


@dataclass(frozen=True)
class BadSample:
    """A sample on which an integration's process died, or did not come to an end: it is not tried again.

    Attributes:
        part: number of its part.
        offset: place in its part, as planned.
        handler: that ran.
        reason: a sentence.
    """

    part: int
    offset: int
    handler: str
    reason: str


@dataclass(frozen=True)
class EvaluateOrder:
    """Parts of a plan to evaluate, with the model that `LOAD` was given.

    Attributes:
        skip: leave out samples on which a handler fails, instead of ending.
        bad: samples to leave out without a try.
        careful: (part, start, stop): these samples go one by one, nothing else at the same time, so that what the
            process dies of can be told.
        only: groups of columns, `metadata`, `loss` and `metric`, that are computed, and nothing else; none given,
            everything.
    """

    plan: Plan
    parts: tuple[Part, ...]
    load: LoadOrder
    skip: bool = False
    bad: tuple[BadSample, ...] = ()
    careful: tuple[tuple[int, int, int], ...] = ()
    only: tuple[str, ...] = ()


DESCRIBE: Operation[None, Description] = Operation("describe")
"""Everything that the integration declares."""
PLAN: Operation[PlanOrder, Plan] = Operation("plan")
"""Which samples an evaluation is of, in which parts."""
MODEL: Operation[None, ModelSource] = Operation("model")
"""What the integration's model is."""
LOAD: Operation[LoadOrder, LoadedModel] = Operation("load")
"""Make the model run, and keep it."""
EVALUATE: Stream[EvaluateOrder, PartResult] = Stream("evaluate")
"""Encode, infer and score; one result a part, in order."""
INSPECT: Operation[SampleOrder, Inspection] = Operation("inspect")
"""Every handler on one sample."""
VISUALIZE: Operation[SampleOrder, Shown] = Operation("visualize")
"""Every wired visualizer on one sample."""
PICTURE: Operation[SampleOrder, Visual | None] = Operation("picture")
"""The visualizer that shows one sample itself, the plainest that there is."""
MASKS: Operation[SampleOrder, list[Mask]] = Operation("masks")
"""Where the element instances of one sample lie; one whose mask is empty is left out."""
PROBE: Operation[None, Probe] = Operation("probe")
"""Every handler on some samples of each state."""
SIMULATE: Operation[SimulationOrder, Simulated] = Operation("simulate")
"""Samples of a simulation, and their latent vectors."""
VECTORS: Operation[VectorOrder, NDArray[np.float32]] = Operation("vectors")
"""[n, W] the latent vectors of some of the integration's own samples."""
SHAPES: Operation[ShapesOrder, list[Any]] = Operation("shapes")
"""The shapes of a model's tensors for one sample, and the number of samples that they are of."""
LAYERS: Operation[LayersOrder, list[Layer]] = Operation("layers")
"""Where a Keras model may be cut."""
CELLS: Stream[CellsOrder, Cells] = Stream("cells")
"""What a model makes of each place of some samples."""
EXPLAIN: Operation[ExplainOrder, Explanation] = Operation("explain")
"""A heat-map of one sample."""
