"""Latent spaces of quantized models, against onnxruntime on a model with the tensor among its outputs, and numpy."""

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from leaplab.evaluate.onnx_surgery import edit_model
from leaplab.protocol.model import ModelSource
from leaplab.worker.onnx_model import OnnxPredictor

RNG = np.random.default_rng(8)
VECTORS = RNG.normal(size=(5, 4)).astype(np.float32)
MAPS = RNG.normal(size=(5, 2, 6, 6)).astype(np.float32)
SQUARE = RNG.integers(-90, 90, (4, 4)).astype(np.int8)
NARROW = RNG.integers(-90, 90, (4, 3)).astype(np.int8)
KERNEL = RNG.integers(-90, 90, (3, 2, 3, 3)).astype(np.int8)
SCALE, ZERO = np.float32(0.02), np.int8(0)
WEIGHTS = {
    "square": SQUARE, "narrow": NARROW, "kernel": KERNEL, "scale": SCALE, "zero": ZERO, "step": np.float32(0.05),
    "middle": np.uint8(120), "wide": np.float32(0.3),
}  # fmt: skip
FLOAT_SQUARE = SQUARE.astype(np.float32) * SCALE


def content(nodes, outputs=("output",), given=("batch", 4), weights=None) -> bytes:
    """A model of nodes (operator, inputs, outputs, attributes); those with a `domain` are of com.microsoft."""
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(given))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in {**WEIGHTS, **(weights or {})}.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


def edited_run(model: bytes, folder, values=VECTORS) -> tuple[Any, list[Any], Any]:
    edited = edit_model(ModelSource("onnx", "model.onnx", "0", content=model), None, folder)
    made = OnnxPredictor(model, edited)
    outputs, latent = made.predict([values])
    assert [np.array_equal(a, b) for a, b in zip(outputs, own_run(model, values), strict=True)] == [True] * len(outputs)
    return made, outputs, latent


def own_run(model: bytes, values=VECTORS) -> list[Any]:
    return list(onnxruntime.InferenceSession(model).run(None, {"x": values}))


def tensor(model: bytes, name: str, values=VECTORS) -> Any:
    """What a tensor of the model holds, by onnxruntime."""
    proto = onnx.load_from_string(model)
    proto.graph.output.append(onnx.ValueInfoProto(name=name))
    return own_run(proto.SerializeToString(), values)[-1]


HIDDEN = [("Gemm", ["x", "float_square"], ["products"]), ("Relu", ["products"], ["hidden"])]
FLOATS = {"float_square": FLOAT_SQUARE}


def close(found, wanted) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


DYNAMIC = [
    *HIDDEN,
    ("DynamicQuantizeLinear", ["hidden"], ["whole", "whole_scale", "whole_zero"]),
    ("Mul", ["whole_scale", "scale"], ["both"]),
    ("MatMulInteger", ["whole", "narrow", "whole_zero", "zero"], ["sums"]),
    ("Cast", ["sums"], ["floats"], {"to": TensorProto.FLOAT}),
    ("Mul", ["floats", "both"], ["logits"]),
    ("Softmax", ["logits"], ["output"]),
]


def test_dynamically_quantized_head_is_fed_by_what_is_quantized(tmp_path):
    made, _, latent = edited_run(content(DYNAMIC, weights=FLOATS), tmp_path)

    assert made.latent_source == "hidden"
    assert made.notices == ()
    close(latent, np.maximum(VECTORS @ FLOAT_SQUARE, 0))


def test_dynamically_quantized_convolution(tmp_path):
    nodes = [
        ("Relu", ["x"], ["maps"]),
        ("DynamicQuantizeLinear", ["maps"], ["whole", "whole_scale", "whole_zero"]),
        ("ConvInteger", ["whole", "kernel", "whole_zero", "zero"], ["sums"]),
        ("Cast", ["sums"], ["floats"], {"to": TensorProto.FLOAT}),
        ("Mul", ["floats", "whole_scale"], ["output"]),
    ]
    made, _, latent = edited_run(content(nodes, given=("batch", 2, 6, 6)), tmp_path, MAPS)

    assert made.latent_source == "maps"
    close(latent, np.maximum(MAPS, 0).mean(axis=(2, 3)))


