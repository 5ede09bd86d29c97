"""Augmented batches of a labelled array, the same for the same seed."""

import math
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

Images = NDArray[Any]
Targets = TypeVar("Targets")
"""An array, or several in a tuple."""
Changed = TypeVar("Changed")
"""The same, perhaps of another type or size."""
Augmentation = Callable[[Images, Targets, np.random.Generator], tuple[NDArray[np.float32], Changed]]
"""A batch of images [B, ...] and of their targets [B, ...] and a generator -> changed copies of both."""


def of_images(
    change: Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]],
) -> Augmentation[NDArray[np.float32], NDArray[np.float32]]:
    """An augmentation that changes images alone: their targets stay what they are."""
    return lambda images, targets, rng: (change(images, rng), targets)


class AugmentedBatches(keras.utils.PyDataset, Generic[Targets, Changed]):  # type: ignore[misc]
    """Shuffled, augmented batches; order and augmentation depend on seed and epoch alone, whichever thread asks.

    They are those of the epoch that `begin_at` was told last, at first 0.

    Args:
        images: [N, ...], of what type the augmentation takes.
        targets: [N, ...], one row an image, or several such arrays in a tuple.
        batch_size: images a batch; the last batch holds what is left.
        augment: changes a batch at random.
        seed: of order and augmentation.
        **kwargs: `workers` and `max_queue_size` of `keras.utils.PyDataset`.
    """

    def __init__(
        self,
        images: Images,
        targets: Targets,
        batch_size: int,
        augment: Augmentation[Targets, Changed],
        seed: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.images, self.targets, self.batch_size = images, targets, batch_size
        self.augment, self.seed = augment, seed
        self.begin_at(0)

    def __len__(self) -> int:
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Changed]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        rng = np.random.default_rng((self.seed, self.epoch, index))
        targets = keras.tree.map_structure(lambda each: each[rows], self.targets)
        return self.augment(self.images[rows], targets, rng)

    def begin_at(self, epoch: int) -> None:
        """Give the batches of this epoch from now on."""
        self.epoch = epoch
        self.order = self._shuffled()

    def _shuffled(self) -> NDArray[np.int64]:
        return np.random.default_rng((self.seed, self.epoch)).permutation(len(self.images))
