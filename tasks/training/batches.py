"""Augmented batches of a labelled array, the same for the same seed."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Augmentation = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]
"""A batch of images [B, ...] and a generator -> a changed copy of the batch."""


class AugmentedBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """Shuffled, augmented batches; order and augmentation depend on seed and epoch alone, whichever thread asks.

    Args:
        images: [N, ...] float32.
        targets: [N, ...], one row an image.
        batch_size: images a batch; the last batch holds what is left.
        augment: changes a batch at random.
        seed: of order and augmentation.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        images: NDArray[np.float32],
        targets: NDArray[np.float32],
        batch_size: int,
        augment: Augmentation,
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.images, self.targets, self.batch_size = images, targets, batch_size
        self.augment, self.seed = augment, seed
        self.epoch = 0
        self.order = self._shuffled()

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng((self.seed, self.epoch, index))
        return self.augment(self.images[rows], rng), self.targets[rows]

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self.order = self._shuffled()

    def _shuffled(self) -> NDArray[np.int64]:
        return np.random.default_rng((self.seed, self.epoch)).permutation(len(self.images))
