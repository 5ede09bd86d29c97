"""Visualizers of single-label classification: a batch of one in, a Leap* object out."""

from collections.abc import Sequence

import numpy as np
from code_loader.contract.visualizer_classes import LeapHorizontalBar, LeapImage
from numpy.typing import NDArray

from vision.pixels import to_display_range


def pixel_image(image: NDArray[np.floating]) -> LeapImage:
    """[1, H, W, 1 or 3] in [0, 1] -> uint8 image, stored without loss: of small images every pixel counts."""
    return LeapImage(data=to_display_range(image[0]), compress=False)


def pixel_heatmap(image: NDArray[np.floating]) -> NDArray[np.float32]:
    """The heat-map function of `pixel_image`, which the platform hands the heat-map of the input in the image's place.

    Args:
        image: heat-map values [1, H, W, channels] or [H, W, channels]; named as the visualizer names its argument,
            because code-loader insists on it.

    Returns:
        [H, W] float32, the mean over the channels, on the pixels that `pixel_image` shows.
    """
    values = image[0] if image.ndim == 4 else image
    return np.asarray(values.mean(axis=-1), np.float32)


def class_bars(
    prediction: NDArray[np.floating], ground_truth: NDArray[np.floating] | None, labels: Sequence[str]
) -> LeapHorizontalBar:
    """The predicted probability of each class, with the true class beside it where it is known.

    Args:
        prediction: [1, C], probabilities.
        ground_truth: [1, C], one-hot; None where there is none.
        labels: C class names.
    """
    return LeapHorizontalBar(
        body=np.asarray(prediction[0], np.float32),
        labels=list(labels),
        gt=None if ground_truth is None else np.asarray(ground_truth[0], np.float32),
    )
