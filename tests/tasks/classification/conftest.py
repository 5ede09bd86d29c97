from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

CLASSES = 7


@dataclass(frozen=True)
class Batch:
    truth: NDArray[np.float32]
    prediction: NDArray[np.float32]
    labels: NDArray[np.int64]


@pytest.fixture
def batch() -> Batch:
    """64 samples: softmax outputs from undecided to certain, of which about a third are right."""
    rng = np.random.default_rng(7)
    labels = rng.integers(0, CLASSES, 64)
    logits = rng.normal(size=(64, CLASSES)) * rng.uniform(0.1, 12, (64, 1))
    logits[np.arange(64), labels] += 1.0
    exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
    prediction = (exponent / exponent.sum(axis=1, keepdims=True)).astype(np.float32)
    return Batch(np.eye(CLASSES, dtype=np.float32)[labels], prediction, labels)
