"""Where models are cut, and that both parts together are the whole."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from leaplab.errors import MissingError
from leaplab.evaluate.head_cut import Cutter
from leaplab.evaluate.onnx_surgery import edit_model
from leaplab.protocol.explaining import SplitModel, Target
from leaplab.protocol.model import ModelSource
from tests.leaplab.explain.known import Known, node, patch_model, save_model

MODELS = Path(__file__).parents[3] / "models"
EXPECTED = {
    "mnist_cnn": ({(7, 7)}, (7, 7), True),
    "cifar10_resnet_18": ({(4, 4), (8, 8)}, (4, 4), True),
    "yolov7_tiny_foresight": ({(32, 40), (16, 20), (8, 10)}, (32, 40), False),
    "armbench_yolo_seg": ({(80, 80), (40, 40), (20, 20), (10, 10)}, (40, 40), False),
}
"""Model -> cells of its heads' maps and of the deep one, and whether the deep one is the last of all."""


def measured(path: Path, folder: Path, inputs: list[Any], latent: str | None = None) -> Cutter:
    source = ModelSource("onnx", path.name, path.stem, str(path))
    cutter = Cutter(edit_model(source, latent, folder))
    file, count = cutter.shapes_model()
    session = onnxruntime.InferenceSession(str(file))
    shapes = session.run(None, {each.name: array for each, array in zip(session.get_inputs(), inputs, strict=True)})
    assert len(shapes) == count
    cutter.measure(shapes, len(inputs[0]))
    return cutter


def through_both(split: SplitModel, inputs: list[Any]) -> list[Any]:
    trunk, head = (onnxruntime.InferenceSession(path) for path in (split.trunk, split.head))
    given = [inputs[place] for place in split.trunk_inputs]
    made = trunk.run(None, {each.name: array for each, array in zip(trunk.get_inputs(), given, strict=True)})
    maps, shapes = made[: len(split.maps)], made[len(split.maps) :]
    assert len(shapes) == split.shapes
    taken = [*maps, *(inputs[place] for place in split.head_inputs), *shapes]
    outputs: list[Any] = head.run(None, {e.name: a for e, a in zip(head.get_inputs(), taken, strict=True)})
    return outputs[: split.outputs]


@pytest.mark.parametrize("name", EXPECTED)
def test_both_parts_of_our_models_give_their_outputs_exactly(name: str, tmp_path: Path) -> None:
    path = MODELS / f"{name}.onnx"
    whole = onnxruntime.InferenceSession(str(path))
    (declared,) = whole.get_inputs()
    inputs = [np.random.default_rng(0).random((2, *declared.shape[1:]), np.float32)]
    cutter = measured(path, tmp_path, inputs)
    cuts = cutter.cuts(0)

    heads, deep, is_last = EXPECTED[name]
    assert cuts.deep is not None
    assert {(each.height, each.width) for each in cuts.heads} == heads
    assert ((cuts.deep.height, cuts.deep.width), cuts.is_last) == (deep, is_last)
    wanted = whole.run(None, {declared.name: inputs[0]})
    for maps in {cuts.chosen(False), cuts.chosen(True)}:
        for found, each in zip(through_both(cutter.split(maps), inputs), wanted, strict=True):
            np.testing.assert_array_equal(found, each)


