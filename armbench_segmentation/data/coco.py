"""COCO instance segmentation: which images there are, and the masks of the objects in one.

The format is described at https://cocodataset.org/#format-data. The masks of an image are decoded when they are asked
for; until then its annotations are kept as the bytes of the file. What is wrong with the file as a whole is told
when it is read, what is wrong with one annotation when its image's masks are asked for.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_masks

from data_access.errors import DataError

MEND = "Mend the file, or export the dataset again as COCO instance segmentation."


class ListedImage(msgspec.Struct, frozen=True):
    """An entry of `images`; width and height in pixels."""

    id: int
    file_name: str
    width: int
    height: int


class _Category(msgspec.Struct, frozen=True):
    id: int
    name: str


class _Entry(msgspec.Struct, frozen=True):
    image_id: int
    category_id: int
    id: int | str | None = None
    segmentation: msgspec.Raw = msgspec.Raw(b"null")
    iscrowd: int | bool = 0


class _ImagesOnly(msgspec.Struct, frozen=True):
    images: list[ListedImage]


class _Whole(msgspec.Struct, frozen=True):
    images: list[ListedImage]
    annotations: list[_Entry]
    categories: list[_Category]


@dataclass(frozen=True)
class Annotation:
    """One object of an image, its mask not decoded yet.

    Attributes:
        name: what an error calls it.
        label: class index.
        crowd: whether it stands for a group of objects that were not told apart.
        segmentation: JSON; null where the file has none.
    """

    name: str
    label: int
    crowd: bool
    segmentation: bytes


@dataclass(frozen=True, eq=False)
class Instances:
    """The N objects of one image, in the file's order, each mask cut to its box.

    Attributes:
        size: width and height of the image, in pixels.
        classes: [N] int64 class indices.
        crowd: [N] bool, whether it stands for a group of objects that were not told apart.
        corners: [N, 2] int64, column and row of the upper left pixel of each mask.
        crops: N masks, [h, w] bool, each of at least a pixel and tight: its outer rows and columns are not empty.
    """

    size: tuple[int, int]
    classes: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    corners: NDArray[np.int64]
    crops: tuple[NDArray[np.bool_], ...]

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def edges(self) -> NDArray[np.float64]:
        """[N, 4] boxes around the masks, see `vision.boxes`."""
        sizes = np.array([crop.shape[::-1] for crop in self.crops], np.int64).reshape(-1, 2)
        return np.concatenate([self.corners, self.corners + sizes], axis=1).astype(np.float64)

    @property
    def areas(self) -> NDArray[np.int64]:
        """[N] pixels of each mask."""
        return np.array([np.count_nonzero(crop) for crop in self.crops], np.int64)

    def mask(self, row: int) -> NDArray[np.bool_]:
        """[H, W] bool: one mask in the whole image."""
        whole = np.zeros(self.size[::-1], bool)
        self.window(whole, row)[:] = self.crops[row]
        return whole

    def masks(self) -> NDArray[np.bool_]:
        """[N, H, W] bool: all of them in the whole image."""
        whole = np.zeros((len(self), *self.size[::-1]), bool)
        for row, crop in enumerate(self.crops):
            self.window(whole[row], row)[:] = crop
        return whole

    def union(self) -> NDArray[np.bool_]:
        """[H, W] bool: the pixels that any of them covers."""
        whole = np.zeros(self.size[::-1], bool)
        for row, crop in enumerate(self.crops):
            self.window(whole, row)[crop] = True
        return whole

    def window(self, image: NDArray[Any], row: int) -> NDArray[Any]:
        """The part of [H, W, ...] that a mask's crop lies over, a view."""
        left, top = self.corners[row]
        height, width = self.crops[row].shape
        part: NDArray[Any] = image[top : top + height, left : left + width]
        return part

    def chosen(self, rows: NDArray[np.bool_]) -> "Instances":
        """Those where [N] bool is true."""
        kept = np.flatnonzero(rows)
        crops = tuple(self.crops[row] for row in kept)
        return Instances(self.size, self.classes[kept], self.crowd[kept], self.corners[kept], crops)


def read_images(path: Path) -> list[ListedImage]:
    """The images that a file lists, its annotations aside, and needing none.

    Raises:
        DataError: the file is missing, cut short or no COCO file, lists no image, or lists an id twice.
    """
    images: list[ListedImage] = _read(path, _ImagesOnly).images
    _check_images(path, images)
    return images


