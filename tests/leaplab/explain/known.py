"""Models whose heat-map is known beforehand, and an integration of them without a process of its own."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from leaplab.evaluate.head_cut import Cutter
from leaplab.evaluate.onnx_surgery import edit_model
from leaplab.protocol.description import Description, GroundTruthSpec, InputSpec, Node, PredictionSpec, Source
from leaplab.protocol.explaining import ExplainOrder, Explanation, ShapesOrder, SplitModel, Target
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.model import LoadOrder, ModelSource
from leaplab.worker.explaining.explain import explain, shapes
from leaplab.worker.loading import load_predictor
from leaplab.worker.samples import Sample

Array = NDArray[Any]
STATE = "validation"


def node(handler: str, **arguments: str) -> Node:
    """A wired handler; an argument's source is `input NAME`, `truth NAME` or `output PLACE`."""
    sources = {}
    for name, text in arguments.items():
        kind, _, what = text.partition(" ")
        if kind == "output":
            sources[name] = Source("prediction", index=int(what))
        else:
            sources[name] = Source("ground_truth" if kind == "truth" else "input", what)
    return Node(handler, handler, sources)


class KnownCodeLoader:
    """What `leaplab.worker.explaining.drawn` asks of code-loader.

    Args:
        heat: name of a visualizer -> its heat-map function.
    """

    def __init__(self, heat: Mapping[str, Callable[..., Any]]) -> None:
        listed = [
            SimpleNamespace(visualizer_handler_data=SimpleNamespace(name=name), heatmap_function=each)
            for name, each in heat.items()
        ]
        self.handlers = SimpleNamespace(visualizers=listed)
        self.loader = SimpleNamespace()
        self._heat = heat

    def run(self, kind: str, handler: str, state: str, ids: Any, arguments: dict[str, Array]) -> Any:
        assert (kind, state, len(ids)) == ("heatmap_visualizer", STATE, 1)
        return self._heat[handler](**arguments)


class Known:
    """An integration as `leaplab.worker.explaining` sees one.

    Args:
        model: a file, or a Keras model.
        inputs: name -> [N, ...] of N samples, of which the ids are their places.
        truths: name -> [N, ...]; none are there where it is empty.
        losses, metrics, visualizers: function -> how it is wired.
        labels: of each output.
        heat: name of a visualizer -> its heat-map function.
        instance_metrics: function -> how it is wired.
        instances: of each sample, how many element instances it has; empty where the integration has none.
    """

    def __init__(
        self,
        model: Any,
        inputs: Mapping[str, Array],
        truths: Mapping[str, Array] | None = None,
        losses: Mapping[Callable[..., Any], Node] | None = None,
        metrics: Mapping[Callable[..., Any], Node] | None = None,
        visualizers: Mapping[Callable[..., Any], Node] | None = None,
        labels: Sequence[Sequence[str]] = ((),),
        channel_dim: int = -1,
        heat: Mapping[str, Callable[..., Any]] | None = None,
        instance_metrics: Mapping[Callable[..., Any], Node] | None = None,
        instances: Sequence[int] = (),
    ) -> None:
        self.instances = instances
        self.model = model
        self.code_loader = KnownCodeLoader(heat or {})
        self._inputs, self._truths = inputs, truths or {}
        given = [dict(each or {}) for each in (losses, metrics, visualizers, instance_metrics)]
        self._functions = {wired.handler: function for each in given for function, wired in each.items()}
        self.custom_layers: dict[str, Any] = {}
        wired = [tuple(each.values()) for each in given]
        self.description = Description(
            root=".",
            entry_file="leap_binder.py",
            states={STATE: len(next(iter(inputs.values())))},
            inputs=tuple(InputSpec(name, array.shape[1:], channel_dim) for name, array in inputs.items()),
            ground_truths=tuple(GroundTruthSpec(name, array.shape[1:]) for name, array in self._truths.items()),
            metadata=(),
            predictions=tuple(PredictionSpec(f"output {n}", tuple(each), -1) for n, each in enumerate(labels)),
            model_inputs=tuple(inputs),
            losses=wired[0],
            metrics=wired[1],
            visualizers=wired[2],
            instance_metrics=wired[3],
            instances={STATE: sum(instances)} if instances else {},
            has_integration_test=True,
            code_sha256="",
        )
        self._loaded: tuple[LoadOrder, Any] | None = None

    def sample_ids(self, state: str) -> list[int]:
        assert state == STATE
        return list(range(self.description.states[STATE]))

    def instance_count(self, state: str, sample_id: int) -> int:
        assert state == STATE
        return self.instances[sample_id]

    def sample(self, state: str, sample_id: int, wanted: Any) -> Sample:
        inputs = {name: array[sample_id] for name, array in self._inputs.items()}
        return Sample(inputs, {name: array[sample_id] for name, array in self._truths.items()}, {}, {})

    def predictor(self, order: LoadOrder | None = None) -> Any:
        if self._loaded is None or (order is not None and order != self._loaded[0]):
            order = order or LoadOrder()
            self._loaded = order, load_predictor(self.model, order.edited, order.latent)
        return self._loaded[1]

    def run_loss(self, wired: Node, state: str, ids: Any, arguments: dict[str, Array]) -> Any:
        assert all(len(array) == len(ids) for array in arguments.values())
        return self._functions[wired.handler](**arguments)

    run_metric = run_instance_metric = run_loss

    def run_visualizer(self, wired: Node, state: str, sample_id: Any, arguments: dict[str, Array]) -> Any:
        assert all(len(array) == 1 for array in arguments.values())
        return self._functions[wired.handler](**arguments)

    # The lab's part -------------------------------------------------------------------------------------------------

    def cutter(self, folder: Path, latent: str | None = None) -> Cutter:
        """The graph of an ONNX model, measured on the first sample."""
        content = Path(self.model).read_bytes()
        source = ModelSource("onnx", "model.onnx", hashlib.sha256(content).hexdigest(), str(self.model))
        edited = edit_model(source, latent, folder)
        self.predictor(LoadOrder(edited))
        cutter = Cutter(edited)
        path, count = cutter.shapes_model()
        *found, rows = shapes(self, ShapesOrder(SampleOrder(STATE, "0"), str(path), count))  # type: ignore[arg-type]
        cutter.measure(found, int(rows[0]))
        return cutter

    def map(
        self,
        of: Target,
        sample: int = 0,
        split: SplitModel | None = None,
        method: str = "ablation",
        baseline: str = "zero",
        **order: Any,
    ) -> Explanation:
        """A heat-map of a sample."""
        everything = tuple(SampleOrder(STATE, str(place)) for place in self.sample_ids(STATE))
        order.setdefault("population", everything)
        asked = ExplainOrder(SampleOrder(STATE, str(sample)), of, method, baseline, split=split, **order)
        return explain(self, asked)  # type: ignore[arg-type]


