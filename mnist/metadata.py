"""Facts about a digit that may explain why the model errs on it. A value that does not exist is None."""

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from vision.topology import count_holes


def even_odd(label: int) -> str:
    """`even` or `odd`."""
    return "odd" if label % 2 else "even"


def has_loop(label: int, looped_digits: Collection[int]) -> bool:
    """Whether the digit, as it is usually written, closes a loop."""
    return label in looped_digits


def holes(pixels: NDArray[np.uint8], ink_threshold: float, min_area: int) -> int:
    """Loops that *this* image closes: a 4 with a closed top has one, an open 9 has none.

    Args:
        pixels: [28, 28] uint8.
        ink_threshold: share of white above which a pixel is ink.
        min_area: in pixels, the smallest region that counts.
    """
    return count_holes(pixels > ink_threshold * 255.0, min_area)


def brightness(pixels: NDArray[np.uint8]) -> float:
    """Mean pixel in [0, 1]."""
    return float(pixels.mean()) / 255.0


def ink_fraction(pixels: NDArray[np.uint8], ink_threshold: float) -> float:
    """Share of pixels that are ink, in [0, 1]."""
    return float((pixels > ink_threshold * 255.0).mean())


def class_distances(
    pixels: NDArray[np.uint8], label: int, class_means: NDArray[np.float64]
) -> dict[str, float | int | None]:
    """Euclidean distances of the image to the mean image of each class, over pixels in [0, 1].

    Args:
        pixels: [28, 28] uint8.
        label: 0..9.
        class_means: [10, 28, 28] float64 in [0, 1], NaN for a class without training images.

    Returns:
        `to_own_class`, `to_class_0` .. `to_class_9` and `nearest_class`; None where the class has no mean.
    """
    difference = class_means.reshape(len(class_means), -1) - pixels.reshape(-1) / 255.0
    distances = np.sqrt(np.einsum("cp,cp->c", difference, difference)).tolist()
    known = [None if math.isnan(distance) else distance for distance in distances]
    ranked = [(distance, digit) for digit, distance in enumerate(known) if distance is not None]
    return {
        "to_own_class": known[label],
        "nearest_class": min(ranked)[1] if ranked else None,
        **{f"to_class_{digit}": distance for digit, distance in enumerate(known)},
    }
