"""ONNX models by onnxruntime, with the tensors that feed the head added to the outputs."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnx
import onnxruntime

from leaplab.errors import LeaplabError
from leaplab.worker.model import Array, frontier, pooled

WEIGHTED = {"Gemm": -1, "MatMul": -1, "Conv": 1, "ConvTranspose": 1}
"""Operators with weights, and the channel axis of their data input (ONNX convolutions are channels-first)."""

ELEMENT_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class OnnxPredictor:
    """Runs a model proto. See `leaplab.worker.model.Predictor`."""

    format = "onnx"

    def __init__(self, proto: onnx.ModelProto, name: str, latent: str | None = None) -> None:
        self._features = _features(proto.graph, name, latent)
        self.latent_source = ", ".join(tensor for tensor, _ in self._features)
        self._outputs = len(proto.graph.output)
        present = {output.name for output in proto.graph.output}
        for tensor, _ in self._features:
            if tensor not in present:
                proto.graph.output.append(onnx.ValueInfoProto(name=tensor))
        options = onnxruntime.SessionOptions()
        # The encoders run at the same time: one core is theirs, and threads that spin as they wait would starve them.
        options.intra_op_num_threads = max(1, (os.cpu_count() or 2) - 1)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
        self._inputs = self._session.get_inputs()
        self._names = [output.name for output in self._session.get_outputs()]
        batch = self._inputs[0].shape[0] if self._inputs[0].shape else None
        self.fixed_batch = batch if isinstance(batch, int) else None

    @classmethod
    def from_file(cls, path: Path, latent: str | None = None) -> Self:
        """Read a file.

        Raises:
            LeaplabError: it is no ONNX model.
        """
        try:
            return cls(onnx.load(path), path.name, latent)
        except LeaplabError:
            raise
        except Exception as error:  # onnx and onnxruntime raise a dozen types of their own
            raise LeaplabError(f"{path} cannot be run as an ONNX model: {' '.join(str(error).split())}") from error

    @classmethod
    def from_session(cls, session: Any, latent: str | None = None) -> Self:
        """Take over the model of an `InferenceSession`, which keeps the path or the bytes that it was made from.

        Raises:
            LeaplabError: the session kept neither.
        """
        path, content = getattr(session, "_model_path", None), getattr(session, "_model_bytes", None)
        if path:
            return cls.from_file(Path(path), latent)
        if content:
            return cls(onnx.load_from_string(content), "the integration's model", latent)
        raise LeaplabError("The integration's onnxruntime session does not tell its file; name it by --model FILE.")

    def predict(self, inputs: Sequence[Array]) -> tuple[list[Array], Array | None]:
        if len(inputs) != len(self._inputs):
            raise LeaplabError(
                f"The model takes {len(self._inputs)} inputs ({', '.join(i.name for i in self._inputs)}), but the"
                f" integration feeds it {len(inputs)}; correct the integration test or --model."
            )
        feed: dict[str, Array] = {
            declared.name: np.asarray(array, ELEMENT_TYPES.get(declared.type, np.float32))
            for declared, array in zip(self._inputs, inputs, strict=True)
        }
        try:
            results = self._session.run(None, feed)
        except Exception as error:  # onnxruntime's exceptions share no public base class
            shapes = ", ".join(f"{name} {array.shape}" for name, array in feed.items())
            raise LeaplabError(f"The model fails on {shapes}: {' '.join(str(error).split())}") from error
        by_name = dict(zip(self._names, results, strict=True))
        return results[: self._outputs], pooled([(by_name[tensor], axis) for tensor, axis in self._features])


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
        data.update(node.output)
        producers.update(dict.fromkeys(node.output, key))
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
