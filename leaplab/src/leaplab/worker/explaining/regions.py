"""What is taken away at once: blocks of cells over one grid, or over several of which each covers the whole."""

from __future__ import annotations

import math
from typing import NamedTuple, Sequence

import numpy as np
from numpy.typing import NDArray


class Block(NamedTuple):
    """Rows `top` to `bottom` and columns `left` to `right`, the last of each not among them."""

    top: int
    bottom: int
    left: int
    right: int


def blocks(height: int, width: int, side: tuple[int, int], stride: tuple[int, int] | None = None) -> list[Block]:
    """Blocks that cover a grid, row by row.

    Args:
        side: cells of a block from top to bottom and from left to right; none is larger than the grid.
        stride: cells from one to the next; None takes half a side, rounded up, so that blocks of more than one cell
            overlap.
    """
    rows, columns = min(side[0], height), min(side[1], width)
    steps = stride or ((rows + 1) // 2, (columns + 1) // 2)
    return [
        Block(top, top + rows, left, left + columns)
        for top in _starts(height, rows, steps[0])
        for left in _starts(width, columns, steps[1])
    ]


def _starts(length: int, side: int, step: int) -> list[int]:
    starts = list(range(0, length - side + 1, step))
    return starts if starts[-1] + side == length else [*starts, length - side]


def on_grid(block: Block, of: tuple[int, int], grid: tuple[int, int]) -> Block:
    """A block of one grid on another that covers the same: the cells with their centre in it, else the one around its.

    Args:
        of: rows and columns of the grid that the block is of.
        grid: rows and columns of the other.
    """
    top, bottom = _span(block.top, block.bottom, of[0], grid[0])
    left, right = _span(block.left, block.right, of[1], grid[1])
    return Block(top, bottom, left, right)


def _span(start: int, stop: int, length: int, other: int) -> tuple[int, int]:
    scale = other / length
    first, last = math.ceil(start * scale - 0.5), math.ceil(stop * scale - 0.5)
    if last > first:
        return first, last
    cell = min(int((start + stop) / 2 * scale), other - 1)
    return cell, cell + 1


def laid_out(taken: Sequence[Block], values: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Values of blocks as a map: of each cell, the mean over the blocks that it lies in.

    Args:
        values: [R, K], one row a block; NaN counts for nothing.

    Returns:
        [K, H, W]; NaN where no block of the cell has a value.
    """
    total = np.zeros((values.shape[1], height, width))
    count = np.zeros((values.shape[1], height, width))
    for block, each in zip(taken, values):
        known = np.isfinite(each)
        part = (slice(None), slice(block.top, block.bottom), slice(block.left, block.right))
        total[part] += np.where(known, each, 0.0)[:, None, None]
        count[part] += known[:, None, None]
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)