def save_model(
    path: Path,
    inputs: Mapping[str, Sequence[int | str]],
    nodes: Sequence[onnx.NodeProto],
    outputs: Mapping[str, Sequence[int | str]],
    weights: Mapping[str, Array],
) -> Path:
    """Write an ONNX model of float32."""
    graph = helper.make_graph(
        list(nodes),
        "known",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


CELL, CELLS = 4, 6
SIDE = CELL * CELLS
"""Pixels of an image of the patches, which lie on a grid of cells."""


def patch_weights() -> Array:
    """[2, 1, 4, 4]: a horizontal and a vertical edge, as a convolution finds them."""
    horizontal = np.repeat([[1.0], [1.0], [-1.0], [-1.0]], CELL, axis=1)
    return np.stack([horizontal, horizontal.T])[:, None].astype(np.float32)


def patch_model(path: Path, head: str = "mean", batch: int | str = "batch", channels_first: bool = False) -> Path:
    """Two classes by which of two patches there are more of; `head` is `mean`, `largest` or `dense`."""
    layout = [batch, 1, SIDE, SIDE] if channels_first else [batch, SIDE, SIDE, 1]
    first = [] if channels_first else [helper.make_node("Transpose", ["image"], ["turned"], perm=[0, 3, 1, 2])]
    weights: dict[str, Array] = {"kernel": patch_weights(), "bias": np.array([-4.0, -4.0], np.float32)}
    nodes = [
        *first,
        helper.make_node(
            "Conv", ["image" if channels_first else "turned", "kernel", "bias"], ["edges"], name="find", strides=[4, 4]
        ),
        helper.make_node("Relu", ["edges"], ["found"]),
    ]
    if head == "dense":
        generator = np.random.default_rng(5)
        spread = np.zeros((2 * CELLS * CELLS, 2), np.float32)
        spread[: CELLS * CELLS, 0] = generator.uniform(0.5, 1.5, CELLS * CELLS)
        spread[CELLS * CELLS :, 1] = generator.uniform(0.5, 1.5, CELLS * CELLS)
        weights["spread"] = spread / 16
        nodes += [
            helper.make_node("Flatten", ["found"], ["flat"]),
            helper.make_node("MatMul", ["flat", "spread"], ["logits"]),
        ]
    else:
        pool = {"mean": "GlobalAveragePool", "largest": "GlobalMaxPool"}[head]
        weights["mix"] = np.array([[1, -1], [-1, 1]], np.float32)
        nodes += [
            helper.make_node(pool, ["found"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "mix"], ["logits"]),
        ]
    nodes.append(helper.make_node("Softmax", ["logits"], ["classes"], axis=-1))
    return save_model(path, {"image": layout}, nodes, {"classes": [batch, 2]}, weights)


def patch_images(count: int, seed: int, patches: int = 2) -> tuple[Array, Array, Array]:
    """Noise with some equal patches at random places.

    Returns:
        [N, 24, 24, 1] images, [N, 2] one-hot classes, [N, 6, 6] where the patches are.
    """
    generator = np.random.default_rng(seed)
    images = generator.normal(0, 0.1, (count, SIDE, SIDE, 1)).astype(np.float32)
    places = np.zeros((count, CELLS, CELLS), bool)
    classes = generator.integers(0, 2, count)
    for row, kind in enumerate(classes):
        for cell in generator.choice(CELLS * CELLS, patches, replace=False):
            top, left = divmod(int(cell), CELLS)
            places[row, top, left] = True
            part = images[row, top * CELL : (top + 1) * CELL, left * CELL : (left + 1) * CELL, 0]
            part += patch_weights()[kind, 0]
    return images, np.eye(2, dtype=np.float32)[classes], places
