"""One latent vector an element instance: what the model sees where the instance's mask lies."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.worker.area_means import grid_means
from leaplab.worker.model import Feature

Array = NDArray[Any]


def are_maps(features: Sequence[Feature]) -> bool:
    """Whether what feeds the head tells places apart."""
    return bool(features) and all(feature.values.ndim == 4 for feature in features)


def maps_of(features: Sequence[Feature], row: int) -> list[Array] | None:
    """The feature maps of one sample of a batch, [C, h, w] float32 each, laid out in this order, because many instances
    are read from them. None where something else feeds the head.
    """
    if not are_maps(features):
        return None
    of_sample = [np.moveaxis(feature.values, feature.channel_axis, 1)[row] for feature in features]
    return [np.ascontiguousarray(each, np.float32) for each in of_sample]


def inside_of(mask: Array) -> NDArray[np.bool_]:
    """[H, W] where a mask is not 0.

    Args:
        mask: [H, W], or with channels in front or behind, of which any counts.
    """
    nonzero: NDArray[np.bool_] = mask if mask.dtype == np.bool_ else mask != 0
    if nonzero.ndim == 2:
        return nonzero
    # Channels are fewer than pixels are on a side. One by one: numpy goes along an axis of three very slowly; and only
    # the rows that have any, since channels behind the pixels lie apart from one another.
    axis = int(np.argmin(nonzero.shape))
    channels = np.moveaxis(nonzero, axis, 0)
    rows = span_of(np.logical_or.reduce(nonzero.reshape(len(nonzero), -1), axis=1)) if axis == 2 else slice(None)
    inside = np.zeros(channels.shape[1:], np.bool_)
    for channel in channels:
        inside[rows] |= channel[rows]
    return inside


def span_of(some: Array) -> slice:
    """From the first that is true to the last."""
    return slice(int(some.argmax()), len(some) - int(some[::-1].argmax()))


def _shares(inside: NDArray[np.bool_], sides: tuple[int, int]) -> Array:
    """The share of each cell of a grid that lies inside; most cells are far from a mask, and are not looked at."""
    if inside.shape[0] % sides[0] or inside.shape[1] % sides[1]:
        return grid_means(inside.astype(np.float32), sides)
    cells, pixels = [], []
    for axis in (0, 1):
        size = inside.shape[axis] // sides[axis]
        span = span_of(np.logical_or.reduce(inside, axis=1 - axis))
        cells.append(slice(span.start // size, -(-span.stop // size)))
        pixels.append(slice(cells[axis].start * size, cells[axis].stop * size))
    shares = np.zeros(sides, np.float32)
    within = shares[cells[0], cells[1]]
    within[...] = grid_means(inside[pixels[0], pixels[1]].astype(np.float32), within.shape)
    return shares


def instance_vector(mask: Array, maps: Sequence[Array]) -> Array | None:
    """The mean of each map inside a mask, one behind the other; a cell counts by the share of it that the mask covers.

    Args:
        mask: [H, W], or with channels in front or behind; what is not 0 belongs to the instance, in any channel.
        maps: [C, h, w] float32 each, of the same area, see `maps_of`.

    Returns:
        [W] float32, W the sum of the channels; None for an empty mask.
    """
    inside = inside_of(mask)
    if not inside.any():
        return None
    shares: dict[tuple[int, int], Array] = {}
    for sides in sorted({(each.shape[1], each.shape[2]) for each in maps}, reverse=True):
        # Of a finer grid whose cells fill those of a coarser one, the means are as good as those of the mask.
        finer = (found for known, found in shares.items() if not known[0] % sides[0] and not known[1] % sides[1])
        covered = next(finer, None)
        shares[sides] = _shares(inside, sides) if covered is None else grid_means(covered, sides)
    vectors = []
    for each in maps:
        weights = shares[each.shape[1], each.shape[2]]
        # Most of a map lies outside of a mask, and reading it costs most. Not a matrix product, whose threads would
        # wait for the model's.
        box = span_of(weights.max(axis=1) > 0), span_of(weights.max(axis=0) > 0)
        sums = np.einsum("chw,hw->c", each[(slice(None), *box)], weights[box])
        vectors.append(sums / weights.sum())
    return np.concatenate(vectors).astype(np.float32)
