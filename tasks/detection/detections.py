"""The objects of one image: those that are there, and those that a model says are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.integer] | NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Objects:
    """N labelled objects.

    Attributes:
        edges: [N, 4] float boxes (x1, y1, x2, y2) in pixels, see `vision.boxes`.
        classes: [N] int class indices.
    """

    edges: NDArray[np.floating]
    classes: NDArray[np.integer]

    def __post_init__(self) -> None:
        if self.edges.shape != (len(self.classes), 4) or self.classes.ndim != 1:
            raise ValueError(f"Boxes of shape {self.edges.shape} do not fit classes of shape {self.classes.shape}.")

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, eq=False)
class Detections(Objects):
    """N predicted objects, in any order.

    Attributes:
        scores: [N] float confidences in [0, 1].
    """

    scores: NDArray[np.floating]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scores.shape != self.classes.shape:
            raise ValueError(f"Scores of shape {self.scores.shape} do not fit {len(self)} boxes.")

    def __getitem__(self, rows: Rows) -> "Detections":
        """Some of them, by row numbers or by a mask."""
        return Detections(self.edges[rows], self.classes[rows], self.scores[rows])

    def by_score(self) -> NDArray[np.intp]:
        """Row numbers, the most confident first; of equal scores the first row."""
        return np.argsort(-self.scores, kind="stable")
