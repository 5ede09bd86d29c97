"""Facts about a frame that may explain why the model errs on it. A value that does not exist is None.

Each function gives a flat dictionary; the `*_TYPES` beside it tell its keys and the type of each value.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from vision import statistics
from vision.boxes import area, iou

Value = float | int | str | bool | None
Types = dict[str, type]

OVERLAP = 0.1
"""IoU above which two boxes count as overlapping: the lines of neighbours touch, and labels are a pixel off."""

FRAME_TYPES: Types = {"file_name": str, "width": int, "height": int}

STATISTICS_TYPES: Types = dict.fromkeys(statistics.IMAGE_STATISTICS, float)

SIZE_TYPES: Types = dict.fromkeys(
    (f"{value}_{side}" for side in ("area", "height") for value in ("mean", "min", "max")), float
)


def frame(pixels: NDArray[np.uint8], path: Path | None) -> dict[str, Value]:
    """What frame it is: the name of its file, None where it has none, and its size in pixels."""
    height, width = pixels.shape[:2]
    return {"file_name": None if path is None else path.name, "width": width, "height": height}


def count_types(labels: Sequence[str]) -> Types:
    """Of `object_counts`."""
    counts = ("all", *(f"of_{label}" for label in labels), "overlapping_pairs", "not_kept")
    return {**dict.fromkeys(counts, int), "more_than_kept": bool}


def object_counts(objects: Objects | None, labels: Sequence[str], most: int) -> dict[str, Value]:
    """How many objects there are; all None on a frame that is not labelled.

    Args:
        labels: the names of the classes, in the order of their indices.
        most: how many the ground truth keeps.

    Returns:
        `all`; `of_CLASS` each; `overlapping_pairs`, the pairs of boxes whose IoU exceeds `OVERLAP`; `not_kept`, those
        that the ground truth has no room for; and `more_than_kept`, whether there are such: losses and metrics of that
        frame do not know them.
    """
    if objects is None:
        return dict.fromkeys(count_types(labels))
    of_class = np.bincount(objects.classes, minlength=len(labels)).tolist()
    overlaps = np.triu(iou(objects.edges[:, np.newaxis], objects.edges) > OVERLAP, k=1)
    return {
        "all": len(objects),
        **{f"of_{label}": count for label, count in zip(labels, of_class, strict=True)},
        "overlapping_pairs": int(overlaps.sum()),
        "not_kept": max(0, len(objects) - most),
        "more_than_kept": len(objects) > most,
    }


def object_sizes(objects: Objects | None, width: int, height: int) -> dict[str, Value]:
    """Mean, least and largest area and height of the boxes, as shares of the frame's; all None without objects.

    Args:
        width: of the frame in pixels.
        height: of the frame in pixels.
    """
    if objects is None or len(objects) == 0:
        return dict.fromkeys(SIZE_TYPES)
    areas = area(objects.edges) / (width * height)
    heights = (objects.edges[:, 3] - objects.edges[:, 1]) / height
    return {
        f"{value}_{side}": float(function(shares))
        for side, shares in (("area", areas), ("height", heights))
        for value, function in (("mean", np.mean), ("min", np.min), ("max", np.max))
    }


def simulation(parameters: Mapping[str, Value] | None, names: Sequence[str]) -> dict[str, Value]:
    """The parameters that a frame was simulated with, by their names; all None where it was not simulated.

    Raises:
        KeyError: a simulated frame lacks one of the names.
    """
    return {name: None if parameters is None else parameters[name] for name in names}
