"""Random changes of training images, their boxes and masks with them."""

import numpy as np
from numpy.typing import NDArray

from tasks.detection.augmentation import Augmentation, augment_one

Targets = tuple[NDArray[np.float32], NDArray[np.float32]]


def augment(
    images: NDArray[np.uint8],
    ground_truth: NDArray[np.float32],
    masks: NDArray[np.bool_],
    mask_size: tuple[int, int],
    settings: Augmentation,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], Targets]:
    """As `tasks.detection.augmentation.augment`, with the masks in the rows of the ground truth.

    Args:
        images: [B, H, W, 3] uint8.
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        masks: [B, MAX, h, w] bool; the finer, the better the outline of what is zoomed.
        mask_size: height and width of the masks that are returned.

    Returns:
        Images [B, H, W, 3] float32 in [0, 1], and ground truth [B, MAX, 5] with masks [B, MAX, *mask_size] float32, 0
        or 1; the mask of an object that is in view no more is empty.
    """
    changed = np.empty(images.shape, np.float32)
    truth = np.empty_like(ground_truth)
    moved = np.zeros((*masks.shape[:2], *mask_size), np.float32)
    for index, (image, rows) in enumerate(zip(images, ground_truth, strict=True)):
        changed[index], truth[index], matrix = augment_one(image, rows, settings, rng)
        stays = np.flatnonzero(truth[index, :, 0] >= 0)
        moved[index, stays] = _moved(masks[index, stays], matrix, image.shape[:2], mask_size)
    return changed, (truth, moved)


def _moved(
    masks: NDArray[np.bool_], matrix: NDArray[np.float64], image_size: tuple[int, ...], mask_size: tuple[int, int]
) -> NDArray[np.bool_]:
    """[N, h, w] -> [N, *mask_size]: what lies under the middle of each pixel; nothing lies outside the image."""
    rows_and_columns, inside = [], []
    for axis, (scale, offset) in enumerate(((matrix[1, 1], matrix[1, 2]), (matrix[0, 0], matrix[0, 2]))):
        middles = (np.arange(mask_size[axis]) + 0.5) * image_size[axis] / mask_size[axis]
        sides = masks.shape[1 + axis]
        source = np.floor((middles - offset) / scale * sides / image_size[axis]).astype(np.int64)
        inside.append((source >= 0) & (source < sides))
        rows_and_columns.append(source.clip(0, sides - 1))
    (rows, columns), (in_rows, in_columns) = rows_and_columns, inside
    taken = masks[:, rows[:, np.newaxis], columns]
    return np.asarray(taken & (in_rows[:, np.newaxis] & in_columns))
