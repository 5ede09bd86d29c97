"""Scaling and shifting by fixed numbers, in a layer that the platform's parser knows."""

from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike

EPSILON = 2.0**-10
"""Of the normalisation: float32 holds 1 - EPSILON exactly, so the two add up to 1 and change nothing."""


def fixed_affine(
    x: keras.KerasTensor, scale: ArrayLike, offset: ArrayLike, name: str | None = None, dtype: Any = None
) -> keras.KerasTensor:
    """`scale` x + `offset` along the last axis, the same in training and after it.

    It is a batch normalisation that does not train. `layers.Rescaling` would do, but Tensorleap's parser has no such
    layer; and the numbers of a `layers.Normalization` would be missing from an .onnx.

    Args:
        x: [B, ..., C].
        scale: number or [C].
        offset: number or [C].
        name: of the layer.
        dtype: of the layer, or its policy.

    Returns:
        [B, ..., C].
    """
    layer = layers.BatchNormalization(epsilon=EPSILON, trainable=False, name=name, dtype=dtype)
    outputs = layer(x)
    each = np.ones(x.shape[-1], np.float32)
    layer.set_weights([each * scale, each * offset, each * 0, each * np.float32(1 - EPSILON)])
    return outputs
