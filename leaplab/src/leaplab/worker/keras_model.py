"""Keras models, with the tensors that feed the head added to the outputs. Imports Keras."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.worker.model import Array, frontier, pooled


class KerasPredictor:
    """Runs a functional or sequential Keras model. See `leaplab.worker.model.Predictor`."""

    format = "keras"

    def __init__(self, model: Any, latent: str | None = None) -> None:
        import keras

        if not isinstance(model, keras.Model):
            raise LeaplabError(
                f"The integration's model is a {type(model).__name__}, neither a Keras model nor an onnxruntime"
                " session; return one of these from tensorleap_load_model."
            )
        outputs = list(model.outputs or [])
        if not outputs:
            raise LeaplabError(f"The Keras model '{model.name}' is not built; save it after it was called once.")
        if isinstance(model, keras.Sequential):
            model = keras.Model(model.inputs, model.outputs, name=model.name)  # a sequential one tells no graph
        features = _features(model, latent)
        self._outputs = len(outputs)
        self._axes = [axis for _, _, axis in features]
        self.latent_source = ", ".join(layer for layer, _, _ in features)
        batch = model.inputs[0].shape[0]
        self.fixed_batch = batch if isinstance(batch, int) else None
        self._inputs = [tensor.name for tensor in model.inputs]
        self._model = keras.Model(model.inputs, [*outputs, *(tensor for _, tensor, _ in features)])

    @classmethod
    def from_file(cls, path: Path, latent: str | None = None) -> Self:
        """Read an .h5 or .keras file, without compiling it.

        Raises:
            LeaplabError: it is no Keras model.
        """
        import keras

        try:
            model = keras.models.load_model(path, compile=False)
        except Exception as error:  # h5py, zipfile and Keras raise many types here
            raise LeaplabError(f"{path} cannot be read as a Keras model: {' '.join(str(error).split())}") from error
        return cls(model, latent)

    def predict(self, inputs: Sequence[Array]) -> tuple[list[Array], Array | None]:
        if len(inputs) != len(self._inputs):
            raise LeaplabError(
                f"The model takes {len(self._inputs)} inputs ({', '.join(self._inputs)}), but the integration feeds it"
                f" {len(inputs)}; correct the integration test or --model."
            )
        results = self._model.predict_on_batch(list(inputs) if len(inputs) > 1 else inputs[0])
        results = results if isinstance(results, list) else [results]
        arrays = [np.asarray(result) for result in results]
        return arrays[: self._outputs], pooled(list(zip(arrays[self._outputs :], self._axes, strict=True)))


def _features(model: Any, latent: str | None) -> list[tuple[str, Any, int]]:
    """(layer that makes the tensor, tensor, channel axis) of what feeds the head."""
    if latent is not None:
        names = [layer.name for layer in model.layers]
        if latent not in names:
            raise LeaplabError(f"The model has no layer '{latent}'; it has {', '.join(names)}.")
        layer = model.get_layer(latent)
        return [(latent, layer.output, _channel_axis(layer))]

    tensors: dict[str, Any] = {}
    producers: dict[str, str] = {}
    makers: dict[str, str] = {}
    inputs: dict[str, list[str]] = {}
    weighted: dict[str, tuple[str, int]] = {}
    for nodes in model._nodes_by_depth.values():
        for node in nodes:
            if node.is_input:
                continue
            layer, key = node.operation, str(id(node))
            inputs[key] = [_key(tensor, tensors) for tensor in node.input_tensors]
            for tensor in node.outputs:
                producers[_key(tensor, tensors)] = key
                makers[_key(tensor, tensors)] = layer.name
            if _kernel(layer) is not None and len(inputs[key]) == 1:
                weighted[key] = (inputs[key][0], _channel_axis(layer))
    start = [_key(tensor, tensors) for tensor in model.outputs]
    found = frontier(start, producers, inputs, weighted)
    return [(makers.get(key, "input"), tensors[key], axis) for key, axis in found]


def _key(tensor: Any, tensors: dict[str, Any]) -> str:
    key = str(id(tensor))
    tensors[key] = tensor
    return key


def _kernel(layer: Any) -> Any:
    return getattr(layer, "kernel", None) if getattr(layer, "built", False) else None


def _channel_axis(layer: Any) -> int:
    return 1 if getattr(layer, "data_format", "channels_last") == "channels_first" else -1
