from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from leaplab.errors import LeaplabError
from leaplab.worker.loading import load_predictor
from leaplab.worker.onnx_model import OnnxPredictor

VECTORS = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
SQUARE = np.random.default_rng(2).normal(size=(4, 4)).astype(np.float32)
NARROW = np.random.default_rng(3).normal(size=(4, 2)).astype(np.float32)


def predictor(nodes, outputs, initializers, inputs=("x",), kind=TensorProto.FLOAT, latent=None, width=4) -> Any:
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "graph",
        [helper.make_tensor_value_info(name, kind, ["batch", width]) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in initializers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return OnnxPredictor(model, "graph.onnx", latent)


def close(found, wanted) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_bias_that_is_an_initializer_is_no_data():
    nodes = [
        ("MatMul", ["x", "square"], ["products"]),
        ("Relu", ["products"], ["hidden"]),
        ("MatMul", ["hidden", "narrow"], ["raw"]),
        ("Add", ["raw", "offset"], ["output"]),
    ]
    weights = {"square": SQUARE, "narrow": NARROW, "offset": np.ones(2, np.float32)}
    outputs, latent = predictor(nodes, ["output"], weights).predict([VECTORS])

    hidden = np.maximum(VECTORS @ SQUARE, 0)
    close(latent, hidden)
    close(outputs[0], hidden @ NARROW + 1)
    assert len(outputs) == 1


def test_product_of_two_activations_is_no_head():
    # Attention: its last product mixes two activations; the weights are in front of it.
    nodes = [
        ("MatMul", ["x", "square"], ["queries"]),
        ("Softmax", ["queries"], ["attention"], {"axis": -1}),
        ("Transpose", ["x"], ["turned"], {"perm": [1, 0]}),
        ("MatMul", ["turned", "attention"], ["output"]),
    ]
    made = predictor(nodes, ["output"], {"square": SQUARE})

    assert made.latent_source == "x"  # what feeds `queries`, not `turned` or `attention`


def test_weights_that_pass_through_other_nodes_are_weights_still():
    nodes = [
        ("Relu", ["x"], ["hidden"]),
        ("Transpose", ["turned"], ["straight"], {"perm": [1, 0]}),
        ("Identity", ["straight"], ["kernel"]),
        ("MatMul", ["hidden", "kernel"], ["output"]),
    ]
    made = predictor(nodes, ["output"], {"turned": np.ascontiguousarray(NARROW.T)})
    outputs, latent = made.predict([VECTORS])

    assert made.latent_source == "hidden"
    close(latent, np.maximum(VECTORS, 0))
    close(outputs[0], np.maximum(VECTORS, 0) @ NARROW)


def test_weights_of_a_constant_node_are_weights():
    constant = {"value": numpy_helper.from_array(NARROW)}
    nodes = [
        ("Relu", ["x"], ["hidden"]),
        ("Constant", [], ["kernel"], constant),
        ("MatMul", ["hidden", "kernel"], ["output"]),
    ]

    assert predictor(nodes, ["output"], {}).latent_source == "hidden"


def test_two_outputs_on_one_layer_share_its_vectors():
    nodes = [
        ("Relu", ["x"], ["hidden"]),
        ("MatMul", ["hidden", "narrow"], ["first"]),
        ("Gemm", ["hidden", "square"], ["second"]),
    ]
    outputs, latent = predictor(nodes, ["first", "second"], {"narrow": NARROW, "square": SQUARE}).predict([VECTORS])

    hidden = np.maximum(VECTORS, 0)
    close(latent, hidden)
    close(outputs[0], hidden @ NARROW)
    close(outputs[1], hidden @ SQUARE)


def test_layer_in_front_of_the_head_may_be_an_output_of_its_own():
    nodes = [("Relu", ["x"], ["hidden"]), ("MatMul", ["hidden", "narrow"], ["output"])]
    outputs, latent = predictor(nodes, ["output", "hidden"], {"narrow": NARROW}).predict([VECTORS])

    assert len(outputs) == 2
    close(latent, outputs[1])


def test_linear_model_has_its_input_as_latent_space():
    outputs, latent = predictor([("MatMul", ["x", "narrow"], ["output"])], ["output"], {"narrow": NARROW}).predict(
        [VECTORS]
    )

    close(latent, VECTORS)
    close(outputs[0], VECTORS @ NARROW)


def test_model_without_weights_has_no_latent_space():
    outputs, latent = predictor([("Relu", ["x"], ["output"])], ["output"], {}).predict([VECTORS])

    assert latent is None
    close(outputs[0], np.maximum(VECTORS, 0))


@pytest.mark.parametrize("kind", [TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.UINT8])
def test_inputs_are_brought_to_the_type_of_the_model(kind):
    nodes = [("Cast", ["x"], ["output"], {"to": TensorProto.FLOAT})]
    whole = np.arange(8, dtype=np.float32).reshape(2, 4)

    (output,), _ = predictor(nodes, ["output"], {}, kind=kind).predict([whole])

    np.testing.assert_array_equal(output, whole)


def test_named_tensor_that_does_not_exist_is_told():
    with pytest.raises(LeaplabError, match="graph.onnx has no tensor or node 'nowhere'"):
        predictor([("Relu", ["x"], ["output"])], ["output"], {}, latent="nowhere")


def test_wrong_number_of_inputs_and_wrong_shapes_are_told():
    made = predictor([("Add", ["x", "y"], ["output"])], ["output"], {}, inputs=("x", "y"))

    with pytest.raises(LeaplabError, match=r"takes 2 inputs \(x, y\), but the integration feeds it 1"):
        made.predict([VECTORS])
    with pytest.raises(LeaplabError, match=r"The model fails on x \(5, 4\), y \(5, 3\): "):
        made.predict([VECTORS, VECTORS[:, :3]])


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x07"])
def test_file_that_is_no_model_is_told(tmp_path, content):
    (tmp_path / "model.onnx").write_bytes(content)

    with pytest.raises(LeaplabError, match=r"model.onnx cannot be run as an ONNX model: .+"):
        load_predictor(tmp_path / "model.onnx")


def test_session_made_of_a_file_or_of_bytes_is_taken_over(make_model, tmp_path):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    inputs = [np.full((2, 6, 6, 1), 0.5, np.float32), np.zeros((2, 3), np.float32)]
    sessions = [
        onnxruntime.InferenceSession(tmp_path / "tiny.onnx"),
        onnxruntime.InferenceSession(make_model().SerializeToString()),
    ]

    for session in sessions:
        made = load_predictor(session)
        outputs, latent = made.predict(inputs)
        close(outputs[0], session.run(None, {"image": inputs[0], "bias": inputs[1]})[0])
        assert (made.format, made.fixed_batch, made.latent_source) == ("onnx", None, "features")
        assert latent is not None
        assert latent.shape == (2, 4)


def test_fixed_batch_is_read_off_the_model(make_model):
    assert OnnxPredictor(make_model(batch=4), "tiny").fixed_batch == 4
