"""One latent vector an element instance: what the model sees where the instance's mask lies."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.worker.area_means import area_means
from leaplab.worker.model import Feature

Array = NDArray[Any]


def maps_of(features: Sequence[Feature], row: int) -> list[Array] | None:
    """The feature maps of one sample of a batch, [C, h, w] each; None where something else feeds the head."""
    if not features or any(feature.values.ndim != 4 for feature in features):
        return None
    return [np.moveaxis(feature.values, feature.channel_axis, 1)[row] for feature in features]


def instance_vector(mask: Array, maps: Sequence[Array]) -> Array | None:
    """The mean of each map inside a mask, one behind the other; a cell counts by the share of it that the mask covers.

    Args:
        mask: [H, W], or with channels in front or behind; what is not 0 belongs to the instance, in any channel.
        maps: [C, h, w] each, of the same area.

    Returns:
        [W] float32, W the sum of the channels; None for an empty mask.
    """
    inside = mask != 0
    if inside.ndim == 3:
        # Channels are fewer than pixels are on a side.
        inside = np.logical_or.reduce(inside, axis=int(np.argmin(inside.shape)))
    if not inside.any():
        return None
    covered = inside.astype(np.float32)
    vectors = []
    for each in maps:
        weights = area_means(area_means(covered, 0, each.shape[1]), 1, each.shape[2]).reshape(-1)
        flat = each.reshape(len(each), -1).astype(np.float32, copy=False)
        vectors.append(flat @ weights / weights.sum())
    return np.concatenate(vectors).astype(np.float32)
