"""What a COCO annotation says of its object's mask: polygons, or a run-length code of either form.

The forms are described at https://cocodataset.org/#format-data. pycocotools draws them, and trusts what it is given: a
code that is too short is filled up with whatever the memory held, and too long an outline ends the process. So each is
looked at before.
"""

from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_masks

LONGEST_OUTLINE = 1_000_000
"""Pixels of a polygon's outline: pycocotools keeps five points of each."""

_FARTHEST = 1e12
"""No coordinate is this far out; a comparison with it also tells what is no number or has no end."""

_LONGEST_SHOWN = 40


class BadSegmentationError(ValueError):
    """Says in the words that follow `annotation 3 of image 1` what is wrong with it."""


class Mask(NamedTuple):
    """A mask that is cut to its box.

    Attributes:
        corner: column and row of its upper left pixel.
        crop: [h, w] bool; its outer rows and columns are not empty.
    """

    corner: tuple[int, int]
    crop: NDArray[np.bool_]


def check(segmentation: bytes, size: tuple[int, int]) -> None:
    """Hold a segmentation to having a mask, without drawing it: a fortieth of the time.

    Args:
        segmentation: JSON.
        size: width and height of the image in pixels, at most `data_access.images.MOST_PIXELS` together.

    Raises:
        BadSegmentationError: it is none: there is nothing, or a form that is not known; a polygon without three points
            or outside the image; a run-length code of another size; a mask without a pixel.
    """
    _code(segmentation, size)


def mask(segmentation: bytes, size: tuple[int, int]) -> Mask:
    """The mask; see `check`, which has the same arguments and errors."""
    code = _code(segmentation, size)
    left, top, width, height = (int(value) for value in coco_masks.toBbox(code))
    whole = coco_masks.decode(code)
    # A copy in rows: the whole mask is let go, and lies in columns.
    return Mask((left, top), np.ascontiguousarray(whole[top : top + height, left : left + width]).astype(bool))


def _code(segmentation: bytes, size: tuple[int, int]) -> dict[str, Any]:
    """What pycocotools computes with, {size: [height, width], counts: bytes}, of a pixel at least."""
    try:
        content = msgspec.json.decode(segmentation)
    except msgspec.DecodeError as error:
        reason = str(error).replace("`", "'")
        raise BadSegmentationError(f"has a segmentation that cannot be read ({reason})") from error
    if content in (None, [], {}):
        raise BadSegmentationError("has no segmentation")
    if isinstance(content, list):
        code = _from_polygons(content, size)
    elif isinstance(content, dict) and {"size", "counts"} <= set(content):
        code = _from_counts(content["size"], content["counts"], size)
    else:
        raise BadSegmentationError("has a segmentation that is neither a list of polygons nor a run-length code")
    if not coco_masks.area(code):
        raise BadSegmentationError("covers no pixel")
    return code


def _from_polygons(polygons: list[Any], size: tuple[int, int]) -> dict[str, Any]:
    for polygon in polygons:
        if not isinstance(polygon, list) or not all(_is_number(value) for value in polygon):
            raise BadSegmentationError("has a polygon that is no list of numbers")
        if len(polygon) % 2:
            raise BadSegmentationError(f"has a polygon of {len(polygon)} numbers, not x and y by turns")
    # A piece of one or two points covers nothing, and takes nothing from the others.
    pieces = [polygon for polygon in polygons if len(polygon) >= 6]
    if not pieces:
        most = max(map(len, polygons))
        raise BadSegmentationError(f"has a polygon of {most // 2} points, where it takes 3")
    width, height = size
    for piece in pieces:
        # One that reaches over the border is cut there; one that lies beyond it, or for the most part, is a mistake.
        if any(
            min(along) >= side or max(along) <= 0 or min(along) < -side or max(along) > 2 * side
            for along, side in ((piece[::2], width), (piece[1::2], height))
        ):
            raise BadSegmentationError(f"has a polygon outside the image of {width} x {height} pixels")
    if sum(map(len, pieces)) // 2 * 3 * max(size) > LONGEST_OUTLINE:  # so long it may be, and seldom is
        length = sum(_outline(piece) for piece in pieces)
        if length > LONGEST_OUTLINE:
            raise BadSegmentationError(f"has polygons with an outline of {length:.3g} pixels")
    parts = coco_masks.frPyObjects(pieces, height, width)
    code: dict[str, Any] = parts[0] if len(parts) == 1 else coco_masks.merge(parts)
    return code


def _outline(polygon: list[float]) -> float:
    """Its length as a king of chess walks it."""
    points = np.array(polygon, np.float64).reshape(-1, 2)
    return float(np.abs(points - np.roll(points, 1, axis=0)).max(axis=1).sum())


def _from_counts(stated: Any, counts: Any, size: tuple[int, int]) -> dict[str, Any]:
    width, height = size
    if stated != [height, width]:
        shown = " x ".join(str(side) for side in reversed(stated)) if _is_pair(stated) else _shown(stated)
        raise BadSegmentationError(f"has a run-length code of {shown} pixels for an image of {width} x {height}")
    if isinstance(counts, str):
        lengths = _uncompressed(counts)
    elif isinstance(counts, list) and all(_is_number(count) and count == int(count) for count in counts):
        lengths = [int(count) for count in counts]
    else:
        raise BadSegmentationError("has a run-length code whose counts are neither text nor whole numbers")
    if min(lengths, default=-1) < 0 or sum(lengths) != width * height:
        raise BadSegmentationError(f"has a run-length code of {sum(lengths)} pixels, not the image's number")
    if isinstance(counts, str):
        return {"size": [height, width], "counts": counts.encode("ascii")}
    code: dict[str, Any] = coco_masks.frPyObjects({"size": [height, width], "counts": lengths}, height, width)
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
        if not 0 <= digit < 64 or shift > 30:  # pycocotools' numbers have 32 bits
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


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -_FARTHEST < value < _FARTHEST


def _is_pair(stated: Any) -> bool:
    return isinstance(stated, list) and len(stated) == 2 and all(map(_is_number, stated))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
