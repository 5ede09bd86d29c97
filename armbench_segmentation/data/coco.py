"""COCO instance segmentation: which images there are, and the masks of the objects in one.

The format is described at https://cocodataset.org/#format-data. What contradicts itself as a whole is refused when the
file is read. An annotation that cannot be used ends nothing: it is left out, counted, and told of once. The masks of an
image are decoded when they are asked for; until then its annotations are kept as the bytes of the file.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from armbench_segmentation.data.segmentations import BadSegmentationError, check, mask
from data_access.errors import DataError
from data_access.images import MOST_PIXELS
from data_access.notices import notice

MEND = "Mend the file, or export the dataset again as COCO instance segmentation."
NAMED = 3
"""Of the annotations that are left out, so many are told by name."""

_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_DEEPEST = 100
"""Brackets within each other that a file is taken to mean."""

Id = int | str
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | float
"""Some tools write whole numbers as 20.0."""


@dataclass(frozen=True)
class ListedImage:
    """An entry of `images`; width and height in pixels."""

    id: Id
    file_name: str
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


class _Image(msgspec.Struct, frozen=True):
    id: Whole | str
    file_name: str
    width: Whole
    height: Whole


class _Category(msgspec.Struct, frozen=True):
    id: Whole | str
    name: str


class _Entry(msgspec.Struct, frozen=True):
    image_id: Whole | str
    category_id: Whole | str
    id: Whole | str | None = None
    segmentation: msgspec.Raw = msgspec.Raw(b"null")
    iscrowd: int | float | bool | None = 0


class _ImagesOnly(msgspec.Struct, frozen=True):
    images: list[_Image]


class _File(msgspec.Struct, frozen=True):
    images: list[_Image]
    annotations: list[_Entry]
    categories: list[_Category]


@dataclass(frozen=True)
class Annotation:
    """One object of an image, its mask not decoded yet.

    Attributes:
        label: class index.
        crowd: whether it stands for a group of objects that were not told apart.
        segmentation: JSON, of a mask.
    """

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
    return _listed(path, _read(path, _ImagesOnly).images)


@dataclass(frozen=True)
class CocoFile:
    """The images of a file, and the annotations of each.

    Attributes:
        path: the file.
        images: in its order.
        annotations: id of an image -> those that have a mask; an image without objects is not in it.
        unusable: id of an image -> how many were left out, because they have none or their category is not listed.
    """

    path: Path
    images: Sequence[ListedImage]
    annotations: Mapping[Id, Sequence[Annotation]]
    unusable: Mapping[Id, int]


def read_annotated(
    path: Path,
    classes: Mapping[str, int | None],
    choose: Callable[[list[ListedImage]], list[ListedImage]] = list,
    crowd_is_instance: bool = False,
) -> CocoFile:
    """The images that a file lists, or some of them, and their annotations; nothing of the others stays in memory.

    An annotation of an image or a category that the file does not list, or without a mask (see
    `armbench_segmentation.data.segmentations.check`), is left out. A notice tells how many there are and names some.

    Args:
        classes: name of a category -> class index; None for one that is left out. Categories go by their names: the
            ids of a file may begin anywhere and leave gaps, and two may have one name.
        choose: all images -> those to keep.
        crowd_is_instance: takes crowds for single objects.

    Raises:
        DataError: the file is missing, cut short or no COCO file; lists no image or no annotation, an image that is too
            large, or the id of an image or a category twice; or an annotation is of a category that is not among
            `classes`.
    """
    content = _read(path, _File)
    listed = _listed(path, content.images)
    if not content.annotations:
        raise DataError(f"{path} has no annotations, so there is nothing to learn from it: name an annotated file.")
    names = _category_names(path, content.categories)
    images = {str(image.id): image for image in listed}
    chosen = choose(listed)
    kept = {image.id for image in chosen}
    found: dict[Id, list[Annotation]] = defaultdict(list)
    left_out = _LeftOut()
    for row, entry in enumerate(content.annotations):
        image = images.get(_key(entry.image_id))
        if image is None:
            left_out.add(_name(row, entry), None, f"is of image {_key(entry.image_id)}, which the file does not list")
            continue
        category = names.get(_key(entry.category_id))
        if category is not None and category not in classes:
            raise DataError(
                f"{path}: {_name(row, entry)} is of category {category!r}, which the config does not map: add it to "
                "dataset.categories, with one of the labels, or null to leave it out."
            )
        if image.id not in kept:
            continue
        if category is None:
            reason = f"has category {_key(entry.category_id)}, which the file does not list"
            left_out.add(_name(row, entry), image, reason)
            continue
        label = classes[category]
        if label is None:
            continue
        # Copied: what was read is a view, which would keep the whole file in memory.
        segmentation = bytes(entry.segmentation)
        try:
            check(segmentation, image.size)
        except BadSegmentationError as error:
            left_out.add(_name(row, entry), image, str(error))
            continue
        found[image.id].append(Annotation(label, bool(entry.iscrowd) and not crowd_is_instance, segmentation))
    left_out.tell(path)
    return CocoFile(path, chosen, dict(found), dict(left_out.of_images))


def decode(image: ListedImage, annotations: Sequence[Annotation]) -> Instances:
    """The objects of an image."""
    masks = [mask(annotation.segmentation, image.size) for annotation in annotations]
    return Instances(
        image.size,
        np.array([annotation.label for annotation in annotations], np.int64),
        np.array([annotation.crowd for annotation in annotations], bool),
        np.array([each.corner for each in masks], np.int64).reshape(-1, 2),
        tuple(each.crop for each in masks),
    )


@dataclass
class _LeftOut:
    """The annotations that cannot be used."""

    count: int = 0
    named: list[str] = field(default_factory=list)
    of_images: Counter[Id] = field(default_factory=Counter)

    def add(self, name: str, image: ListedImage | None, reason: str) -> None:
        self.count += 1
        if image is not None:
            self.of_images[image.id] += 1
        if len(self.named) < NAMED:
            place = "" if image is None else f" of image {image.id} ({image.file_name})"
            self.named.append(f"{name}{place} {reason}")

    def tell(self, path: Path) -> None:
        if self.count:
            others = self.count - len(self.named)
            notice(
                f"{path}: {self.count} {'annotation' if self.count == 1 else 'annotations'} cannot be used and "
                f"{'is' if self.count == 1 else 'are'} left out, counted in the metadata count_unusable: "
                f"{'; '.join(self.named)}{f'; and {others} more' if others else ''}. {MEND}"
            )


def _read(path: Path, type: Any) -> Any:
    content = b""
    try:
        content = path.read_bytes().removeprefix(_BOM)
        return msgspec.json.decode(content, type=type)
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
    except RecursionError as error:
        raise DataError(
            f"{path} is no COCO file of instances: from byte {_first_too_deep(content)} on, it nests more than "
            f"{_DEEPEST} levels deep. {MEND}"
        ) from error
    except msgspec.DecodeError as error:
        if content.startswith(_OTHER_BOMS):
            raise DataError(f"{path} is text in UTF-16: save it as UTF-8.") from error
        at = re.search(r"\(byte (\d+)\)", str(error))
        if at and (word := re.match(rb"NaN|Infinity", content[int(at[1]) :][:8])):
            raise DataError(
                f"{path} has {word[0].decode()} at byte {at[1]}, which is no number of JSON: write null there, or "
                "leave the value out."
            ) from error
        raise DataError(f"{path} is cut short or damaged ({error}): copy it here again.") from error


def _first_too_deep(content: bytes) -> int:
    """The place of the first bracket that lies deeper than is taken."""
    depth = 0
    for token in re.finditer(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', content):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        if depth > _DEEPEST:
            return token.start()
    return len(content)


def _listed(path: Path, entries: Sequence[_Image]) -> list[ListedImage]:
    if not entries:
        raise DataError(f"{path} lists no image: name a file that does.")
    images = []
    seen: set[str] = set()
    for entry in entries:
        key = _key(entry.id)
        if key in seen:
            raise DataError(f"{path} lists the image id {key} twice, so its annotations fit either. {MEND}")
        seen.add(key)
        width, height = _whole(entry.width), _whole(entry.height)
        if width is None or height is None or width < 1 or height < 1 or width * height > MOST_PIXELS:
            shown = f"{entry.width:.12g} x {entry.height:.12g}"
            raise DataError(
                f"{path}: image {key} ({entry.file_name}) is {shown} pixels, where whole numbers from 1 belong, of at "
                f"most {MOST_PIXELS:,} pixels together. {MEND}"
            )
        images.append(ListedImage(_id(entry.id), entry.file_name, width, height))
    for key in seen:
        image, _, number = key.rpartition("_")
        if image in seen and number.isdecimal():
            raise DataError(
                f"{path} lists the image ids {image} and {key}, and the second is what an object of the first is "
                "called: rename one of them."
            )
    return images


def _category_names(path: Path, categories: Sequence[_Category]) -> dict[str, str]:
    names: dict[str, str] = {}
    for category in categories:
        key = _key(category.id)
        if key in names:
            raise DataError(
                f"{path} lists the category id {key} twice, as {names[key]!r} and {category.name!r}, so its "
                f"annotations fit either. {MEND}"
            )
        names[key] = category.name
    return names


def _name(row: int, entry: _Entry) -> str:
    return f"annotation {row if entry.id is None else _key(entry.id)}"


def _key(value: float | str) -> str:
    """What ids are compared by: 5, 5.0 and "5" are one."""
    return str(_id(value))


def _id(value: float | str) -> Id:
    number = value if isinstance(value, str) else _whole(value)
    return str(value) if number is None else number


def _whole(value: float) -> int | None:
    """None for what is no whole number."""
    return int(value) if value == int(value) else None
