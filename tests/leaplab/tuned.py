"""The stranger's integration `tuned`, its model, and the latent vectors that this gives, by numpy alone."""

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SOURCE = Path(__file__).parent / "foreign" / "tuned"
TARGET = {"light": 0.8, "tint": -0.5, "place": 7, "lying": "upright"}
START = {"light": 0.0, "tint": 0.0, "place": 4, "lying": "across"}
"""The middle of the bounds, and the first value."""
HIDDEN = 24


def draw() -> Callable[..., NDArray[np.float32]]:
    """The integration's own pictures."""
    spec = importlib.util.spec_from_file_location("tuned_scenes", SOURCE / "scenes.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[..., NDArray[np.float32]] = module.draw
    return function


def weights(seed: int = 5, hidden: int = HIDDEN) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    generator = np.random.default_rng(seed)
    first = generator.normal(0, 0.06, (300, hidden)).astype(np.float32)
    return first, generator.normal(0, 1, (hidden, 2)).astype(np.float32)


def vectors_of(pictures: Any) -> NDArray[np.float32]:
    """[n, 24] what feeds the model's head."""
    first, _ = weights()
    return np.asarray(np.maximum(np.asarray(pictures).reshape(len(pictures), 300) @ first, 0), np.float32)


def model(seed: int = 5, hidden: int = HIDDEN) -> onnx.ModelProto:
    """picture [B, 10, 10, 3] -> Reshape, Gemm, Relu, Gemm, Softmax -> [B, 2]."""
    first, second = weights(seed, hidden)
    constants: dict[str, NDArray[Any]] = {
        "shape": np.array([-1, 300], np.int64),
        "first": first,
        "none": np.zeros(hidden, np.float32),
        "second": second,
        "nothing": np.zeros(2, np.float32),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["picture", "shape"], ["flat"]),
            helper.make_node("Gemm", ["flat", "first", "none"], ["products"]),
            helper.make_node("Relu", ["products"], ["hidden"]),
            helper.make_node("Gemm", ["hidden", "second", "nothing"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["halves"], axis=-1),
        ],
        "tuned",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 10, 10, 3])],
        [helper.make_tensor_value_info("halves", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def make(root: Path) -> Path:
    """The integration in a folder, with its model."""
    shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns("__pycache__"))
    onnx.save(model(), root / "model.onnx")
    return root
