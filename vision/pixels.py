"""Pixel values between their three homes: files (uint8), models (float32 in [0, 1]) and screens (uint8)."""

import numpy as np
from numpy.typing import NDArray

_UNIT = np.arange(256) / 255.0
LINEAR_LIGHT = np.where(_UNIT <= 0.04045, _UNIT / 12.92, ((_UNIT + 0.055) / 1.055) ** 2.4)
"""[256] float64: the light that each byte stands for, in [0, 1]: the inverse of sRGB's transfer (IEC 61966-2-1)."""


def to_unit_range(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 0..255 of any shape -> float32 in [0, 1] of that shape."""
    return np.divide(image, np.float32(255.0), dtype=np.float32)


def to_display_range(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Float in [0, 1] of any shape -> uint8 0..255, rounded; values outside are clipped, NaN becomes 0."""
    # Clipped before it is scaled: a large value would overflow.
    unit = np.clip(np.nan_to_num(np.asarray(image, np.float32), nan=0.0), 0.0, 1.0)
    displayed: NDArray[np.uint8] = np.rint(unit * 255.0).astype(np.uint8)
    return displayed
