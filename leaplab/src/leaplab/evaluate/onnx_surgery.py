"""An ONNX model with the tensors that feed its head among its outputs, so that any onnxruntime gives latent vectors."""

import hashlib
import os
import shutil
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import onnx
from onnx import TensorProto, helper, shape_inference

from leaplab.errors import LeaplabError
from leaplab.files import written_aside
from leaplab.protocol.graph import frontier
from leaplab.protocol.model import EditedModel, ModelSource, not_a_model

WEIGHTED = {"Gemm": -1, "MatMul": -1, "Conv": 1, "ConvTranspose": 1}
"""Operators with weights, and the channel axis of their data input (ONNX convolutions are channels-first)."""


class _Operand(NamedTuple):
    """Where a node has a factor among its inputs, and that factor's scale and zero point; None where it has none."""

    place: int
    scale: int | None = None
    zero_point: int | None = None


_INTEGERS = (_Operand(0, None, 2), _Operand(1, None, 3))
_SCALED = (_Operand(0, 1, 2), _Operand(3, 4, 5))
_PLAIN = (_Operand(0), _Operand(1))
REWRITTEN: dict[str, tuple[int, tuple[_Operand, ...]]] = {
    "MatMulInteger": (-1, _INTEGERS),
    "ConvInteger": (1, _INTEGERS),
    "QLinearMatMul": (-1, _SCALED),
    "QLinearConv": (1, _SCALED),
    "QGemm": (-1, _SCALED),
    "MatMulIntegerToFloat": (-1, (_Operand(0, 2, 4), _Operand(1, 3, 5))),
    "DynamicQuantizeMatMul": (-1, (_Operand(0), _Operand(1, 2, 3))),
    "FusedMatMul": (-1, _PLAIN),
    "TransposeMatMul": (-1, _PLAIN),
    "FusedGemm": (-1, _PLAIN),
    "FusedConv": (1, _PLAIN),
    "MatMulNBits": (-1, _PLAIN),
    "MatMulBnb4": (-1, _PLAIN),
    "MatMulFpQ4": (-1, _PLAIN),
}
"""What quantizers and onnxruntime's optimizer put in the place of those: channel axis and factors. Source: ONNX's own
document of its operators, and docs/ContribOperators.md of onnxruntime."""

QUANTIZERS = ("QuantizeLinear", "DynamicQuantizeLinear")
MOVING = ("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Slice", "MaxPool")
"""Operators that give the values that they take, in another form: a quantizer's scale holds behind them."""
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
CANDIDATES = 3
"""How many tensors a person is told to choose from."""

MODEL_FILE = "model.onnx"
_ORT_IDENTIFIER = b"ORTM"
"""Of the flatbuffers schema (onnxruntime/core/flatbuffers/schema/ort.fbs)."""


def edit_model(source: ModelSource, latent: str | None, folder: Path) -> EditedModel:
    """Write the model with its latent tensors among the outputs, or take the file that an earlier call wrote.

    Args:
        source: an ONNX model, by its path or its bytes.
        latent: name of the tensor or node to take latent vectors from, instead of what feeds the head.
        folder: of all edited models; this one gets a folder of its own in it, named by a digest of the model, of its
            latent tensors and of the files that its weights lie in. These lie beside it under the same names.

    Raises:
        LeaplabError: it is no ONNX model, `latent` names nothing in it, its weights cannot be found, or `folder` cannot
            be written.
    """
    path = None if source.path is None else Path(source.path)
    proto = _read(source, path)
    name = "the integration's model" if path is None else path.name
    found = _features(proto.graph, name, latent)
    features = tuple(found.features)
    outputs = len(proto.graph.output)
    files = _external_files(proto, path)
    target = folder.absolute() / _digest(source, features, files) / MODEL_FILE
    edited = EditedModel(str(target), outputs, features, () if features else _candidates(proto, found))
    if target.is_file():
        return edited

    proto.graph.node.extend(found.dequantizing)
    present = {output.name for output in proto.graph.output}
    proto.graph.output.extend(onnx.ValueInfoProto(name=tensor) for tensor, _ in features if tensor not in present)
    try:
        for location, file in files.items():
            _place(file, target.parent / location)
        with written_aside(target) as aside:  # the last: where it is, all of it is
            aside.write_bytes(proto.SerializeToString())
    except OSError as error:
        raise LeaplabError(f"{target} cannot be written: {error.strerror}.") from error
    return edited


