"""Sets of samples as they are sent: a bit a row, the first row in the lowest bit of the first byte, in base64."""

import base64

import numpy as np
from numpy.typing import NDArray

from leaplab.errors import QuestionError


def mask_of(rows: NDArray[np.bool_]) -> str:
    """The text that means [N] rows."""
    return base64.b64encode(np.packbits(rows, bitorder="little").tobytes()).decode()


def rows_of_mask(mask: str, samples: int) -> NDArray[np.bool_]:
    """[samples] which rows a text means.

    Raises:
        QuestionError: it is no base64, or not of as many rows.
    """
    try:
        content = np.frombuffer(base64.b64decode(mask, validate=True), np.uint8)
    except ValueError:  # or text that is not even ASCII
        raise QuestionError("The mask is no base64.") from None
    if len(content) != -(-samples // 8):
        raise QuestionError(f"The mask has {len(content):,} bytes, which is not a bit for each of the run's samples.")
    return np.unpackbits(content, count=samples, bitorder="little").astype(bool)
