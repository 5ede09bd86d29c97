"""What a model that runs is, and what its two kinds share: batches in, outputs and latent vectors out."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LATENT_SPACE = "model"
"""Name of the latent space that feeds the model's head."""


class Predictor(Protocol):
    """A model that runs.

    Attributes:
        format: `onnx` or `keras`.
        latent_source: what feeds the head, by the model's own names, for the manifest.
        fixed_batch: the only batch size that the model takes, or None.
    """

    format: str
    latent_source: str
    fixed_batch: int | None

    def predict(self, inputs: Sequence[Array]) -> tuple[list[Array], Array | None]:
        """Run one batch.

        Args:
            inputs: one array [B, ...] a model input, in the model's order.

        Returns:
            The outputs [B, ...] in the model's order, and the latent vectors [B, W] float32 (None where the model
            has no layer with weights that feeds its output).
        """
        ...


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


def frontier(
    start: Sequence[str],
    producers: Mapping[str, str],
    inputs: Mapping[str, Sequence[str]],
    features: Mapping[str, tuple[str, int]],
) -> list[tuple[str, int]]:
    """What feeds the head: walking back from the outputs, the data input of the first weighted node on each path.

    Args:
        start: names of the output tensors.
        producers: tensor -> the node that makes it.
        inputs: node -> the tensors that it takes and that depend on the model's inputs.
        features: node with weights (dense, convolution) -> (its data tensor, the channel axis of that tensor).

    Returns:
        (tensor, channel axis) pairs, without repetition, in the order of discovery.
    """
    found: dict[str, int] = {}
    queue, seen = list(start), set(start)
    while queue:
        node = producers.get(queue.pop(0))
        if node is None:
            continue
        if node in features:
            tensor, axis = features[node]
            found.setdefault(tensor, axis)
            continue
        for tensor in inputs[node]:
            if tensor not in seen:
                seen.add(tensor)
                queue.append(tensor)
    return list(found.items())
