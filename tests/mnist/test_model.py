"""The shipped model, on the real digits."""

import csv
from typing import Any

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from data_access.models import load_onnx_session
from mnist import encoders, metadata
from mnist.config import MnistConfig, load_config
from mnist.data.preprocess import Digits, load_states
from tests.mnist.fixture_data import REAL_DATA

LEAST_ACCURACY = 0.992
LARGEST_FILE = 3_000_000  # bytes
USUAL_HOLES = {0: 1, 1: 0, 2: 0, 3: 0, 5: 0, 6: 1, 7: 0, 8: 2, 9: 1}
"""Of the digits as they are usually written; 4 is written both ways."""
LEAST_USUAL = 0.85

real = pytest.mark.real_data(REAL_DATA)


@pytest.fixture(scope="module")
def validation() -> Digits:
    return load_states(load_config())[DataStateType.validation]


@pytest.fixture(scope="module")
def images(validation: Digits) -> NDArray[np.float32]:
    return np.stack([encoders.image(image) for image in validation.images])


@pytest.fixture(scope="module")
def prediction(images: NDArray[np.float32]) -> NDArray[np.float32]:
    session = load_onnx_session(load_config().model_path)
    outputs: list[NDArray[np.float32]] = session.run(None, {session.get_inputs()[0].name: images})
    return outputs[0]


@real
def test_the_real_digits_are_60000_and_10000() -> None:
    states = load_states(load_config())
    assert {state.name: len(digits.ids) for state, digits in states.items()} == {
        "training": 60_000,
        "validation": 10_000,
    }
    for digits in states.values():
        assert digits.source == "mnist"
        assert set(digits.labels.tolist()) == set(range(10))
        assert not np.isnan(digits.class_means).any()


@real
def test_the_model_is_as_accurate_as_stated(validation: Digits, prediction: NDArray[np.float32]) -> None:
    accuracy = float((prediction.argmax(axis=1) == validation.labels).mean())
    assert len(prediction) == 10_000
    assert accuracy >= LEAST_ACCURACY


@real
def test_the_model_gives_probabilities(prediction: NDArray[np.float32]) -> None:
    assert prediction.min() >= 0
    np.testing.assert_allclose(prediction.sum(axis=1), 1, atol=1e-5)


@real
def test_both_model_files_give_the_same_on_real_digits(
    config: MnistConfig, images: NDArray[np.float32], prediction: NDArray[np.float32]
) -> None:
    import keras

    model: Any = keras.models.load_model(config.model_path.with_suffix(".h5"), compile=False)
    some = slice(None, None, 25)
    np.testing.assert_allclose(np.asarray(model(images[some])), prediction[some], rtol=0, atol=1e-4)


@real
def test_holes_are_mostly_the_loops_of_the_digit(validation: Digits, config: MnistConfig) -> None:
    settings = config.metadata
    found = [metadata.holes(image, settings.ink_threshold, settings.min_hole_area) for image in validation.images]
    counts = np.array(found)
    for digit, usual in USUAL_HOLES.items():
        assert np.bincount(counts[validation.labels == digit]).argmax() == usual, f"most of the {digit}"
    has_usual = np.isin(validation.labels, list(USUAL_HOLES))
    usual_count = np.array([USUAL_HOLES.get(int(label), -1) for label in validation.labels])
    assert (counts == usual_count)[has_usual].mean() >= LEAST_USUAL


def test_model_files_are_small(config: MnistConfig) -> None:
    for suffix in (".onnx", ".h5"):
        size = config.model_path.with_suffix(suffix).stat().st_size
        assert 10_000 < size < LARGEST_FILE


def test_the_history_beside_the_model_tells_of_a_training_that_learned(config: MnistConfig) -> None:
    with config.model_path.with_suffix(".history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "epoch", "state", "metric", "value"]
    held_out = [row for row in rows if (row["state"], row["metric"]) == ("held out", "accuracy")]
    assert len(held_out) == config.training.epochs
    assert float(held_out[-1]["value"]) > 0.99
    steps = [int(row["step"]) for row in rows]
    assert steps == sorted(steps)
