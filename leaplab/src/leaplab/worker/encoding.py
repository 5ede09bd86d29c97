"""Samples into batches, with every array checked before a model sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.worker.batch import Batch

if TYPE_CHECKING:
    from leaplab.worker.integration import Integration

Array = NDArray[Any]


@dataclass
class Encoded:
    """One batch with what its samples say beside the tensors.

    Attributes:
        metadata: column -> one value a sample, None where absent.
        latents: custom latent space -> one vector a sample.
    """

    batch: Batch
    metadata: dict[str, list[Any]] = field(default_factory=dict)
    latents: dict[str, list[Array]] = field(default_factory=dict)


def encode(integration: Integration, state: str, ids: list[str | int]) -> Encoded:
    """Encode samples of one state.

    Raises:
        LeaplabError: an encoder raised, or gave a wrong dtype, a wrong shape or, for an input, a value that is not
            finite. Names the encoder and the sample.
    """
    description = integration.description
    samples = [integration.sample(state, sample_id) for sample_id in ids]
    inputs = {
        spec.name: _stacked("input", spec.name, ids, (s.inputs[spec.name] for s in samples), spec.shape)
        for spec in description.inputs
    }
    for name, array in inputs.items():
        _require_finite(name, array, ids)
    labelled = [spec for spec in description.ground_truths if spec.name in samples[0].ground_truths]
    ground_truths = {
        spec.name: _stacked("ground truth", spec.name, ids, (s.ground_truths[spec.name] for s in samples), spec.shape)
        for spec in labelled
    }
    encoded = Encoded(Batch(state, ids, inputs, ground_truths))
    for spec in description.metadata:
        encoded.metadata[spec.name] = [sample.metadata.get(spec.name) for sample in samples]
    for name in samples[0].latents:
        encoded.latents[name] = [np.asarray(sample.latents[name], np.float32).reshape(-1) for sample in samples]
    return encoded


def _stacked(
    kind: str, name: str, ids: list[str | int], arrays: Iterable[Array], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    stack = np.empty((len(ids), *shape), np.float32)
    for row, array in enumerate(arrays):
        # A scalar is reported by code-loader as shape [1].
        if array.shape != shape and not (array.shape == () and shape == (1,)):
            raise LeaplabError(
                f"The {kind} '{name}' of sample '{ids[row]}' has shape {array.shape}, but that of the first sample of"
                f" its dataset has {shape}; every sample must have the same."
            )
        if array.dtype != np.float32:
            raise LeaplabError(
                f"The {kind} '{name}' of sample '{ids[row]}' is {array.dtype}; Tensorleap takes float32:"
                " return array.astype(np.float32)."
            )
        stack[row] = array
    return stack


def _require_finite(name: str, array: NDArray[np.float32], ids: list[str | int]) -> None:
    # The sum is finite where all values are, and far cheaper to test; only a suspicious batch is looked at closely.
    with np.errstate(invalid="ignore"):  # infinity less infinity
        total = array.sum(dtype=np.float64)
    if np.isfinite(total):
        return
    finite = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        bad = "NaN" if np.isnan(array[row]).any() else "infinity"
        raise LeaplabError(f"The input '{name}' of sample '{ids[row]}' holds {bad}; a model's input must be finite.")
