"""An ONNX model cut in two at its feature maps: a trunk that makes them of the inputs, a head that goes on from there.

Not by `onnx.utils.extract_model`: a graph that computes a shape before the cut and uses it behind would keep the batch
that the trunk ran with, and what subgraphs take from outside would be lost.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper, shape_inference

from leaplab.errors import LeaplabError, MissingError
from leaplab.files import written_aside
from leaplab.protocol.cuts import CutGraph, Cuts, FeatureMap, find_cuts
from leaplab.protocol.explaining import SplitModel
from leaplab.protocol.model import EditedModel

CONVOLUTIONS = ("Conv", "ConvTranspose", "FusedConv", "DeformConv")
QUANTIZED = ("QLinearConv", "ConvInteger", "QLinearMatMul", "QGemm", "MatMulInteger")
DENSE = ("Gemm", "MatMul", "FusedGemm", "FusedMatMul")
SHAPES = ("Shape", "Size")
KEEPING = frozenset(
    [
        "Abs",
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Cast",
        "Ceil",
        "Celu",
        "Clip",
        "Div",
        "Dropout",
        "Elu",
        "Erf",
        "Exp",
        "Floor",
        "Gelu",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "GroupNormalization",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "InstanceNormalization",
        "LRN",
        "LeakyRelu",
        "Log",
        "LpNormalization",
        "LpPool",
        "Max",
        "MaxPool",
        "Mean",
        "Min",
        "Mish",
        "Mul",
        "Neg",
        "PRelu",
        "Pad",
        "Pow",
        "Reciprocal",
        "Relu",
        "Resize",
        "Round",
        "Selu",
        "Sigmoid",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Sub",
        "Sum",
        "Swish",
        "Tanh",
        "ThresholdedRelu",
        "Upsample",
        "Where",
    ]
)
"""Operators that leave the axes where they are; of convolutions, the first is the channels'."""
SHAPE_OF = "leaplab_shape_of_"
CUT = "_cut_by_leaplab"
VERSION = 1
"""Raised when the same cut is written otherwise."""


