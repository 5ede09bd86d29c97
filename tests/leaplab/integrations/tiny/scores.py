"""Losses and metrics of a batch: [B, 3] arrays in, one value a sample out."""

import numpy as np
from code_loader.contract.datasetclasses import ConfusionMatrixElement
from code_loader.contract.enums import ConfusionMatrixValue
from numpy.typing import NDArray

Array = NDArray[np.float32]


def cross_entropy(truth: Array, guess: Array) -> Array:
    chosen = (truth.astype(np.float32) * guess.astype(np.float32)).sum(axis=1)
    return np.asarray(-np.log(np.maximum(chosen, 1e-7)), np.float32)


def defined_for_some(truth: Array, guess: Array, image: Array) -> Array:
    """Not a number for samples of the first class."""
    weighted = np.square(truth.astype(np.float32) - guess).mean(axis=1) * image.astype(np.float32).mean(axis=(1, 2, 3))
    return np.asarray(np.where(truth[:, 0] > 0.5, np.nan, weighted), np.float32)


def accuracy(truth: Array, guess: Array) -> Array:
    return np.asarray(truth.argmax(axis=1) == guess.argmax(axis=1), np.float32)


def confidence(guess: Array) -> list[float | None]:
    """Absent below 0.8."""
    return [None if top < 0.8 else float(top) for top in guess.max(axis=1)]


def spread(guess: Array) -> dict[str, Array | list[float | None]]:
    guess = guess.astype(np.float32)
    ordered = np.sort(guess, axis=1)
    return {
        "entropy": np.asarray(-(guess * np.log(guess + 1e-9)).sum(axis=1), np.float32),
        "gap": [float(gap) for gap in ordered[:, -1] - ordered[:, -2]],
    }


def shortfall(prediction: Array, ground_truth: Array) -> Array:
    """Not symmetric: what the second has beyond the first."""
    return np.asarray(np.maximum(ground_truth.astype(np.float32) - prediction, 0).sum(axis=1), np.float32)


def confusion(truth: Array, guess: Array, labels: list[str]) -> list[list[ConfusionMatrixElement]]:
    return [
        [
            ConfusionMatrixElement(
                label,
                ConfusionMatrixValue.Positive if truth[row, place] > 0.5 else ConfusionMatrixValue.Negative,
                float(guess[row, place]),
            )
            for place, label in enumerate(labels)
        ]
        for row in range(len(truth))
    ]
