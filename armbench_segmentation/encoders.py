"""What the model and the losses see of a tote."""

import numpy as np
from numpy.typing import NDArray

from armbench_segmentation.data.coco import Instances
from tasks.detection import encoders
from tasks.detection.detections import Objects
from vision.letterbox import Letterbox


def image(pixels: NDArray[np.uint8], size: int, layout: encoders.Layout) -> NDArray[np.float32]:
    """[H, W, 3] uint8, RGB -> [size, size, 3] float32 in [0, 1], or [3, size, size] where the layout is NCHW."""
    return encoders.image(pixels, size, size, layout)


def taught(instances: Instances) -> Instances:
    """Those that a model is to find, which are the first rows of the ground truth: all but the crowds."""
    return instances if not instances.crowd.any() else instances.chosen(~instances.crowd)


def ground_truth(instances: Instances, size: int, most: int) -> NDArray[np.float32]:
    """[most, 5] float32 boxes of the letterboxed image, see `tasks.detection.ground_truth`.

    The objects come first, then the crowds. Where there are more than `most`, the first are kept.
    """
    objects, crowds = (
        Objects(each.edges, each.classes) for each in (taught(instances), instances.chosen(instances.crowd))
    )
    return encoders.ground_truth(objects, instances.size, size, size, most, crowds)


def masks(instances: Instances, size: int, stride: int, most: int) -> NDArray[np.float32]:
    """[most, size / stride, size / stride] float32, 0 or 1: the masks in the rows of `ground_truth`, 0 below them.

    A pixel of the masks is a square of `stride` pixels of the letterboxed image; it has the value that the image's mask
    has under its middle. (OpenCV's nearest neighbour takes the upper left corner: half a pixel aside.)
    """
    letterbox = Letterbox(instances.size, (size, size))
    middles = (np.arange(size // stride) + 0.5) * stride
    # Of the mask's columns and rows, the ones of the image under their middles; outside the image for the border.
    columns, rows = (
        np.floor((middles - border) * side / inner).astype(np.int64)
        for border, side, inner in zip(letterbox.offset, instances.size, letterbox.inner, strict=True)
    )
    taken = np.zeros((most, size // stride, size // stride), np.float32)
    objects_first = np.argsort(instances.crowd, kind="stable")
    for row, number in enumerate(objects_first[:most].tolist()):
        crop = instances.crops[number]
        (left, top), (height, width) = instances.corners[number], crop.shape
        x, y = np.searchsorted(columns, (left, left + width)), np.searchsorted(rows, (top, top + height))
        inside = crop[np.ix_(rows[slice(*y)] - top, columns[slice(*x)] - left)]
        taken[row, slice(*y), slice(*x)] = inside
    return taken
