"""The shipped model, on the real photographs."""

import csv
from typing import Any

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from numpy.typing import NDArray

from cifar10_resnet import encoders
from cifar10_resnet.config import Cifar10Config, load_config
from cifar10_resnet.data.preprocess import load_states
from data_access.models import load_onnx_session
from tasks.classification.labelled_images import Images, LabelledImages
from tests.cifar10_resnet.fixture_data import REAL_DATA

LEAST_ACCURACY = 0.87
"""What the house asks of a net that was trained on a CPU."""
LARGEST_FILE = 25_000_000  # bytes

real = pytest.mark.real_data(REAL_DATA)


@pytest.fixture(scope="module")
def states() -> dict[DataStateType, Images]:
    return load_states(load_config())


@pytest.fixture(scope="module")
def images(states: dict[DataStateType, Images]) -> NDArray[np.float32]:
    return np.stack([encoders.image(image) for image in states[DataStateType.test].images])


@pytest.fixture(scope="module")
def prediction(images: NDArray[np.float32]) -> NDArray[np.float32]:
    session = load_onnx_session(load_config().model_path)
    name = session.get_inputs()[0].name
    batches: list[NDArray[np.float32]] = [session.run(None, {name: batch})[0] for batch in np.array_split(images, 20)]
    return np.concatenate(batches)


@real
def test_the_states_of_the_real_data_have_their_stated_sizes(states: dict[DataStateType, Images]) -> None:
    assert {state.name: len(samples.ids) for state, samples in states.items()} == {
        "training": 40_000,
        "validation": 5_000,
        "unlabeled": 5_000,
        "test": 10_000,
    }
    for state, of_each in (("training", 4_000), ("validation", 500), ("test", 1_000)):
        samples = states[DataStateType[state]]
        assert isinstance(samples, LabelledImages)
        assert np.bincount(samples.labels).tolist() == [of_each] * 10


@real
def test_the_model_is_as_accurate_as_stated(
    states: dict[DataStateType, Images], prediction: NDArray[np.float32]
) -> None:
    samples = states[DataStateType.test]
    assert isinstance(samples, LabelledImages)
    assert len(prediction) == 10_000
    accuracy = float((prediction.argmax(axis=1) == samples.labels).mean())
    assert accuracy >= LEAST_ACCURACY


@real
def test_the_model_gives_probabilities_and_pixels_stay_in_the_unit_range(
    images: NDArray[np.float32], prediction: NDArray[np.float32]
) -> None:
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert prediction.min() >= 0
    np.testing.assert_allclose(prediction.sum(axis=1), 1, atol=1e-5)


@real
def test_both_model_files_give_the_same_on_real_photographs(
    config: Cifar10Config, images: NDArray[np.float32], prediction: NDArray[np.float32]
) -> None:
    import keras

    model: Any = keras.models.load_model(config.model_path.with_suffix(".h5"), compile=False)
    some = slice(None, None, 25)
    np.testing.assert_allclose(np.asarray(model(images[some])), prediction[some], rtol=0, atol=1e-4)


def test_model_files_are_small_enough_for_git(config: Cifar10Config) -> None:
    for suffix in (".onnx", ".h5"):
        assert 100_000 < config.model_path.with_suffix(suffix).stat().st_size < LARGEST_FILE


def test_the_history_beside_the_model_tells_of_a_training_that_learned(config: Cifar10Config) -> None:
    with config.model_path.with_suffix(".history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    validation = [float(row["value"]) for row in rows if (row["state"], row["metric"]) == ("validation", "accuracy")]
    assert len(validation) == config.training.epochs
    assert validation[-1] > LEAST_ACCURACY > validation[0]
