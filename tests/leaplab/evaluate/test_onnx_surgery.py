import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from leaplab.errors import LeaplabError
from leaplab.evaluate.onnx_surgery import edit_model
from leaplab.protocol.model import ModelSource
from leaplab.worker.loading import model_source
from leaplab.worker.onnx_model import OnnxPredictor

VECTORS = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
SQUARE = np.random.default_rng(2).normal(size=(4, 4)).astype(np.float32)
NARROW = np.random.default_rng(3).normal(size=(4, 2)).astype(np.float32)


def model_of(nodes, outputs, initializers, inputs=("x",), opset=17, ir_version=8) -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "graph",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4]) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in initializers.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


@pytest.fixture
def predictor(tmp_path):
    def make(nodes, outputs, initializers, latent=None) -> Any:
        path = tmp_path / "graph.onnx"
        onnx.save(model_of(nodes, outputs, initializers), path)
        return OnnxPredictor(path, edit_model(model_source(path), latent, tmp_path / "edited"))

    return make


def close(found, wanted) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_bias_that_is_an_initializer_is_no_data(predictor):
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


def test_product_of_two_activations_is_no_head(predictor):
    # Attention: its last product mixes two activations; the weights are in front of it.
    nodes = [
        ("MatMul", ["x", "square"], ["queries"]),
        ("Softmax", ["queries"], ["attention"], {"axis": -1}),
        ("Transpose", ["x"], ["turned"], {"perm": [1, 0]}),
        ("MatMul", ["turned", "attention"], ["output"]),
    ]
    made = predictor(nodes, ["output"], {"square": SQUARE})

    assert made.latent_source == "x"  # what feeds `queries`, not `turned` or `attention`


def test_weights_that_pass_through_other_nodes_are_weights_still(predictor):
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


def test_weights_of_a_constant_node_are_weights(predictor):
    constant = {"value": numpy_helper.from_array(NARROW)}
    nodes = [
        ("Relu", ["x"], ["hidden"]),
        ("Constant", [], ["kernel"], constant),
        ("MatMul", ["hidden", "kernel"], ["output"]),
    ]

    assert predictor(nodes, ["output"], {}).latent_source == "hidden"


def test_optional_inputs_and_outputs_that_are_left_out_connect_nothing(predictor):
    # Of GRU the last state alone is taken, and Clip has no lower bound: both write what is left out as "".
    nodes = [
        ("MatMul", ["x", "square"], ["products"]),
        ("Unsqueeze", ["products", "first"], ["steps"]),
        ("GRU", ["steps", "gates", "gates"], ["", "state"], {"hidden_size": 4}),
        ("Clip", ["x", "", "most"], ["clipped"]),
        ("MatMul", ["clipped", "narrow"], ["raw"]),
        ("Clip", ["raw", "", "most"], ["output"]),
    ]
    weights = {"square": SQUARE, "narrow": NARROW, "first": np.array([0]), "most": np.array(0.5, np.float32)}
    weights["gates"] = np.tile(SQUARE, (3, 1))[None]
    (output, _), latent = predictor(nodes, ["output", "state"], weights).predict([VECTORS])

    close(latent, np.concatenate([np.minimum(VECTORS, 0.5), VECTORS], axis=1))
    close(output, np.minimum(np.minimum(VECTORS, 0.5) @ NARROW, 0.5))
    assert predictor(nodes, ["output"], weights).latent_source == "clipped"


def test_two_outputs_on_one_layer_share_its_vectors(predictor):
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


def test_layer_in_front_of_the_head_may_be_an_output_of_its_own(predictor):
    nodes = [("Relu", ["x"], ["hidden"]), ("MatMul", ["hidden", "narrow"], ["output"])]
    outputs, latent = predictor(nodes, ["output", "hidden"], {"narrow": NARROW}).predict([VECTORS])

    assert len(outputs) == 2
    close(latent, outputs[1])


def test_output_that_is_there_already_is_not_added_again(tmp_path):
    nodes = [("Relu", ["x"], ["hidden"]), ("MatMul", ["hidden", "narrow"], ["output"])]
    content = model_of(nodes, ["hidden", "output"], {"narrow": NARROW}).SerializeToString()
    edited = edit_model(ModelSource("onnx", "model.onnx", "0", content=content), None, tmp_path)

    assert (edited.outputs, edited.features) == (2, (("hidden", -1),))
    assert [output.name for output in onnx.load(edited.path).graph.output] == ["hidden", "output"]


