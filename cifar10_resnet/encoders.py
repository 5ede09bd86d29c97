"""What the model and the losses see of a photograph."""

import numpy as np
from numpy.typing import NDArray

from vision.pixels import to_unit_range


def image(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """[32, 32, 3] uint8, RGB -> the same in float32 in [0, 1]; normalisation is the model's own business."""
    return to_unit_range(pixels)