def pyramid(path: Path) -> Path:
    """Two levels, each with a head of its own whose rows are joined; upsampling by a shape that the graph computes."""
    generator = np.random.default_rng(1)
    weights: dict[str, Any] = {
        "stem": generator.normal(size=(4, 3, 3, 3)).astype(np.float32),
        "down": generator.normal(size=(4, 4, 2, 2)).astype(np.float32),
        "fine": generator.normal(size=(5, 4, 1, 1)).astype(np.float32),
        "coarse": generator.normal(size=(5, 4, 1, 1)).astype(np.float32),
        "rest": np.array([5, -1], np.int64),
        "first": np.array([0], np.int64),
        "axis": np.array([0], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["image", "stem"], ["base"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["base"], ["level"]),
        helper.make_node("Conv", ["level", "down"], ["lower"], strides=[2, 2]),
        helper.make_node("Relu", ["lower"], ["low"]),
        helper.make_node("Conv", ["level", "fine"], ["many"]),
        helper.make_node("Conv", ["low", "coarse"], ["few"]),
        # The batch is read off the image, before any cut.
        helper.make_node("Shape", ["image"], ["size"]),
        helper.make_node("Gather", ["size", "first"], ["rows"], axis=0),
        helper.make_node("Concat", ["rows", "rest"], ["flat"], axis=0),
        helper.make_node("Reshape", ["many", "flat"], ["many_flat"]),
        helper.make_node("Reshape", ["few", "flat"], ["few_flat"]),
        helper.make_node("Concat", ["many_flat", "few_flat"], ["joined"], axis=2),
        helper.make_node("Transpose", ["joined"], ["boxes"], perm=[0, 2, 1]),
    ]
    return save_model(path, {"image": ["n", 3, 8, 8]}, nodes, {"boxes": ["n", 80, 5]}, weights)


def test_a_shape_from_before_the_cut_is_taken_along(tmp_path: Path) -> None:
    path = pyramid(tmp_path / "m.onnx")
    images = np.random.default_rng(2).random((3, 3, 8, 8), np.float32)
    cutter = measured(path, tmp_path, [images])
    cuts = cutter.cuts(0)
    assert {each.tensor for each in cuts.heads} == {"level", "low"}
    assert cuts.deep is not None
    assert (cuts.deep.tensor, cuts.is_last) == ("level", False)

    split = cutter.split(cuts.heads)
    (wanted,) = onnxruntime.InferenceSession(str(path)).run(None, {"image": images})
    assert (split.shapes, split.head_inputs) == (1, ())
    np.testing.assert_array_equal(through_both(split, [images])[0], wanted)
    assert cutter.is_dense


def total(boxes: Any) -> Any:
    return boxes.sum(axis=(1, 2))


def test_a_head_that_takes_a_shape_runs_on_many_changed_maps_at_once(tmp_path: Path) -> None:
    path = pyramid(tmp_path / "m.onnx")
    images = np.random.default_rng(2).random((3, 3, 8, 8), np.float32)
    known = Known(path, {"image": images}, {}, {total: node("total", boxes="output 0")}, channel_dim=1)
    cutter = known.cutter(tmp_path)
    split = cutter.split(cutter.cuts(0).heads)
    answer = known.map(Target("loss"), 1, split)

    # By hand, one cell of the fine level and the one of the coarse level under it at a time.
    trunk, head = (onnxruntime.InferenceSession(file) for file in (split.trunk, split.head))
    *maps, shape = trunk.run(None, {"image": images[1:2]})
    by_tensor = {each.tensor: array for each, array in zip(split.maps, maps, strict=True)}
    names = [each.name for each in head.get_inputs()]

    def without(row: int, column: int) -> float:
        changed = {tensor: array.copy() for tensor, array in by_tensor.items()}
        changed["level"][:, :, row, column] = 0
        changed["low"][:, :, row // 2, column // 2] = 0
        given = [*(changed[each.tensor] for each in split.maps), shape]
        return float(head.run(None, dict(zip(names, given, strict=True)))[0].sum())

    wanted = [[answer.targets[0] - without(row, column) for column in range(8)] for row in range(8)]
    np.testing.assert_allclose(answer.values[0], wanted, rtol=1e-3, atol=1e-3)


def test_other_inputs_go_into_the_head(tmp_path: Path, make_model: Any) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(make_model(), path)
    generator = np.random.default_rng(0)
    inputs = [generator.random((2, 6, 6, 1), np.float32), generator.random((2, 3), np.float32)]
    cutter = measured(path, tmp_path, inputs)
    split = cutter.split(cutter.cuts(0).chosen(False))
    session = onnxruntime.InferenceSession(str(path))

    assert [each.tensor for each in split.maps] == ["positive"]
    assert (split.trunk_inputs, split.head_inputs) == ((0,), (1,))
    wanted = session.run(None, {"image": inputs[0], "bias": inputs[1]})
    np.testing.assert_array_equal(through_both(split, inputs)[0], wanted[0])
    # The bias comes in behind every map, so that no map lies between it and the output.
    assert cutter.cuts(1).deep is None


def test_channels_last_maps_are_known_behind_transposes(tmp_path: Path) -> None:
    weights = {"kernel": np.ones((2, 1, 3, 3), np.float32), "mix": np.ones((2, 2), np.float32)}
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["maps"]),
        helper.make_node("Transpose", ["maps"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Relu", ["last"], ["positive"]),
        helper.make_node("ReduceMean", ["positive"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["means", "mix"], ["y"]),
    ]
    path = save_model(tmp_path / "m.onnx", {"image": ["n", 1, 7, 6]}, nodes, {"y": ["n", 2]}, weights)
    cutter = measured(path, tmp_path, [np.random.default_rng(0).random((3, 1, 7, 6), np.float32)])
    deep = cutter.cuts(0).deep
    assert deep is not None
    assert (deep.tensor, deep.channel_axis, deep.height, deep.width, deep.channels) == ("positive", 3, 5, 4, 2)


def test_layers_are_named_by_tensor_or_node(tmp_path: Path) -> None:
    path = patch_model(tmp_path / "m.onnx")
    cutter = measured(path, tmp_path, [np.zeros((3, 24, 24, 1), np.float32)])

    assert (cutter.named("found").tensor, cutter.named("find").tensor) == ("found", "edges")
    with pytest.raises(MissingError, match="no layer 'nowhere'"):
        cutter.named("nowhere")
    with pytest.raises(MissingError, match="no two axes of space"):
        cutter.named("logits")
    assert list(cutter.maps) == ["edges", "found"]


def test_a_residual_way_around_the_last_convolution_moves_the_deep_cut_behind_it(tmp_path: Path) -> None:
    weights = {
        "one": np.ones((2, 1, 1, 1), np.float32),
        "two": np.ones((2, 2, 1, 1), np.float32),
        "mix": np.ones((2, 2), np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["image", "one"], ["before"]),
        helper.make_node("Conv", ["before", "two"], ["around"]),
        helper.make_node("Add", ["before", "around"], ["joined"]),
        helper.make_node("GlobalAveragePool", ["joined"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "mix"], ["y"]),
    ]
    path = save_model(tmp_path / "m.onnx", {"image": ["n", 1, 4, 4]}, nodes, {"y": ["n", 2]}, weights)
    cuts = measured(path, tmp_path, [np.zeros((3, 1, 4, 4), np.float32)]).cuts(0)
    assert cuts.deep is not None
    assert (cuts.deep.tensor, cuts.is_last) == ("joined", True)
    assert [each.tensor for each in cuts.chosen(True)] == ["joined"]


def test_what_a_subgraph_takes_from_outside_comes_along(tmp_path: Path) -> None:
    """A branch of an If uses a tensor of the outer graph that nothing else takes."""

    def branch(name: str, nodes: list[onnx.NodeProto]) -> onnx.GraphProto:
        made = helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, None)
        return helper.make_graph(nodes, name, [], [made])

    weights = {"kernel": np.ones((2, 1, 2, 2), np.float32), "mix": np.eye(2, dtype=np.float32)}
    yes = branch("yes", [helper.make_node("Mul", ["flat", "scale"], ["yes_out"])])
    no = branch("no", [helper.make_node("Identity", ["flat"], ["no_out"])])
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["maps"]),
        helper.make_node("ReduceMax", ["image"], ["scale"], keepdims=0),
        helper.make_node("GlobalAveragePool", ["maps"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Greater", ["scale", "zero"], ["bright"]),
        helper.make_node("If", ["bright"], ["chosen"], then_branch=yes, else_branch=no),
        helper.make_node("MatMul", ["chosen", "mix"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "conditional",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()]
        + [numpy_helper.from_array(np.array(0, np.float32), "zero")],
    )
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    images = np.random.default_rng(3).random((3, 1, 4, 4), np.float32)
    cutter = measured(path, tmp_path, [images])
    split = cutter.split([cutter.named("maps")])

    (wanted,) = onnxruntime.InferenceSession(str(path)).run(None, {"image": images})
    np.testing.assert_array_equal(through_both(split, [images])[0], wanted)
    assert split.head_inputs == (0,)
