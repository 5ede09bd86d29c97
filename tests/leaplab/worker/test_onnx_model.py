import os
import sys
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from leaplab.errors import LeaplabError
from leaplab.evaluate.onnx_surgery import edit_model
from leaplab.worker.loading import load_predictor, model_source
from leaplab.worker.onnx_model import OnnxPredictor

VECTORS = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
NARROW = np.random.default_rng(3).normal(size=(4, 2)).astype(np.float32)


def content(nodes, outputs, inputs=("x",), kind=TensorProto.FLOAT, rows: int | str = "batch") -> bytes:
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "graph",
        [helper.make_tensor_value_info(name, kind, [rows, 4]) for name in inputs],
        [helper.make_tensor_value_info(name, result, None) for name, result in outputs.items()],
        [numpy_helper.from_array(NARROW, "narrow")],
    )
    opsets = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())


HIDDEN = content(
    [("Relu", ["x"], ["hidden"]), ("MatMul", ["hidden", "narrow"], ["output"])], {"output": TensorProto.FLOAT}
)


def close(found, wanted) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_model_as_it_is_gives_its_outputs_and_no_latent_vectors(tmp_path):
    (tmp_path / "model.onnx").write_bytes(HIDDEN)

    for model in (tmp_path / "model.onnx", str(tmp_path / "model.onnx"), HIDDEN):
        made = OnnxPredictor(model)
        (output,), latent = made.predict([VECTORS])
        close(output, np.maximum(VECTORS, 0) @ NARROW)
        assert latent is None
        assert (made.latent_source, made.format, made.fixed_batch) == ("", "onnx", None)


def test_edited_model_is_run_in_the_models_place(tmp_path):
    session = onnxruntime.InferenceSession(HIDDEN)
    edited = edit_model(model_source(session), None, tmp_path)

    for model in (session, OnnxPredictor(HIDDEN, edited)):
        made = model if isinstance(model, OnnxPredictor) else load_predictor(model, edited)
        (output,), latent = made.predict([VECTORS])
        close(output, np.maximum(VECTORS, 0) @ NARROW)
        close(latent, np.maximum(VECTORS, 0))
        assert made.latent_source == "hidden"


@pytest.mark.parametrize(
    "kind", ["DOUBLE", "FLOAT16", "INT64", "INT32", "INT16", "INT8", "UINT64", "UINT32", "UINT16", "UINT8"]
)
def test_inputs_are_brought_to_the_type_of_the_model(kind):
    nodes = [("Cast", ["x"], ["output"], {"to": TensorProto.FLOAT})]
    whole = np.arange(8, dtype=np.float32).reshape(2, 4)
    model = content(nodes, {"output": TensorProto.FLOAT}, kind=TensorProto.DataType.Value(kind))

    for given in (whole, whole.astype(np.uint8), whole.astype(np.float64)):
        (output,), _ = OnnxPredictor(model).predict([given])
        np.testing.assert_array_equal(output, whole)


def test_inputs_of_truth_values_and_of_text_come_through():
    truth = content([("Not", ["x"], ["output"])], {"output": TensorProto.BOOL}, kind=TensorProto.BOOL)
    (output,), _ = OnnxPredictor(truth).predict([np.array([[0, 1, 2, 0]], np.float32)])
    np.testing.assert_array_equal(output, [[True, False, False, True]])

    text = content([("Identity", ["x"], ["output"])], {"output": TensorProto.STRING}, kind=TensorProto.STRING)
    words = np.array([["a", "b", "c", "d"]], object)
    (output,), _ = OnnxPredictor(text).predict([words])
    np.testing.assert_array_equal(output, words)


def test_bfloat16_comes_and_goes_as_float32(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    nodes = [
        ("Cast", ["x"], ["wide"], {"to": TensorProto.FLOAT}),
        ("Cast", ["wide"], ["again"], {"to": TensorProto.BFLOAT16}),
    ]
    model = content(nodes, {"wide": TensorProto.FLOAT, "again": TensorProto.BFLOAT16}, kind=TensorProto.BFLOAT16)
    hard = np.array([[1 / 3, -2.7e38, np.inf, np.nan], [1 + 2**-8, 1 + 3 * 2**-8, 1e-40, -0.0]], np.float32)
    hard[0, 3] = np.array(0x7FFFFFFF, np.uint32).view(np.float32)  # NaN as well, which rounding up would make -0
    given = np.concatenate([VECTORS, hard])
    wanted = given.astype(ml_dtypes.bfloat16).astype(np.float32)

    made = OnnxPredictor(model)
    for output in made.predict([given])[0]:
        assert output.dtype == np.float32
        np.testing.assert_array_equal(output, wanted)


def test_bfloat16_of_an_onnxruntime_that_cannot_exchange_it_is_told(monkeypatch):
    monkeypatch.delattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type")
    model = content([("Identity", ["x"], ["output"])], {"output": TensorProto.BFLOAT16}, kind=TensorProto.BFLOAT16)

    with pytest.raises(LeaplabError, match="takes or gives bfloat16, which onnxruntime .* install a newer onnxruntime"):
        OnnxPredictor(model)


def detector(rows: int | str) -> bytes:
    """Places [B, 4], and the values above 0 of all samples together [N]."""
    nodes = [
        ("Relu", ["x"], ["places"]),
        ("Greater", ["x", "nothing"], ["mask"]),
        ("Compress", ["x", "first"], ["row"], {"axis": 0}),
        ("NonZero", ["mask"], ["found"]),
        ("Transpose", ["found"], ["turned"]),
        ("GatherND", ["x", "turned"], ["values"]),
    ]
    model = onnx.load_from_string(content(nodes, {"places": TensorProto.FLOAT, "values": TensorProto.FLOAT}, rows=rows))
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, np.float32), "nothing"))
    model.graph.initializer.append(numpy_helper.from_array(np.array([True]), "first"))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("rows", ["batch", 1, 5])