def test_linear_model_has_its_input_as_latent_space(predictor):
    outputs, latent = predictor([("MatMul", ["x", "narrow"], ["output"])], ["output"], {"narrow": NARROW}).predict(
        [VECTORS]
    )

    close(latent, VECTORS)
    close(outputs[0], VECTORS @ NARROW)


def test_model_without_weights_has_no_latent_space(predictor):
    made = predictor([("Relu", ["x"], ["output"])], ["output"], {})
    outputs, latent = made.predict([VECTORS])

    assert latent is None
    assert made.latent_source == ""
    close(outputs[0], np.maximum(VECTORS, 0))


def test_tensor_or_node_is_named_as_latent_space(make_model, tmp_path):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    source = model_source(tmp_path / "tiny.onnx")

    assert edit_model(source, None, tmp_path).features == (("features", -1),)
    assert edit_model(source, "maps", tmp_path).features == (("maps", 1),)
    assert edit_model(source, "conv", tmp_path).features == (("maps", 1),)  # the node's name
    assert edit_model(source, "channels_first", tmp_path).features == (("channels_first", 1),)
    assert edit_model(source, "features", tmp_path).features == (("features", -1),)


def test_named_tensor_that_does_not_exist_is_told(tmp_path):
    model = model_of([("Relu", ["x"], ["output"])], ["output"], {})
    onnx.save(model, tmp_path / "graph.onnx")

    with pytest.raises(LeaplabError, match="^graph.onnx has no tensor or node 'nowhere'; name one that it has by --la"):
        edit_model(model_source(tmp_path / "graph.onnx"), "nowhere", tmp_path)
    content = ModelSource("onnx", "model.onnx", "0", content=model.SerializeToString())
    with pytest.raises(LeaplabError, match="^the integration's model has no tensor or node 'nowhere'"):
        edit_model(content, "nowhere", tmp_path)


def test_only_the_outputs_are_added(make_model, tmp_path):
    model = make_model()
    onnx.save(model, tmp_path / "tiny.onnx")
    edited = edit_model(model_source(tmp_path / "tiny.onnx"), None, tmp_path / "edited")

    found = onnx.load(edited.path)
    assert [output.name for output in found.graph.output] == ["classes_0", "features"]
    assert edited.outputs == 1
    found.graph.output.pop()
    assert found == model
    assert onnx.load(tmp_path / "tiny.onnx") == model


@pytest.mark.parametrize(("opset", "ir_version"), [(9, 4), (13, 7), (18, 9)])
def test_versions_of_the_format_stay(tmp_path, opset, ir_version):
    nodes = [("Relu", ["x"], ["hidden"]), ("MatMul", ["hidden", "narrow"], ["output"])]
    model = model_of(nodes, ["output"], {"narrow": NARROW}, opset=opset, ir_version=ir_version)
    content = model.SerializeToString()
    edited = edit_model(ModelSource("onnx", "model.onnx", "0", content=content), None, tmp_path)

    found = onnx.load(edited.path)
    assert (found.ir_version, found.opset_import[0].version) == (ir_version, opset)
    (outputs, hidden) = onnxruntime.InferenceSession(edited.path).run(None, {"x": VECTORS})
    close(hidden, np.maximum(VECTORS, 0))
    close(outputs, onnxruntime.InferenceSession(content).run(None, {"x": VECTORS})[0])


def test_edited_file_lies_by_itself_and_is_taken_again(make_model, tmp_path):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    source = model_source(tmp_path / "tiny.onnx")
    edited = edit_model(source, None, tmp_path / "edited")
    written = Path(edited.path).stat()

    assert Path(edited.path).is_absolute()
    assert (Path(edited.path).name, Path(edited.path).parents[1]) == ("model.onnx", tmp_path / "edited")
    assert [path.name for path in Path(edited.path).parent.iterdir()] == ["model.onnx"]
    assert edit_model(source, None, tmp_path / "edited") == edited
    assert (Path(edited.path).stat().st_ino, Path(edited.path).stat().st_mtime_ns) == (
        written.st_ino,
        written.st_mtime_ns,
    )
    # Another layer, and another model with the same layers, are other files.
    onnx.save(make_model(seed=4), tmp_path / "other.onnx")
    paths = {
        edited.path,
        edit_model(source, "maps", tmp_path / "edited").path,
        edit_model(model_source(tmp_path / "other.onnx"), None, tmp_path / "edited").path,
    }
    assert len(paths) == 3


