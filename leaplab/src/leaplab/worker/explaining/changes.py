"""What becomes of a target where something is taken away, block by block and some of them at once."""

from __future__ import annotations

from typing import Callable, NamedTuple, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.worker.explaining.regions import Block, laid_out

BUDGET = 8 << 20
"""Bytes that the arrays of a batch may take; what a model makes in between comes on top."""
MOST_ROWS = 256


def rows_at_once(size: int) -> int:
    """How many changed samples of so many bytes are run at once."""
    return max(1, min(MOST_ROWS, BUDGET // max(size, 1)))


class Changes(NamedTuple):
    """A heat-map, and what it is of.

    Attributes:
        targets: [K] of the sample as it is.
        values: [K, H, W], by how much the target falls without what lies there.
        unknown: how many blocks leave the target without a number.
        blocks: how many were taken away.
    """

    targets: NDArray[np.float64]
    values: NDArray[np.float64]
    unknown: int
    blocks: int

    @classmethod
    def measured(
        cls,
        taken: Sequence[Block],
        grid: tuple[int, int],
        outcome: Callable[[Sequence[Block | None]], NDArray[np.float64]],
        rows: int,
    ) -> Changes:
        """Take one block away after another.

        Args:
            taken: of a grid of so many rows and columns.
            outcome: [B, K], the targets without each of B blocks; None takes nothing away.
            rows: how many are measured at once.

        Raises:
            LeaplabError: the target is no number for the sample as it is, or without any of the blocks.
        """
        asked: list[Block | None] = [None, *taken]
        found = np.concatenate([outcome(asked[start : start + rows]) for start in range(0, len(asked), rows)])
        base, changed = found[0], found[1:]
        if not np.isfinite(base).all():
            raise LeaplabError("The target is NaN or infinite for the sample as it is, so that nothing can change it.")
        unknown = int((~np.isfinite(changed)).any(axis=1).sum())
        if unknown == len(taken):
            raise LeaplabError(
                "The target is NaN or infinite whatever is taken away, so that there is no map; take another baseline."
            )
        with np.errstate(invalid="ignore"):
            difference = base - changed
        return cls(base, laid_out(taken, difference, *grid), unknown, len(taken))
