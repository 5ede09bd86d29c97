"""A Keras model as an .h5 whose configuration is written as Keras 2 wrote it.

Keras 3 tells layers, types and connections in another way, which Keras 2, and with it Tensorleap's parser, cannot read.
Keras 3 reads both.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras

RENAMED = {("InputLayer", "batch_shape"): "batch_input_shape", ("LeakyReLU", "negative_slope"): "alpha"}
ADDED = {
    "optional": False,
    "synchronized": False,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
    "quantization_config": None,
    "input_axes": None,
    "output_axes": None,
}
"""Arguments that Keras 2 does not know, and the value that means what Keras 2 does."""
ATTRIBUTES = ("keras_version", "backend")

Json = dict[str, Any]


def save_for_keras_2(model: keras.Model, path: Path) -> None:
    """Write a functional model as .h5 for Keras 2 and 3, without the state of its training.

    Args:
        model: of built-in layers, each called on one tensor or on a list of tensors.
        path: of the file.

    Raises:
        ValueError: the model holds something that Keras 2 cannot express.
    """
    if type(model).__name__ != "Functional":
        raise ValueError(f"The model is of the kind {type(model).__name__}: only a functional one can be written.")
    for layer in model.operations:
        if type(layer) is not getattr(keras.layers, type(layer).__name__, None):
            raise ValueError(f"{layer.name} is of the kind {type(layer).__name__}, which is no layer of Keras itself.")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        of_keras_3, file = Path(folder) / "keras3.h5", Path(folder) / path.name
        model.save(of_keras_3, include_optimizer=False)
        # Into another file: one that is overwritten keeps the room of what it held.
        with h5py.File(of_keras_3) as source, h5py.File(file, "w") as target:
            source.copy("model_weights", target)
            for name in ATTRIBUTES:
                target.attrs[name] = source.attrs[name]
            config = json.loads(source.attrs["model_config"])
            config["config"]["layers"] = [_layer(layer) for layer in config["config"]["layers"]]
            target.attrs["model_config"] = json.dumps(config)
        file.replace(path)


def _layer(layer: Json) -> Json:
    kind, name = layer["class_name"], layer["name"]
    return {
        "class_name": kind,
        "config": {RENAMED.get((kind, key), key): value for key, value in _arguments(layer["config"], name).items()},
        "name": name,
        "inbound_nodes": [_call(node, name) for node in layer["inbound_nodes"]],
    }


def _arguments(config: Json, layer: str) -> Json:
    told = {}
    for key, value in config.items():
        if key not in ADDED:
            told[key] = _argument(value, layer)
        elif value != ADDED[key]:
            raise ValueError(f"The layer {layer} has {key}={value}, which Keras 2 does not know.")
    return told


def _argument(value: Any, layer: str) -> Any:
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    if value["class_name"] == "DTypePolicy":
        return value["config"]["name"]
    # Of an initializer or its like, Keras 2 tells only the class and its arguments.
    return {"class_name": value["class_name"], "config": _arguments(value["config"], layer)}


def _call(node: Json, layer: str) -> list[Any]:
    """Keras 2 tells a call by what it was called on: a name, a node, an output and further arguments each."""
    # Whether it trains is for the caller to say, and there is nothing masked.
    further = {key: value for key, value in node["kwargs"].items() if key != "training" and value is not None}
    tensors = node["args"][0] if len(node["args"]) == 1 else None
    tensors = tensors if isinstance(tensors, list) else [tensors]
    if further or not all(map(_is_tensor, tensors)):
        raise ValueError(f"The layer {layer} is called with more than its inputs, which is not written for Keras 2.")
    return [[*tensor["config"]["keras_history"], {}] for tensor in tensors]


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"
