from types import SimpleNamespace

import pytest


@pytest.mark.parametrize(
    ("device", "policy"),
    [
        ("cpu", "float32"),
        ("cuda:0", "mixed_float16"),
        ("/job:localhost/replica:0/task:0/device:CPU:0", "float32"),
        ("/job:localhost/replica:0/task:0/device:GPU:0", "mixed_float16"),
        ("TFRT_CPU_0", "float32"),
    ],
    ids=["torch on CPU", "torch or JAX on a GPU", "TensorFlow on CPU", "TensorFlow on a GPU", "JAX on CPU"],
)
def test_the_policy_is_mixed_where_tensors_live_on_a_gpu(
    device: str, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from tasks.training.precision import use_mixed_precision

    monkeypatch.setattr(keras.ops, "zeros", lambda shape: SimpleNamespace(device=device))
    try:
        use_mixed_precision()
        assert keras.mixed_precision.global_policy().name == policy
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_bfloat16_is_for_whoever_asks_for_it() -> None:
    import keras

    from tasks.training.precision import use_mixed_precision

    try:
        use_mixed_precision(bfloat16=True)
        assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    finally:
        keras.mixed_precision.set_global_policy("float32")


def test_here_a_tensor_says_where_it_lives() -> None:
    import keras

    assert any(name in str(keras.ops.zeros(1).device).lower() for name in ("cpu", "gpu", "cuda"))
