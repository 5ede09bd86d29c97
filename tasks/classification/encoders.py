"""Ground truth of single-label classification."""

import numpy as np
from numpy.typing import NDArray


def one_hot(label: int, classes: int) -> NDArray[np.float32]:
    """[classes] float32, 1 at `label`.

    Raises:
        ValueError: the label is not one of the classes (a negative index would silently count from the end).
    """
    if not 0 <= label < classes:
        raise ValueError(f"Label {label} is not one of the {classes} classes 0..{classes - 1}.")
    encoded = np.zeros(classes, np.float32)
    encoded[label] = 1.0
    return encoded
