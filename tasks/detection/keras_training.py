"""What the train.py of every detector does alike; imported by these alone."""

from collections.abc import Callable
from typing import Any

import keras

from tasks.detection.decode import Decoding
from tasks.detection.settings import Training

EVERY = 5
"""Epochs between two looks at the average precision."""
COUNTED = Decoding(least_score=0.001, suppression_iou=0.65, most=100)
"""What counts towards average precision: nearly all of it, as COCO's evaluation has it."""


def optimizer(recipe: Training, epochs: int, warmup: int, peak: float, steps: int) -> keras.optimizers.Optimizer:
    """AdamW on a cosine, with weight decay of kernels alone.

    Args:
        epochs: with those of the warm-up.
        warmup: epochs in which the learning rate rises to its peak.
        peak: of the learning rate.
        steps: batches an epoch.
    """
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, (epochs - warmup) * steps, warmup_target=peak, warmup_steps=warmup * steps
    )
    chosen = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, clipnorm=10.0)
    chosen.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return chosen


class PrecisionWatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Adds what is measured on a validation set to the values of every `EVERY`th epoch, before they are written.

    Args:
        decoded: the net that is trained, but giving probabilities.
        measure: of a model that gives probabilities, value a name; the names begin with `val_`.
    """

    def __init__(self, decoded: keras.Model, measure: Callable[[keras.Model], dict[str, float]]) -> None:
        super().__init__()
        self.decoded, self.measure = decoded, measure

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None or (epoch + 1) % EVERY:
            return
        self.decoded.set_weights(self.model.get_weights())
        logs.update(self.measure(self.decoded))
