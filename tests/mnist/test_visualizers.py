import numpy as np
from code_loader.contract.enums import LeapDataType

from mnist import encoders, visualizers


def test_the_pixels_of_the_file_are_shown_exactly() -> None:
    pixels = np.arange(784, dtype=np.int64).reshape(28, 28).astype(np.uint8)
    shown = visualizers.digit_image(encoders.image(pixels)[np.newaxis])
    assert shown.type is LeapDataType.Image
    assert shown.compress is False, "JPEG would change the values"
    assert (shown.data.dtype, shown.data.shape) == (np.uint8, (28, 28, 1))
    np.testing.assert_array_equal(shown.data[..., 0], pixels)
