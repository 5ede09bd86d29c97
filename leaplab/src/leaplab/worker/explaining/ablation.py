"""Ablation at feature maps: one block of cells at a time becomes what is absent, and the head says what follows.

After Ablation-CAM (Desai and Ramaswamy, 2020), with cells in the place of channels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Sequence

import numpy as np

from leaplab.protocol.cuts import FeatureMap
from leaplab.protocol.explaining import ExplainOrder
from leaplab.worker.batch import Batch
from leaplab.worker.explaining.changes import Changes, Inferred, rows_at_once
from leaplab.worker.explaining.regions import Block, blocks, on_grid
from leaplab.worker.explaining.sample import Mean, blurred, population
from leaplab.worker.explaining.split import Split, require_batch
from leaplab.worker.explaining.targets import Measured
from leaplab.worker.model import Array

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

MOST_CELLS = 2048
"""Cells of a map that are taken away one by one where nobody says how many at once."""


def ablated(
    integration: Integration, order: ExplainOrder, split: Split, sample: Batch, target: Measured
) -> tuple[Changes, tuple[Array, ...]]:
    """What becomes of a target without each block of cells of a model's maps.

    Of several maps, a block is one of the finest, with the cells of the others that cover the same.

    Returns:
        The changes, and the channel means that stood for what is absent, empty where another baseline did.
    """
    names = integration.description.model_inputs
    inputs = [sample.inputs[name] for name in names]
    whole = split.trunk(inputs)
    means = means_of(integration, order, split) if order.baseline == "mean" else ()
    fills = [
        fill_of(array[0], each, order.baseline, place, means)
        for place, (array, each) in enumerate(zip(whole, split.maps))
    ]
    finest = max(split.maps, key=lambda each: each.height * each.width)
    grid = finest.height, finest.width
    taken = blocks(*grid, *_side(grid, order.block))

    def infer(rows: Sequence[Block | None]) -> Inferred:
        changed = [np.repeat(array, len(rows), axis=0) for array in whole]
        for row, block in enumerate(rows):
            if block is not None:
                for array, fill, each in zip(changed, fills, split.maps):
                    _take_away(array[row], fill, each, on_grid(block, grid, (each.height, each.width)))
        outputs, features = split.head(changed, inputs)
        return require_batch(outputs, len(rows)), features

    sizes = sum(array.nbytes for array in whole) + sum(each.nbytes for each in sample.predictions if each is not None)
    at_once = rows_at_once(sizes + target.bytes)
    return Changes.measured(taken, grid, infer, lambda found: target.of_outputs(sample, *found), at_once), means


def tiled(maps: Sequence[FeatureMap], block: int | None) -> str:
    """The sentence that says that cells are taken away together where nobody has asked for that; empty otherwise."""
    finest = max(maps, key=lambda each: each.height * each.width)
    side = 1 if block is not None else _side((finest.height, finest.width), None)[0][0]
    if side == 1:
        return ""
    cells = f"{finest.height * finest.width:,} cells, which are taken away {side} x {side} at a time"
    return f"The map '{finest.tensor}' has {cells}; --block 1 takes each alone."


def _side(grid: tuple[int, int], block: int | None) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Cells of a block, and from one to the next: single cells, or tiles where these would be too many."""
    if block is not None:
        return (block, block), None
    side = max(1, math.ceil(math.sqrt(grid[0] * grid[1] / MOST_CELLS)))
    return (side, side), (side, side)


def means_of(integration: Integration, order: ExplainOrder, split: Split) -> tuple[Array, ...]:
    """The channel means of a model's maps over the population, or what an earlier answer had as such."""
    if order.means is not None:
        return order.means
    names = integration.description.model_inputs
    means = [Mean((1, 2) if each.channel_axis == 1 else (0, 1)) for each in split.maps]
    for batch in population(integration, order.population):
        for mean, array in zip(means, split.trunk([batch.inputs[name] for name in names])):
            mean.add(array)
    return tuple(mean.value for mean in means)


def fill_of(array: Array, each: FeatureMap, baseline: str, place: int, means: Sequence[Array]) -> Array:
    """What stands in each place of a map [C, H, W] or [H, W, C] for what is absent there."""
    if baseline == "blur":
        return blurred(array, (1, 2) if each.channel_axis == 1 else (0, 1))
    value = means[place] if baseline == "mean" else np.float32(0)
    return np.broadcast_to(value, array.shape)


def _take_away(array: Array, fill: Array, each: FeatureMap, block: Block) -> None:
    rows, columns = slice(block.top, block.bottom), slice(block.left, block.right)
    part = (slice(None), rows, columns) if each.channel_axis == 1 else (rows, columns)
    array[part] = fill[part]
