"""The wiring that the integration test tells: which source feeds each argument of each handler.

`LeapLoader` hands it over as `engine_file_contract.node_connections`; nothing is guessed from argument names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterable

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Node, Source

_INDEXED = re.compile(r"^(Input|Prediction)(\d+)$")


@dataclass
class Wiring:
    """The nodes of an integration test, and the names of the inputs in the model's order.

    Attributes:
        left_out: of a mapping file, what is not run, and why: the rest of a sentence each.
        latent_predictions: outputs of the model that feed custom latent spaces.
    """

    model_inputs: list[str] = field(default_factory=list)
    losses: list[Node] = field(default_factory=list)
    metrics: list[Node] = field(default_factory=list)
    visualizers: list[Node] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    latent_predictions: set[int] = field(default_factory=set)


def read_wiring(connections: Iterable[Any]) -> Wiring:
    """Translate code-loader's `NodeConnection` objects.

    Raises:
        LeaplabError: a handler is fed by something that is neither an input, a ground truth nor a prediction.
    """
    wiring = Wiring()
    slots: dict[int, str] = {}
    for connection in connections:
        node, kind = connection.node, connection.node.type.value
        match = _INDEXED.match(kind)
        if match:
            if match.group(1) == "Input":
                slots[int(match.group(2))] = node.name
            continue
        targets = {"CustomLoss": wiring.losses, "Metric": wiring.metrics, "Visualizer": wiring.visualizers}
        if kind in targets:
            arguments = {
                argument: _source(source, node.name) for argument, source in (connection.node_inputs or {}).items()
            }
            targets[kind].append(Node(node.name, node.user_unique_name or node.name, arguments))
        elif kind == "CustomLatentSpace":
            fed = [_INDEXED.match(source.type.value) for source in (connection.node_inputs or {}).values()]
            wiring.latent_predictions |= {int(one[2]) for one in fed if one and one[1] == "Prediction"}
    wiring.model_inputs = [slots[slot] for slot in sorted(slots)]
    return wiring


def _source(mapping: Any, handler: str) -> Source:
    kind = mapping.type.value
    if kind == "GroundTruth":
        return Source("ground_truth", mapping.name)
    if kind == "Input":
        return Source("input", mapping.name)
    match = _INDEXED.match(kind)
    if match is None:
        raise LeaplabError(
            f"'{handler}' is fed by a {kind}, which leaplab does not run; feed it inputs, ground truth or predictions."
        )
    if match.group(1) == "Input":
        return Source("input", mapping.name)
    return Source("prediction", index=int(match.group(2)))
