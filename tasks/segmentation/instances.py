"""The objects of one image with their masks: those that are there, and those that a model says are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Detections, Objects, Rows
from tasks.detection.ground_truth import is_crowd, unpadded, unpadded_crowds


@dataclass(frozen=True, eq=False)
class MaskedObjects(Objects):
    """N labelled objects.

    Attributes:
        masks: [N, h, w] bool, of the same area as the input, but in pixels of their own.
    """

    masks: NDArray[np.bool_]

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self.masks, len(self))


@dataclass(frozen=True, eq=False)
class MaskedDetections(Detections):
    """N predicted objects, in any order.

    Attributes:
        masks: [N, h, w] bool, of the same area as the input, but in pixels of their own; one may be empty.
    """

    masks: NDArray[np.bool_]

    def __post_init__(self) -> None:
        super().__post_init__()
        _check(self.masks, len(self))

    def __getitem__(self, rows: Rows) -> "MaskedDetections":
        """Some of them, by row numbers or by a mask."""
        return MaskedDetections(self.edges[rows], self.classes[rows], self.scores[rows], self.masks[rows])


def unpadded_instances(
    rows: NDArray[np.floating], masks: NDArray[np.floating], height: int, width: int
) -> MaskedObjects:
    """The objects to find of one sample's ground truth; crowds and padding may stand anywhere.

    Args:
        rows: [MAX, 5] of any float type, see `tasks.detection.ground_truth`.
        masks: [MAX, h, w] of any float type, 0 or 1, in the same rows.
        height: of the input in pixels.
        width: of the input in pixels.
    """
    objects = unpadded(rows, height, width)
    return MaskedObjects(objects.edges, objects.classes, masks[rows[:, 0] >= 0] > 0.5)


def unpadded_masked_crowds(
    rows: NDArray[np.floating], masks: NDArray[np.floating], height: int, width: int
) -> MaskedObjects:
    """The crowds of one sample's ground truth; the arguments are those of `unpadded_instances`."""
    crowds = unpadded_crowds(rows, height, width)
    return MaskedObjects(crowds.edges, crowds.classes, masks[is_crowd(rows)] > 0.5)


def _check(masks: NDArray[np.bool_], count: int) -> None:
    if masks.ndim != 3 or len(masks) != count:
        raise ValueError(f"Masks of shape {masks.shape} do not fit {count} boxes.")