@dataclass(frozen=True)
class CocoFile:
    """The images of a file, and the annotations of each.

    Attributes:
        path: the file.
        images: in its order.
        annotations: id of an image -> its annotations; an image without objects is not in it.
    """

    path: Path
    images: Sequence[ListedImage]
    annotations: Mapping[int, Sequence[Annotation]]


def read_annotated(
    path: Path,
    classes: Mapping[str, int | None],
    choose: Callable[[list[ListedImage]], list[ListedImage]] = list,
    crowd_is_instance: bool = False,
) -> CocoFile:
    """The images that a file lists, or some of them, and their annotations; nothing of the others stays in memory.

    Args:
        classes: name of a category -> class index; None for one that is left out. Categories go by their names: the
            ids of a file may begin anywhere and leave gaps.
        choose: all images -> those to keep.
        crowd_is_instance: takes crowds for single objects.

    Raises:
        DataError: the file is missing, cut short or no COCO file; lists no image or no annotation, or an image's id
            twice; has an annotation of an image or category that it does not list, or of a category that is not
            among `classes`.
    """
    content = _read(path, _Whole)
    _check_images(path, content.images)
    if not content.annotations:
        raise DataError(f"{path} has no annotations, so there is nothing to learn from it: name an annotated file.")
    names = {category.id: category.name for category in content.categories}
    listed = {image.id for image in content.images}
    chosen = choose(content.images)
    kept = {image.id for image in chosen}
    found: dict[int, list[Annotation]] = defaultdict(list)
    for row, entry in enumerate(content.annotations):
        name = f"annotation {row if entry.id is None else entry.id}"
        if entry.image_id not in listed:
            raise DataError(f"{path}: {name} is of image {entry.image_id}, which the file does not list. {MEND}")
        if entry.category_id not in names:
            raise DataError(f"{path}: {name} has category {entry.category_id}, which the file does not list. {MEND}")
        category = names[entry.category_id]
        if category not in classes:
            raise DataError(
                f"{path}: {name} is of category {category!r}, which the config does not map: add it to "
                "dataset.categories, with one of the labels, or null to leave it out."
            )
        label = classes[category]
        if label is None or entry.image_id not in kept:
            continue
        crowd = bool(entry.iscrowd) and not crowd_is_instance
        # Copied: what was read is a view, which would keep the whole file in memory.
        found[entry.image_id].append(Annotation(name, label, crowd, bytes(entry.segmentation)))
    return CocoFile(path, chosen, dict(found))


def decode(path: Path, image: ListedImage, annotations: Sequence[Annotation]) -> Instances:
    """The objects of an image.

    Args:
        path: of the file, for errors.

    Raises:
        DataError: an annotation has no segmentation or one that is none: a polygon of fewer than three points or
            outside the image, a run-length code of another size, a mask without a pixel.
    """
    corners, crops = [], []
    for annotation in annotations:
        try:
            corner, crop = _crop(_run_lengths(annotation.segmentation, image), image)
        except _BadSegmentationError as error:
            raise DataError(
                f"{path}: {annotation.name} of image {image.id} ({image.file_name}) {error}. {MEND}"
            ) from error
        corners.append(corner)
        crops.append(crop)
    return Instances(
        (image.width, image.height),
        np.array([annotation.label for annotation in annotations], np.int64),
        np.array([annotation.crowd for annotation in annotations], bool),
        np.array(corners, np.int64).reshape(-1, 2),
        tuple(crops),
    )


class _BadSegmentationError(Exception):
    """Says in the words that follow `annotation 3 of image 1` what is wrong with it."""


def _read(path: Path, type: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=type)
    except FileNotFoundError as error:
        raise DataError(
            f"{path} is missing: put the dataset there, or point LEAP_DATA_ROOT to where it lies; "
            "`python -m armbench_segmentation.generate` writes a generated substitute."
        ) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}. Make it a readable file.") from error
    except msgspec.ValidationError as error:
        reason = str(error).replace("`", "'")
        raise DataError(f"{path} is no COCO file of instances: {reason}. {MEND}") from error
    except msgspec.DecodeError as error:
        raise DataError(f"{path} is cut short or damaged ({error}): copy it here again.") from error


