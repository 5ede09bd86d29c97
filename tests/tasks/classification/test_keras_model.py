from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="module")
def model() -> Any:
    from tasks.classification.keras_model import small_cnn

    return small_cnn((28, 28, 1), 10, widths=(4, 8, 32))


def test_one_probability_a_class_for_each_image(model: Any) -> None:
    images = np.random.default_rng(0).random((5, 28, 28, 1), dtype=np.float32)
    output = np.asarray(model(images))
    assert output.shape == (5, 10)
    assert (output >= 0).all()
    np.testing.assert_allclose(output.sum(axis=1), 1, atol=1e-6)


def test_the_latent_space_is_as_wide_as_the_last_stage_and_feeds_the_head(model: Any) -> None:
    assert model.get_layer("latent").output.shape == (None, 32)
    assert model.get_layer("classes").kernel.shape == (32, 10)


def test_the_model_takes_the_shape_that_it_is_built_for(model: Any) -> None:
    from tasks.classification.keras_model import small_cnn

    assert model.input_shape == (None, 28, 28, 1)
    assert small_cnn((32, 32, 3), 4).input_shape == (None, 32, 32, 3)
    assert small_cnn((32, 32, 3), 4).output_shape == (None, 4)


def test_the_default_size_is_about_a_tenth_of_a_million_parameters() -> None:
    from tasks.classification.keras_model import small_cnn

    assert 80_000 < small_cnn((28, 28, 1), 10).count_params() < 130_000
