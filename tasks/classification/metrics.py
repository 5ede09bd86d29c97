"""Metrics of single-label classification, one value a sample."""

from collections.abc import Sequence

import numpy as np
from code_loader.contract.datasetclasses import ConfusionMatrixElement
from code_loader.contract.enums import ConfusionMatrixValue
from numpy.typing import NDArray


def accuracy(ground_truth: NDArray[np.floating], prediction: NDArray[np.floating]) -> NDArray[np.float32]:
    """1 where the most probable class is the true one, else 0.

    Args:
        ground_truth: [B, C], one-hot.
        prediction: [B, C], probabilities. Of equal probabilities the first class counts.

    Returns:
        [B] float32 of 0 and 1; NaN where the prediction holds NaN, which is neither right nor wrong.
    """
    right = ground_truth.argmax(axis=-1) == prediction.argmax(axis=-1)
    return np.where(_undefined(prediction), np.float32(np.nan), right.astype(np.float32))


def top_k_accuracy(ground_truth: NDArray[np.floating], prediction: NDArray[np.floating], k: int) -> NDArray[np.float32]:
    """1 where the true class is among the `k` most probable, else 0.

    Args:
        ground_truth: [B, C], one-hot.
        prediction: [B, C], probabilities. Of equal probabilities the first classes count.
        k: 1 gives `accuracy`.

    Returns:
        [B] float32 of 0 and 1; NaN where the prediction holds NaN.
    """
    # Negated, because only a stable sort keeps the first of equal values in front.
    most_probable = np.argsort(-np.asarray(prediction, np.float32), axis=-1, kind="stable")[:, :k]
    among = (most_probable == ground_truth.argmax(axis=-1)[:, np.newaxis]).any(axis=-1)
    return np.where(_undefined(prediction), np.float32(np.nan), among.astype(np.float32))


def margin(prediction: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probability of the most probable class less that of the second: [B, C] -> [B] float32 in [0, 1].

    Small where the model hesitates between two classes, whatever the truth: the margin of Scheffer et al., "Active
    hidden Markov models for information extraction", IDA 2001.
    """
    highest = np.sort(np.asarray(prediction, np.float32), axis=-1)
    return np.asarray(highest[:, -1] - highest[:, -2], np.float32)


def confidence(prediction: NDArray[np.floating]) -> NDArray[np.float32]:
    """Probability of the most probable class: [B, C] -> [B] float32."""
    return np.asarray(prediction.max(axis=-1), np.float32)


def predicted_label(prediction: NDArray[np.floating]) -> NDArray[np.float32]:
    """Index of the most probable class: [B, C] -> [B] float32 (Tensorleap's metrics are floats); NaN for NaN."""
    return np.where(_undefined(prediction), np.float32(np.nan), prediction.argmax(axis=-1).astype(np.float32))


def confusion_matrix(
    ground_truth: NDArray[np.floating], prediction: NDArray[np.floating], labels: Sequence[str]
) -> list[list[ConfusionMatrixElement]]:
    """One element a sample and class: was the class expected, and how probable did the model find it.

    Args:
        ground_truth: [B, C], one-hot.
        prediction: [B, C], probabilities.
        labels: C class names, in the order of the last axis.

    Returns:
        B lists of C elements.
    """
    outcome = (ConfusionMatrixValue.Negative, ConfusionMatrixValue.Positive)
    expected = (np.asarray(ground_truth) > 0.5).tolist()
    probabilities = np.asarray(prediction, np.float32).tolist()
    return [
        [
            ConfusionMatrixElement(label, outcome[is_expected], probability)
            for label, is_expected, probability in zip(labels, row_expected, row_probabilities, strict=True)
        ]
        for row_expected, row_probabilities in zip(expected, probabilities, strict=True)
    ]


def _undefined(prediction: NDArray[np.floating]) -> NDArray[np.bool_]:
    # argmax takes the first NaN for the largest value.
    return np.asarray(np.isnan(prediction).any(axis=-1))
