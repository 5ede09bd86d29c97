"""What a model that runs is, and what its two kinds share: batches in, outputs and latent vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError

Array = NDArray[Any]


class Predictor(Protocol):
    """A model that runs.

    Attributes:
        format: `onnx`, `keras` or `saved_model`.
        latent_source: what feeds the head, by the model's own names, for the manifest; empty for no latent vectors.
        fixed_batch: the only batch size that the model takes, or None.
        unbatched: positions of outputs that are known to have no batch axis, whatever their shape in a batch.
        notices: what a person should know of a run with this model, a sentence each: that it gives no latent vectors,
            say. Empty where it runs as it is.
    """

    format: str
    latent_source: str
    fixed_batch: int | None
    unbatched: frozenset[int]
    notices: tuple[str, ...]

    def predict(self, inputs: Sequence[Array]) -> tuple[list[Array], Array | None]:
        """Run one batch.

        Args:
            inputs: one array [B, ...] a model input, in the model's order.

        Returns:
            The outputs [B, ...] in the model's order, and the latent vectors [B, W] float32 (None where the model
            has no layer with weights that feeds its output, or runs as it is).

        Raises:
            LeaplabError: it fails, takes another number of inputs, or what gives the latent vectors has no batch axis.
        """
        ...


def latent_vectors(features: Sequence[tuple[str, Array, int]], rows: int) -> Array | None:
    """The latent vectors of a batch.

    Args:
        features: (name, array, channel axis) of what feeds the head.
        rows: samples of the batch.

    Returns:
        See `pooled`.

    Raises:
        LeaplabError: the first axis of an array is not the batch.
    """
    for name, array, _ in features:
        if array.ndim < 2 or len(array) != rows:
            raise LeaplabError(
                f"The latent space cannot be taken from '{name}', which has shape {array.shape} for a batch of {rows};"
                " name another by --latent."
            )
    return pooled([(array, axis) for _, array, axis in features])


def pooled(features: Sequence[tuple[Array, int]]) -> Array | None:
    """Feature maps -> one vector a sample: the mean over all axes but batch and channel, concatenated.

    Args:
        features: (array [B, ...], channel axis) pairs.

    Returns:
        [B, W] float32, W the sum of the channels; None for no features.
    """
    vectors = []
    for array, channel_axis in features:
        channels_last = np.moveaxis(array, channel_axis, -1)
        flat = channels_last.reshape(len(array), -1, channels_last.shape[-1])
        vectors.append(flat.mean(axis=1, dtype=np.float32) if flat.shape[1] != 1 else flat[:, 0])
    return np.concatenate(vectors, axis=1).astype(np.float32, copy=False) if vectors else None