def test_folder_named_from_the_working_folder_gives_an_absolute_path(make_model, tmp_path, monkeypatch):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    monkeypatch.chdir(tmp_path)

    edited = edit_model(model_source(Path("tiny.onnx")), None, Path("edited"))

    assert Path(edited.path).is_absolute()
    assert Path(edited.path).is_relative_to(tmp_path / "edited")


def test_interrupted_write_leaves_no_model_and_the_next_one_writes_it(make_model, tmp_path, monkeypatch):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    source = model_source(tmp_path / "tiny.onnx")
    write = Path.write_bytes

    def half(path: Path, content: bytes) -> int:
        write(path, content[: len(content) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", half)
        with pytest.raises(KeyboardInterrupt):
            edit_model(source, None, tmp_path / "edited")
    assert [path for path in (tmp_path / "edited").rglob("*") if path.is_file()] == []

    edited = edit_model(source, None, tmp_path / "edited")
    assert [output.name for output in onnx.load(edited.path).graph.output] == ["classes_0", "features"]


@pytest.mark.parametrize("content", [b"no model", b"\x08"])
def test_file_that_is_no_model_is_told(tmp_path, content):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)

    with pytest.raises(LeaplabError, match=r"net.onnx cannot be run as an ONNX model: .+") as raised:
        edit_model(model_source(path), None, tmp_path)
    assert str(raised.value).startswith(str(path))
    with pytest.raises(LeaplabError, match=r"^The integration's model cannot be run as an ONNX model: .+"):
        edit_model(ModelSource("onnx", "model.onnx", "0", content=content), None, tmp_path)


def test_folder_that_cannot_be_written_is_told(make_model, tmp_path):
    onnx.save(make_model(), tmp_path / "tiny.onnx")
    (tmp_path / "edited").write_text("a file")

    with pytest.raises(LeaplabError, match=r"model.onnx cannot be written: (Not a directory|File exists)\.$"):
        edit_model(model_source(tmp_path / "tiny.onnx"), None, tmp_path / "edited")


def with_outer_weights(folder: Path, locations, square=SQUARE, narrow=NARROW, name: str = "net.onnx") -> Path:
    """A model whose two weights lie in files of their own, with some bytes in front of the second's."""
    nodes = [
        ("MatMul", ["x", "square"], ["products"]),
        ("Relu", ["products"], ["hidden"]),
        ("MatMul", ["hidden", "narrow"], ["output"]),
    ]
    model = model_of(nodes, ["output"], {"square": square, "narrow": narrow})
    for number, tensor in enumerate(model.graph.initializer):
        location, front = locations[number], b"\0" * 4096 * number
        file = folder / location
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(front + tensor.raw_data)
        described = {"location": location, "offset": f"{len(front)}", "length": f"{len(tensor.raw_data)}"}
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in described.items():
            tensor.external_data.add(key=key, value=value)
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(model.SerializeToString())
    return folder / name


def run(path: Path, edited) -> Any:
    (output,), latent = OnnxPredictor(path, edited).predict([VECTORS])
    return output, latent


def reference(square=SQUARE, narrow=NARROW) -> Any:
    hidden = np.maximum(VECTORS @ square, 0)
    return hidden @ narrow, hidden


def refuse_links(*_: object) -> None:
    raise OSError(18, "Invalid cross-device link")


@pytest.mark.parametrize("links", [True, False])
def test_weights_in_files_of_their_own_lie_beside_the_edited_model(tmp_path, monkeypatch, links):
    path = with_outer_weights(tmp_path / "given", ["square.bin", "deep/down/narrow.bin"])
    if not links:
        monkeypatch.setattr("os.link", refuse_links)
    edited = edit_model(model_source(path), None, tmp_path / "edited")

    for found, wanted in zip(run(path, edited), reference(), strict=True):
        close(found, wanted)
    for location in ("square.bin", "deep/down/narrow.bin"):
        placed = Path(edited.path).parent / location
        assert placed.read_bytes() == (path.parent / location).read_bytes()
        assert not placed.is_symlink()
        assert placed.samefile(path.parent / location) == links
    assert len([file for file in (tmp_path / "edited").rglob("*") if file.is_file()]) == 3
    assert Path(edited.path).stat().st_size < path.stat().st_size + 100  # the weights did not come in


def test_weights_that_are_links_are_followed(tmp_path):
    # As in a cache of downloads: the model's folder holds links to files that lie elsewhere under other names.
    path = with_outer_weights(tmp_path / "given", ["square.bin", "narrow.bin"])
    for name in ("square.bin", "narrow.bin", "net.onnx"):
        target = tmp_path / "blobs" / hashlib.sha256(name.encode()).hexdigest()
        target.parent.mkdir(exist_ok=True)
        (path.parent / name).rename(target)
        (path.parent / name).symlink_to(target)

    for found, wanted in zip(run(path, edit_model(model_source(path), None, tmp_path)), reference(), strict=True):
        close(found, wanted)


@pytest.mark.parametrize("links", [True, False])
def test_weights_that_were_trained_anew_are_not_confused_with_the_old(tmp_path, monkeypatch, links):
    # The model's own file holds no weights, so that it is the same byte for byte.
    if not links:
        monkeypatch.setattr("os.link", refuse_links)
    locations = ["square.bin", "narrow.bin"]
    path = with_outer_weights(tmp_path / "given", locations)
    old_source = model_source(path)
    first = edit_model(old_source, None, tmp_path / "edited")
    for location in locations:
        (path.parent / location).unlink()
    with_outer_weights(tmp_path / "given", locations, SQUARE + 1, NARROW * 2)

    assert model_source(path) == old_source
    second = edit_model(old_source, None, tmp_path / "edited")
    assert second.path != first.path
    for found, wanted in zip(run(path, second), reference(SQUARE + 1, NARROW * 2), strict=True):
        close(found, wanted)
    assert edit_model(old_source, None, tmp_path / "edited") == second


def test_two_models_with_weights_of_the_same_name_do_not_meet(tmp_path):
    locations = ["square.bin", "narrow.bin"]
    paths = [
        with_outer_weights(tmp_path / "one", locations),
        with_outer_weights(tmp_path / "two", locations, SQUARE + 1, name="other.onnx"),
    ]
    edited = [edit_model(model_source(path), None, tmp_path / "edited") for path in paths]

    close(run(paths[0], edited[0])[1], reference()[1])
    close(run(paths[1], edited[1])[1], reference(SQUARE + 1)[1])


def test_weights_left_by_an_interrupted_write_are_written_over(tmp_path, monkeypatch):
    path = with_outer_weights(tmp_path / "given", ["square.bin", "narrow.bin"])
    monkeypatch.setattr("os.link", refuse_links)
    wanted = edit_model(model_source(path), None, tmp_path / "edited")
    Path(wanted.path).unlink()
    (Path(wanted.path).parent / "square.bin").write_bytes(b"half")

    assert edit_model(model_source(path), None, tmp_path / "edited") == wanted
    close(run(path, wanted)[0], reference()[0])


def test_weights_in_a_subgraph_come_along(tmp_path):
    def branch(name, factor) -> Any:
        constant = numpy_helper.from_array(NARROW * factor, f"{name}_kernel")
        nodes = [
            helper.make_node("Constant", [], [f"{name}_kernel"], value=constant),
            helper.make_node("Identity", [f"{name}_kernel"], [f"{name}_out"]),
        ]
        return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info(f"{name}_out", 1, [4, 2])])

    nodes = [
        ("Relu", ["x"], ["hidden"]),
        ("If", ["flag"], ["kernel"], {"then_branch": branch("a", 1), "else_branch": branch("b", 2)}),
        ("MatMul", ["hidden", "kernel"], ["output"]),
    ]
    model = model_of(nodes, ["output"], {"flag": np.array(False)})
    constant = model.graph.node[1].attribute[1].g.node[0].attribute[0].t
    (tmp_path / "b.bin").write_bytes(constant.raw_data)
    constant.ClearField("raw_data")
    constant.data_location = TensorProto.EXTERNAL
    constant.external_data.add(key="location", value="./b.bin")
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())

    edited = edit_model(model_source(tmp_path / "net.onnx"), None, tmp_path / "edited")

    assert (Path(edited.path).parent / "b.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()


@pytest.mark.parametrize("location", ["../square.bin", "deep/../../square.bin", "/tmp/square.bin", ""])
def test_weights_outside_of_the_models_folder_are_told(tmp_path, location):
    path = with_outer_weights(tmp_path / "given", ["square.bin", "narrow.bin"])
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].external_data[0].value = location
    path.write_bytes(model.SerializeToString())

    with pytest.raises(LeaplabError, match=f"net.onnx cannot be run as an ONNX model: its weights lie in '{location}'"):
        edit_model(model_source(path), None, tmp_path / "edited")
    assert not (tmp_path / "edited").exists()