def test_output_without_a_batch_axis_is_known_before_a_batch_has_as_many(rows):
    made = OnnxPredictor(detector(rows))

    assert made.unbatched == {1}
    assert made.notices == (
        "Output 1 of the model ('values') has no batch axis: it is not stored, and what takes it runs only where"
        " samples come one by one.",
    )
    assert OnnxPredictor(HIDDEN).unbatched == frozenset()
    assert OnnxPredictor(HIDDEN).notices == ()


def test_output_that_declares_another_length_than_the_batch_has_no_batch_axis():
    # A length of the input that nobody knows: the model cannot be tried.
    graph = onnx.load_from_string(detector(1))
    graph.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "length"
    graph.graph.output[1].CopyFrom(helper.make_tensor_value_info("values", TensorProto.FLOAT, [7]))

    assert OnnxPredictor(graph.SerializeToString()).unbatched == {1}


def test_sequence_is_no_tensor_and_told():
    # As scikit-learn's classifiers are exported: a list of dictionaries.
    model = content(
        [("MatMul", ["x", "narrow"], ["output"]), ("SequenceConstruct", ["output"], ["list"])],
        {"output": TensorProto.FLOAT, "list": TensorProto.FLOAT},
    )
    proto = onnx.load_from_string(model)
    proto.graph.output[1].CopyFrom(helper.make_tensor_sequence_value_info("list", TensorProto.FLOAT, None))
    made = OnnxPredictor(proto.SerializeToString())

    assert made.notices == (
        "Output 1 of the model ('list') is no tensor but seq(tensor(float)): it is not stored, and what takes it is"
        " left out.",
    )
    close(made.predict([VECTORS])[0][0], VECTORS @ NARROW)


def test_latent_vectors_of_a_model_of_half_precision_are_float32(tmp_path):
    nodes = [
        ("Cast", ["narrow"], ["half"], {"to": TensorProto.FLOAT16}),
        ("Relu", ["x"], ["hidden"]),
        ("MatMul", ["hidden", "half"], ["output"]),
    ]
    session = onnxruntime.InferenceSession(content(nodes, {"output": TensorProto.FLOAT16}, kind=TensorProto.FLOAT16))
    (output,), latent = load_predictor(session, edit_model(model_source(session), None, tmp_path)).predict([VECTORS])

    assert latent is not None
    assert (output.dtype.name, latent.dtype.name) == ("float16", "float32")
    np.testing.assert_array_equal(latent, np.maximum(VECTORS, 0).astype(np.float16))


def test_wrong_number_of_inputs_and_wrong_shapes_are_told():
    made = OnnxPredictor(content([("Add", ["x", "y"], ["output"])], {"output": TensorProto.FLOAT}, inputs=("x", "y")))

    with pytest.raises(LeaplabError, match=r"takes 2 inputs \(x, y\), but the integration feeds it 1"):
        made.predict([VECTORS])
    with pytest.raises(LeaplabError, match=r"The model fails on x \(5, 4\), y \(5, 3\): "):
        made.predict([VECTORS, VECTORS[:, :3]])


