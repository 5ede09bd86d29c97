"""LeapImage, and what every picture with an image under it shares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.render.canvas import MAX_SIDE

READABLE = 640


def draw_image(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """`data` [H, W, 1 or 3], 0..255: floats are truncated as the platform does, values outside are clipped."""
    pixels = displayable(fields["data"])
    picture = picture_of(pixels)
    return picture, placed(pixels, picture.size)


def placed(image: NDArray[Any], shown: tuple[int, int]) -> dict[str, Any]:
    """What a page needs to lay something over an image [H, W, C] in a picture: `size`, its own width and height, and
    `area`, the pixels of the picture that show it, from the upper left corner on.
    """
    return {"size": [image.shape[1], image.shape[0]], "area": list(shown)}


def displayable(image: NDArray[Any]) -> NDArray[np.uint8]:
    """[H, W, 1 or 3] of any dtype -> uint8 0..255.

    Raises:
        LeaplabError: no axis is left to draw.
    """
    checked(image)
    finite = np.nan_to_num(image, nan=0.0, posinf=255.0, neginf=0.0)
    return np.asarray(np.clip(finite, 0, 255), np.uint8)


def checked(image: NDArray[Any]) -> None:
    """Accept [H, W, 1 or 3].

    Raises:
        LeaplabError: the array is of another shape, or empty.
    """
    if image.ndim != 3 or image.shape[2] not in (1, 3) or 0 in image.shape:
        raise LeaplabError(f"An image of shape {image.shape} cannot be drawn; return [H, W, 1] or [H, W, 3].")


def picture_of(pixels: NDArray[np.uint8], most: int = MAX_SIDE) -> Image.Image:
    """[H, W, 1 or 3] as it is, or shrunk where a side is longer than `most` pixels."""
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    size = shown_size(pixels.shape[0], pixels.shape[1], most, 0)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BOX)


def shown_size(height: int, width: int, most: int, readable: int = READABLE) -> tuple[int, int]:
    """(width, height) to draw on: the largest whole multiple within `readable` pixels, at most `most` a side."""
    longest = max(height, width)
    if longest <= most:
        factor = max(1, min(readable, most) // longest)
        return width * factor, height * factor
    return max(1, width * most // longest), max(1, height * most // longest)


def resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """RGB of that size: whole pixels where it grows, their mean where it shrinks."""
    grows = size[0] >= picture.width
    return picture.convert("RGB").resize(size, Image.Resampling.NEAREST if grows else Image.Resampling.BOX)
