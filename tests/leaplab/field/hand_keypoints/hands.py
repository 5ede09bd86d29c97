import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
INFO = json.loads((HERE / "keypoints.json").read_text(encoding="utf-8"))
NAMES, COLOURS, SIZE = INFO["names"], INFO["colours"], INFO["size"]
REST = np.array([[0.5, 0.85], [0.2, 0.55], [0.45, 0.15], [0.8, 0.35]])


def make_hand(rng):
    """Grey image [size, size, 1] in 0..1, and points [4, 3]: x, y relative to the image, and 1 where visible."""
    points = (REST + rng.uniform(-0.12, 0.12, 2) + rng.normal(0, 0.03, REST.shape)).clip(0.05, 0.95)
    visible = rng.random(len(points)) < 0.8
    visible[0] = True
    y, x = np.mgrid[:SIZE, :SIZE] / (SIZE - 1)
    image = rng.uniform(0, 0.15, (SIZE, SIZE))
    for (px, py), seen in zip(points, visible):
        if seen:
            image += 0.8 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 0.004)
    return image.clip(0, 1).astype(np.float32)[..., None], np.column_stack([points, visible]).astype(np.float32)


def make_subset(name, size, seed):
    rng = np.random.default_rng(seed)
    return {f"{name}:{i}": make_hand(rng) + ("left" if rng.random() < 0.5 else "right",) for i in range(size)}


def distances(truth, guess):
    """[B, 4] of [B, 4, 3] and [B, 4, 2]"""
    return np.linalg.norm(truth[..., :2].astype(np.float32) - guess.astype(np.float32), axis=-1)
