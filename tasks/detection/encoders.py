"""What a detector and its losses see of an image."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from tasks.detection.ground_truth import padded
from vision.boxes import Boxes
from vision.letterbox import Letterbox
from vision.pixels import to_unit_range

Layout = Literal["NHWC", "NCHW"]


def letterboxed(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """[H, W, 3] uint8, RGB, of any size -> [height, width, 3], undistorted and with a grey border."""
    return Letterbox((pixels.shape[1], pixels.shape[0]), (width, height)).image(pixels)


def image(pixels: NDArray[np.uint8], height: int, width: int, layout: Layout) -> NDArray[np.float32]:
    """The letterboxed image in float32 in [0, 1]: [height, width, 3] for NHWC, [3, height, width] for NCHW."""
    fitted = letterboxed(pixels, height, width)
    return to_unit_range(fitted if layout == "NHWC" else np.ascontiguousarray(fitted.transpose(2, 0, 1)))


def ground_truth(
    objects: Objects, size: tuple[int, int], height: int, width: int, most: int, crowds: Objects | None = None
) -> NDArray[np.float32]:
    """[most, 5] float32 (class, centre x, centre y, width, height) in shares of the letterboxed input.

    The first `most` objects in their order, then crowds as long as there is room, marked by their class as
    `tasks.detection.ground_truth` has it; rows without either have the class -1 and zeros.

    Args:
        objects: in pixels of the image.
        size: width and height of the image in pixels.
        height: of the input in pixels.
        width: of the input in pixels.
        crowds: in pixels of the image.
    """
    letterbox = Letterbox(size, (width, height))

    def fitted(given: Objects) -> Objects:
        return Objects(letterbox.boxes(Boxes(given.edges)).edges, given.classes)

    return padded(fitted(objects), most, height, width, None if crowds is None else fitted(crowds))
