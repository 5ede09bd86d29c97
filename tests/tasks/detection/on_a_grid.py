"""A small grid, and ground truths and predictions on it, for the tests of assignment and losses."""

import numpy as np
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from tasks.detection.grid import Grid
from tasks.detection.ground_truth import padded
from vision.boxes import Boxes

GRID = Grid(64, 96, (8, 16, 32), (((8, 8), (8, 20)), ((20, 12), (30, 30)), ((60, 40), (90, 60))))
CLASSES = 3
MOST = 6


def truth(*rows: tuple[float, float, float, float, int]) -> NDArray[np.float32]:
    """[MOST, 5] of (x1, y1, x2, y2, class)."""
    table = np.array(rows, np.float64).reshape(-1, 5)
    return padded(Objects(table[:, :4], table[:, 4].astype(int)), MOST, GRID.height, GRID.width)


def quiet(probability: float = 0.01) -> NDArray[np.float32]:
    """A prediction of boxes far from anything, each with this objectness and these classes."""
    prediction = np.full((GRID.rows, 5 + CLASSES), probability, np.float32)
    prediction[:, :4] = (94, 62, 1, 1)
    return prediction


def crowd(seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A batch of five: random objects (none in the last), and predictions near and far."""
    rng = np.random.default_rng(seed)
    batch, predictions = [], rng.uniform(0.02, 0.98, (5, GRID.rows, 5 + CLASSES)).astype(np.float32)
    predictions[..., :4] = rng.uniform(1, 90, (5, GRID.rows, 4))
    for number in range(5):
        count = 0 if number == 4 else int(rng.integers(1, MOST + 1))
        corners = rng.uniform(0, (60, 40), (count, 2))
        edges = np.concatenate([corners, corners + rng.uniform(4, 30, (count, 2))], axis=1)
        batch.append(padded(Objects(edges, rng.integers(0, CLASSES, count)), MOST, GRID.height, GRID.width))
        for box in Boxes(edges).centre_and_size():
            near = rng.random(GRID.rows) < 0.2
            predictions[number, near, :4] = box * rng.uniform(0.85, 1.15, (near.sum(), 4))
    return np.stack(batch), predictions
