"""The samples of one state of an image classification."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Images:
    """Images and their sample ids, row by row; of an unlabeled state, this is all there is.

    Attributes:
        images: [N, ...] uint8.
        ids: N sample ids.
    """

    images: NDArray[np.uint8]
    ids: tuple[str, ...]

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """Sample id -> row."""
        return {sample_id: row for row, sample_id in enumerate(self.ids)}

    def image(self, sample_id: str) -> NDArray[np.uint8]:
        """The pixels of a sample, a view."""
        pixels: NDArray[np.uint8] = self.images[self.rows[sample_id]]
        return pixels

    def label(self, sample_id: str) -> int | None:
        """The class index of a sample: not known."""
        return None


@dataclass(frozen=True)
class LabelledImages(Images):
    """Images with their classes.

    Attributes:
        labels: [N] uint8 class indices.
    """

    labels: NDArray[np.uint8]

    def label(self, sample_id: str) -> int:
        """The class index of a sample."""
        return int(self.labels[self.rows[sample_id]])
