"""Facts about a photograph that may explain why the model errs on it. A value that does not exist is None."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from vision import statistics


def class_name(label: int | None, labels: Sequence[str]) -> str | None:
    """The name of a class index; None for a class that is not known."""
    return None if label is None else labels[label]


def kind(name: str | None, vehicles: Collection[str]) -> str | None:
    """`vehicle` or `animal`; None for a class that is not known."""
    if name is None:
        return None
    return "vehicle" if name in vehicles else "animal"


def can_fly(name: str | None, flyers: Collection[str]) -> bool | None:
    """Whether things of this class fly; None for a class that is not known."""
    return None if name is None else name in flyers


def object_colour(pixels: NDArray[np.uint8], border: int, least_chroma: float) -> dict[str, float | str | None]:
    """Dominant hue of the centre, which stands for the object: photographs of CIFAR-10 show it large and central.

    Args:
        pixels: [H, W, 3] uint8, RGB.
        border: pixels to leave out at each side.
        least_chroma: average chroma below which the object is grey.

    Returns:
        `hue` in degrees, None where it is grey; `colour`, its name, `grey` where it has no hue.
    """
    hue = statistics.dominant_hue(pixels[border:-border, border:-border], least_chroma)
    return {"hue": hue, "colour": "grey" if hue is None else statistics.hue_name(hue)}


def background_lightness(pixels: NDArray[np.uint8], border: int) -> float:
    """CIE L*, 0..100, of the frame of `border` pixels around the image, which stands for the background."""
    frame = np.ones(pixels.shape[:2], bool)
    frame[border:-border, border:-border] = False
    return statistics.lightness(pixels[frame])
