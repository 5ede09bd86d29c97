"""What a model that runs is, and what its two kinds share: batches in, outputs and latent vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import LeaplabError

Array = NDArray[Any]


class Feature(NamedTuple):
    """What feeds a model's head: its name, [B, ...] values, and their channel axis."""

    name: str
    values: Array
    channel_axis: int


class Predictor:
    """A model that runs; one class a kind of model.

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

    def run(self, inputs: Sequence[Array]) -> tuple[list[Array], list[Feature]]:
        """Run one batch.

        Args:
            inputs: one array [B, ...] a model input, in the model's order.

        Returns:
            The outputs [B, ...] in the model's order, and what feeds the head (nothing where the model has no layer
            with weights that feeds its output, or runs as it is).

        Raises:
            LeaplabError: it fails, or takes another number of inputs.
        """
        raise NotImplementedError

    def predict(self, inputs: Sequence[Array]) -> tuple[list[Array], Array | None]:
        """The outputs of one batch, as `run` gives them, and its latent vectors, see `latent_vectors`."""
        outputs, features = self.run(inputs)
        return outputs, latent_vectors(features, len(inputs[0]) if features else 0)


def latent_vectors(features: Sequence[Feature], rows: int) -> Array | None:
    """The latent vectors of a batch.

    Args:
        features: what feeds the head.
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