@pytest.mark.parametrize("location", ["model.onnx", "./Model.ONNX", "model.onnx/weights.bin"])
def test_weights_under_the_edited_models_own_name_are_told(tmp_path, location):
    path = with_outer_weights(tmp_path / "given", [location, "narrow.bin"])

    with pytest.raises(LeaplabError, match=r"its weights lie in '.+', a name for the model itself; export it anew"):
        edit_model(model_source(path), None, tmp_path / "edited")


def test_weights_that_are_missing_are_told(tmp_path):
    path = with_outer_weights(tmp_path / "given", ["square.bin", "deep/narrow.bin"])
    (tmp_path / "given/deep/narrow.bin").unlink()

    with pytest.raises(LeaplabError, match=r"its weights are missing: there is no file .*given/deep/narrow.bin\.$"):
        edit_model(model_source(path), None, tmp_path / "edited")
    content = ModelSource("onnx", "model.onnx", "0", content=path.read_bytes())
    with pytest.raises(LeaplabError, match=r"its bytes lack the weights in 'square.bin'; make the session of the mode"):
        edit_model(content, None, tmp_path / "edited")


@pytest.mark.parametrize("file", ["net.onnx", "square.bin"])
def test_model_or_weights_that_are_a_pointer_of_git_lfs_are_told(tmp_path, file):
    path = with_outer_weights(tmp_path / "given", ["square.bin", "narrow.bin"])
    source = model_source(path)
    (path.parent / file).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 64\n")

    with pytest.raises(LeaplabError, match=f"{file} is a pointer of Git LFS, not the model itself; run `git lfs pull`"):
        edit_model(source, None, tmp_path / "edited")


