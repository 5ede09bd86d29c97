"""Labels in YOLO's format: a text file an image, of the same stem, a line an object.

A line is `class cx cy w h`: the class's index, then centre and size of the box as shares of the image's width and
height. An image without objects has an empty file.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from data_access.errors import DataError
from data_access.notices import notice
from tasks.detection.detections import Objects
from vision.boxes import Boxes
from yolov7_foresight.data.images import file_names

OVERSHOOT = 1e-3
"""Share of the image by which rounding may push an edge out of it."""

CLASSES = "classes.txt"
"""Names of the classes in the order of their indices, a line each: what labelling tools leave beside the labels."""

NAMED = 3
"""Of the lines that a file has twice, so many are told by their numbers."""

_FIELDS = 5
# Python's own float() takes 1_000, full-width digits and infinity too.
_INTEGER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)


def list_labels(folder: Path, images: Mapping[str, Path]) -> dict[str, Path]:
    """The label of each image, by its stem. A classes.txt is no label, where no image is called so.

    Args:
        images: by their stem.

    Raises:
        DataError: the folder cannot be read, an image has no label, or a label no image; names the first.
    """
    found: dict[str, Path] = {}
    for name in file_names(folder):
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a hundred thousand takes its time
        if suffix.lower() == ".txt" and (stem in images or name.lower() != CLASSES):
            found[stem] = folder / name
    if unlabeled := sorted(set(images) - set(found)):
        raise DataError(
            f"{images[unlabeled[0]]} has no label{_others(unlabeled)}: put {unlabeled[0]}.txt into {folder}, an "
            "empty file if it shows no object."
        )
    if orphans := sorted(set(found) - set(images)):
        raise DataError(
            f"{found[orphans[0]]} has no image of its name{_others(orphans)}: put the image there, or remove the label."
        )
    return found


def read_labels(path: Path, classes: int, width: int, height: int) -> Objects:
    """The objects of one image in its pixels, in the file's order, the boxes in float64.

    Three things are repaired: an edge at most `OVERSHOOT` outside of the image is moved to its border; a byte-order
    mark, any kind of line end, and blank lines are passed over; and a line of the numbers of an earlier one is left
    out, of which a notice tells.

    Args:
        classes: how many there are; indices are below it.
        width: of the image in pixels.
        height: of the image in pixels.

    Raises:
        DataError: the file cannot be read, or a line is no label; names file and line.
    """
    try:
        # Text mode takes the line ends of every system for one; other separators do not end a line.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}. Make it a readable file.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: replace it by the label of its image.") from error
    rows = []
    first: dict[tuple[float, ...], int] = {}
    again = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = _parsed(line, classes, f"{path}:{number}")
        earlier = first.setdefault(tuple(map(float, line.split())), number)
        if earlier == number:
            rows.append(row)
        else:
            again.append(f"line {number} (as line {earlier})")
    if again:
        others = f" and {len(again) - NAMED} more" if len(again) > NAMED else ""
        notice(
            f"{path} has an object twice, which is counted once: left out {'is' if len(again) == 1 else 'are'} "
            f"{', '.join(again[:NAMED])}{others}.",
            "duplicate rows",
        )
    table = np.array(rows, np.float64).reshape(-1, _FIELDS)
    boxes = Boxes(table[:, 1:] * (width, height, width, height))
    return Objects(boxes.edges, table[:, 0].astype(np.int64))


def require_classes(path: Path, labels: tuple[str, ...]) -> None:
    """Hold a classes.txt, where there is one, to the labels that the indices are read by.

    Raises:
        DataError: it names others or in another order, or cannot be read.
    """
    if not path.exists():
        return
    try:
        named = [line.strip() for line in path.read_text(encoding="utf-8-sig").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Make it a readable file, or remove it.") from error
    if tuple(named) != labels:
        raise DataError(
            f"{path} lists {', '.join(named) or 'nothing'}, but 'labels' in yolov7_foresight/project_config.yaml is "
            f"{', '.join(labels)}: give both the same names in the same order."
        )


def _others(stems: list[str]) -> str:
    return f", and {len(stems) - 1} more have none" if len(stems) > 1 else ""


def _parsed(line: str, classes: int, place: str) -> tuple[float, ...]:
    """(class, x1, y1, x2, y2), the edges as shares of the image, inside of it."""
    fields = line.split()
    if len(fields) != _FIELDS:
        raise _bad(place, f"holds {len(fields)} values")
    label, *values = fields
    if not _INTEGER.fullmatch(label) or not 0 <= int(label) < classes:
        raise _bad(place, f"names the class {label[:20]}, which is none of 0 to {classes - 1}")
    for value in values:
        if not _NUMBER.fullmatch(value):
            raise _bad(place, f"holds '{value[:20]}', which is no number")
    x, y, width, height = (float(value) for value in values)
    if width <= 0 or height <= 0:
        raise _bad(place, f"holds a box of {width:g} x {height:g}, which has no area")
    edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    # So, and not by their least and largest: infinite sizes make edges that are no numbers.
    if not all(-OVERSHOOT <= edge <= 1 + OVERSHOOT for edge in edges):
        raise _bad(place, "holds a box that reaches out of the image")
    left, top, right, bottom = (min(max(edge, 0.0), 1.0) for edge in edges)
    if left >= right or top >= bottom:
        raise _bad(place, "holds a box of which nothing lies in the image")
    return int(label), left, top, right, bottom


def _bad(place: str, what: str) -> DataError:
    return DataError(f"{place}: the line {what}. Make it `class cx cy w h`, the box as shares of the image, in [0, 1].")
