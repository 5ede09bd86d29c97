"""Keras models, with the tensors that feed the head added to the outputs: of Keras 3, Keras 2 and tf_keras.

Importing this module imports none of them: a model's own class tells which one made it.
"""

from __future__ import annotations

import importlib
import os
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.graph import frontier
from leaplab.protocol.model import without_latent
from leaplab.worker.model import Array, Feature, Predictor

_KERAS_PACKAGES = ("keras", "tf_keras", "tensorflow")
_KERNELS = ("kernel", "depthwise_kernel")
"""Weights that make a layer count; Keras 2 names those of depthwise convolutions apart."""
_CANDIDATES = 3
"""How many layers a person is told to choose from."""


class KerasPredictor(Predictor):
    """Runs a functional or sequential Keras model. See `leaplab.worker.model.Predictor`.

    Args:
        model: that has a graph, see `has_graph`.
        latent: name of the layer to take latent vectors from, instead of what feeds the head; `OUTER/INNER` for one of
            a model that is a layer of the model.

    Raises:
        LeaplabError: `latent` names no layer of it.
    """

    format = "keras"
    unbatched: frozenset[int] = frozenset()

    def __init__(self, model: Any, latent: str | None = None) -> None:
        build = model_class(model)
        outputs = list(model.outputs)
        graph = _Graph(model, build)
        features = graph.features(latent)
        self._outputs = len(outputs)
        self._features = [(layer, axis) for layer, _, axis in features]
        self.latent_source = ", ".join(layer for layer, _, _ in features)
        self.notices: tuple[str, ...] = ()
        if not features:
            why = "no layer with a kernel, dense or a convolution, leads to the model's outputs"
            self.notices = (without_latent(why, graph.candidates()),)
        batch = model.inputs[0].shape[0]
        self.fixed_batch = batch if isinstance(batch, int) else None
        self._inputs = [tensor.name.partition(":")[0] for tensor in model.inputs]
        self._model = build(model.inputs, [*outputs, *(tensor for _, tensor, _ in features)])

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[Feature]]:
        if len(inputs) != len(self._inputs):
            raise LeaplabError(
                f"The model takes {len(self._inputs)} inputs ({', '.join(self._inputs)}), but the integration feeds it"
                f" {len(inputs)}; correct the integration test or --model."
            )
        results = self._model.predict_on_batch(list(inputs) if len(inputs) > 1 else inputs[0])
        results = results if isinstance(results, (list, tuple)) else [results]
        arrays = [np.asarray(result) for result in results]
        features = [
            Feature(name, arrays[self._outputs + place], axis) for place, (name, axis) in enumerate(self._features)
        ]
        return arrays[: self._outputs], features