@pytest.mark.parametrize("held", [b"no model", b"\x08", HIDDEN[: len(HIDDEN) // 2]])
def test_file_that_is_no_model_is_told(tmp_path, held):
    (tmp_path / "model.onnx").write_bytes(held)

    told = "model.onnx cannot be run as an ONNX model: it is cut short, damaged, or none at all; download or export it"
    with pytest.raises(LeaplabError, match=told):
        load_predictor(tmp_path / "model.onnx")


def test_interpreter_without_onnxruntime_is_told(tmp_path, monkeypatch):
    (tmp_path / "net.onnx").write_bytes(HIDDEN)

    def refuse(self, name, path=None, target=None) -> None:
        if name == "onnxruntime":
            raise ModuleNotFoundError("No module named 'onnxruntime'", name=name)

    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setattr(sys, "meta_path", [type("Refusing", (), {"find_spec": refuse})(), *sys.meta_path])
    with pytest.raises(LeaplabError, match="net.onnx needs onnxruntime, which is not installed where the integration"):
        load_predictor(tmp_path / "net.onnx")


def test_failure_of_an_edited_model_names_the_model_that_it_was_made_of(tmp_path):
    nodes = [("MatMul", ["x", "narrow"], ["raw"]), ("Unheard", ["raw"], ["output"])]
    (tmp_path / "net.onnx").write_bytes(content(nodes, {"output": TensorProto.FLOAT}))
    edited = edit_model(model_source(tmp_path / "net.onnx"), None, tmp_path / "edited")

    with pytest.raises(LeaplabError, match=r"net.onnx cannot be run as an ONNX model: .*Unheard"):
        load_predictor(tmp_path / "net.onnx", edited)
    with pytest.raises(LeaplabError, match=r"^The integration's model cannot be run as an ONNX model: .*Unheard"):
        OnnxPredictor((tmp_path / "net.onnx").read_bytes(), edited)


def test_session_made_of_a_file_or_of_bytes_is_taken_over(make_model, tmp_path):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    inputs = [np.full((2, 6, 6, 1), 0.5, np.float32), np.zeros((2, 3), np.float32)]
    sessions = [
        onnxruntime.InferenceSession(tmp_path / "tiny.onnx"),
        onnxruntime.InferenceSession(make_model().SerializeToString()),
    ]

    for session in sessions:
        made = load_predictor(session, edit_model(model_source(session), None, tmp_path / "edited"))
        outputs, latent = made.predict(inputs)
        close(outputs[0], session.run(None, {"image": inputs[0], "bias": inputs[1]})[0])
        assert (made.format, made.fixed_batch, made.latent_source) == ("onnx", None, "features")
        assert latent is not None
        assert latent.shape == (2, 4)


def test_fixed_batch_is_read_off_the_model(make_model):
    assert OnnxPredictor(make_model(batch=4).SerializeToString()).fixed_batch == 4


class _Recorder:
    """Sessions that were opened: what they were made of, their options and providers."""

    def __init__(self, monkeypatch) -> None:
        self.opened: list[tuple[Any, Any, Any]] = []
        self.threads: list[int] = []
        made = onnxruntime.InferenceSession

        def record(model, options, providers) -> Any:
            self.opened.append((model, options, providers))
            self.threads.append(options.intra_op_num_threads)
            return made(model, options, providers=providers)

        monkeypatch.setattr(onnxruntime, "InferenceSession", record)


def test_options_of_the_integrations_session_are_its_own(tmp_path, monkeypatch):
    options = onnxruntime.SessionOptions()
    options.add_free_dimension_override_by_name("batch", 5)
    session = onnxruntime.InferenceSession(HIDDEN, options, providers=["CPUExecutionProvider"])
    edited = edit_model(model_source(session), None, tmp_path)
    recorder = _Recorder(monkeypatch)

    made = load_predictor(session, edited)

    assert recorder.opened == [(edited.path, options, ["CPUExecutionProvider"])]
    assert recorder.opened[0][1] is options
    assert made.fixed_batch == 5
    close(made.predict([VECTORS])[1], np.maximum(VECTORS, 0))


@pytest.mark.parametrize(("own", "used"), [(None, 3), (0, 3), (2, 2)])
def test_threads_are_those_that_are_asked_for_where_the_integration_says_nothing(tmp_path, monkeypatch, own, used):
    (tmp_path / "net.onnx").write_bytes(HIDDEN)
    options = None
    if own is not None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = own
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", options, providers=["CPUExecutionProvider"])
    recorder = _Recorder(monkeypatch)

    load_predictor(session, threads=3)

    assert recorder.threads == [used]
    if options is not None:
        assert options.intra_op_num_threads == own  # it stays the integration's


def test_session_without_options_of_its_own_leaves_a_core_to_the_encoders(tmp_path, monkeypatch):
    (tmp_path / "net.onnx").write_bytes(HIDDEN)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    recorder = _Recorder(monkeypatch)

    load_predictor(session)
    load_predictor(tmp_path / "net.onnx")

    for model, options, providers in recorder.opened:
        assert model == str(tmp_path / "net.onnx")
        assert options.intra_op_num_threads == max(1, (os.cpu_count() or 2) - 1)
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
        assert providers == ["CPUExecutionProvider"]
    assert len(recorder.opened) == 2


def test_optimised_model_that_the_integration_writes_is_not_overwritten(tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    session = onnxruntime.InferenceSession(HIDDEN, options)
    written = (tmp_path / "optimised.onnx").read_bytes()

    load_predictor(session, edit_model(model_source(session), None, tmp_path / "edited"))

    assert (tmp_path / "optimised.onnx").read_bytes() == written
    assert options.optimized_model_filepath == str(tmp_path / "optimised.onnx")
