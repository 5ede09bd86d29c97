import numpy as np

from cifar10_resnet import encoders


def test_pixels_stay_in_the_unit_range_and_come_back_exactly() -> None:
    pixels = np.arange(3072, dtype=np.int64).reshape(32, 32, 3).astype(np.uint8)
    image = encoders.image(pixels)
    assert image.dtype == np.float32
    assert image.shape == (32, 32, 3)
    assert (image.min(), image.max()) == (0.0, 1.0)
    np.testing.assert_array_equal(np.rint(image * 255), pixels)
