"""ONNX models by onnxruntime. Which tensors feed the head the lab has found, and added to the outputs.

Importing this module does not import onnxruntime.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from leaplab.errors import LeaplabError
from leaplab.protocol.model import EditedModel, without_latent
from leaplab.worker.model import Array, Feature, Predictor

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
"""What an input is cast to; of any other type but bfloat16, which numpy has not, an array goes in as it is."""
_BFLOAT16 = "tensor(bfloat16)"
_BFLOAT16_NUMBER = 16
"""ONNX's own (TensorProto.DataType)."""
_TRIAL_BATCH = 3
"""Samples of a trial run: a number that is seldom one of a model's own axes."""


class OnnxPredictor(Predictor):
    """Runs an ONNX model. See `leaplab.worker.model.Predictor`.

    Args:
        model: the file, or the bytes that the integration's session was made of.
        edited: the same model with its latent tensors among the outputs, run instead; None gives no latent vectors.
        options: the `SessionOptions` that the integration made its session with: custom operators, free dimensions
            and the level of optimisation come along. None takes leaplab's own.
        providers: names of execution providers, or pairs of a name and its options; None takes CUDA where onnxruntime
            has it, and the CPU.
        threads: that work on a batch, where `options` do not say how many; None takes all cores but one, or what
            onnxruntime does with `options`.

    Raises:
        LeaplabError: onnxruntime cannot run it, or is not installed.
    """

    format = "onnx"

    def __init__(
        self,
        model: Path | str | bytes,
        edited: EditedModel | None = None,
        options: Any = None,
        providers: Sequence[str | tuple[str, dict[str, Any]]] | None = None,
        threads: int | None = None,
    ) -> None:
        name = "The integration's model" if isinstance(model, bytes) else str(model)
        onnxruntime = _onnxruntime(name)
        opened = model if edited is None else edited.path
        options = _own_options(onnxruntime, threads) if options is None else options
        try:
            with _writing_no_model(options), _with_threads(options, threads):
                self._session = onnxruntime.InferenceSession(
                    opened if isinstance(opened, bytes) else str(opened),
                    options,
                    providers=list(_default_providers(onnxruntime) if providers is None else providers),
                )
        except Exception as error:  # onnxruntime raises a dozen types of its own
            raise LeaplabError(f"{name} cannot be run as an ONNX model: {_reason(error)}") from error
        self._inputs = self._session.get_inputs()
        self._made = self._session.get_outputs()
        self._has_bfloat16 = any(each.type == _BFLOAT16 for each in (*self._inputs, *self._made))
        if self._has_bfloat16 and not hasattr(onnxruntime.OrtValue, "ortvalue_from_numpy_with_onnx_type"):
            raise LeaplabError(
                f"{name} takes or gives bfloat16, which onnxruntime {onnxruntime.__version__} cannot exchange with"
                " Python; install a newer onnxruntime, or export the model with float32 inputs and outputs."
            )
        names = [output.name for output in self._made]
        self._outputs = len(names) if edited is None else edited.outputs
        features = [] if edited is None else [(names.index(tensor), axis) for tensor, axis in edited.features]
        batch = self._inputs[0].shape[0] if self._inputs and self._inputs[0].shape else None
        self.fixed_batch = batch if isinstance(batch, int) else None
        places = dict.fromkeys([*range(self._outputs), *(place for place, _ in features)])
        without_batch = self._without_batch(list(places))
        without_batch |= {place for place in places if self._is_sequence(place)}
        self.unbatched = frozenset(place for place in without_batch if place < self._outputs)
        self.notices = tuple(self._unbatched_notice(place) for place in sorted(self.unbatched))
        if edited is not None and not edited.features:
            why = "no dense layer and no convolution leads to the model's outputs"
            self.notices += (without_latent(why, edited.candidates),)
        wrong = [place for place, _ in features if place in without_batch]
        if wrong:
            self.notices += (without_latent(f"'{names[wrong[0]]}', which it would be taken from, has no batch axis"),)
            features = []
        self._features = [(names[place], place, axis) for place, axis in features]
        self.latent_source = ", ".join(tensor for tensor, _, _ in self._features)

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[Feature]]:
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
            results = self._exchanged(feed) if self._has_bfloat16 else self._session.run(None, feed)
        except Exception as error:  # onnxruntime's exceptions share no public base class
            shapes = ", ".join(f"{name} {array.shape}" for name, array in feed.items())
            raise LeaplabError(f"The model fails on {shapes}: {' '.join(str(error).split())}") from error
        return results[: self._outputs], [Feature(name, results[place], axis) for name, place, axis in self._features]

    def _exchanged(self, feed: dict[str, Array]) -> list[Any]:
        """Run with values of onnxruntime's own, since numpy has no bfloat16: it comes and goes as float32."""
        from onnxruntime import OrtValue

        given = {
            declared.name: OrtValue.ortvalue_from_numpy_with_onnx_type(_to_bfloat16(array), _BFLOAT16_NUMBER)
            if declared.type == _BFLOAT16
            else OrtValue.ortvalue_from_numpy(array)
            for declared, array in zip(self._inputs, feed.values())
        }
        results = self._session.run_with_ort_values(None, given)
        return [_from_bfloat16(value) if value.data_type() == _BFLOAT16 else value.numpy() for value in results]

    def _is_sequence(self, place: int) -> bool:
        return not self._made[place].type.startswith("tensor(")

    def _without_batch(self, places: Sequence[int]) -> set[int]:
        """Which of the results have no batch axis: by what the model declares, else by a trial run on zeros."""
        first = [self._made[place].shape[0] if self._made[place].shape else None for place in places]
        batch = self._inputs[0].shape[0] if self._inputs and self._inputs[0].shape else None
        unclear = [
            place
            for place, size in zip(places, first)
            if not self._is_sequence(place) and (size is None or size != batch)
        ]
        if not unclear:
            return set()
        rows = self.fixed_batch or _TRIAL_BATCH
        shapes = [[rows, *declared.shape[1:]] for declared in self._inputs]
        known = all(isinstance(size, int) and size > 0 for shape in shapes for size in shape)
        if known and all(d.type in ELEMENT_TYPES or d.type == _BFLOAT16 for d in self._inputs):
            zeros = [np.zeros(shape, np.float32) for shape in shapes]
            feed: dict[str, Array] = {
                d.name: array.astype(ELEMENT_TYPES.get(d.type, np.float32)) for d, array in zip(self._inputs, zeros)
            }
            try:
                results = self._exchanged(feed) if self._has_bfloat16 else self._session.run(None, feed)
            except Exception:  # zeros may be no input that the model can take: its shapes say nothing then
                results = None
            if results is not None:
                return {place for place in unclear if results[place].ndim < 1 or len(results[place]) != rows}
        certain = {place for place, size in zip(places, first) if isinstance(size, int) and self.fixed_batch}
        return certain.intersection(unclear)

    def _unbatched_notice(self, place: int) -> str:
        output = f"Output {place} of the model ('{self._made[place].name}')"
        if self._is_sequence(place):
            return (
                f"{output} is no tensor but {self._made[place].type}: it is not stored, and what takes it is left out."
            )
        return (
            f"{output} has no batch axis: it is not stored, and what takes it runs only where samples come one by one."
        )


