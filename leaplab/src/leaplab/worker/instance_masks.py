"""Where the element instances of a sample lie, small enough to be sent and drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.inspection import Mask, SampleOrder
from leaplab.worker.area_means import grid_means
from leaplab.worker.instance_vectors import inside_of, span_of

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

SIDE = 320
"""Cells of the longer side of a mask that is made small."""


def instance_masks(integration: Integration, order: SampleOrder) -> list[Mask]:
    """The masks of a sample's element instances by their numbers; one that is empty is left out.

    No model runs, and only one mask is held in its own size.

    Raises:
        LeaplabError: there is no such sample, or see `InstanceReader.read`.
    """
    sample_id = integration.sample_id_of(order.state, order.sample_id)
    masks = []
    for number, instance in enumerate(integration.instances(order.state, sample_id)):
        inside = None if instance is None else inside_of(instance.nonzero)
        if inside is not None and inside.any():
            masks.append(_made_small(number, inside))
    return masks


def _made_small(number: int, inside: NDArray[np.bool_]) -> Mask:
    height, width = inside.shape
    down, across = (span_of(np.logical_or.reduce(inside, axis=axis)) for axis in (1, 0))
    box = (across.start / width, down.start / height, across.stop / width, down.stop / height)
    factor = SIDE / max(height, width)
    if factor < 1:
        rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
        shares = grid_means(inside.astype(np.float32), (rows, columns))
        half = shares >= 0.5
        # What is thinner than half a cell is still there.
        inside = half if half.any() else shares > 0
    return Mask(number, box, np.ascontiguousarray(inside), (width, height))
