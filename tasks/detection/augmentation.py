"""Random changes of training images, their boxes with them."""

from typing import Annotated, Any

import cv2
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from tasks.detection.ground_truth import PADDING
from vision.boxes import Boxes, area
from vision.letterbox import FILL

Share = Annotated[float, Meta(ge=0, le=1)]
Factor = Annotated[float, Meta(gt=0)]


class Augmentation(Struct, frozen=True, forbid_unknown_fields=True):
    """How much an image is changed; each amount is drawn evenly.

    Attributes:
        zoom: the least and the greatest factor on the image's size.
        shift: the most that the image is moved each way, as a share of its size.
        colour: the most that each channel is brightened or darkened, as a share; drawn once for all channels, and at a
            quarter of it for each.
        least_visible: share of an object that must be left in view for it to stay an object.
    """

    zoom: tuple[Factor, Factor]
    shift: Share
    colour: Share
    least_visible: Share = 0.25


def augment(
    images: NDArray[np.uint8], ground_truth: NDArray[np.float32], settings: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each image mirrored or not, zoomed, shifted and recoloured, and its boxes as they lie then.

    Args:
        images: [B, H, W, 3] uint8.
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.

    Returns:
        Images [B, H, W, 3] float32 in [0, 1] and ground truth [B, MAX, 5]; padding may stand between its rows.
    """
    changed = np.empty(images.shape, np.float32)
    truth = np.empty_like(ground_truth)
    for index, (image, rows) in enumerate(zip(images, ground_truth, strict=True)):
        changed[index], truth[index], _ = augment_one(image, rows, settings, rng)
    return changed, truth


def augment_one(
    image: NDArray[np.uint8], rows: NDArray[np.float32], settings: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """As `augment` of a single image [H, W, 3] and its ground truth [MAX, 5], and where each point went.

    Returns:
        Also the matrix [2, 3] that takes the continuous coordinates of the image to those of the changed one.
    """
    height, width = image.shape[:2]
    matrix = _placement(width, height, settings, rng)
    moved = cv2.warpAffine(image, _of_centres(matrix), (width, height), borderValue=(FILL,) * 3)
    changed = _recoloured(moved, settings.colour, rng)
    return changed, _moved(rows, matrix, width, height, settings.least_visible), matrix


def _placement(width: int, height: int, settings: Augmentation, rng: np.random.Generator) -> NDArray[np.float64]:
    """[2, 3]: continuous coordinates of an image -> those of the changed one."""
    zoom = np.exp(rng.uniform(*np.log(settings.zoom)))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    shift_x, shift_y = rng.uniform(-settings.shift, settings.shift, 2) * (width, height)
    return np.array(
        [
            [mirror * zoom, 0.0, width / 2 * (1 - mirror * zoom) + shift_x],
            [0.0, zoom, height / 2 * (1 - zoom) + shift_y],
        ]
    )


def _of_centres(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same for OpenCV, to which a pixel's centre is a whole number."""
    shifted = matrix.copy()
    shifted[:, 2] += (np.diag(matrix) - 1) / 2
    return shifted


def _recoloured(image: NDArray[Any], amount: float, rng: np.random.Generator) -> NDArray[np.float32]:
    gain = 1 + rng.uniform(-amount, amount) + rng.uniform(-amount / 4, amount / 4, 3)
    gain = (gain / 255.0).astype(np.float32)
    return np.minimum(image * gain, np.float32(1.0))


def _moved(
    rows: NDArray[np.float32], matrix: NDArray[np.float64], width: int, height: int, least_visible: float
) -> NDArray[np.float32]:
    edges = Boxes.from_normalised(rows[:, 1:].astype(np.float64), width, height).edges
    moved = edges * np.tile(np.diag(matrix), 2) + np.tile(matrix[:, 2], 2)
    if matrix[0, 0] < 0:
        moved = moved[:, [2, 1, 0, 3]]
    whole = area(moved)
    clipped = Boxes(moved).clipped(width, height)
    stays = (rows[:, 0] >= 0) & (clipped.areas >= least_visible * whole) & (clipped.sizes.min(axis=1) >= 1)
    result = np.zeros_like(rows)
    result[:, 0] = np.where(stays, rows[:, 0], PADDING)
    result[stays, 1:] = clipped.normalised(width, height)[stays]
    return result