def read_keras(path: Path, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Read an .h5 or .keras file, or a SavedModel's folder that Keras 2 wrote, without compiling it.

    Args:
        custom_objects: name -> class of a layer that Keras does not know.

    Raises:
        LeaplabError: it is no Keras model, or there is no Keras to read it.
    """
    keras = installed_keras(path)
    # A layer is asked for by the name that it was registered under, or by that of its class.
    known = {**(custom_objects or {}), **{layer.__name__: layer for layer in (custom_objects or {}).values()}}
    try:
        return keras.models.load_model(str(path), custom_objects=known, compile=False)
    except Exception as error:  # h5py, zipfile and Keras raise many types here
        reason = " ".join(str(error).split())
        if path.suffix == ".keras" and not is_zipfile(path):  # Keras takes such a file for one that is not there
            reason = "it is cut short, damaged, or none at all; save or download it again."
        elif "truncated file" in reason or "file signature not found" in reason:
            reason = f"it is cut short, damaged, or none at all ({reason}); save or download it again."
        raise LeaplabError(f"{path} cannot be read as a Keras model: {reason}") from error


def is_keras(model: Any, name: str) -> bool:
    """Whether a model's class is, or derives from, the class of that name of any Keras."""
    return any(base.__name__ == name and _is_of_keras(base) for base in type(model).__mro__)


def has_graph(model: Any) -> bool:
    """Whether a Keras model tells its graph: it is functional, or sequential and built.

    Raises:
        LeaplabError: it is sequential and not built.
    """
    if not is_keras(model, "Model"):
        return False
    ends = bool(getattr(model, "outputs", None) and getattr(model, "inputs", None))
    if not ends and _is_sequential(model):
        raise LeaplabError(f"The Keras model '{model.name}' is not built; save it after it was called once.")
    return ends and (_is_sequential(model) or bool(getattr(model, "_nodes_by_depth", None)))


def model_class(model: Any) -> Any:
    """The class `Model` of the Keras that made a model, found without importing any."""
    return next(base for base in type(model).__mro__ if base.__name__ == "Model" and _is_of_keras(base))


def installed_keras(path: Path) -> Any:
    """The Keras by which TensorFlow's own choice reads model files.

    Raises:
        LeaplabError: there is none.
    """
    legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in ("1", "true")
    for package in ("tf_keras", "keras") if legacy else ("keras", "tf_keras"):
        try:
            return importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
    raise LeaplabError(f"{path} needs Keras, which is not installed where the integration runs; install it there.")


class _Graph:
    """Layers and tensors of a model, and of the models that are layers of it, as names for `frontier`.

    A tensor's key is the call of the model that it lies in, and its `id`: a model that is called twice has each of its
    tensors twice.
    """

    def __init__(self, model: Any, build: Any) -> None:
        self._build = build
        self._producers: dict[str, str] = {}
        self._inputs: dict[str, list[str]] = {}
        self._weighted: dict[str, tuple[str, int]] = {}
        self._tensors: dict[str, Any] = {}
        self._makers: dict[str, str] = {}
        self._layers: dict[str, tuple[str, int]] = {}
        self._calls: dict[str, tuple[Any, list[str]]] = {}
        self._parts: dict[tuple[int, int], Any] = {}
        self._kept: list[Any] = []  # an `id` is of what is alive
        self._names = [layer.name for layer in model.layers]
        self._start = self._walk(model, "", "", {})

    def features(self, latent: str | None) -> list[tuple[str, Any, int]]:
        """(layer that makes the tensor, tensor, channel axis) of what feeds the head, or of the layer `latent`."""
        if latent is None:
            found = frontier(self._start, self._producers, self._inputs, self._weighted)
            return [(self._makers.get(key, "input"), self._reached(key), axis) for key, axis in found]
        if latent not in self._layers:
            raise LeaplabError(f"The model has no layer '{latent}'; it has {', '.join(self._names)}.")
        key, axis = self._layers[latent]
        return [(latent, self._reached(key), axis)]

    def candidates(self) -> list[str]:
        """Layers nearest to the outputs that may be named instead of what feeds the head: `NAME (N axes)`."""
        named: dict[str, str] = {}
        queue, seen = deque(self._start), set(self._start)
        while queue and len(named) < _CANDIDATES:
            key = queue.popleft()
            layer = self._makers.get(key)
            rank = len(self._tensors[key].shape)
            if layer is not None and key not in self._start and rank > 1 and self._layers[layer][0] == key:
                named.setdefault(layer, f"{layer} ({rank} axes)")
            for taken in self._inputs.get(self._producers.get(key, ""), ()):
                if taken not in seen:
                    seen.add(taken)
                    queue.append(taken)
        return list(named.values())

    def _walk(self, model: Any, call: str, prefix: str, given: Mapping[int, str]) -> list[str]:
        """Note the layers of a model.

        Args:
            call: of the model; "" for the outer one.
            prefix: of its layers' names.
            given: `id` of an input of the model -> key of the tensor that it is called on; empty for the outer one.

        Returns:
            The keys of its outputs.
        """

        def key(tensor: Any) -> str:
            known = given.get(id(tensor), f"{call}{id(tensor)}")
            self._tensors.setdefault(known, tensor)
            return known

        if _is_sequential(model):
            model = self._build(model.inputs, model.outputs)  # a sequential one tells no graph
        self._kept.append(model)
        # From the inputs on: a layer that is called twice is known by its first output.
        depths = sorted(model._nodes_by_depth, reverse=True)
        for node in (node for depth in depths for node in model._nodes_by_depth[depth]):
            layer = layer_of(node)
            name = f"{prefix}{layer.name}"
            outputs = [key(tensor) for tensor in flattened(node.outputs)]
            self._layers.setdefault(name, (outputs[0], channel_axis_of(layer)))
            if node.is_input:
                continue
            step, taken = f"{call}{id(node)}", [key(tensor) for tensor in taken_by(node)]
            self._inputs[step] = taken
            self._producers.update(dict.fromkeys(outputs, step))
            self._makers.update(dict.fromkeys(outputs, name))
            if has_kernel(layer) and len(taken) == 1:
                self._weighted[step] = (taken[0], channel_axis_of(layer))
            elif is_graph(layer) and (len(layer.inputs), len(layer.outputs)) == (len(taken), len(outputs)):
                self._calls[f"{step}/"] = (layer, taken)
                links = {id(tensor): taken[place] for place, tensor in enumerate(layer.inputs)}
                ends = self._walk(layer, f"{step}/", f"{name}/", links)
                for place, output in enumerate(outputs):
                    self._producers[output] = f"{step}:{place}"
                    self._inputs[f"{step}:{place}"] = [ends[place]]
        return [key(tensor) for tensor in model.outputs]

    def _reached(self, key: str) -> Any:
        """The tensor, as one of the outer model: what lies in a model that is a layer is computed by a part of it."""
        tensor, (call, slash, _) = self._tensors[key], key.rpartition("/")
        if not call:
            return tensor
        model, taken = self._calls[call + slash]
        wanted = id(model), id(tensor)
        if wanted not in self._parts:
            self._parts[wanted] = self._build(model.inputs, tensor, name=f"{model.name}_to_{id(tensor)}")
        reached = [self._reached(given) for given in taken]
        return self._parts[wanted](reached if len(reached) > 1 else reached[0])


def layer_of(node: Any) -> Any:
    """The layer that a node is a call of."""
    for attribute in ("operation", "layer"):  # Keras 3, Keras 2
        if hasattr(node, attribute):
            return getattr(node, attribute)
    return node.outbound_layer


def taken_by(node: Any) -> list[Any]:
    """The tensors that a call takes."""
    # Of Keras 2, `input_tensors` are the first argument of the call alone.
    return flattened(node.keras_inputs if hasattr(node, "keras_inputs") else node.input_tensors)


def flattened(structure: Any) -> list[Any]:
    """What nested lists and dictionaries hold, in the order in which Keras takes it."""
    if isinstance(structure, dict):
        return [tensor for name in sorted(structure) for tensor in flattened(structure[name])]
    if isinstance(structure, (list, tuple)):
        return [tensor for inner in structure for tensor in flattened(inner)]
    return [structure]


def _is_sequential(model: Any) -> bool:
    return any(base.__name__ == "Sequential" and _is_of_keras(base) for base in type(model).__mro__)


def is_graph(layer: Any) -> bool:
    """Whether a layer is a model of layers itself."""
    graph = _is_sequential(layer) or hasattr(layer, "_nodes_by_depth")
    return graph and bool(getattr(layer, "inputs", None)) and bool(getattr(layer, "outputs", None))


def _is_of_keras(base: type) -> bool:
    return base.__module__.partition(".")[0] in _KERAS_PACKAGES


def has_kernel(layer: Any) -> bool:
    """Whether a layer multiplies by weights: a dense layer or a convolution."""
    built = getattr(layer, "built", False)
    return bool(built) and any(getattr(layer, kernel, None) is not None for kernel in _KERNELS)


def channel_axis_of(layer: Any) -> int:
    """Where what a layer gives has its channels, 1 or -1."""
    return 1 if getattr(layer, "data_format", "channels_last") == "channels_first" else -1