def test_integers_that_are_moved_before_the_head_are_dequantized(tmp_path):
    nodes = [
        ("Relu", ["x"], ["maps"]),
        ("DynamicQuantizeLinear", ["maps"], ["whole", "whole_scale", "whole_zero"]),
        ("Transpose", ["whole"], ["turned"], {"perm": [0, 2, 3, 1]}),
        ("MatMulInteger", ["turned", "tall", "whole_zero", "zero"], ["sums"]),
        ("Cast", ["sums"], ["floats"], {"to": TensorProto.FLOAT}),
        ("Mul", ["floats", "whole_scale"], ["output"]),
    ]
    model = content(nodes, given=("batch", 2, 6, 6), weights={"tall": NARROW[:2]})
    _, _, latent = edited_run(model, tmp_path, MAPS)

    whole, scale, zero = (tensor(model, name, MAPS) for name in ("whole", "whole_scale", "whole_zero"))
    wanted = (whole.astype(np.float32) - np.float32(zero)) * scale
    close(latent, wanted.mean(axis=(2, 3)))
    np.testing.assert_allclose(latent, np.maximum(MAPS, 0).mean(axis=(2, 3)), atol=float(scale))


QUANTIZED = [
    ("QuantizeLinear", ["x", "step", "middle"], ["whole"]),
    ("QLinearMatMul", ["whole", "step", "middle", "square", "scale", "zero", "wide", "middle"], ["hidden"]),
    ("QLinearMatMul", ["hidden", "wide", "middle", "narrow", "scale", "zero", "wide", "middle"], ["last"]),
    ("DequantizeLinear", ["last", "wide", "middle"], ["output"]),
]


def test_integers_of_one_head_after_another_are_dequantized(tmp_path):
    model = content(QUANTIZED)
    made, _, latent = edited_run(model, tmp_path)

    assert made.latent_source == "hidden_dequantized_for_leaplab"
    close(latent, (tensor(model, "hidden").astype(np.float32) - 120) * np.float32(0.3))


def test_first_quantized_layer_is_fed_by_the_float_that_is_quantized(tmp_path):
    head = ("QLinearMatMul", ["whole", "step", "middle", "narrow", "scale", "zero", "wide", "middle"], ["last"])
    made, _, latent = edited_run(content([QUANTIZED[0], head, QUANTIZED[-1]]), tmp_path)

    assert made.latent_source == "x"
    close(latent, VECTORS)


