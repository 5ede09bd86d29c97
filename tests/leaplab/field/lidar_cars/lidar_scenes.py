"""Scans of one object on the ground: 160 points x, y, z, intensity in metres, and the object's box."""
from typing import NamedTuple, Optional

import numpy as np

KINDS = ("car", "van", "cyclist")
SIZES = {"car": (4.4, 1.8, 1.5), "van": (5.6, 2.1, 2.4), "cyclist": (1.8, 0.6, 1.7)}  # length, width, height
NUM_POINTS = 160
REACH = 20.0


class Scene(NamedTuple):
    points: np.ndarray
    kind: str
    box: np.ndarray  # x, y, z, length, width, height, yaw
    rain_mm: Optional[float]


def scan(rng: np.random.Generator) -> Scene:
    kind = KINDS[rng.integers(len(KINDS))]
    length, width, height = np.array(SIZES[kind]) * rng.uniform(0.9, 1.1)
    x, y = rng.uniform(3, 15), rng.uniform(-8, 8)
    yaw = rng.uniform(-np.pi / 2, np.pi / 2)
    on_object = NUM_POINTS // 2
    local = rng.uniform(-0.5, 0.5, (on_object, 3)) * [length, width, height]
    turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    local[:, :2] = local[:, :2] @ turn.T
    ground = rng.uniform([0, -10, -0.05], [20, 10, 0.05], (NUM_POINTS - on_object, 3))
    points = np.concatenate([local + [x, y, height / 2], ground])
    intensity = np.concatenate([rng.uniform(0.5, 1, on_object), rng.uniform(0, 0.3, NUM_POINTS - on_object)])
    cloud = np.column_stack([points, intensity])[rng.permutation(NUM_POINTS)].astype(np.float32)
    box = np.array([x, y, height / 2, length, width, height, yaw], dtype=np.float32)
    return Scene(cloud, kind, box, float(rng.gamma(1, 2)) if rng.random() < 0.5 else None)


def sweep(prefix: str, count: int, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    return {f"{prefix}{n:06d}": scan(rng) for n in range(count)}
