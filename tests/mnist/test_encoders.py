import numpy as np

from mnist import encoders


def test_pixels_become_one_float32_channel_between_zero_and_one() -> None:
    pixels = np.arange(784, dtype=np.int64).reshape(28, 28).astype(np.uint8)
    encoded = encoders.image(pixels)
    assert encoded.dtype == np.float32
    assert encoded.shape == (28, 28, 1)
    assert (encoded.min(), encoded.max()) == (0.0, 1.0)
    np.testing.assert_allclose(encoded[..., 0], pixels / 255.0, atol=1e-7)
