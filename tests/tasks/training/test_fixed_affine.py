from typing import Any

import numpy as np
import pytest

VALUES = np.random.default_rng(3).normal(size=(5, 7, 3)).astype(np.float32) * 50
SCALE, OFFSET = np.array([2.0, -0.125, 300.0]), np.array([-4.0, 0.0, 17.5])


@pytest.fixture(scope="module")
def model() -> Any:
    import keras

    from tasks.training.fixed_affine import fixed_affine

    inputs = keras.Input((7, 3))
    return keras.Model(inputs, fixed_affine(inputs, SCALE, OFFSET, name="affine"))


def test_it_scales_and_shifts_along_the_last_axis(model: Any) -> None:
    np.testing.assert_allclose(np.asarray(model(VALUES)), VALUES * SCALE + OFFSET, rtol=1e-6, atol=1e-5)


def test_one_number_is_for_all() -> None:
    import keras

    from tasks.training.fixed_affine import fixed_affine

    inputs = keras.Input((7, 3))
    model = keras.Model(inputs, fixed_affine(inputs, 16, OFFSET))
    np.testing.assert_allclose(np.asarray(model(VALUES)), VALUES * 16 + OFFSET, rtol=1e-6, atol=1e-5)


def test_a_training_neither_changes_it_nor_takes_the_batch_for_what_it_normalises_by(model: Any) -> None:
    import keras

    in_training = keras.Sequential([keras.Input((7, 3)), model, keras.layers.Dense(1)])
    in_training.compile("sgd", "mse")
    in_training.fit(VALUES, np.zeros((5, 7, 1), np.float32), epochs=2, verbose=0)
    for training in (True, False):
        found = np.asarray(model(VALUES, training=training))
        np.testing.assert_allclose(found, VALUES * SCALE + OFFSET, rtol=1e-6, atol=1e-5)
    assert model.trainable_weights == []
