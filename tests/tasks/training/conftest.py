from typing import Any

import pytest


@pytest.fixture
def tiny_model() -> Any:
    """4 numbers in, 3 probabilities out."""
    import keras

    inputs = keras.Input((4,), name="numbers")
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
