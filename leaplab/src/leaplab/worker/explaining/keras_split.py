"""A Keras model that tells its graph, of Keras 2 or 3, cut in two at its feature maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np

from leaplab.errors import MissingError
from leaplab.protocol.cuts import CutGraph, Cuts, FeatureMap, find_cuts
from leaplab.protocol.explaining import Layer
from leaplab.worker.explaining.split import Split
from leaplab.worker.keras_model import (
    KerasPredictor,
    channel_axis_of,
    flattened,
    has_kernel,
    is_graph,
    layer_of,
    model_class,
    taken_by,
)
from leaplab.worker.model import Array, Feature

CONVOLVED = 4
"""Axes of what a convolution of two axes of space takes."""


@dataclass
class KerasGraph:
    """A model's graph, with the tensors by their keys.

    Attributes:
        graph: as it is cut, see `CutGraph`.
        tensors: key -> symbolic tensor.
        cuts: of it.
    """

    graph: CutGraph
    tensors: dict[str, Any]
    cuts: Cuts


class KerasSplit(Split):
    """A Keras model cut at some of its tensors.

    Args:
        predictor: the model, with its latent tensors behind its outputs.
        maps: what to cut at.
        tensors: of these.
    """

    def __init__(self, predictor: KerasPredictor, maps: Sequence[FeatureMap], tensors: Sequence[Any]) -> None:
        self.maps = tuple(maps)
        model = predictor._model
        build = model_class(model)
        self._predictor = predictor
        self._trunk = build(model.inputs, list(tensors))
        self._others = _needed_inputs(model, tensors)
        others = [model.inputs[place] for place in self._others]
        # What is cut at may itself be what the latent vectors are of: no head makes that.
        places = {id(tensor): place for place, tensor in enumerate(tensors)}
        self._given = {row: places[id(each)] for row, each in enumerate(model.outputs) if id(each) in places}
        made = [each for row, each in enumerate(model.outputs) if row not in self._given]
        self._head = build([*tensors, *others], made)
        self._rows = 0

    def trunk(self, inputs: Sequence[Array]) -> list[Array]:
        rows = len(inputs[0])
        fixed = self._predictor.fixed_batch
        parts = [
            _outputs(self._trunk, [_filled(array[start : start + (fixed or rows)], fixed) for array in inputs])
            for start in range(0, rows, fixed or rows)
        ]
        return [np.concatenate(each)[:rows] for each in zip(*parts)]

    def head(self, maps: Sequence[Array], inputs: Sequence[Array]) -> tuple[list[Array | None], list[Feature]]:
        rows = len(maps[0])
        # One size for all batches: another one would be compiled anew.
        self._rows = self._predictor.fixed_batch or max(self._rows, rows)
        given = [*maps, *(np.repeat(inputs[place], rows, axis=0) for place in self._others)]
        parts = [
            _outputs(self._head, [_filled(array[start : start + self._rows], self._rows) for array in given])
            for start in range(0, rows, self._rows)
        ]
        made = iter([np.concatenate(each)[:rows] for each in zip(*parts)])
        width = len(self._predictor._model.outputs)
        whole = [maps[self._given[row]] if row in self._given else next(made) for row in range(width)]
        count = self._predictor._outputs
        features = [
            Feature(name, whole[count + place], axis) for place, (name, axis) in enumerate(self._predictor._features)
        ]
        return [*whole[:count]], features

    def differentiable(self, given: Any, inputs: Sequence[Array]) -> list[Any]:
        """TensorFlow's tensors that follow from one map, [1, ...]: outputs, then what feeds the model's own head."""
        import tensorflow

        others = [tensorflow.convert_to_tensor(inputs[place]) for place in self._others]
        results = self._head([given, *others] if others else given, training=False)
        made = iter(results if isinstance(results, (list, tuple)) else [results])
        width = len(self._predictor._model.outputs)
        return [given if row in self._given else next(made) for row in range(width)]


def split_keras(
    predictor: KerasPredictor, position: int, layer: str, dense: bool, sample: Sequence[Array]
) -> KerasSplit | None:
    """A model cut for a heat-map over the input of that position; None where it has no map to cut at.

    Args:
        layer: to cut at; empty chooses.
        dense: see `Cuts.chosen`.
        sample: one sample's inputs, [1, ...].

    Raises:
        MissingError: there is no such layer, or it gives no map.
    """
    found = keras_graph(predictor, position, sample)
    if layer:
        keys = [key for key, each in found.graph.maps.items() if each.tensor == layer]
        if not keys:
            raise MissingError(
                f"The model has no layer '{layer}' with two axes of space and more than one cell; --layer list"
                " tells those that a map can be taken of."
            )
        maps: tuple[FeatureMap, ...] = (found.graph.maps[keys[-1]],)
    else:
        maps = found.cuts.chosen(dense)
    if not maps:
        return None
    by_map = {each: key for key, each in found.graph.maps.items()}
    return KerasSplit(predictor, maps, [found.tensors[by_map[each]] for each in maps])


def keras_layers(predictor: KerasPredictor, position: int, sample: Sequence[Array]) -> list[Layer]:
    """The maps that a model can be cut at, from its inputs on."""
    found = keras_graph(predictor, position, sample)
    heads = found.cuts.chosen(False)
    layers = []
    for each in found.graph.maps.values():
        uses = [use for use, is_it in (("head", each in heads), ("deep", each == found.cuts.deep)) if is_it]
        layers.append(Layer(each, ", ".join(uses)))
    return layers


def keras_graph(predictor: KerasPredictor, position: int, sample: Sequence[Array]) -> KerasGraph:
    """The graph of a model; one that is a layer of it is a node like the others."""
    model = predictor._model
    producers: dict[str, str] = {}
    inputs: dict[str, list[str]] = {}
    tensors: dict[str, Any] = {}
    layers: dict[str, Any] = {}
    kept: list[Any] = [model]  # an `id` is of what is alive

    def key(tensor: Any) -> str:
        tensors.setdefault(str(id(tensor)), tensor)
        kept.append(tensor)
        return str(id(tensor))

    depths = sorted(model._nodes_by_depth, reverse=True)
    for node in (node for depth in depths for node in model._nodes_by_depth[depth]):
        if node.is_input:
            continue
        step = f"{id(node)}"
        inputs[step] = [key(tensor) for tensor in taken_by(node)]
        layers[step] = layer_of(node)
        producers.update(dict.fromkeys((key(tensor) for tensor in flattened(node.outputs)), step))
    weighted = [step for step, layer in layers.items() if has_kernel(layer) or is_graph(layer)]
    convolving = [
        step for step in weighted if len(inputs[step]) == 1 and len(tensors[inputs[step][0]].shape) == CONVOLVED
    ]
    maps = _maps(model, producers, inputs, tensors, layers, set(convolving), sample)
    outputs = [key(tensor) for tensor in model.outputs[: predictor._outputs]]
    graph = CutGraph(
        [key(model.inputs[position])],
        outputs,
        producers,
        inputs,
        list(inputs),
        maps,
        {step: inputs[step][0] for step in convolving if _cells(tensors[inputs[step][0]], layers[step]) != 1},
        weighted,
    )
    return KerasGraph(graph, tensors, find_cuts(graph))


def _maps(
    model: Any,
    producers: dict[str, str],
    inputs: dict[str, list[str]],
    tensors: dict[str, Any],
    layers: dict[str, Any],
    convolving: set[str],
    sample: Sequence[Array],
) -> dict[str, FeatureMap]:
    """The maps behind a convolution. What a layer calls its channels' axis holds for those that do not say."""
    axes: dict[str, int] = {}
    unknown: dict[str, tuple[str, int]] = {}
    maps: dict[str, FeatureMap] = {}
    for step, taken in inputs.items():
        layer = layers[step]
        says = step in convolving or hasattr(layer, "data_format")
        before = [axes[tensor] for tensor in taken if tensor in axes]
        if step not in convolving and not before:
            continue
        axis = (1 if channel_axis_of(layer) == 1 else 3) if says else before[0]
        for tensor in (each for each, maker in producers.items() if maker == step):
            shape = tensors[tensor].shape
            if len(shape) != CONVOLVED or type(layer).__name__ in ("Permute", "Reshape"):
                continue
            axes[tensor] = axis
            unknown[tensor] = (layer.name, axis)
    shapes = _shapes(model, {tensor: tensors[tensor] for tensor in unknown}, sample)
    for tensor, (name, axis) in unknown.items():
        shape = shapes[tensor]
        height, width = shape[2:] if axis == 1 else shape[1:3]
        if height * width > 1:
            maps[tensor] = FeatureMap(name, axis, height, width, shape[axis])
    return maps


