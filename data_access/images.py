"""The pixels of image files."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from data_access.errors import DataError
from data_access.image_headers import KINDS, stated_size

REMEMBERED = 4
"""Images that stay decoded: one sample's encoders and metadata all ask for the same."""
MOST_PIXELS = 2**27
"""Pixels of an image, 11,585 x 11,585: decoded 400 MB."""


def read_image(path: Path, turned: bool = True) -> NDArray[np.uint8]:
    """[H, W, 3] uint8, RGB, read-only; the last few are remembered until their file changes.

    Grey is repeated in three channels, alpha is dropped, and 16 bits become 8 by division by 257, which maps the ends
    onto each other. A JPEG that was damaged after its header without becoming shorter decodes to a damaged image: the
    format has no checksum.

    Args:
        turned: as its EXIF orientation says, which is what a viewer shows and a label drawn in one refers to; or the
            pixels as the file has them.

    Raises:
        DataError: the file is missing, empty, cut short, or no image (of `data_access.image_headers.KINDS`), or has
            more than `MOST_PIXELS`, which is told before it is decoded; names it.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return _decode(path, turned, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=REMEMBERED)
def _decode(path: Path, turned: bool, modified: int, size: int) -> NDArray[np.uint8]:
    """Remembered by the time and size of the file too, so that a change shows."""
    import cv2

    if size == 0:
        raise DataError(f"{path} is empty: replace it by the image, or remove it and its labels.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    stated = stated_size(content)
    if stated is None:
        raise _damaged(path)
    width, height = stated
    if width * height > MOST_PIXELS:
        raise DataError(
            f"{path} is {width} x {height} pixels, and {MOST_PIXELS:,} together are the most: scale it down, or remove "
            "it and its labels."
        )
    # From memory, unlike from a file, half a JPEG is no image; and a path may have any characters on any system.
    try:
        how = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | (0 if turned else cv2.IMREAD_IGNORE_ORIENTATION)
        image = cv2.imdecode(np.frombuffer(content, np.uint8), how)
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
    return DataError(f"{path} is cut short, damaged or no image: replace it by a {KINDS}, or remove it and its labels.")
