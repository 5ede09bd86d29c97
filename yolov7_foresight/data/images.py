"""Image files: which there are, and their pixels."""

import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from data_access.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".png")
"""In any case; other files in a folder of images are none."""

REMEMBERED = 4
"""Images that stay decoded: one sample's encoders and metadata all ask for the same."""

_DECODING = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH


def list_images(folder: Path) -> dict[str, Path]:
    """Every image of a folder by its stem, sorted; hidden files, other files and folders within do not count.

    Raises:
        DataError: the folder cannot be read or holds no image, or two images have one stem.
    """
    found: dict[str, Path] = {}
    for name in file_names(folder):
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a Path for each of a hundred thousand takes its time
        if suffix.lower() not in SUFFIXES:
            continue
        if stem in found:
            raise DataError(
                f"{folder} holds both {found[stem].name} and {name}: remove one, because a label belongs to one image."
            )
        found[stem] = folder / name
    if not found:
        raise DataError(f"{folder} holds no image: put frames there, each a {', '.join(SUFFIXES)}.")
    return found


def file_names(folder: Path) -> list[str]:
    """Names of the files of a folder, sorted; without hidden ones.

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file())
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror or error}. Put the data there, as a readable folder."
        ) from error


def read_image(path: Path) -> NDArray[np.uint8]:
    """[H, W, 3] uint8, RGB, read-only; the last few are remembered until their file changes.

    As a viewer shows it, which is what a label refers to: turned as its EXIF orientation says. Grey is repeated in
    three channels, alpha is dropped, and 16 bits become 8 by division by 257, which maps the ends onto each other. A
    JPEG that was damaged after its header without becoming shorter decodes to a damaged image: the format has no
    checksum.

    Raises:
        DataError: the file is missing, empty, cut short, or no image; names it.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _decode(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=REMEMBERED)
def _decode(path: Path, modified: int, size: int) -> NDArray[np.uint8]:
    """Remembered by the time and size of the file too, so that a change shows."""
    if size == 0:
        raise DataError(f"{path} is empty: replace it by the image, or remove it and its label.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    # From memory, unlike from a file, half a JPEG is no image; and a path may have any characters on any system.
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), _DECODING)
    except cv2.error as error:
        raise _damaged(path) from error
    if image is None:
        raise _damaged(path)
    pixels = _to_bytes(image)
    pixels.flags.writeable = False
    return pixels


def _to_bytes(image: NDArray[np.generic]) -> NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return np.asarray(image, np.uint8)
    return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)  # rounded


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read: {error.strerror or error}. Make it a readable image again.")


def _damaged(path: Path) -> DataError:
    return DataError(f"{path} is cut short, damaged or no image: replace it, or remove it and its label.")
