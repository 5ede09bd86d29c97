from pathlib import Path
from typing import Any

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from msgspec.structs import replace

from cifar10_resnet import encoders
from cifar10_resnet.config import Cifar10Config
from cifar10_resnet.data.preprocess import load_states
from tasks.classification.encoders import one_hot


@pytest.fixture(scope="module")
def train() -> Any:
    """The module, which imports Keras."""
    from cifar10_resnet import train

    return train


def _short(config: Cifar10Config) -> Cifar10Config:
    recipe = replace(config.training, epochs=2, warmup_epochs=1, batch_size=40, width=2)
    return replace(config, training=recipe)


def test_arrays_are_what_the_encoders_give(train: Any, folder: Path, config: Cifar10Config) -> None:
    for state, samples in load_states(config).items():
        if state is DataStateType.unlabeled:
            with pytest.raises(ValueError, match="cannot be trained on"):
                train.arrays(samples)
            continue
        images, classes = train.arrays(samples)
        assert (images.dtype, classes.dtype) == (np.float32, np.float32)
        for row, sample_id in enumerate(samples.ids):
            label = samples.label(sample_id)
            assert label is not None
            np.testing.assert_array_equal(images[row], encoders.image(samples.image(sample_id)))
            np.testing.assert_array_equal(classes[row], one_hot(label, 10))


def test_no_shift_leaves_an_image_or_mirrors_it(train: Any) -> None:
    images = np.random.default_rng(0).random((60, 6, 5, 3), dtype=np.float32)
    moved = train.shift_and_flip(images, 0, 0.5, np.random.default_rng(1))
    same = [bool((after == before).all()) for before, after in zip(images, moved, strict=True)]
    mirrored = [bool((after == before[:, ::-1]).all()) for before, after in zip(images, moved, strict=True)]
    assert all(one != other for one, other in zip(same, mirrored, strict=True))
    assert 15 < sum(same) < 45


def test_shifts_go_each_way_as_far_as_allowed_and_fill_in_by_reflection(train: Any) -> None:
    image = np.arange(7 * 9, dtype=np.float32).reshape(7, 9, 1)
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
    allowed = {(y, x, flip): padded[y : y + 7, x : x + 9] for y in range(5) for x in range(5) for flip in (0, 1)}
    allowed = {key: shown[:, ::-1] if key[2] else shown for key, shown in allowed.items()}
    moved = train.shift_and_flip(np.stack([image] * 1500), 2, 0.5, np.random.default_rng(4))
    met = set()
    for shown in moved:
        matches = [key for key, expected in allowed.items() if np.array_equal(shown, expected)]
        assert matches
        met.update(matches)
    assert met == set(allowed), "each of the 50 ways occurs"


def test_a_square_is_cut_out_of_each_image_wherever_its_middle_may_lie(train: Any) -> None:
    colour = np.array([0.25, 0.5, 0.75], np.float32)
    images = np.ones((4000, 6, 7, 3), np.float32)
    cut = train.cut_out(images, 3, colour, np.random.default_rng(6))

    middles = set()
    for shown in cut:
        is_cut = (shown != 1).any(axis=-1)
        np.testing.assert_array_equal(shown[is_cut], np.broadcast_to(colour, shown[is_cut].shape))
        # What a square of 3 pixels around a pixel has in common with the image.
        around = [
            (y, x)
            for y in range(6)
            for x in range(7)
            if np.array_equal(is_cut, (abs(np.arange(6) - y) <= 1)[:, None] & (abs(np.arange(7) - x) <= 1))
        ]
        assert len(around) == 1
        middles.update(around)
    assert len(middles) == 6 * 7
    assert (images == 1).all()


def test_no_square_is_cut_out_of_no_size(train: Any) -> None:
    images = np.random.default_rng(0).random((5, 6, 7, 3), dtype=np.float32)
    np.testing.assert_array_equal(train.cut_out(images, 0, np.zeros(3, np.float32), np.random.default_rng(1)), images)


def test_a_square_is_painted_in_the_mean_colour_of_what_is_trained_on(
    train: Any, folder: Path, config: Cifar10Config
) -> None:
    short = _short(config)
    whole = replace(short, training=replace(short.training, cutout=32, mirrored=0.0, max_shift=0))
    training = train.training(whole)
    images, _ = training.batches[0]
    mean = training.batches.images.mean(axis=(0, 1, 2), dtype=np.float64)
    is_mean = np.isclose(images, mean, atol=1e-6).all(axis=-1)
    assert 0.3 < is_mean.mean() < 0.9


def test_the_net_normalises_by_the_images_it_is_built_with(train: Any, config: Cifar10Config) -> None:
    rng = np.random.default_rng(2)
    images = (rng.random((50, 32, 32, 3)) * [0.5, 1.0, 0.2] + [0.1, 0.0, 0.6]).astype(np.float32)
    model = train.build(_short(config), images)
    import keras

    normalised = np.asarray(keras.Model(model.inputs, model.get_layer("normalise").output)(images))
    np.testing.assert_allclose(normalised.mean(axis=(0, 1, 2)), 0, atol=2e-3)
    np.testing.assert_allclose(normalised.std(axis=(0, 1, 2)), 1, atol=2e-3)


def test_a_training_writes_the_model_in_both_formats_and_its_history(
    train: Any, folder: Path, config: Cifar10Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tasks.training.fitting import fit

    model = fit(train.training(_short(config)), tmp_path / "tiny")
    assert {path.name for path in tmp_path.glob("tiny*")} == {"tiny.h5", "tiny.onnx", "tiny.history.csv"}
    assert model.output_shape == (None, 10)
    said = capsys.readouterr().out
    assert "tiny: test accuracy 0." in said
    assert "tiny: .onnx within" in said
    assert "validation,accuracy" in (tmp_path / "tiny.history.csv").read_text(encoding="utf-8")