def is_ort_format(source: ModelSource) -> bool:
    """Whether a model is in onnxruntime's own format, which has a graph that nothing but onnxruntime reads."""
    if source.path is None:
        return (source.content or b"")[4:8] == _ORT_IDENTIFIER
    try:
        with Path(source.path).open("rb") as file:
            return file.read(8)[4:] == _ORT_IDENTIFIER
    except OSError:
        return False


def _read(source: ModelSource, path: Path | None) -> onnx.ModelProto:
    try:
        if path is None:
            return onnx.load_from_string(source.content or b"")
        if wrong := not_a_model(path):
            raise LeaplabError(wrong)
        return onnx.load(path, load_external_data=False)
    except LeaplabError:
        raise
    except OSError as error:
        raise _unusable(path, f"{error.strerror}.") from error
    except Exception as error:  # onnx and protobuf raise a dozen types of their own
        reason = "it is cut short, damaged, or none at all; download or export it again."
        raise _unusable(path, reason) from error


def _unusable(path: Path | None, reason: str) -> LeaplabError:
    name = "The integration's model" if path is None else path
    return LeaplabError(f"{name} cannot be run as an ONNX model: {reason}")


@dataclass
class _Found:
    """What feeds the head of a graph, and the graph as it was walked.

    Attributes:
        features: (tensor, channel axis) of each.
        dequantizing: nodes that make those which the graph has as integers alone.
        producers: tensor that depends on the model's inputs -> key of the node that makes it.
        inputs: key of a node -> the tensors that it takes and that depend on the model's inputs.
    """

    features: list[tuple[str, int]] = field(default_factory=list)
    dequantizing: list[onnx.NodeProto] = field(default_factory=list)
    producers: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, list[str]] = field(default_factory=dict)


def _features(graph: onnx.GraphProto, name: str, latent: str | None) -> _Found:
    # Only what depends on the model's inputs is data; the rest (initializers, and what is computed of them) is weights.
    initializers = {tensor.name for tensor in graph.initializer}
    data = {value.name for value in graph.input if value.name not in initializers}
    found = _Found()
    producers, inputs = found.producers, found.inputs
    makers: dict[str, onnx.NodeProto] = {}
    weighted: dict[str, tuple[str, int]] = {}
    integers: dict[str, onnx.NodeProto] = {}
    for position, node in enumerate(graph.node):
        key = f"{position}"
        inputs[key] = [tensor for tensor in node.input if tensor in data]
        if not inputs[key]:
            continue
        made = [tensor for tensor in node.output if tensor]  # an optional output that is left out has the name ""
        if node.op_type == "DynamicQuantizeLinear":
            made = made[:1]  # scale and zero point go around the head, to what it gives
        data.update(made)
        producers.update(dict.fromkeys(made, key))
        makers.update(dict.fromkeys(made, node))
        if node.op_type in WEIGHTED and len(inputs[key]) == 1:
            weighted[key] = (inputs[key][0], WEIGHTED[node.op_type])
        elif node.op_type in REWRITTEN:
            axis, operands = REWRITTEN[node.op_type]
            factors = [operand for operand in operands if _tensor(node, operand.place) in data]
            if len(factors) == 1:
                tensor, dequantizing = _as_float(node, factors[0], makers)
                weighted[key] = (tensor, -1 if _is_channels_last(node) else axis)
                if dequantizing is not None:
                    integers[tensor] = dequantizing

    if latent is None:
        found.features = frontier([output.name for output in graph.output], producers, inputs, weighted)
        found.dequantizing = [integers[tensor] for tensor, _ in found.features if tensor in integers]
        return found
    if latent not in producers:
        by_node = {node.name: node.output[0] for node in graph.node if node.output}
        if latent not in by_node:
            raise LeaplabError(f"{name} has no tensor or node '{latent}'; name one that it has by --latent.")
        latent = by_node[latent]
    axes = dict(weighted.values())
    found.features = [(latent, axes.get(latent, 1))]
    return found


def _tensor(node: onnx.NodeProto, place: int | None) -> str:
    return node.input[place] if place is not None and place < len(node.input) else ""


def _is_channels_last(node: onnx.NodeProto) -> bool:
    return any(attribute.name == "channels_last" and attribute.i for attribute in node.attribute)


