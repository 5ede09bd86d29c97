"""Samples."""

from typing import Any

import numpy as np


def image_of(number) -> Any:
    return (np.arange(36) * (number + 1) % 7 / 7).astype(np.float32).reshape(6, 6, 1)


def number_of(sample_id, response) -> Any:
    return response.data + int(sample_id[1:])
