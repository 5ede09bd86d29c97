"""Facts about a tote that may explain why the model errs on it. A value that does not exist is None.

What follows from the annotations takes `Instances` or, for an image without annotations, None, and is None then. Crowds
are counted, and count as no background; all else is of single objects.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from armbench_segmentation.data.coco import Instances
from armbench_segmentation.encoders import masks, taught
from tasks.segmentation.occlusion import occlusions_by_box, occlusions_by_mask
from vision import statistics
from vision.boxes import area, intersection
from vision.letterbox import Letterbox

CLASS_VALUES = (
    "area_mean",
    "area_std",
    "intensity_mean",
    "intensity_std",
    "box_area_mean",
    "box_area_std",
    "aspect_ratio_mean",
    "aspect_ratio_std",
)
"""The keys of `classes`, after the label."""
FILE_TYPES = {"file_name": str, "width": int, "height": int}
"""The keys of `file`, and the types of their values."""
OCCLUSION_TYPES = {
    "by_box": int,
    "by_box_mean": float,
    "by_mask": int,
    "by_mask_mean": float,
}
"""The keys of `occlusions`, and the types of their values."""
LOOKED_AT = 40_000
"""Pixels of a tote that are enough to tell its colour."""


def key(label: str) -> str:
    """A label as the keys of metadata have it: `Traffic light` -> `traffic_light`."""
    return "_".join(label.lower().split())


def file(name: str, size: tuple[int, int]) -> dict[str, str | int]:
    """Which image it is: its name in the annotations, and its width and height in pixels."""
    return {"file_name": name, "width": size[0], "height": size[1]}


def count_names(labels: Sequence[str]) -> tuple[str, ...]:
    """The keys of `counts`."""
    return ("instances", *(key(label) for label in labels), "crowds", "beyond", "unusable")


def class_names(labels: Sequence[str]) -> tuple[str, ...]:
    """The keys of `classes`."""
    return tuple(f"{key(label)}_{value}" for label in labels for value in CLASS_VALUES)


def counts(
    instances: Instances | None, unusable: int | None, labels: Sequence[str], most: int
) -> dict[str, int | None]:
    """How many objects there are: `instances`, of each label, `crowds`, and how many of all lie `beyond` the rows.

    Args:
        unusable: how many annotations were left out, because they have no mask or no category.
        most: rows of the ground truth; what lies beyond them is neither taught nor ignored.
    """
    names = count_names(labels)
    if instances is None:
        return dict.fromkeys(names)
    found = taught(instances)
    of_each = np.bincount(found.classes, minlength=len(labels)).tolist()
    values = [len(found), *of_each, len(instances) - len(found), max(0, len(instances) - most), unusable]
    return dict(zip(names, values, strict=True))


def classes(pixels: NDArray[np.uint8], instances: Instances | None, labels: Sequence[str]) -> dict[str, float | None]:
    """Size, shape and brightness of the objects of each label; None for a label that does not occur.

    Args:
        pixels: [H, W, 3] uint8, RGB.

    Returns:
        For each label `LABEL_area_mean` and `_std`, of the masks' shares of the image's area; `intensity`, of the luma
        of the pixels inside the masks, in [0, 1], each pixel once; `box_area`, of the boxes' shares of the image's
        area; `aspect_ratio`, of the boxes' widths over their heights. Deviations are those of the population: 0 where
        there is one object.
    """
    values: dict[str, float | None] = dict.fromkeys(class_names(labels))
    if instances is None or not len(instances):
        return values
    whole = pixels.shape[0] * pixels.shape[1]
    luma = statistics.luma(pixels)
    found = taught(instances)
    for index, label in enumerate(labels):
        some = found.chosen(found.classes == index)
        if not len(some):
            continue
        edges = some.edges
        sizes = edges[:, 2:] - edges[:, :2]
        measured = (some.areas / whole, luma[some.union()], area(edges) / whole, sizes[:, 0] / sizes[:, 1])
        numbers = [number for each in measured for number in (float(each.mean()), float(each.std()))]
        values |= {f"{key(label)}_{name}": number for name, number in zip(CLASS_VALUES, numbers, strict=True)}
    return values


def background(instances: Instances | None) -> float | None:
    """Share of the image that no object, tote or crowd covers."""
    return None if instances is None else 1.0 - float(instances.union().mean())


def tote_colour(
    pixels: NDArray[np.uint8],
    instances: Instances | None,
    container: int | None,
    hues: Mapping[str, float],
    least_chroma: float,
) -> str | None:
    """The name of the hue nearest to that of the tote, where no object covers it; `grey` where it has none.

    Args:
        pixels: [H, W, 3] uint8, RGB.
        container: class index of totes.
        hues: name -> hue in degrees.
        least_chroma: average chroma below which a tote is grey.

    Returns:
        None where no tote is to be seen.
    """
    if instances is None or container is None:
        return None
    is_tote = (instances.classes == container) & ~instances.crowd
    seen = instances.chosen(is_tote).union() & ~instances.chosen(~is_tote).union()
    tote = pixels[seen]
    if not len(tote):
        return None
    hue = statistics.dominant_hue(tote[:: -(-len(tote) // LOOKED_AT)], least_chroma)
    if hue is None:
        return "grey"
    return min(hues, key=lambda name: abs((hue - hues[name] + 180.0) % 360.0 - 180.0))


def small_objects(instances: Instances | None, container: int | None, small_share: float) -> int | None:
    """How many objects, totes aside, cover less than a share of the image."""
    if instances is None:
        return None
    width, height = instances.size
    found = contents(instances, container)
    return int((found.areas < small_share * width * height).sum())


def duplicates(instances: Instances | None, least_iou: float) -> int | None:
    """How many objects are there already: their mask overlaps an earlier one of their label by this IoU or more."""
    if instances is None:
        return None
    found = taught(instances)
    edges, areas = found.edges, found.areas
    meets = np.triu(intersection(edges[:, np.newaxis], edges) > 0, 1)
    meets &= found.classes[:, np.newaxis] == found.classes
    # Even if the smaller one were inside: most pairs need no look at their masks.
    meets &= np.minimum(areas[:, np.newaxis], areas) >= least_iou * np.maximum(areas[:, np.newaxis], areas)
    again = set()
    for one, other in np.argwhere(meets).tolist():
        shared = _shared(found, one, other)
        if shared >= least_iou * (areas[one] + areas[other] - shared):
            again.add(other)
    return len(again)


def occlusions(instances: Instances | None, container: int | None, size: int) -> dict[str, float | None]:
    """How often an object is hidden by another, totes aside; see `tasks.segmentation.occlusion`.

    Args:
        size: of the model's input, in whose pixels the masks are compared.

    Returns:
        `by_box` and `by_mask`, the pairs; each with `_mean`, of an object, None where there is none.
    """
    if instances is None:
        return dict.fromkeys(OCCLUSION_TYPES)
    found = contents(instances, container)
    by_box = occlusions_by_box(found.edges)
    by_mask = occlusions_by_mask(masks(found, size, 1, len(found)).astype(bool))
    return dict(zip(OCCLUSION_TYPES, (*by_box, *by_mask), strict=True))


def contents(instances: Instances, container: int | None) -> Instances:
    """The single objects that are no totes."""
    found = taught(instances)
    return found if container is None else found.chosen(found.classes != container)


def image_statistics(pixels: NDArray[np.uint8], size: int) -> dict[str, float | None]:
    """Statistics of the image as the model sees it, without the border; `colour_temperature` may be None.

    Args:
        pixels: [H, W, 3] uint8, RGB.
        size: of the model's input; sharpness can only be compared between images of one size.

    Returns:
        Shares of 255, but `entropy` in bits and `colour_temperature` in kelvin; see `vision.statistics`.
    """
    letterbox = Letterbox((pixels.shape[1], pixels.shape[0]), (size, size))
    (width, height), (left, top) = letterbox.inner, letterbox.offset
    inner = letterbox.image(pixels)[top : top + height, left : left + width]
    return statistics.image_statistics(inner)


def _shared(instances: Instances, one: int, other: int) -> int:
    """Pixels that two masks have in common."""
    lower = np.maximum(instances.corners[one], instances.corners[other])
    ends = [instances.corners[row] + instances.crops[row].shape[::-1] for row in (one, other)]
    width, height = np.minimum(*ends) - lower
    parts = []
    for row in (one, other):
        left, top = lower - instances.corners[row]
        parts.append(instances.crops[row][top : top + height, left : left + width])
    return int(np.count_nonzero(parts[0] & parts[1]))
