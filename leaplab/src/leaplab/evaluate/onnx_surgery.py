"""An ONNX model with the tensors that feed its head among its outputs, so that any onnxruntime gives latent vectors."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import onnx

from leaplab.errors import LeaplabError
from leaplab.files import written_aside
from leaplab.protocol.graph import frontier
from leaplab.protocol.model import EditedModel, ModelSource

WEIGHTED = {"Gemm": -1, "MatMul": -1, "Conv": 1, "ConvTranspose": 1}
"""Operators with weights, and the channel axis of their data input (ONNX convolutions are channels-first)."""

MODEL_FILE = "model.onnx"


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
    features = tuple(_features(proto.graph, name, latent))
    outputs = len(proto.graph.output)
    files = _external_files(proto, path)
    target = folder.absolute() / _digest(source, features, files) / MODEL_FILE
    edited = EditedModel(str(target), outputs, features)
    if target.is_file():
        return edited

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


def _read(source: ModelSource, path: Path | None) -> onnx.ModelProto:
    try:
        if path is not None:
            return onnx.load(path, load_external_data=False)
        return onnx.load_from_string(source.content or b"")
    except Exception as error:  # onnx and protobuf raise a dozen types of their own
        raise _unusable(path, " ".join(str(error).split())) from error


def _unusable(path: Path | None, reason: str) -> LeaplabError:
    name = "The integration's model" if path is None else path
    return LeaplabError(f"{name} cannot be run as an ONNX model: {reason}")


def _features(graph: onnx.GraphProto, name: str, latent: str | None) -> list[tuple[str, int]]:
    # Only what depends on the model's inputs is data; the rest (initializers, and what is computed of them) is weights.
    initializers = {tensor.name for tensor in graph.initializer}
    data = {value.name for value in graph.input if value.name not in initializers}
    producers: dict[str, str] = {}
    inputs: dict[str, list[str]] = {}
    weighted: dict[str, tuple[str, int]] = {}
    for position, node in enumerate(graph.node):
        key = f"{position}"
        inputs[key] = [tensor for tensor in node.input if tensor in data]
        if not inputs[key]:
            continue
        made = [tensor for tensor in node.output if tensor]  # an optional output that is left out has the name ""
        data.update(made)
        producers.update(dict.fromkeys(made, key))
        if node.op_type in WEIGHTED and len(inputs[key]) == 1:
            weighted[key] = (inputs[key][0], WEIGHTED[node.op_type])

    if latent is None:
        return frontier([output.name for output in graph.output], producers, inputs, weighted)
    if latent not in producers:
        by_node = {node.name: node.output[0] for node in graph.node if node.output}
        if latent not in by_node:
            raise LeaplabError(f"{name} has no tensor or node '{latent}'; name one that it has by --latent.")
        latent = by_node[latent]
    axes = dict(weighted.values())
    return [(latent, axes.get(latent, 1))]


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
        files[location] = file.resolve()
    return files


def _locations(message: Any) -> Iterator[str]:
    """Where the tensors' data lies that is not in the model, of its whole tree: subgraphs, attributes, functions."""
    if isinstance(message, onnx.TensorProto):
        if message.data_location == onnx.TensorProto.EXTERNAL:
            yield {entry.key: entry.value for entry in message.external_data}.get("location", "")
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
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
