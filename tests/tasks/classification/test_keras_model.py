from pathlib import Path
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


MEAN, STD = (0.5, 0.25, 0.1), (0.2, 0.5, 0.1)


@pytest.fixture(scope="module")
def resnet() -> Any:
    from tasks.classification.keras_model import resnet18

    return resnet18((32, 32, 3), 10, 4, MEAN, STD)


def test_resnet18_of_the_papers_width_has_as_many_parameters_as_elsewhere() -> None:
    from tasks.classification.keras_model import resnet18

    # 11,173,962 weights is what is commonly given for ResNet-18 with this stem and ten classes; Keras counts the
    # moving mean and variance of each of its 4,800 normalised channels, too, and four numbers for each of the input's.
    model = resnet18((32, 32, 3), 10, 64, MEAN, STD)
    assert model.count_params() == 11_173_962 + 2 * 4_800 + 4 * 3


def test_resnet18_has_eighteen_layers_with_weights_and_three_shortcuts_that_change_the_shape(resnet: Any) -> None:
    import keras

    convolutions = [layer for layer in resnet.layers if isinstance(layer, keras.layers.Conv2D)]
    of_kernel = {side: sum(layer.kernel_size == (side, side) for layer in convolutions) for side in (1, 3)}
    assert of_kernel == {1: 3, 3: 17}
    assert sum(isinstance(layer, keras.layers.Add) for layer in resnet.layers) == 8
    assert sum(isinstance(layer, keras.layers.Dense) for layer in resnet.layers) == 1


def test_the_stages_of_resnet18_halve_the_resolution_and_double_the_width(resnet: Any) -> None:
    import keras

    sums = [layer.output.shape for layer in resnet.layers if isinstance(layer, keras.layers.Add)]
    assert sums == [(None, side, side, width) for side, width in ((32, 4), (16, 8), (8, 16), (4, 32)) for _ in range(2)]
    assert resnet.get_layer("latent").output.shape == (None, 32)


def test_resnet18_normalises_inside(resnet: Any) -> None:
    import keras

    pixels = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    seen = keras.Model(resnet.inputs, resnet.get_layer("normalise").output)(pixels)
    np.testing.assert_allclose(np.asarray(seen), (pixels - MEAN) / STD, atol=1e-5)


def test_resnet18_gives_one_probability_a_class_and_survives_an_export(resnet: Any, tmp_path: Path) -> None:
    from tasks.training.export import write_onnx
    from tasks.training.keras2_file import save_for_keras_2

    images = np.random.default_rng(1).random((5, 32, 32, 3), dtype=np.float32)
    output = np.asarray(resnet(images))
    assert output.shape == (5, 10)
    np.testing.assert_allclose(output.sum(axis=1), 1, atol=1e-6)
    save_for_keras_2(resnet, tmp_path / "resnet.h5")
    assert write_onnx(tmp_path / "resnet", images) < 1e-4


def test_resnet18_gives_float32_under_mixed_precision() -> None:
    import keras

    from tasks.classification.keras_model import resnet18

    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = resnet18((32, 32, 3), 10, 2, MEAN, STD)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model.get_layer("normalise").compute_dtype == "float16"
    assert model.output.dtype == "float32"
