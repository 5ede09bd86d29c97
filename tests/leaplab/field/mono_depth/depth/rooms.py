from pathlib import Path
from types import SimpleNamespace

import numpy as np
import yaml

SETTINGS = SimpleNamespace(**yaml.safe_load(Path(__file__).with_name("depth.yaml").read_text()))


def render(seed):
    """An RGB image (bytes) of a room, and its depth in metres [H, W]: 0 where the sensor saw nothing."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SETTINGS.height, : SETTINGS.width]
    depth = rng.uniform(5, 9) - rows / SETTINGS.height * rng.uniform(2, 4)
    for _ in range(rng.integers(1, 4)):
        top, left = rng.integers(0, 14), rng.integers(0, 22)
        depth[top : top + 9, left : left + 9] = rng.uniform(1, 4)
    light = 1 - depth / SETTINGS.max_depth
    image = light[..., None] * np.array([230, 220, 200]) + rng.normal(0, 6, (*depth.shape, 3))
    holes = rng.random(depth.shape) < 0.03
    return image.clip(0, 255).astype(np.uint8), np.where(holes, 0, depth).astype(np.float32)


class Rooms(dict):
    """id -> (image, depth)"""

    @classmethod
    def of(cls, state, count, first_seed):
        return cls((f"{state}_room_{n}", render(first_seed + n)) for n in range(count))