def _shapes(model: Any, wanted: dict[str, Any], sample: Sequence[Array]) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor, by one run where the model does not tell it."""
    told = {tensor: tuple(each.shape) for tensor, each in wanted.items()}
    open_ = [tensor for tensor, shape in told.items() if None in shape[1:]]
    if open_:
        run = model_class(model)(model.inputs, [wanted[tensor] for tensor in open_])
        told.update((tensor, array.shape) for tensor, array in zip(open_, _outputs(run, sample)))
    return told


def _cells(tensor: Any, layer: Any) -> int | None:
    shape = tuple(tensor.shape)
    sides = shape[2:] if channel_axis_of(layer) == 1 else shape[1:3]
    return None if None in sides else int(sides[0] * sides[1])


def _needed_inputs(model: Any, tensors: Sequence[Any]) -> list[int]:
    """Positions of the model's inputs from which its outputs can be reached without the cut."""
    makers: dict[int, Any] = {}
    for nodes in model._nodes_by_depth.values():
        for node in nodes:
            if not node.is_input:
                makers.update((id(tensor), node) for tensor in flattened(node.outputs))
    stops = {id(tensor) for tensor in tensors}
    queue, seen = list(model.outputs), set(stops)
    while queue:
        tensor = queue.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if id(tensor) in makers:
            queue.extend(taken_by(makers[id(tensor)]))
    return [place for place, tensor in enumerate(model.inputs) if id(tensor) in seen]


def _filled(array: Array, rows: int | None) -> Array:
    missing = (rows or len(array)) - len(array)
    return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) if missing > 0 else array


def _outputs(model: Any, given: Sequence[Array]) -> list[Array]:
    results = model.predict_on_batch(list(given) if len(given) > 1 else given[0])
    return [np.asarray(each) for each in (results if isinstance(results, (list, tuple)) else [results])]
