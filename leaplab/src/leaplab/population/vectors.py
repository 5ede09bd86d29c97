"""The vectors of a run's latent space: in memory, or read by blocks where they would not fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.parted import PartedVectors, blocks_of
from leaplab.errors import LeaplabError
from leaplab.population.cached import cached
from leaplab.store.run import RunStore

IN_MEMORY = 2**31
"""Bytes of a space's vectors that are read into memory; of more no more than a block is there at once."""
FINITE_VERSION = 1


@dataclass(frozen=True)
class Vectors:
    """The vectors of a latent space that are finite.

    Attributes:
        rows: [n] of the run, ascending.
        values: [n, W] float32: an array, or, of more than two gibibytes, what reads as one: a slice, rows or a mask of
            it are an array, and so is `numpy.asarray` of it, where that fits.
        left_out: how many of the run's rows have a vector with NaN or infinity.
    """

    rows: NDArray[np.int64]
    values: NDArray[np.float32] | PartedVectors
    left_out: int


def vectors_of(store: RunStore, space: str) -> Vectors:
    """The finite vectors of a space.

    Raises:
        LeaplabError: there is no such space, or no vector of it is finite.
    """
    parts = store.latent_parts(space)
    values: NDArray[np.float32] | PartedVectors
    finite: NDArray[np.bool_]
    if sum(part.nbytes for part in parts) > IN_MEMORY:
        values = PartedVectors(parts)
        finite = cached(store, "finite", FINITE_VERSION, {"space": space}, lambda: _finite(values))
    else:
        values = np.concatenate(parts)
        finite = _finite(values)
    if not finite.any():
        raise LeaplabError(
            f"Every vector of the latent space '{space}' holds NaN or infinity; look at the model, or take"
            " another layer by --latent."
        )
    rows = np.flatnonzero(finite)
    if len(rows) < len(finite):
        values = values.of(rows) if isinstance(values, PartedVectors) else values[finite]
    return Vectors(rows, values, len(finite) - len(rows))


def _finite(vectors: NDArray[np.float32] | PartedVectors) -> NDArray[np.bool_]:
    return np.concatenate([np.isfinite(block).all(axis=1) for _, block in blocks_of(vectors)])