def test_model_of_more_than_two_gibibytes_is_run(tmp_path):
    # More than a protobuf message may hold. The file is sparse, and the model looks at its last rows alone.
    rows, width = 600_000, 1024
    vectors = np.random.default_rng(4).normal(size=(3, width)).astype(np.float32)
    with (tmp_path / "table.bin").open("wb") as file:
        file.truncate((rows - 3) * width * 4)
        file.seek((rows - 3) * width * 4)
        file.write(vectors.tobytes())
    nodes = [
        ("Cast", ["x"], ["places"], {"to": TensorProto.INT64}),
        ("Gather", ["table", "places"], ["found"]),
        ("ReduceMean", ["found"], ["hidden"], {"axes": [1], "keepdims": 0}),
        ("MatMul", ["hidden", "narrow"], ["output"]),
    ]
    narrow = np.random.default_rng(5).normal(size=(width, 2)).astype(np.float32)
    model = model_of(nodes, ["output"], {"narrow": narrow})
    table = model.graph.initializer.add(
        name="table", data_type=TensorProto.FLOAT, dims=[rows, width], data_location=TensorProto.EXTERNAL
    )
    table.external_data.add(key="location", value="table.bin")
    path = tmp_path / "large.onnx"
    path.write_bytes(model.SerializeToString())

    edited = edit_model(model_source(path), None, tmp_path / "edited")
    places = np.array([[rows - 3, rows - 2, rows - 1, rows - 1]], np.float32)
    (output,), latent = OnnxPredictor(path, edited).predict([places])

    wanted = vectors[[0, 1, 2, 2]].mean(axis=0, keepdims=True)
    close(latent, wanted)
    np.testing.assert_allclose(output, wanted @ narrow, rtol=1e-4, atol=1e-4)
