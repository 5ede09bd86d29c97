"""Heat-maps of integrations in the styles that exist: two inputs and outputs, channels first, groups."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from leaplab.errors import LeaplabError
from leaplab.population.opened import Run
from leaplab.population.population import Population

FOREIGN = Path(__file__).parents[1] / "foreign"


def image_of(number: int) -> Any:
    """As the foreign integrations make them."""
    return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6)


@contextmanager
def opened(name: str, model: onnx.ModelProto, evaluated: Any, folder: Path) -> Iterator[Run]:
    root = folder / "integration"
    shutil.copytree(FOREIGN / name, root, ignore=shutil.ignore_patterns("__pycache__"))
    onnx.save(model, root / "model.onnx")
    run = Run(Population(evaluated(folder / "runs", root, batch_size=4)))
    try:
        yield run
    finally:
        run.close()


def changes_by_hand(model: onnx.ModelProto, image: Any, bias: Any, measure: Any) -> Any:
    """[4, 4] by how much a measure of the classes falls where a cell of the map is 0."""
    weights = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    maps = np.einsum("yxij,kij->kyx", windows, weights["kernel"][:, 0]) + weights["kernel_bias"][:, None, None]
    maps = np.maximum(maps, 0)
    changed = np.repeat(maps[None], 17, axis=0)
    for cell in range(16):
        changed[cell + 1, :, cell // 4, cell % 4] = 0
    logits = changed.mean(axis=(2, 3)) @ weights["dense"] + weights["dense_bias"] + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found = measure(powers / powers.sum(axis=1, keepdims=True))
    return (found[0] - found[1:]).reshape(4, 4)


def squares(number: int, sign: int = 1) -> Any:
    return lambda classes: np.square(np.eye(3)[number % 3] - sign * classes).sum(axis=1)


def test_two_inputs_and_two_outputs(make_model: Any, evaluated: Any, tmp_path: Path) -> None:
    model = make_model(outputs=2)
    model.graph.node[-1].op_type = "Neg"
    with opened("two_and_two", model, evaluated, tmp_path) as run:
        loss = run.heatmap("v1", "loss:squares", baseline="zero")
        best = run.heatmap("v1", "class:b", baseline="zero")
        both = run.heatmap("v1", "loss", baseline="zero")
    bias = np.array([0, 0, -1])  # v1 is number 6
    wanted = changes_by_hand(model, image_of(6), bias, squares(6, -1))  # the loss is wired to the second output
    np.testing.assert_allclose(loss.values[0], wanted, atol=1e-5)
    np.testing.assert_array_equal(both.values, loss.values)
    # The first output that has the class is the one that is followed.
    np.testing.assert_allclose(best.values[0], changes_by_hand(model, image_of(6), bias, lambda c: c[:, 1]), atol=1e-5)


def test_channels_first_in_batches_of_four_alone(make_model: Any, evaluated: Any, tmp_path: Path) -> None:
    model = make_model(inputs=("image",), batch=4)
    del model.graph.node[0]
    model.graph.node[0].input[0] = "image"
    for size, length in zip(model.graph.input[0].type.tensor_type.shape.dim, (4, 1, 6, 6), strict=True):
        size.dim_value = length
    with opened("channels_first", model, evaluated, tmp_path) as run:
        loss = run.heatmap("v2", "loss", baseline="zero")
        covered = run.heatmap("v2", "loss", method="occlusion", baseline="zero", block=6)
    wanted = changes_by_hand(model, image_of(7), 0, squares(7))
    np.testing.assert_allclose(loss.values[0], wanted, atol=1e-5)
    assert loss.target_value == pytest.approx(covered.target_value, rel=1e-5)
    assert covered.values.shape == (1, 6, 6)
    assert np.ptp(covered.values) < 1e-9


def test_an_element_instance_has_the_value_of_the_run_and_the_models_changes(
    make_project: Any, evaluated: Any, tmp_path: Path
) -> None:
    root = make_project("instances", inputs=("image",))
    binder = root / "leap_binder.py"
    text = binder.read_text()
    for old, new in (
        ("def metric_darkest(image: Array)", "def metric_darkest(guess: Array)"),
        ("darkest = image.min(axis=(1, 2, 3)).astype(np.float32)", "darkest = 100 * guess[:, 0].astype(np.float32)"),
        ("metric_darkest(image)", "metric_darkest(guess)"),
    ):
        assert old in text
        text = text.replace(old, new)
    binder.write_text(text)
    store = evaluated(tmp_path, root)
    run = Run(Population(store))
    try:
        answer = run.heatmap("a", "instance:2:darkest", baseline="zero")
        with pytest.raises(LeaplabError, match=r"several metrics \(brightness, darkest\)"):
            run.heatmap("a", "instance:2")
        with pytest.raises(LeaplabError, match="no element instance 3: 'a' has 3"):
            run.heatmap("a", "instance:3:darkest")
        with pytest.raises(LeaplabError, match="'brightness' gives no value for element instance 2 of 'a'"):
            run.heatmap("a", "instance:2:brightness")
        with pytest.raises(LeaplabError, match="NaN or infinite for the sample as it is"):
            run.heatmap("c_c", "instance:0:brightness")
    finally:
        run.close()
    stored = {each["number"]: each["metric.darkest"] for each in store.instances_of(0)}
    assert answer.target_value == pytest.approx(stored[2], rel=1e-5)
    image = np.repeat(np.arange(6, dtype=np.float32) / 16, 6).reshape(6, 6)
    model = onnx.load(root / "tiny.onnx")
    wanted = changes_by_hand(model, image, 0, lambda classes: 100 * classes[:, 0])
    np.testing.assert_allclose(answer.values[0], wanted, atol=1e-3)


def test_ids_in_groups(make_model: Any, evaluated: Any, tmp_path: Path) -> None:
    model = make_model(inputs=("image",))
    with opened("grouped", model, evaluated, tmp_path) as run:
        loss = run.heatmap("t4", "loss:squares", baseline="zero")
    np.testing.assert_allclose(loss.values[0], changes_by_hand(model, image_of(4), 0, squares(4)), atol=1e-5)


def test_an_unlabeled_sample_has_classes_and_no_loss(make_model: Any, evaluated: Any, tmp_path: Path) -> None:
    model = make_model(inputs=("image",))
    with opened("unlabeled", model, evaluated, tmp_path) as run:
        with pytest.raises(LeaplabError, match="'u1' of unlabeled has no ground truth, which 'squares' needs"):
            run.heatmap("u1", "loss")
        confidence = run.heatmap("u1", "metric:confidence", baseline="zero")
    np.testing.assert_allclose(
        confidence.values[0], changes_by_hand(model, image_of(9), 0, lambda classes: classes.max(axis=1)), atol=1e-5
    )


def test_a_model_that_computes_with_integers_is_occluded_and_says_so(
    make_model: Any, evaluated: Any, tmp_path: Path
) -> None:
    weights = {
        "kernel": np.random.default_rng(0).integers(-9, 9, (3, 1, 3, 3)).astype(np.int8),
        "one": np.float32(0.01),
        "none": np.uint8(0),
        "mine": np.int8(0),
    }
    nodes = [
        helper.make_node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("QuantizeLinear", ["turned", "one", "none"], ["whole"]),
        helper.make_node("QLinearConv", ["whole", "one", "none", "kernel", "one", "mine", "one", "none"], ["maps"]),
        helper.make_node("DequantizeLinear", ["maps", "one", "none"], ["positive"]),
        helper.make_node("GlobalAveragePool", ["positive"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["classes_0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "integers",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 6, 6, 1])],
        [helper.make_tensor_value_info("classes_0", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with opened("unlabeled", model, evaluated, tmp_path) as run:
        answer = run.heatmap("t1", "loss")
    assert answer.method == "occlusion"
    assert "compute with integers" in answer.notices[0]
    assert answer.values.any()