def _as_float(
    node: onnx.NodeProto, factor: _Operand, makers: dict[str, onnx.NodeProto]
) -> tuple[str, onnx.NodeProto | None]:
    """The factor of a node as it was before it was quantized, or a node that dequantizes it.

    An integer whose scale nobody tells is taken as it is: a multiple of the float, but for a constant.
    """
    tensor = _tensor(node, factor.place)
    maker = makers.get(tensor)
    if maker is not None and maker.op_type in QUANTIZERS:
        return maker.input[0], None
    scale, zero_point = _tensor(node, factor.scale), _tensor(node, factor.zero_point)
    while not scale and maker is not None and maker.op_type in MOVING:
        maker = makers.get(maker.input[0])
        if maker is not None and maker.op_type in QUANTIZERS:
            scale = maker.input[1] if maker.op_type == "QuantizeLinear" else maker.output[1]
    if not scale:
        return tensor, None
    given = [tensor, scale, zero_point] if zero_point else [tensor, scale]
    made = f"{tensor}_dequantized_for_leaplab"
    return made, helper.make_node("DequantizeLinear", given, [made], name=made)


def _candidates(proto: onnx.ModelProto, found: _Found) -> tuple[str, ...]:
    """Float tensors nearest to the outputs, from which a person may choose: `NAME (N axes)`."""
    outputs = [output.name for output in proto.graph.output]
    try:
        inferred = shape_inference.infer_shapes(proto).graph
    except Exception:  # an operator that onnx does not know, say; the names alone are of no use
        return ()
    types = {value.name: value.type.tensor_type for value in (*inferred.value_info, *inferred.output)}
    initializers = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value.type.tensor_type for value in proto.graph.input if value.name not in initializers]
    batch = inputs[0].shape.dim[0].dim_value if inputs and inputs[0].shape.dim else 0
    named: list[str] = []
    queue, seen = deque(outputs), set(outputs)
    while queue and len(named) < CANDIDATES:
        tensor = queue.popleft()
        type_ = types.get(tensor)
        if tensor not in outputs and type_ is not None and type_.elem_type in FLOATS and tensor in found.producers:
            dims = type_.shape.dim
            # An axis of known length in front is the batch only of a model whose batch is fixed.
            if len(dims) > 1 and dims[0].dim_value in (0, batch):
                named.append(f"{tensor} ({len(dims)} axes)")
        for taken in found.inputs.get(found.producers.get(tensor, ""), ()):
            if taken not in seen:
                seen.add(taken)
                queue.append(taken)
    return tuple(named)


def _external_files(proto: onnx.ModelProto, path: Path | None) -> dict[str, Path]:
    """Location, as the model tells it -> the file, without links, that lies there."""
    files: dict[str, Path] = {}
    for location in dict.fromkeys(_locations(proto)):
        relative = PurePosixPath(location)
        if not relative.parts or relative.is_absolute() or ".." in relative.parts:
            raise _unusable(path, f"its weights lie in '{location}', which is not in its own folder; export it anew.")
        if relative.parts[0].casefold() == MODEL_FILE:
            raise _unusable(path, f"its weights lie in '{location}', a name for the model itself; export it anew.")
        if path is None:
            raise _unusable(path, f"its bytes lack the weights in '{location}'; make the session of the model's path.")
        file = path.parent / relative
        if not file.is_file():
            raise _unusable(path, f"its weights are missing: there is no file {file}.")
        if wrong := not_a_model(file):
            raise LeaplabError(wrong)
        files[location] = file.resolve()
    return files


def _locations(message: Any) -> Iterator[str]:
    """Where the tensors' data lies that is not in the model, of its whole tree: subgraphs, attributes, functions."""
    if isinstance(message, onnx.TensorProto):
        if message.data_location == onnx.TensorProto.EXTERNAL:
            yield {entry.key: entry.value for entry in message.external_data}.get("location", "")
        return
    for described, value in message.ListFields():
        if described.type == described.TYPE_MESSAGE:
            for inner in [value] if hasattr(value, "ListFields") else value:
                yield from _locations(inner)


def _digest(source: ModelSource, features: tuple[tuple[str, int], ...], files: dict[str, Path]) -> str:
    # The model's own digest says nothing of the files that its weights lie in, and reading gigabytes takes long.
    digest = hashlib.sha256(f"{source.sha256}\n{features}".encode())
    for location, file in files.items():
        status = file.stat()
        digest.update(f"\n{location}\n{status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _place(file: Path, target: Path) -> None:
    # Not a symbolic link: onnxruntime refuses those that lead out of the model's folder.
    with written_aside(target) as aside:
        try:
            os.link(file, aside)
        except OSError:  # another file system, or one that has no links
            shutil.copyfile(file, aside)