def _check_images(path: Path, images: Sequence[ListedImage]) -> None:
    if not images:
        raise DataError(f"{path} lists no image: name a file that does.")
    seen: set[int] = set()
    for image in images:
        if image.id in seen:
            raise DataError(f"{path} lists the image id {image.id} twice, so its annotations fit either. {MEND}")
        if image.width < 1 or image.height < 1:
            raise DataError(f"{path}: image {image.id} is {image.width} x {image.height} pixels. {MEND}")
        seen.add(image.id)


def _run_lengths(segmentation: bytes, image: ListedImage) -> dict[str, Any]:
    """What pycocotools computes with: {size: [height, width], counts: bytes}."""
    content = msgspec.json.decode(segmentation)
    if content in (None, [], {}):
        raise _BadSegmentationError("has no segmentation")
    if isinstance(content, list):
        return _from_polygons(content, image)
    if isinstance(content, dict) and {"size", "counts"} <= set(content):
        return _from_counts(content["size"], content["counts"], image)
    raise _BadSegmentationError("has a segmentation that is neither a list of polygons nor a run-length code")


def _from_polygons(polygons: list[Any], image: ListedImage) -> dict[str, Any]:
    for polygon in polygons:
        if not isinstance(polygon, list) or not all(
            type(value) in (int, float) and math.isfinite(value) for value in polygon
        ):
            raise _BadSegmentationError("has a polygon that is no list of numbers")
        if len(polygon) % 2:
            raise _BadSegmentationError(f"has a polygon of {len(polygon)} numbers, not x and y by turns")
        if len(polygon) < 6:
            raise _BadSegmentationError(f"has a polygon of {len(polygon) // 2} points, where it takes 3")
        x, y = polygon[::2], polygon[1::2]
        # One that reaches over the border is cut there; one that lies beyond it, or for the most part, is a mistake.
        if any(
            min(along) >= side or max(along) <= 0 or min(along) < -side or max(along) > 2 * side
            for along, side in ((x, image.width), (y, image.height))
        ):
            raise _BadSegmentationError(f"has a polygon outside the image of {image.width} x {image.height} pixels")
    parts = coco_masks.frPyObjects(polygons, image.height, image.width)
    merged: dict[str, Any] = coco_masks.merge(parts)
    return merged


def _from_counts(size: Any, counts: Any, image: ListedImage) -> dict[str, Any]:
    if size != [image.height, image.width]:
        shown = " x ".join(str(side) for side in reversed(size)) if isinstance(size, list) else repr(size)
        raise _BadSegmentationError(
            f"has a run-length code of {shown} pixels for an image of {image.width} x {image.height}"
        )
    if isinstance(counts, str):
        lengths, code = _uncompressed(counts), {"size": size, "counts": counts.encode("ascii", "replace")}
    elif isinstance(counts, list) and all(type(count) is int for count in counts):
        lengths, code = counts, None
    else:
        raise _BadSegmentationError("has a run-length code whose counts are neither text nor whole numbers")
    # pycocotools decodes too short a code to whatever the memory held.
    if min(lengths, default=-1) < 0 or sum(lengths) != image.width * image.height:
        raise _BadSegmentationError(f"has a run-length code of {sum(lengths)} pixels, not the image's number")
    if code is None:
        code = coco_masks.frPyObjects({"size": size, "counts": counts}, image.height, image.width)
    return code


def _uncompressed(text: str) -> list[int]:
    """The run lengths of a compressed code; empty where the text is none.

    A number is written as digits of 5 bits, the lowest first, each as a character from "0" on, where 32 more tells that
    another follows, and the highest bit of the last one is the sign. From the fourth number on it is the difference
    to the one before the last. See `rleToString` in https://github.com/cocodataset/cocoapi, common/maskApi.c.
    """
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64:
            return []
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    return [] if shift else lengths


def _crop(code: dict[str, Any], image: ListedImage) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    """Column and row of the mask's upper left pixel, and the mask cut to its box."""
    left, top, width, height = (int(value) for value in coco_masks.toBbox(code))
    if width == 0 or height == 0:
        raise _BadSegmentationError("covers no pixel")
    whole = coco_masks.decode(code)
    # A copy in rows: the whole mask is let go, and lies in columns.
    return (left, top), np.ascontiguousarray(whole[top : top + height, left : left + width]).astype(bool)