def _to_bfloat16(array: Array) -> Array:
    """The bits of the nearest bfloat16, ties to even: the upper half of those of float32."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(array), np.uint32(0x7FC0), rounded).astype(np.uint16)


def _from_bfloat16(value: Any) -> Array:
    """What a tensor of onnxruntime in the CPU's memory holds, as float32."""
    shape = tuple(value.shape())
    content = ctypes.string_at(value.data_ptr(), 2 * int(np.prod(shape, dtype=np.int64)))
    halves = np.frombuffer(content, np.uint16).astype(np.uint32)
    return (halves << np.uint32(16)).view(np.float32).reshape(shape)


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


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "INVALID_PROTOBUF" in text:
        return "it is cut short, damaged, or none at all; download or export it again."
    return text


def _own_options(onnxruntime: Any, threads: int | None) -> Any:
    options = onnxruntime.SessionOptions()
    # The encoders run at the same time: one core is theirs, and threads that spin as they wait would starve them.
    options.intra_op_num_threads = threads or max(1, (os.cpu_count() or 2) - 1)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _default_providers(onnxruntime: Any) -> list[str]:
    # Builds for a GPU want the providers named.
    available = onnxruntime.get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in available]


@contextmanager
def _with_threads(options: Any, threads: int | None) -> Iterator[None]:
    """Within, the integration's options take so many threads where they leave the number to onnxruntime."""
    own = options.intra_op_num_threads
    options.intra_op_num_threads = own or threads or 0
    try:
        yield
    finally:
        options.intra_op_num_threads = own


@contextmanager
def _writing_no_model(options: Any) -> Iterator[None]:
    """Within, a session made with the integration's options does not overwrite the optimised model that they name."""
    target = options.optimized_model_filepath
    options.optimized_model_filepath = ""
    try:
        yield
    finally:
        options.optimized_model_filepath = target
