"""Occlusion of the input: any model, and any input of at least one axis (Zeiler and Fergus, 2014, section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Sequence

import numpy as np

from leaplab.protocol.description import InputSpec
from leaplab.protocol.explaining import ExplainOrder
from leaplab.worker.batch import Batch, infer
from leaplab.worker.explaining.changes import Changes, Inferred, rows_at_once
from leaplab.worker.explaining.regions import Block, blocks
from leaplab.worker.explaining.sample import Mean, blurred, population
from leaplab.worker.explaining.targets import Measured
from leaplab.worker.input_properties import SMALLEST_IMAGE
from leaplab.worker.model import Array

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

FEW = 256
"""Entries of a text, a table or a series up to which each is taken away alone."""


class Layout(NamedTuple):
    """How a sample of an input lies on a grid.

    Attributes:
        axes: that are rows and columns; of an input with one axis of entries, this one alone, and the grid has one row.
        is_image: both are sides of an image.
    """

    axes: tuple[int, ...]
    is_image: bool

    def grid(self, shape: Sequence[int]) -> tuple[int, int]:
        """Rows and columns."""
        sides = [shape[axis] for axis in self.axes]
        return (1, sides[0]) if len(sides) == 1 else (sides[0], sides[1])


def layout_of(spec: InputSpec) -> Layout:
    """The layout of an input: an image's sides, else the axis that entries, steps or frames lie along."""
    rank = len(spec.shape)
    first = spec.channel_dim == 1 and rank > 1
    if rank == 3:
        axes = (1, 2) if first else (0, 1)
        return Layout(axes, min(spec.shape[axis] for axis in axes) >= SMALLEST_IMAGE)
    return Layout((1,) if first and rank == 2 else (0,), False)


def occluded(
    integration: Integration, order: ExplainOrder, spec: InputSpec, sample: Batch, target: Measured
) -> tuple[Changes, tuple[Array, ...], tuple[str, ...]]:
    """What becomes of a target without each patch, token, column or window of an input.

    Returns:
        The changes, the means that stood for what is absent, and what is to be said.
    """
    layout = layout_of(spec)
    array = sample.inputs[spec.name][0]
    if not array.ndim:
        array = array.reshape(1)
    baseline = order.baseline
    means: tuple[Array, ...] = ()
    notices: tuple[str, ...] = ()
    if _holds_tokens(array, layout) and baseline != "zero":
        baseline = "zero"
        notices = (
            f"The input '{spec.name}' holds whole numbers that stand for something, of which there is no mean: 0 stands"
            " for what is absent.",
        )
    if baseline == "mean":
        means = means_of_input(integration, order, spec, layout)
    fill = fill_of_input(array, layout, baseline, means)
    grid = layout.grid(array.shape)
    side = _side(grid, layout, order.block)
    taken = blocks(*grid, side)

    def infer_without(rows: Sequence[Block | None]) -> Inferred:
        changed = np.repeat(array[None], len(rows), axis=0)
        for row, block in enumerate(rows):
            if block is not None:
                part = _part(layout, block)
                changed[row][part] = fill[part]
        inputs = {name: np.repeat(each, len(rows), axis=0) for name, each in sample.inputs.items()}
        inputs[spec.name] = changed.reshape(len(rows), *sample.inputs[spec.name].shape[1:])
        batch = Batch(sample.state, [*sample.ids] * len(rows), inputs, {})
        inferred = infer(integration.predictor(), integration.description, batch)
        return inferred.outputs, inferred.features

    size = sum(each.nbytes for each in sample.inputs.values())
    size += sum(each.nbytes for each in sample.predictions if each is not None)
    at_once = rows_at_once(size + target.bytes)
    changes = Changes.measured(taken, grid, infer_without, lambda found: target.of_outputs(sample, *found), at_once)
    return changes, means, notices


def _holds_tokens(array: Array, layout: Layout) -> bool:
    """Whether a row of numbers may be of words: whole, and more than two different."""
    return (
        array.ndim == 1 and not layout.is_image and bool((array == np.round(array)).all()) and np.unique(array).size > 2
    )


def means_of_input(integration: Integration, order: ExplainOrder, spec: InputSpec, layout: Layout) -> tuple[Array, ...]:
    """The mean of an input over the population, or what an earlier answer had as such."""
    if order.means is not None:
        return order.means
    # A column of a table has a mean of its own; a pixel or a step has that of all of its channel.
    mean = Mean(() if len(spec.shape) == 1 else layout.axes)
    for batch in population(integration, order.population):
        mean.add(batch.inputs[spec.name])
    return (mean.value,)


def fill_of_input(array: Array, layout: Layout, baseline: str, means: Sequence[Array]) -> Array:
    """What stands in each place of an input for what is absent there."""
    if baseline == "blur":
        return blurred(array, layout.axes)
    return np.broadcast_to(means[0] if baseline == "mean" else np.float32(0), array.shape)


def _side(grid: tuple[int, int], layout: Layout, block: int | None) -> tuple[int, int]:
    if len(layout.axes) == 1:
        return 1, block or (1 if grid[1] <= FEW else grid[1] // (FEW // 4))
    if block is None:
        # A quarter of a small image's side, a sixteenth of a large one's.
        block = max(1, min(grid) // 16, min(8, min(grid) // 4))
    return block, block


def _part(layout: Layout, block: Block) -> tuple[slice, ...]:
    spans = [slice(block.top, block.bottom), slice(block.left, block.right)][-len(layout.axes) :]
    part = [slice(None)] * (max(layout.axes) + 1)
    for axis, span in zip(layout.axes, spans):
        part[axis] = span
    return tuple(part)
