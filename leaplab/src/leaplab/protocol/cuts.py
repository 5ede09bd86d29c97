"""Where a model is cut in two for a heat-map, found in a graph of names: the lab asks it of ONNX models, the worker of
Keras models.

A *map* is a tensor with two axes of space and more than one cell.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class FeatureMap:
    """A tensor with two axes of space.

    Attributes:
        tensor: its name; of a Keras model, the layer that makes it.
        channel_axis: of [B, C, H, W] or [B, H, W, C]: 1 or 3.
        height, width: its cells.
        channels: of it.
    """

    tensor: str
    channel_axis: int
    height: int
    width: int
    channels: int


@dataclass
class CutGraph:
    """A model's graph, as far as data flows through it.

    Attributes:
        sources: tensors that the input is which the heat-map is of.
        outputs: tensors that the targets are computed of.
        producers: tensor -> the node that makes it.
        inputs: node -> the tensors that it takes; what it takes of a tensor's shape alone is no data.
        order: nodes, each behind those that it takes from.
        maps: tensor -> what is known of it, of those that lie behind a convolution or feed one.
        convolutions: node -> the map that it convolves, of those that have more than one cell.
        weighted: nodes with weights, convolutions among them.
    """

    sources: Sequence[str]
    outputs: Sequence[str]
    producers: Mapping[str, str]
    inputs: Mapping[str, Sequence[str]]
    order: Sequence[str]
    maps: Mapping[str, FeatureMap]
    convolutions: Mapping[str, str]
    weighted: Iterable[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Cuts:
    """Where a graph may be cut.

    Attributes:
        heads: what the first convolution convolves on each way back from the outputs.
        deep: the last map that all ways from the input to the outputs lead through; None where there is none.
        is_last: no convolution of a map comes behind the deep one, which then says all that the heads would.
    """

    heads: tuple[FeatureMap, ...]
    deep: FeatureMap | None
    is_last: bool

    def chosen(self, dense: bool) -> tuple[FeatureMap, ...]:
        """The maps to cut at.

        Args:
            dense: the target is one number of a dense output, such as a detection's score: behind the heads of a
                detector one cell decides it alone, which shows where it lies and not why.
        """
        if self.deep is not None and (self.is_last or dense):
            return (self.deep,)
        return self.heads or (() if self.deep is None else (self.deep,))


def find_cuts(graph: CutGraph) -> Cuts:
    """The cuts of a graph; none of them where no map lies between the input and the outputs."""
    made, ways = _ways(graph)
    heads = tuple(graph.maps[tensor] for tensor in _first_convolved(graph, made))
    if not ways:
        return Cuts(heads, None, False)
    place = {tensor: number for number, tensor in enumerate(ways)}
    # A tensor is on all ways where none leads past it: in an order of the graph, no edge from before it to behind it.
    reach = list(range(len(ways)))
    for node, takes in graph.inputs.items():
        for taken in takes:
            if taken in place:
                for tensor in made.get(node, ()):
                    if tensor in place:
                        reach[place[taken]] = max(reach[place[taken]], place[tensor])
    # All ways begin together and end together.
    first = max(place[tensor] for tensor in graph.sources if tensor in place)
    last = min(place[tensor] for tensor in graph.outputs if tensor in place)
    kernels = [max(place[t] for t in made[node] if t in place) for node in graph.weighted if _is_on(made, node, place)]
    furthest, deep = 0, -1
    for number in range(last + 1):
        past, furthest = furthest, max(furthest, reach[number])
        if number < first or past > number or ways[number] not in graph.maps:
            continue
        if any(kernel > number for kernel in kernels):
            deep = number
    if deep < 0:
        return Cuts(heads, None, False)
    behind = [node for node in graph.convolutions if _is_on(made, node, place)]
    is_last = not any(place[tensor] > deep for node in behind for tensor in made[node] if tensor in place)
    return Cuts(heads, graph.maps[ways[deep]], is_last)


def _ways(graph: CutGraph) -> tuple[dict[str, list[str]], list[str]]:
    """Node -> what it makes, and the tensors on ways from the sources to the outputs, in the graph's order."""
    made: dict[str, list[str]] = {}
    for tensor, node in graph.producers.items():
        made.setdefault(node, []).append(tensor)
    reached = set(graph.sources)
    for node in graph.order:
        if any(taken in reached for taken in graph.inputs.get(node, ())):
            reached.update(made.get(node, ()))
    leading = set(graph.outputs)
    for node in reversed(graph.order):
        if any(tensor in leading for tensor in made.get(node, ())):
            leading.update(graph.inputs.get(node, ()))
    between = reached & leading
    ordered = [tensor for tensor in graph.sources if tensor in between]
    ordered += [tensor for node in graph.order for tensor in made.get(node, ()) if tensor in between]
    return made, list(dict.fromkeys(ordered))


def _is_on(made: Mapping[str, Sequence[str]], node: str, place: Mapping[str, int]) -> bool:
    return any(tensor in place for tensor in made.get(node, ()))


def _first_convolved(graph: CutGraph, made: Mapping[str, Sequence[str]]) -> list[str]:
    found: dict[str, None] = {}
    queue, seen = deque(graph.outputs), set(graph.outputs)
    while queue:
        node = graph.producers.get(queue.popleft())
        if node is None:
            continue
        convolved = graph.convolutions.get(node)
        if convolved is not None:
            if convolved in graph.maps:
                found.setdefault(convolved)
            continue
        for tensor in graph.inputs.get(node, ()):
            if tensor not in seen:
                seen.add(tensor)
                queue.append(tensor)
    return list(found)
