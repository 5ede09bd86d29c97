"""Losses of single-label classification, one value a sample."""

import numpy as np
from numpy.typing import NDArray

PROBABILITY_FLOOR = 1e-7
"""Probabilities are clipped to [floor, 1 - floor]: the loss of a sample stays finite, at most 16.12."""


def categorical_cross_entropy(
    ground_truth: NDArray[np.floating], prediction: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Cross-entropy in nats between a one-hot ground truth and predicted probabilities.

    The definition of `keras.losses.CategoricalCrossentropy` without reduction: each row of the prediction is divided
    by its sum, clipped to `PROBABILITY_FLOOR`, and compared with the ground truth.

    Args:
        ground_truth: [B, C], one-hot, float16 or float32.
        prediction: [B, C], probabilities in [0, 1], float16 or float32.

    Returns:
        [B] float32. A NaN in a prediction gives a NaN loss for that sample.
    """
    truth = np.asarray(ground_truth, np.float32)
    probability = np.asarray(prediction, np.float32)
    probability = probability / probability.sum(axis=-1, keepdims=True)
    probability = np.clip(probability, PROBABILITY_FLOOR, 1.0 - PROBABILITY_FLOOR)
    return np.asarray(-(truth * np.log(probability)).sum(axis=-1), np.float32)
