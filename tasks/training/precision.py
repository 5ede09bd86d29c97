"""The precision that a training computes in."""

import keras


def use_mixed_precision(bfloat16: bool = False) -> None:
    """Set Keras's policy to a mixed one where its backend computes on a GPU, or where it is asked for.

    On a GPU it is bfloat16 where PyTorch says that the GPU has it, which needs no scaling of the loss, and float16
    elsewhere. Keras has no question of its own for all of its backends, so a tensor is asked where it lives.

    Args:
        bfloat16: whether to compute in it wherever it is, a processor that has it included.
    """
    device = str(keras.ops.zeros(1).device).lower()
    on_gpu = "gpu" in device or "cuda" in device
    policy = "mixed_float16" if on_gpu else "float32"
    if bfloat16 or (on_gpu and _has_bfloat16()):
        policy = "mixed_bfloat16"
    keras.mixed_precision.set_global_policy(policy)


def _has_bfloat16() -> bool:
    if keras.backend.backend() != "torch":
        return False
    import torch

    return bool(torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False))
