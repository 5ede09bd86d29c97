"""Grids, and ground truths and predictions on them, for the tests of assignment and losses."""

import numpy as np
from numpy.typing import NDArray

from armbench_segmentation.config import load_config as armbench_config
from tasks.detection.detections import Objects
from tasks.detection.grid import Grid
from tasks.detection.ground_truth import padded
from vision.boxes import Boxes
from yolov7_foresight.config import load_config as foresight_config

FORESIGHT, ARMBENCH = foresight_config().grid, armbench_config().grid
"""As shipped."""
GRID = Grid(64, 96, (8, 16, 32), (((8, 8), (8, 20)), ((20, 12), (30, 30)), ((60, 40), (90, 60))))
"""A small one."""
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


def frame(rng: np.random.Generator, grid: Grid, classes: int, count: int) -> tuple[Objects, NDArray[np.float32]]:
    """Objects of which some hide others, and what a half-trained net makes of them, [N, 5 + classes].

    Every row predicts a box that its cell and its anchor can give; the rows near an object that their anchor fits are
    drawn to it, more or less, and tell its class more or less.
    """
    span = np.array([grid.width, grid.height], np.float64)
    centres = rng.uniform(0.02, 0.98, (count, 2)) * span
    for number in range(1, count):
        if rng.random() < 0.5:
            centres[number] = centres[rng.integers(0, number)] + rng.normal(0, 8, 2)
    centres = centres.clip(1, span - 1)
    sizes = np.exp(rng.uniform(np.log(8), np.log(span.min() / 2), (count, 2)))
    boxes, labels = np.concatenate([centres, sizes], axis=1), rng.integers(0, classes, count)

    level, anchor, y, x = grid.place_of_row.T
    stride, anchors = np.array(grid.strides)[level, np.newaxis], np.array(grid.anchors)[level, anchor]
    middles = (np.stack([x, y], axis=1) + 0.5) * stride
    share = 1 / (1 + np.exp(-rng.normal(0, 0.7, (grid.rows, 4))))
    predicted = np.concatenate([middles + (2 * share[:, :2] - 1) * stride, (2 * share[:, 2:]) ** 2 * anchors], axis=1)
    chances = rng.normal(-4, 1, (grid.rows, 1 + classes))
    for box, label in zip(boxes, labels.tolist(), strict=True):
        ratio = box[2:] / anchors
        near = (np.abs(middles - box[:2]) < 1.6 * stride).all(axis=1) & (np.maximum(ratio, 1 / ratio) < 4).all(axis=1)
        drawn = np.flatnonzero(near & (rng.random(grid.rows) < 0.8))
        pull = rng.uniform(0.5, 1, (len(drawn), 1))
        predicted[drawn] = pull * box + (1 - pull) * predicted[drawn]
        chances[drawn] += rng.normal(2, 1, (len(drawn), 1 + classes))
        chances[drawn, 1 + label] += rng.normal(2, 1, len(drawn))
    found = np.concatenate([predicted, 1 / (1 + np.exp(-chances.clip(-7, 7)))], axis=1)
    return Objects(Boxes.from_centre_and_size(boxes).edges, labels), found.astype(np.float32)


def frames(
    seed: int, grid: Grid, classes: int, size: int, most: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A batch of so many frames of up to `most` objects (none in the last): ground truth and prediction."""
    rng = np.random.default_rng(seed)
    counts = [*rng.integers(1, most + 1, size - 1).tolist(), 0]
    batch = [frame(rng, grid, classes, count) for count in counts]
    truths = [padded(objects, most, grid.height, grid.width) for objects, _ in batch]
    return np.stack(truths), np.stack([predicted for _, predicted in batch])
