"""What is said of a run's model, and runs of models that leave something out."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from leaplab.errors import LeaplabError
from leaplab.evaluate.run import Options, prepare
from leaplab.protocol.operations import LOAD
from leaplab.store.run import RunStore

TWO = (
    '[PredictionTypeHandler(name="halves", labels=["a", "b"], channel_dim=-1)]',
    "[\n"
    '    PredictionTypeHandler(name="halves", labels=["a", "b"], channel_dim=-1),\n'
    '    PredictionTypeHandler(name="found", labels=[], channel_dim=-1),\n'
    "]",
)
VECTORS = np.random.default_rng(5).normal(size=(20, 4)).astype(np.float32)


class _Noticing:
    """A session whose model has something to say."""

    def __init__(self, session: Any, notices: tuple[str, ...]) -> None:
        self._session, self._notices = session, notices
        self.interpreter = session.interpreter

    def call(self, operation: Any, argument: Any = None) -> Any:
        answer = self._session.call(operation, argument)
        return replace(answer, notices=self._notices) if operation is LOAD else answer


@pytest.fixture(scope="module")
def tiny_session(tiny):
    from leaplab.project.locate import find_project
    from leaplab.session.opening import open_session

    with open_session(find_project(tiny)) as session:
        yield session


def test_what_the_model_says_is_told_and_kept_in_the_run(tiny_session, tmp_path):
    session: Any = _Noticing(tiny_session, ("It has no latent space.", "It has no names."))
    with prepare(session, Options(tmp_path), ["Something was printed."]) as prepared:
        pass

    assert prepared.notices == ("It has no latent space.", "It has no names.")
    assert prepared.store.manifest.notices == ("Something was printed.", *prepared.notices)


def detector(rows: int | str) -> onnx.ModelProto:
    """vector [B, 4] -> halves [B, 2], and all values above 0 [N]."""
    weights = {"narrow": np.random.default_rng(6).normal(size=(4, 2)).astype(np.float32), "none": np.float32(0)}
    nodes = [
        helper.make_node("Relu", ["vector"], ["hidden"]),
        helper.make_node("MatMul", ["hidden", "narrow"], ["halves"]),
        helper.make_node("Greater", ["vector", "none"], ["mask"]),
        helper.make_node("NonZero", ["mask"], ["places"]),
        helper.make_node("Transpose", ["places"], ["turned"]),
        helper.make_node("GatherND", ["vector", "turned"], ["found"]),
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [rows, 4])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("halves", "found")],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("rows", [1, "batch"])
def test_output_without_a_batch_axis_is_left_out_of_the_run(make_project, evaluated, tmp_path, rows):
    root = make_project("plain", changes={"leap_binder.py": TWO})
    onnx.save(detector(rows), root / "dense.onnx")
    store = evaluated(tmp_path, root, batch_size=8)

    session = onnxruntime.InferenceSession(root / "dense.onnx")
    halves = [session.run(["halves"], {"vector": vector[None]})[0][0] for vector in VECTORS]
    found: Any = [store.prediction("halves", row) for row in range(20)]
    np.testing.assert_allclose(found, halves, rtol=1e-6)
    np.testing.assert_allclose(store.latent("model")[:20], np.maximum(VECTORS, 0), rtol=1e-6)
    assert [path.name for path in (store.path / "predictions").iterdir()] == ["halves"]


def test_run_without_a_latent_space_and_predictions_that_are_not_finite(make_project, evaluated, tmp_path):
    model = detector("batch")
    root = make_project("plain", changes={"leap_binder.py": TWO})
    for node, operator in zip(model.graph.node[:2], ("Log", "ReduceSum"), strict=True):
        node.op_type = operator
    del model.graph.node[1].input[1:]
    model.graph.node[1].input.append("axis")
    model.graph.node[1].attribute.append(helper.make_attribute("keepdims", 1))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "axis"))
    model.graph.node[1].output[0] = "sum"
    model.graph.node.insert(2, helper.make_node("Concat", ["sum", "sum"], ["halves"], axis=1))
    onnx.save(model, root / "dense.onnx")
    store: RunStore = evaluated(tmp_path, root)

    with np.errstate(invalid="ignore"):
        wanted = np.log(VECTORS).sum(axis=1, keepdims=True).repeat(2, axis=1)
    assert np.isnan(wanted).any()
    found: Any = [store.prediction("halves", row) for row in range(20)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert store.manifest.latent_source == ""
    assert not (store.path / "latent").exists()


def test_model_in_the_format_of_onnxruntime_is_run_without_latent_vectors(
    make_project, make_dense_model, evaluated, tmp_path
):
    root = make_project("plain", changes={"leap_binder.py": ("dense.onnx", "dense.ort")})
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(root / "dense.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    session = onnxruntime.InferenceSession(make_dense_model().SerializeToString(), options)
    store = evaluated(tmp_path, root)

    found: Any = [store.prediction("halves", row) for row in range(20)]
    np.testing.assert_allclose(found, session.run(None, {"vector": VECTORS})[0], rtol=1e-5)
    assert store.manifest.latent_source == ""
    assert store.manifest.notices == (
        "The run has no latent space, because its model is in onnxruntime's own format (.ort), which tells no graph.",
    )
    with pytest.raises(
        LeaplabError, match=r"dense.ort is in onnxruntime's own format, of which --latent can name no te"
    ):
        evaluated(tmp_path, root, latent="hidden")
