from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from data_access.errors import DataError
from mnist.config import MnistConfig
from mnist.data import preprocess
from mnist.data.preprocess import load_states


@pytest.fixture(scope="module")
def train() -> Any:
    """The module, which imports Keras."""
    from mnist import train

    return train


def _short(config: MnistConfig, **changes: Any) -> MnistConfig:
    return replace(
        config, training=replace(config.training, epochs=1, warmup_epochs=0, batch_size=16, monitored=10, **changes)
    )


def test_arrays_are_what_the_encoders_give(train: Any, npz: Path, config: MnistConfig) -> None:
    from mnist import encoders
    from tasks.classification.encoders import one_hot

    for digits in load_states(config).values():
        images, classes = train.arrays(digits)
        assert (images.dtype, classes.dtype) == (np.float32, np.float32)
        for row, sample_id in enumerate(digits.ids):
            np.testing.assert_array_equal(images[row], encoders.image(digits.image(sample_id)))
            np.testing.assert_array_equal(classes[row], one_hot(digits.label(sample_id), 10))


def test_an_augmentation_of_nothing_changes_nothing(train: Any, config: MnistConfig) -> None:
    rng = np.random.default_rng(0)
    images = rng.random((3, 28, 28, 1), dtype=np.float32)
    recipe = replace(config.training, max_shift=0, max_rotation=0.0, max_zoom=0.0)
    np.testing.assert_allclose(train.shift_turn_and_zoom(images, recipe, rng), images, atol=1e-6)


def test_an_augmented_digit_stays_a_digit_within_the_recipe(train: Any, config: MnistConfig) -> None:
    rng = np.random.default_rng(0)
    images = np.zeros((200, 28, 28, 1), np.float32)
    images[:, 10:18, 12:16] = 1.0
    moved = train.shift_turn_and_zoom(images, config.training, rng)
    assert (moved.dtype, moved.shape) == (np.float32, (200, 28, 28, 1))
    assert moved.min() >= 0
    assert moved.max() <= 1
    rows, columns = np.mgrid[:28, :28]
    centres = []
    for ink in moved[..., 0]:
        centres.append(((rows * ink).sum() / ink.sum() - 13.5, (columns * ink).sum() / ink.sum() - 13.5))
    shifts = np.array(centres)
    assert np.abs(shifts).max() <= config.training.max_shift + 0.05
    assert np.abs(shifts).max(axis=0).min() > config.training.max_shift * 0.8
    assert np.abs(shifts.mean(axis=0)).max() < 0.3


def test_a_training_writes_the_model_in_both_formats_and_its_history(
    train: Any, npz: Path, config: MnistConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.training.fitting import fit

    model = fit(train.training(_short(config)), tmp_path / "tiny")
    assert {path.name for path in tmp_path.glob("tiny*")} == {"tiny.h5", "tiny.onnx", "tiny.history.csv"}
    assert model.output_shape == (None, 10)
    assert "tiny: validation accuracy 0." in capsys.readouterr().out


def test_nothing_is_trained_on_the_substitute(
    train: Any, config: MnistConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise DataError("No network.")

    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    monkeypatch.setattr(preprocess, "fetch", refuse)
    with pytest.raises(DataError, match="trained on MNIST; put mnist.npz under the data root"):
        train.training(config)
