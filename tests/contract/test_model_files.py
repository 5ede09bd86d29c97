"""The model files that the repository ships, and the card that tells of them."""

import hashlib
import json
from importlib import import_module
from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import onnxruntime

LARGEST_DIFFERENCE = 5e-5
"""Between the outputs of two files, relative to values above 1, as pixels are."""


def model_path(example: str) -> Path:
    path: Path = import_module(f"{example}.config").load_config().model_path
    return path


def test_the_card_gives_the_checksums_of_the_files(example: str) -> None:
    path = model_path(example)
    card = (path.parent / "README.md").read_text(encoding="utf-8")
    for suffix in (".onnx", ".h5"):
        file = path.with_suffix(suffix)
        assert f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" in card


def test_the_h5_is_written_as_keras_2_wrote_it(example: str) -> None:
    # That the platform's parser reads it is a long test, test_parser_of_the_platform.py.
    with h5py.File(model_path(example).with_suffix(".h5")) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        assert "optimizer_weights" not in file, "the state of its training is of no use"
    assert [list(layer) for layer in layers] == [["class_name", "config", "name", "inbound_nodes"]] * len(layers)
    assert "batch_input_shape" in layers[0]["config"]
    assert {layer["config"]["dtype"] for layer in layers} == {"float32"}
    assert "Rescaling" not in {layer["class_name"] for layer in layers}, "the parser has no such layer"


def test_both_files_give_the_same(example: str) -> None:
    import keras

    session = onnxruntime.InferenceSession(str(model_path(example)))
    (given,) = session.get_inputs()
    images = np.random.default_rng(0).random((2, *given.shape[1:]), dtype=np.float32)
    outputs = keras.models.load_model(model_path(example).with_suffix(".h5"), compile=False)(images)
    for found, expected in zip(keras.tree.flatten(outputs), session.run(None, {given.name: images}), strict=True):
        assert found.shape == expected.shape
        difference = np.abs(np.asarray(found) - expected) / np.maximum(np.abs(expected), 1)
        assert difference.max() < LARGEST_DIFFERENCE
