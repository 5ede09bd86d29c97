"""Visualizers of single-label classification: a batch of one in, a Leap* object out."""

from collections.abc import Sequence

import numpy as np
from code_loader.contract.visualizer_classes import LeapHorizontalBar
from numpy.typing import NDArray


def class_bars(
    prediction: NDArray[np.floating], ground_truth: NDArray[np.floating], labels: Sequence[str]
) -> LeapHorizontalBar:
    """The predicted probability of each class, with the true class beside it.

    Args:
        prediction: [1, C], probabilities.
        ground_truth: [1, C], one-hot.
        labels: C class names.
    """
    return LeapHorizontalBar(
        body=np.asarray(prediction[0], np.float32),
        labels=list(labels),
        gt=np.asarray(ground_truth[0], np.float32),
    )