class Cutter:
    """A model's graph, to be cut.

    Args:
        edited: the model with its latent tensors among the outputs.
    """

    def __init__(self, edited: EditedModel) -> None:
        self._edited = edited
        self._path = Path(edited.path)
        self._proto = onnx.load(self._path, load_external_data=False)
        graph = self._proto.graph
        initializers = {tensor.name for tensor in graph.initializer}
        initializers |= {tensor.values.name for tensor in graph.sparse_initializer}
        self._inputs = [value for value in graph.input if value.name not in initializers]
        self._nodes = {str(place): node for place, node in enumerate(graph.node)}
        self._makers = {tensor: key for key, node in self._nodes.items() for tensor in node.output if tensor}
        self._data = self._walked({value.name for value in self._inputs})
        self._maps: dict[str, FeatureMap] = {}
        self._single: set[str] = set()
        self._rank = 0

    @property
    def is_quantized(self) -> bool:
        """Whether some of its convolutions or dense layers compute with integers."""
        return any(node.op_type in QUANTIZED for node in self._nodes.values())

    @property
    def input_count(self) -> int:
        """Number of the model's inputs."""
        return len(self._inputs)

    @property
    def is_dense(self) -> bool:
        """Whether its first output has more axes than batch and classes, once measured."""
        return self._rank > 2

    def shapes_model(self) -> tuple[Path, int]:
        """The same model with the shapes of its tensors for outputs, written beside it, and how many these are.

        Raises:
            LeaplabError: it cannot be written.
        """
        probe = onnx.ModelProto()
        probe.CopyFrom(self._proto)
        tensors = self._asked()
        del probe.graph.output[:]
        for tensor in tensors:
            probe.graph.node.append(helper.make_node("Shape", [tensor], [SHAPE_OF + tensor]))
            probe.graph.output.append(helper.make_tensor_value_info(SHAPE_OF + tensor, TensorProto.INT64, None))
        return self._written(probe, f"shapes-{VERSION}"), len(tensors)

    def measure(self, shapes: Sequence[Any], rows: int) -> None:
        """Take what a run of `shapes_model` gave: of each tensor its shape, in a batch of so many samples."""
        by_tensor = {tensor: tuple(map(int, found)) for tensor, found in zip(self._asked(), shapes, strict=True)}
        self._maps = self._feature_maps(by_tensor, rows)
        self._rank = len(by_tensor.get(self._proto.graph.output[0].name, ()))

    @property
    def maps(self) -> Mapping[str, FeatureMap]:
        """Tensor -> the map that it is, in the graph's order, once measured."""
        return self._maps

    def cuts(self, position: int) -> Cuts:
        """Where to cut for a heat-map over the input of that position."""
        convolutions = {
            key: node.input[0]
            for key, node in self._nodes.items()
            if node.op_type in CONVOLUTIONS and self._is_map(node.input[0])
        }
        weighted = [key for key, node in self._nodes.items() if node.op_type in (*CONVOLUTIONS, *DENSE, *QUANTIZED)]
        graph = CutGraph(
            [self._inputs[position].name],
            [output.name for output in list(self._proto.graph.output)[: self._edited.outputs]],
            {tensor: key for tensor, key in self._makers.items() if tensor in self._data},
            {key: [tensor for tensor in _taken(node) if tensor in self._data] for key, node in self._nodes.items()},
            list(self._nodes),
            self._maps,
            convolutions,
            weighted,
        )
        return find_cuts(graph)

    def named(self, layer: str) -> FeatureMap:
        """The map of that tensor, or that a node of that name makes.

        Raises:
            MissingError: there is none.
        """
        by_node = {node.name: node.output[0] for node in self._nodes.values() if node.name and node.output}
        tensor = layer if layer in self._data else by_node.get(layer, layer)
        if tensor in self._maps:
            return self._maps[tensor]
        if tensor in self._data:
            raise MissingError(
                f"'{layer}' has no two axes of space with more than one cell, so that no map can be taken of it;"
                " --layer list tells those that have."
            )
        raise MissingError(f"The model has no layer '{layer}'; --layer list tells those that a map can be taken of.")

    def split(self, maps: Sequence[FeatureMap]) -> SplitModel:
        """Cut at some maps, and write the two models beside the whole one.

        Raises:
            LeaplabError: they cannot be written.
        """
        stops = {each.tensor for each in maps}
        outputs = [output.name for output in self._proto.graph.output]
        outputs += [tensor for tensor, _ in self._edited.features if tensor not in outputs]
        head, fed, shapes = self._behind(outputs, stops)
        trunk, _, _ = self._behind([each.tensor for each in maps] + shapes, set())
        names = [value.name for value in self._inputs]
        trunk_inputs = tuple(place for place, name in enumerate(names) if name in self._reached(trunk))
        head_inputs = tuple(place for place, name in enumerate(names) if name in fed)
        types = self._types()
        first = self._inputs[0].type.tensor_type.shape.dim
        batch = (first[0].dim_value if first else 0) or "batch"

        def map_input(each: FeatureMap) -> onnx.ValueInfoProto:
            space = (each.channels, each.height, each.width)
            shape = space if each.channel_axis == 1 else (*space[1:], space[0])
            return helper.make_tensor_value_info(each.tensor + CUT, types.get(each.tensor, 1), [batch, *shape])

        joints = [helper.make_node("Identity", [each.tensor + CUT], [each.tensor]) for each in maps]
        whole = list(self._inputs)
        digest = hashlib.sha256(f"{VERSION} {[each.tensor for each in maps]}".encode()).hexdigest()[:16]
        made = [each.tensor for each in maps] + shapes
        first_part = self._part(trunk, [whole[place] for place in trunk_inputs], made)
        taken = [map_input(each) for each in maps] + [whole[place] for place in head_inputs]
        taken += [helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in shapes]
        second_part = self._part([*joints, *head], taken, outputs)
        return SplitModel(
            str(self._written(first_part, f"trunk-{digest}")),
            str(self._written(second_part, f"head-{digest}")),
            tuple(maps),
            trunk_inputs,
            head_inputs,
            len(shapes),
            self._edited.outputs,
            tuple(self._edited.features),
        )

    def _asked(self) -> list[str]:
        return [tensor for node in self._nodes.values() for tensor in node.output if tensor in self._data]

    def _is_map(self, tensor: str) -> bool:
        """Whether a convolution sees more than one cell: what it takes is a map, or the input itself."""
        return tensor in self._maps or tensor not in self._single

    def _walked(self, known: set[str]) -> dict[str, None]:
        """Tensors that depend on the values of the inputs, not on their shapes alone."""
        data = dict.fromkeys(sorted(known))
        for node in self._proto.graph.node:
            if node.op_type not in SHAPES and any(tensor in data for tensor in _taken(node)):
                data.update(dict.fromkeys(tensor for tensor in node.output if tensor))
        return data

    def _feature_maps(self, shapes: Mapping[str, tuple[int, ...]], rows: int) -> dict[str, FeatureMap]:
        axes: dict[str, int] = {}
        behind: set[str] = set()
        self._single = {t for t, shape in shapes.items() if len(shape) == 4 and shape[2] * shape[3] == 1}
        for node in self._nodes.values():
            made = [tensor for tensor in node.output if tensor in self._data]
            taken = [tensor for tensor in node.input if tensor in self._data]
            if any(tensor in behind for tensor in taken) or (taken and node.op_type in CONVOLUTIONS):
                behind.update(made)
            known = [axes[tensor] for tensor in taken if tensor in axes]
            if node.op_type in CONVOLUTIONS and taken:
                axes[node.input[0]] = 1
                axes[made[0]] = 1
            elif node.op_type == "Transpose" and known:
                perm = next((list(each.ints) for each in node.attribute if each.name == "perm"), [])
                if known[0] in perm:
                    axes[made[0]] = perm.index(known[0])
            elif known and (
                node.op_type in KEEPING or (node.op_type == "Concat" and _attribute(node, "axis") == known[0])
            ):
                axes.update(dict.fromkeys(made, known[0]))
        maps = {}
        for tensor, shape in shapes.items():
            axis = axes.get(tensor)
            if axis not in (1, 3) or tensor not in behind or len(shape) != 4 or shape[0] != rows:
                continue
            height, width = shape[2:] if axis == 1 else shape[1:3]
            if height * width > 1:
                maps[tensor] = FeatureMap(tensor, axis, height, width, shape[axis])
        return maps

    def _behind(self, outputs: Sequence[str], stops: set[str]) -> tuple[list[onnx.NodeProto], set[str], list[str]]:
        """What makes some tensors of others.

        Returns:
            The nodes, in the graph's order; names of the model's inputs that they take; and the shapes that they take
            of what lies before the stops.
        """
        inputs = {value.name for value in self._inputs}
        keys: set[str] = set()
        fed: set[str] = set()
        measured: set[str] = set()
        queue = list(outputs)
        seen: set[str] = set()
        while queue:
            tensor = queue.pop()
            if tensor in seen or tensor in stops:
                continue
            seen.add(tensor)
            if tensor in inputs:
                fed.add(tensor)
                continue
            key = self._makers.get(tensor)
            if key is None:
                continue
            node = self._nodes[key]
            if stops and node.op_type in SHAPES:
                measured.add(key)
                continue
            keys.add(key)
            queue.extend(_taken(node))
        shapes = []
        for key in sorted(measured, key=int):
            node = self._nodes[key]
            known = node.input[0] in stops or node.input[0] in fed or self._makers.get(node.input[0]) in keys
            if known:
                keys.add(key)
            else:
                shapes.append(node.output[0])
        return [self._nodes[key] for key in sorted(keys, key=int)], fed, shapes

    def _reached(self, nodes: Sequence[onnx.NodeProto]) -> set[str]:
        return {tensor for node in nodes for tensor in _taken(node)}

    def _types(self) -> dict[str, int]:
        try:
            graph = shape_inference.infer_shapes(self._proto).graph
        except Exception:  # an operator that onnx does not know, say; most maps are float32
            graph = self._proto.graph
        values = (*graph.value_info, *graph.output)
        return {value.name: value.type.tensor_type.elem_type or 1 for value in values}

    def _part(
        self, nodes: Sequence[onnx.NodeProto], inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[str]
    ) -> onnx.ModelProto:
        part = onnx.ModelProto()
        part.CopyFrom(self._proto)
        taken = self._reached(nodes)
        graph = part.graph
        kept = [tensor for tensor in graph.initializer if tensor.name in taken or tensor.name in outputs]
        sparse = [tensor for tensor in graph.sparse_initializer if tensor.values.name in taken]
        for field in ("node", "input", "output", "initializer", "sparse_initializer", "value_info"):
            graph.ClearField(field)
        graph.node.extend(nodes)
        graph.input.extend(inputs)
        graph.initializer.extend(kept)
        graph.sparse_initializer.extend(sparse)
        types = {value.name: value for value in self._proto.graph.output}
        graph.output.extend(types.get(name) or onnx.ValueInfoProto(name=name) for name in outputs)
        return part

    def _written(self, model: onnx.ModelProto, name: str) -> Path:
        target = self._path.with_name(f"{name}.onnx")  # beside the files that its weights may lie in
        if not target.is_file():
            try:
                with written_aside(target) as aside:
                    aside.write_bytes(model.SerializeToString())
            except OSError as error:
                raise LeaplabError(f"{target} cannot be written: {error.strerror}.") from error
        return target


def _attribute(node: onnx.NodeProto, name: str) -> int | None:
    return next((each.i for each in node.attribute if each.name == name), None)


def _taken(node: onnx.NodeProto) -> list[str]:
    """What a node takes, what its subgraphs take from outside among it."""
    return [tensor for tensor in node.input if tensor] + list(_captured(node))


def _captured(node: onnx.NodeProto) -> Iterator[str]:
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs) if attribute.HasField("g") or attribute.graphs else ():
            own = {value.name for value in (*graph.input, *graph.initializer)}
            own |= {tensor for inner in graph.node for tensor in inner.output}
            wanted = [tensor for inner in graph.node for tensor in _taken(inner)]
            yield from (tensor for tensor in [*wanted, *(o.name for o in graph.output)] if tensor not in own)