def test_quantized_convolution_of_static_scales(tmp_path):
    nodes = [
        ("QuantizeLinear", ["x", "step", "middle"], ["whole"]),
        ("MaxPool", ["whole"], ["pooled"], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("QLinearConv", ["pooled", "step", "middle", "kernel", "scale", "zero", "wide", "middle"], ["last"]),
        ("DequantizeLinear", ["last", "wide", "middle"], ["output"]),
    ]
    model = content(nodes, given=("batch", 2, 6, 6))
    _, _, latent = edited_run(model, tmp_path, MAPS)

    close(latent, ((tensor(model, "pooled", MAPS).astype(np.float32) - 120) * np.float32(0.05)).mean(axis=(2, 3)))


def contributed(operator, given, made, **attributes) -> tuple[Any, ...]:
    return operator, given, made, {"domain": "com.microsoft", **attributes}


WHOLE = ("DynamicQuantizeLinear", ["hidden"], ["whole", "whole_scale", "whole_zero"])
TO_FLOAT = ["whole", "narrow", "whole_scale", "scale", "whole_zero", "zero"]
STEPS = ("QuantizeLinear", ["hidden", "step", "middle"], ["whole"])


@pytest.mark.parametrize(
    "head",
    [
        [contributed("DynamicQuantizeMatMul", ["hidden", "narrow", "scale", "zero"], ["output"])],
        [contributed("FusedMatMul", ["hidden", "float_narrow"], ["output"], alpha=0.5)],
        [contributed("FusedGemm", ["hidden", "float_narrow", "offset"], ["output"], activation="Relu")],
        [WHOLE, contributed("MatMulIntegerToFloat", TO_FLOAT, ["output"])],
        [STEPS, contributed("QGemm", ["whole", "step", "middle", "narrow", "scale", "zero"], ["output"])],
    ],
    ids=lambda head: head[-1][0],
)
def test_operators_of_onnxruntime_are_heads(tmp_path, head):
    weights = {**FLOATS, "float_narrow": NARROW * SCALE, "offset": np.zeros(3, np.float32)}
    made, _, latent = edited_run(content([*HIDDEN, *head], weights=weights), tmp_path)

    assert made.latent_source == "hidden"
    close(latent, np.maximum(VECTORS @ FLOAT_SQUARE, 0))


def test_pairs_of_quantizing_and_dequantizing_stay_fused(tmp_path):
    # The head gets what was dequantized: the float before would keep onnxruntime from running integers, and change
    # the predictions.
    def pair(name) -> list[Any]:
        whole = f"{name}_whole"
        return [
            ("QuantizeLinear", [name, "step", "middle"], [whole]),
            ("DequantizeLinear", [whole, "step", "middle"], [f"{name}_back"]),
        ]

    nodes = [
        *pair("x"),
        ("DequantizeLinear", ["square", "scale", "zero"], ["square_back"]),
        ("MatMul", ["x_back", "square_back"], ["hidden"]),
        *pair("hidden"),
        ("DequantizeLinear", ["narrow", "scale", "zero"], ["narrow_back"]),
        ("MatMul", ["hidden_back", "narrow_back"], ["logits"]),
        *pair("logits"),
        ("Identity", ["logits_back"], ["output"]),
    ]
    model = content(nodes)
    made, _, latent = edited_run(model, tmp_path)

    assert made.latent_source == "hidden_back"
    close(latent, tensor(model, "hidden_back"))


def test_model_without_a_head_says_so_and_names_what_may_be_taken(tmp_path):
    gates, turns = (RNG.normal(size=(1, 12, width)).astype(np.float32) for width in (4, 3))
    nodes = [
        ("Transpose", ["x"], ["steps"], {"perm": [1, 0, 2]}),
        ("LSTM", ["steps", "gates", "turns"], ["", "state"], {"hidden_size": 3}),
        ("Squeeze", ["state", "first"], ["flat"]),
        ("Cast", ["flat"], ["rounded"], {"to": TensorProto.INT64}),
        ("Cast", ["rounded"], ["again"], {"to": TensorProto.FLOAT}),
        ("Add", ["again", "flat"], ["output"]),
    ]
    weights = {"gates": gates, "turns": turns, "first": np.array([0])}
    model = content(nodes, given=("batch", 7, 4), weights=weights)
    values = RNG.normal(size=(5, 7, 4)).astype(np.float32)
    made, _, latent = edited_run(model, tmp_path, values)

    assert latent is None
    assert made.notices == (
        "The run has no latent space, because no dense layer and no convolution leads to the model's outputs; name what"
        " to take it from by --latent: near the outputs lie again (2 axes), flat (2 axes).",
    )
    # Each that is named can be taken; `state` [1, B, 3] and `steps` [7, B, 4] have no batch in front.
    source = ModelSource("onnx", "model.onnx", "0", content=model)
    _, vectors = OnnxPredictor(model, edit_model(source, "flat", tmp_path)).predict([values])
    close(vectors, tensor(model, "flat", values))
    told = OnnxPredictor(model, edit_model(source, "steps", tmp_path))
    assert told.latent_source == ""
    assert told.notices == (
        "The run has no latent space, because 'steps', which it would be taken from, has no batch axis.",
    )
    assert told.predict([values])[1] is None
