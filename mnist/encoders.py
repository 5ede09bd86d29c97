"""What the model and the losses see of a digit."""

import numpy as np
from numpy.typing import NDArray

from vision.pixels import to_unit_range


def image(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[28, 28] uint8 -> [28, 28, 1] float32 in [0, 1]."""
    return to_unit_range(pixels)[..., np.newaxis]
