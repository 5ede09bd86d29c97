"""The sample that a heat-map is of, the population that it is held against, and what stands for what is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError, MissingError
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.plain_text import plain_text
from leaplab.worker.batch import Batch, infer
from leaplab.worker.encoding import encode
from leaplab.worker.model import Array
from leaplab.worker.wanted import Wanted

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

INPUTS = Wanted(everything=False, metadata=False, losses=True, metrics=False, model=True, ground_truths=False)
TENSORS = Wanted(everything=False, metadata=False, losses=True, metrics=True, model=True)
TOGETHER = 16
"""Samples of the population that are encoded and run at once."""
BLURS = 2
"""Box blurs, one after another, that stand for a Gaussian one."""


def read(integration: Integration, order: SampleOrder) -> Batch:
    """A batch of one sample: its inputs, ground truths and predictions.

    Raises:
        LeaplabError: there is no such sample, or it cannot be encoded or inferred.
    """
    batch = encode(integration, order.state, [_id_of(integration, order)], wanted=TENSORS).batch
    batch.predictions = infer(integration.predictor(), integration.description, batch).outputs
    return batch


def _id_of(integration: Integration, order: SampleOrder) -> str | int:
    # A run knows ids as text; in the integration they may be integers.
    for known in integration.sample_ids(order.state):
        if plain_text(str(known)) == order.sample_id:
            return known
    raise MissingError(f"The integration has no sample '{order.sample_id}' in {order.state}.")


def population(integration: Integration, orders: Sequence[SampleOrder]) -> Iterator[Batch]:
    """The inputs of samples, some at a time and all of one state; those that cannot be encoded are left out."""
    by_state: dict[str, set[str]] = {}
    for order in orders:
        by_state.setdefault(order.state, set()).add(order.sample_id)
    for state, wanted in by_state.items():
        ids = [known for known in integration.sample_ids(state) if plain_text(str(known)) in wanted]
        for start in range(0, len(ids), TOGETHER):
            some = ids[start : start + TOGETHER]
            batch = encode(integration, state, some, failed=_left_out, wanted=INPUTS).batch
            if batch.ids:
                yield batch


def _left_out(row: int, error: LeaplabError) -> None:
    """A sample that has no arrays says nothing of the mean."""


class Mean:
    """The mean of arrays [B, ...] that come one after another, over the batch and some of their other axes.

    Args:
        axes: of one sample, that the mean is over.
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        self._axes = (0, *(axis + 1 for axis in axes))
        self._total: NDArray[np.float64] | None = None
        self._count = 0

    def add(self, arrays: Array) -> None:
        """Take some more."""
        kept = arrays.astype(np.float64).sum(axis=self._axes, keepdims=True)[0]
        self._total = kept if self._total is None else self._total + kept
        self._count += arrays.size // max(kept.size, 1)

    @property
    def value(self) -> NDArray[np.float32]:
        """Of the shape of one sample, with 1 for the axes that it is over.

        Raises:
            LeaplabError: there was none.
        """
        if self._total is None:
            raise LeaplabError(
                "No sample of the population could be read, so that there is no mean; take another baseline."
            )
        return (self._total / self._count).astype(np.float32)


def blurred(array: Array, axes: Sequence[int]) -> NDArray[np.float32]:
    """An array with what is smaller than a quarter of its sides smoothed away: box blurs that stop at its edges."""
    smooth = array.astype(np.float64)
    for axis in axes:
        radius = max(1, array.shape[axis] // 8)
        for _ in range(BLURS):
            smooth = _box(smooth, axis, radius)
    return smooth.astype(np.float32)


def _box(array: NDArray[np.float64], axis: int, radius: int) -> NDArray[np.float64]:
    length = array.shape[axis]
    last = np.moveaxis(array, axis, -1)
    sums = np.concatenate([np.zeros((*last.shape[:-1], 1)), np.cumsum(last, axis=-1)], axis=-1)
    low = np.maximum(np.arange(length) - radius, 0)
    high = np.minimum(np.arange(length) + radius + 1, length)
    return np.moveaxis((sums[..., high] - sums[..., low]) / (high - low), -1, axis)
