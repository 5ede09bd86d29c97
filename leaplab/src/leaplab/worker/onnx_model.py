"""ONNX models by onnxruntime. Which tensors feed the head the lab has found, and added to the outputs.

Importing this module does not import onnxruntime.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.model import EditedModel
from leaplab.worker.model import Array, pooled

ELEMENT_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int16)": np.int16,
    "tensor(int8)": np.int8,
    "tensor(uint64)": np.uint64,
    "tensor(uint32)": np.uint32,
    "tensor(uint16)": np.uint16,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}
"""What an input is cast to; of any other type, an array goes in as it is."""


class OnnxPredictor:
    """Runs an ONNX model. See `leaplab.worker.model.Predictor`.

    Args:
        model: the file, or the bytes that the integration's session was made of.
        edited: the same model with its latent tensors among the outputs, run instead; None gives no latent vectors.
        options: the `SessionOptions` that the integration made its session with: custom operators, free dimensions
            and the level of optimisation come along. None takes leaplab's own.
        providers: names of execution providers; None takes CUDA where onnxruntime has it, and the CPU.

    Raises:
        LeaplabError: onnxruntime cannot run it, or is not installed.
    """

    format = "onnx"

    def __init__(
        self,
        model: Path | str | bytes,
        edited: EditedModel | None = None,
        options: Any = None,
        providers: Sequence[str] | None = None,
    ) -> None:
        name = "The integration's model" if isinstance(model, bytes) else str(model)
        onnxruntime = _onnxruntime(name)
        opened = model if edited is None else edited.path
        options = _own_options(onnxruntime) if options is None else options
        try:
            with _writing_no_model(options):
                self._session = onnxruntime.InferenceSession(
                    opened if isinstance(opened, bytes) else str(opened),
                    options,
                    providers=list(_default_providers(onnxruntime) if providers is None else providers),
                )
        except Exception as error:  # onnxruntime raises a dozen types of its own
            raise LeaplabError(f"{name} cannot be run as an ONNX model: {' '.join(str(error).split())}") from error
        self._inputs = self._session.get_inputs()
        names = [output.name for output in self._session.get_outputs()]
        self._outputs = len(names) if edited is None else edited.outputs
        features = () if edited is None else edited.features
        self._features = [(names.index(tensor), axis) for tensor, axis in features]
        self.latent_source = ", ".join(tensor for tensor, _ in features)
        batch = self._inputs[0].shape[0] if self._inputs and self._inputs[0].shape else None
        self.fixed_batch = batch if isinstance(batch, int) else None

    def predict(self, inputs: Sequence[Array]) -> tuple[list[Array], Array | None]:
        if len(inputs) != len(self._inputs):
            raise LeaplabError(
                f"The model takes {len(self._inputs)} inputs ({', '.join(i.name for i in self._inputs)}), but the"
                f" integration feeds it {len(inputs)}; correct the integration test or --model."
            )
        feed: dict[str, Array] = {
            declared.name: np.asarray(inputs[place], ELEMENT_TYPES.get(declared.type))
            for place, declared in enumerate(self._inputs)
        }
        try:
            results = self._session.run(None, feed)
        except Exception as error:  # onnxruntime's exceptions share no public base class
            shapes = ", ".join(f"{name} {array.shape}" for name, array in feed.items())
            raise LeaplabError(f"The model fails on {shapes}: {' '.join(str(error).split())}") from error
        return results[: self._outputs], pooled([(results[place], axis) for place, axis in self._features])


def _onnxruntime(name: str) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise
        raise LeaplabError(
            f"{name} needs onnxruntime, which is not installed where the integration runs; install it there."
        ) from error
    return onnxruntime


def _own_options(onnxruntime: Any) -> Any:
    options = onnxruntime.SessionOptions()
    # The encoders run at the same time: one core is theirs, and threads that spin as they wait would starve them.
    options.intra_op_num_threads = max(1, (os.cpu_count() or 2) - 1)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _default_providers(onnxruntime: Any) -> list[str]:
    # Builds for a GPU want the providers named.
    available = onnxruntime.get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]


@contextmanager
def _writing_no_model(options: Any) -> Iterator[None]:
    """Within, a session made with the integration's options does not overwrite the optimised model that they name."""
    target = options.optimized_model_filepath
    options.optimized_model_filepath = ""
    try:
        yield
    finally:
        options.optimized_model_filepath = target
