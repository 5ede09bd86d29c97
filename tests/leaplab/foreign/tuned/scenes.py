"""Pictures of 10 x 10 pixels with noise, a light, a tint, and a bar that lies across or upright."""

from typing import Any

import numpy as np

LYING = ("across", "upright")


def draw(count, seed, light, tint, place, lying) -> Any:
    generator = np.random.default_rng(seed)
    pictures = 0.3 + 0.05 * generator.normal(size=(count, 10, 10, 3))
    pictures += 0.25 * light
    pictures[..., 0] += 0.2 * tint
    if lying == LYING[0]:
        pictures[:, place] += 0.25
    else:
        pictures[:, :, place] += 0.25
    return np.clip(pictures, 0, 1).astype(np.float32)
