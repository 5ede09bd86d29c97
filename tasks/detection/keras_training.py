"""What the train.py of every detector does alike; imported by these alone."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tasks.detection.decode import Decoding
from tasks.detection.grid import fit_anchors
from tasks.detection.settings import DetectionConfig, Training
from tasks.training import fitting
from tasks.training.schedule import warmup_and_cosine

COMPARED = 8
"""Images on which the two formats of a model are compared."""
COUNTED = Decoding(least_score=0.001, suppression_iou=0.65, most=100)
"""What counts towards average precision: nearly all of it, as COCO's evaluation has it."""


def scaled(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What a net is given of letterboxed images: [N, H, W, 3], in [0, 1]."""
    return images.astype(np.float32) / 255.0


def adamw(recipe: Training, steps: int) -> keras.optimizers.Optimizer:
    """AdamW by the recipe, with weight decay of kernels alone; `steps` are batches an epoch."""
    rate = warmup_and_cosine(recipe, steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, clipnorm=recipe.clipnorm)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def print_precision(title: str, what: str, labels: Sequence[str], found: NDArray[np.float64]) -> None:
    """Print the average precision at IoU 0.5 of each class, [classes], and their mean; NaN is left out of it."""
    each = ", ".join(f"{label} {value:.3f}" for label, value in zip(labels, found, strict=True))
    print(f"{title}: AP50 {what} {np.nanmean(found):.3f} ({each})", flush=True)


def print_fitting_anchors(config: DetectionConfig, training: fitting.Training) -> None:
    """Print anchors that fit the boxes that are trained on, as project_config.yaml writes them.

    The ground truth [N, MAX, 5] is the first target of the batches, or the only one.
    """
    truth = keras.tree.flatten(training.batches.targets)[0]
    height, width = config.input.shape
    sizes = truth[truth[..., 0] >= 0][:, 3:] * (width, height)
    for level in fit_anchors(sizes, config.detector.strides, len(config.detector.anchors[0])):
        print(f"    - [{', '.join(f'[{across:.0f}, {down:.0f}]' for across, down in level)}]")


class PrecisionWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds what is measured on a validation set to the values of every `every`th epoch, before they are written.

    Args:
        decoded: the net that is trained, but giving probabilities.
        measure: of a model that gives probabilities, value a name; the names begin with `val_`.
        every: epochs between two looks.
    """

    def __init__(self, decoded: keras.Model, measure: Callable[[keras.Model], dict[str, float]], every: int) -> None:
        super().__init__()
        self.decoded, self.measure, self.every = decoded, measure, every

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None or (epoch + 1) % self.every:
            return
        self.decoded.set_weights(self.model.get_weights())
        logs.update(self.measure(self.decoded))
