"""Samples into batches, with every array checked before a model sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError
from leaplab.protocol.description import Description
from leaplab.worker.batch import Batch
from leaplab.worker.samples import Sample
from leaplab.worker.wanted import EVERYTHING, Wanted

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

    def only(self, rows: Sequence[int]) -> Encoded:
        """Some of its samples; what a model has said of them must be taken along by itself."""
        batch, chosen = self.batch, list(rows)
        return Encoded(
            Batch(
                batch.state,
                [batch.ids[row] for row in chosen],
                {name: array[chosen] for name, array in batch.inputs.items()},
                {name: array[chosen] for name, array in batch.ground_truths.items()},
            ),
            {name: [values[row] for row in chosen] for name, values in self.metadata.items()},
            {name: [values[row] for row in chosen] for name, values in self.latents.items()},
        )


def encode(
    integration: Integration,
    state: str,
    ids: list[str | int],
    begin: Callable[[int], object] = lambda row: None,
    failed: Callable[[int, LeaplabError], object] | None = None,
    wanted: Wanted = EVERYTHING,
) -> Encoded:
    """Encode samples of one state.

    Args:
        begin: called with the place of each sample before it is read.
        failed: called with the place of each sample that cannot be encoded, and why; the others are the batch then.
        wanted: of the samples; what is not has no arrays and no columns.

    Raises:
        LeaplabError: an encoder raised, or gave a wrong dtype, a wrong shape or, for an input, a value that is not
            finite. Names the encoder and the sample. Not where `failed` is there to be told.
    """
    description = integration.description
    good_ids: list[str | int] = []
    samples: list[Sample] = []
    for row, sample_id in enumerate(ids):
        begin(row)
        try:
            sample = integration.sample(state, sample_id, wanted)
            if wanted.tensors:
                _require_usable(sample, sample_id, description)
        except LeaplabError as error:
            if failed is None:
                raise
            failed(row, error)
        else:
            good_ids.append(sample_id)
            samples.append(sample)
    inputs = {
        spec.name: _stacked([sample.inputs[spec.name] for sample in samples], spec.shape)
        for spec in (description.inputs if wanted.tensors else ())
    }
    first = samples[0] if samples else Sample({}, {}, {}, {})
    ground_truths = {
        spec.name: _stacked([sample.ground_truths[spec.name] for sample in samples], spec.shape)
        for spec in description.ground_truths
        if spec.name in first.ground_truths
    }
    encoded = Encoded(Batch(state, good_ids, inputs, ground_truths))
    for spec in description.metadata if wanted.metadata else ():
        encoded.metadata[spec.name] = [sample.metadata.get(spec.name) for sample in samples]
    for name in first.latents:
        encoded.latents[name] = [np.asarray(sample.latents[name], np.float32).reshape(-1) for sample in samples]
    return encoded


def _require_usable(sample: Sample, sample_id: str | int, description: Description) -> None:
    for spec in description.inputs:
        _require_array("input", spec.name, sample.inputs[spec.name], spec.shape, sample_id)
        _require_finite(spec.name, sample.inputs[spec.name], sample_id)
    for ground_truth in description.ground_truths:
        if ground_truth.name in sample.ground_truths:
            array = sample.ground_truths[ground_truth.name]
            _require_array("ground truth", ground_truth.name, array, ground_truth.shape, sample_id)


def _require_array(kind: str, name: str, array: Array, shape: tuple[int, ...], sample_id: str | int) -> None:
    # A scalar is reported by code-loader as shape [1].
    if array.shape != shape and not (array.shape == () and shape == (1,)):
        raise LeaplabError(
            f"The {kind} '{name}' of sample '{sample_id}' has shape {array.shape}, but that of the first sample of"
            f" its dataset has {shape}; every sample must have the same."
        )
    if array.dtype != np.float32:
        raise LeaplabError(
            f"The {kind} '{name}' of sample '{sample_id}' is {array.dtype}; Tensorleap takes float32:"
            " return array.astype(np.float32)."
        )


def _require_finite(name: str, array: Array, sample_id: str | int) -> None:
    # The sum is finite where all values are, and far cheaper to test; only what is suspicious is looked at closely.
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.add.reduce(array, axis=None)
    if np.isfinite(total) or np.isfinite(array).all():
        return
    bad = "NaN" if np.isnan(array).any() else "infinity"
    raise LeaplabError(f"The input '{name}' of sample '{sample_id}' holds {bad}; a model's input must be finite.")


def _stacked(arrays: Sequence[Array], shape: tuple[int, ...]) -> NDArray[np.float32]:
    stack = np.empty((len(arrays), *shape), np.float32)
    for row, array in enumerate(arrays):
        stack[row] = array
    return stack
