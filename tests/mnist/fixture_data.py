"""A small dataset in the format of the real one, for machines without it."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

REAL_DATA = "mnist/mnist.npz"
TRAINING_OF_EACH, VALIDATION_OF_EACH = 6, 3


def write(root: Path, seed: int = 0) -> Path:
    """Write a seeded mnist.npz of drawn digits under a data root, sorted by label; its path."""
    rng = np.random.default_rng(seed)
    path = root / REAL_DATA
    path.parent.mkdir(parents=True, exist_ok=True)
    training, validation = _split(rng, TRAINING_OF_EACH), _split(rng, VALIDATION_OF_EACH)
    np.savez_compressed(path, x_train=training[0], y_train=training[1], x_test=validation[0], y_test=validation[1])
    return path


def _split(rng: np.random.Generator, of_each: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    labels = np.repeat(np.arange(10, dtype=np.uint8), of_each)
    return np.stack([_draw(str(label), rng) for label in labels]), labels


def _draw(digit: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    canvas = np.zeros((28, 28), np.uint8)
    x, y = (int(value) for value in rng.integers(-2, 3, 2))
    cv2.putText(canvas, digit, (7 + x, 21 + y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2, cv2.LINE_AA)
    return canvas
