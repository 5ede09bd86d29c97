"""What becomes of a target where something is taken away, block by block and some of them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Callable, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.worker.explaining.regions import Block, laid_out
from leaplab.worker.model import Array, Feature

BUDGET = 8 << 20
"""Bytes that the arrays of a batch may take; what a model makes in between comes on top."""
MOST_ROWS = 256
Inferred = Tuple[Sequence[Optional[Array]], Sequence[Feature]]
"""What a model makes of a batch: its outputs, and what feeds its head."""


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
        infer: Callable[[Sequence[Block | None]], Inferred],
        measure: Callable[[Inferred], NDArray[np.float64]],
        rows: int,
    ) -> Changes:
        """Take one block away after another.

        Args:
            taken: of a grid of so many rows and columns.
            infer: what the model makes of the sample without each of B blocks; None takes nothing away. It runs in a
                thread of its own, so that a batch is on its way while the one before is measured.
            measure: [B, K], the targets of these.
            rows: how many are measured at once.

        Raises:
            LeaplabError: the target is no number for the sample as it is, or without any of the blocks.
        """
        asked: list[Block | None] = [None, *taken]
        parts = []
        with ThreadPoolExecutor(1, "inference") as models:
            coming = models.submit(infer, asked[:rows])
            for start in range(0, len(asked), rows):
                inferred = coming.result()
                if start + rows < len(asked):
                    coming = models.submit(infer, asked[start + rows : start + 2 * rows])
                parts.append(measure(inferred))
        found = np.concatenate(parts)
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
