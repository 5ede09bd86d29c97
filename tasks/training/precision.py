"""The precision that a training computes in."""

import keras


def use_mixed_precision_on_gpu() -> bool:
    """Set Keras's policy to mixed float16 where its backend computes on a GPU; whether that is so.

    Keras has no question of its own for all of its backends, so a tensor is asked where it lives.
    """
    device = str(keras.ops.zeros(1).device).lower()
    on_gpu = "gpu" in device or "cuda" in device
    keras.mixed_precision.set_global_policy("mixed_float16" if on_gpu else "float32")
    return on_gpu
