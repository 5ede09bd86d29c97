"""What a model makes of each place of many samples: the cells of one of its feature maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

import numpy as np

from leaplab.errors import MissingError
from leaplab.protocol.explaining import Cells, CellsOrder
from leaplab.protocol.plain_text import plain_text
from leaplab.worker.explaining.explain import input_named, split_of
from leaplab.worker.explaining.occlusion import layout_of
from leaplab.worker.explaining.sample import population, read

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration


def cells(integration: Integration, order: CellsOrder) -> Iterator[Cells]:
    """The cells of some samples, some at a time.

    Raises:
        LeaplabError: there is no such input or layer, the model has no map, or the sample that is whole is not.
    """
    spec = input_named(integration.description, order.input)
    layout = layout_of(spec)
    names = integration.description.model_inputs
    first = read(integration, order.sample)
    split, why = split_of(integration, order.split, order.layer, spec, first, dense=True)
    if split is None or len(layout.axes) < 2:
        told = f"{why[0].split(', so that')[0]}" if why else f"The input '{spec.name}' has no two sides"
        raise MissingError(f"{told}, so that no region has vectors of its own; look for whole samples.")
    height, width = layout.grid(first.inputs[spec.name].shape[1:])
    place_of = {(each.state, each.sample_id): place for place, each in enumerate(order.samples)}
    for batch in population(integration, order.samples):
        (array,), (each,) = split.trunk([batch.inputs[name] for name in names]), split.maps
        array = np.moveaxis(array, 1, 3) if each.channel_axis == 1 else array
        with np.errstate(over="ignore"):
            values = np.ascontiguousarray(array, np.float16)
        places = tuple(place_of[batch.state, plain_text(str(known))] for known in batch.ids)
        yield Cells(places, values, each.tensor, spec.name, height, width)
