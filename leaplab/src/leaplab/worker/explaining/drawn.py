"""A heat-map over what the integration's own visualizer shows, laid there by its heat-map function."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import InputSpec, Node
from leaplab.protocol.explaining import Drawing
from leaplab.worker.batch import Batch
from leaplab.worker.explaining.occlusion import layout_of
from leaplab.worker.model import Array

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

PICTURES = {"Image": "data", "ImageWithBBox": "data", "ImageMask": "image", "ImageWithHeatmap": "image"}
"""Type of a visualizer -> the field of what it returns that has the picture."""


def drawn(
    integration: Integration, spec: InputSpec, sample: Batch, values: NDArray[np.float64]
) -> tuple[Drawing | None, tuple[str, ...]]:
    """Lay heat-maps [K, H, W] of an input over what the first visualizer shows that has a heat-map function for it.

    The function gets, as on the platform, values in the place of the input's own and never below 0: what raises, then
    what lowers, so that one that cuts off what is negative loses nothing.

    Returns:
        The drawing, None where there is no such visualizer or it fails, and what is to be said of that.
    """
    for node, function in _with_function(integration, spec):
        try:
            return _drawing(integration, node, function, spec, sample, values), ()
        except LeaplabError as error:
            return None, (f"leaplab draws the map over the input itself: {error}",)
    return None, ()


def _with_function(integration: Integration, spec: InputSpec) -> list[tuple[Node, Any]]:
    listed = integration.code_loader.handlers.visualizers
    functions = {
        each.visualizer_handler_data.name: each.heatmap_function
        for each in listed
        if getattr(each, "heatmap_function", None) is not None
    }
    return [
        (node, functions[node.handler])
        for node in integration.description.visualizers
        if node.handler in functions
        and node.type in PICTURES
        and all(source.kind == "input" for source in node.arguments.values())
        and any(source.name == spec.name for source in node.arguments.values())
    ]


def _drawing(
    integration: Integration,
    node: Node,
    function: Any,
    spec: InputSpec,
    sample: Batch,
    values: NDArray[np.float64],
) -> Drawing:
    arguments = sample.arguments(node)
    assert arguments is not None
    shown = integration.run_visualizer(node, sample.state, sample.ids[0], arguments)
    picture = np.asarray(getattr(shown, PICTURES[node.type]))
    laid = []
    for each in np.nan_to_num(values):
        raises, lowers = (
            _laid(integration, node, function, sample, _heat_of(node, spec, sample, part))
            for part in (np.maximum(each, 0), np.maximum(-each, 0))
        )
        laid.append(raises - lowers)
    return Drawing(node.column, picture, np.stack(laid).astype(np.float32))


def _heat_of(node: Node, spec: InputSpec, sample: Batch, heat: NDArray[np.float64]) -> dict[str, Array]:
    """The arguments of a heat-map function: the map in the place of its input, nothing in that of any other."""
    layout, shape = layout_of(spec), sample.inputs[spec.name].shape[1:]
    fine = stretched(heat, layout.grid(shape or (1,)))
    if len(layout.axes) == 1:
        fine = fine[0]
    wide = [slice(None) if axis in layout.axes else None for axis in range(len(shape))]
    whole = np.broadcast_to(fine[tuple(wide)] if shape else fine[0], shape).astype(np.float32)
    return {
        argument: whole[None].copy()
        if source.name == spec.name
        else np.zeros(sample.inputs[source.name].shape, np.float32)
        for argument, source in node.arguments.items()
    }


def _laid(
    integration: Integration, node: Node, function: Any, sample: Batch, heat: dict[str, Array]
) -> NDArray[np.float64]:
    """What the function makes of one map, [H, W].

    Raises:
        LeaplabError: it fails, or gives no map.
    """
    code_loader, name = integration.code_loader, f"the heat-map function of the visualizer '{node.column}'"
    find = getattr(code_loader.loader, "get_heatmap_visualizer_raw_vis_input_arg_name", None)
    raw_name = find(node.handler) if find is not None else None
    taken = set(inspect.getfullargspec(function).args)
    raw = sample.arguments(node) or {}
    found = None
    for batched in (True, False):  # older ones are written for one sample, without a batch axis
        given: dict[str, Any] = {each: array if batched else array[0] for each, array in heat.items() if each in taken}
        if raw_name is not None:
            from code_loader.contract.datasetclasses import RawInputsForHeatmap

            given[raw_name] = RawInputsForHeatmap({each: array if batched else array[0] for each, array in raw.items()})
        try:
            found = code_loader.run("heatmap_visualizer", node.handler, sample.state, sample.ids, given)
            break
        except Exception as error:
            if not batched:
                raise LeaplabError(f"{name} fails ({type(error).__name__}: {error}).") from error
    map_ = np.asarray(found, np.float64)
    if map_.ndim > 2:  # a batch of one, or one channel
        map_ = map_.reshape([side for side in map_.shape if side != 1])
    if map_.ndim != 2 or 0 in map_.shape or not np.isfinite(map_).all():
        raise LeaplabError(f"{name} gives an array of shape {map_.shape} and no map [H, W] of numbers.")
    return map_


def stretched(values: NDArray[np.float64], grid: Sequence[int]) -> NDArray[np.float64]:
    """[H, W] over another grid that covers the same, between the middles of the cells in straight lines."""
    rows, columns = (_between(length, wanted) for length, wanted in zip(values.shape, grid))
    return rows @ values @ columns.T


def _between(length: int, wanted: int) -> NDArray[np.float64]:
    """[wanted, length]: the share that each of some cells has in each of others."""
    places = (np.arange(wanted) + 0.5) * length / wanted - 0.5
    return np.stack([np.interp(places, np.arange(length), each) for each in np.eye(length)], axis=1)
