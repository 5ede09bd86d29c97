"""What a person sees of a digit: a batch of one in, a Leap* object out."""

import numpy as np
from code_loader.contract.visualizer_classes import LeapImage
from numpy.typing import NDArray

from vision.pixels import to_display_range


def digit_image(image: NDArray[np.floating]) -> LeapImage:
    """[1, 28, 28, 1] in [0, 1] -> uint8 image, stored without loss."""
    return LeapImage(data=to_display_range(image[0]), compress=False)
