from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from msgspec.structs import replace
from numpy.typing import NDArray

from data_access.errors import DataError
from mnist.config import MnistConfig, SampleLimit
from mnist.data import preprocess
from mnist.data.preprocess import load_states, mean_image_per_class, preprocess_responses
from tests.mnist.fixture_data import TRAINING_OF_EACH, VALIDATION_OF_EACH

TRAINING, VALIDATION = DataStateType.training, DataStateType.validation
ARRAYS = {TRAINING: ("x_train", "y_train"), VALIDATION: ("x_test", "y_test")}


@pytest.mark.parametrize("state", [TRAINING, VALIDATION])
def test_every_digit_of_the_file_is_there_under_an_id_that_names_its_row(
    state: DataStateType, npz: Path, config: MnistConfig
) -> None:
    digits = load_states(config)[state]
    with np.load(npz) as archive:
        images, labels = (archive[name] for name in ARRAYS[state])
    assert digits.source == "mnist"
    assert digits.ids == tuple(f"{state.name}_{row:05d}" for row in range(len(images)))
    for row, sample_id in enumerate(digits.ids):
        np.testing.assert_array_equal(digits.image(sample_id), images[row])
        assert digits.label(sample_id) == labels[row]
        assert type(digits.label(sample_id)) is int
    assert digits.images.dtype == np.uint8
    assert (digits.images.min(), digits.images.max()) == (0, 255)


def test_one_response_a_state_with_the_digits_as_its_data(npz: Path, config: MnistConfig) -> None:
    responses = preprocess_responses(config)
    assert [response.state for response in responses] == [TRAINING, VALIDATION]
    assert [len(response.sample_ids) for response in responses] == [10 * TRAINING_OF_EACH, 10 * VALIDATION_OF_EACH]
    for response in responses:
        assert list(response.data.ids) == response.sample_ids
        assert all(type(sample_id) is str for sample_id in response.sample_ids)


def test_no_digit_of_validation_is_used_for_the_class_means(npz: Path, config: MnistConfig) -> None:
    states = load_states(config)
    means = states[TRAINING].class_means
    np.testing.assert_array_equal(states[VALIDATION].class_means, means)
    with np.load(npz) as archive:
        images, labels = archive["x_train"], archive["y_train"]
    for digit in range(10):
        total = np.zeros((28, 28))
        count = 0
        for image, label in zip(images, labels, strict=True):
            if label == digit:
                total += image / 255.0
                count += 1
        np.testing.assert_allclose(means[digit], total / count, atol=1e-12)


def test_a_class_without_images_has_no_mean() -> None:
    images = np.full((2, 28, 28), 51, np.uint8)
    means = mean_image_per_class(images, np.array([3, 3], np.uint8))
    assert np.isnan(means[[0, 1, 2, 4, 5, 6, 7, 8, 9]]).all()
    np.testing.assert_allclose(means[3], 0.2)


def test_a_limit_keeps_that_many_with_their_own_image_label_and_id(npz: Path, config: MnistConfig) -> None:
    whole = load_states(config)[TRAINING]
    limited = load_states(replace(config, sample_limit=SampleLimit(training=7)))
    kept = limited[TRAINING]
    assert len(kept.ids) == len(kept.images) == len(kept.labels) == 7
    assert set(kept.ids) < set(whole.ids)
    for sample_id in kept.ids:
        np.testing.assert_array_equal(kept.image(sample_id), whole.image(sample_id))
        assert kept.label(sample_id) == whole.label(sample_id)
    assert len(set(kept.labels.tolist())) > 1, "the file is sorted by label: the first rows would be one digit"
    assert len(limited[VALIDATION].ids) == 10 * VALIDATION_OF_EACH
    np.testing.assert_array_equal(kept.class_means, whole.class_means)


def test_the_seed_decides_which_digits_a_limit_keeps(npz: Path, config: MnistConfig) -> None:
    def kept(seed: int) -> tuple[str, ...]:
        return load_states(replace(config, seed=seed, sample_limit=SampleLimit(training=10)))[TRAINING].ids

    assert kept(1) == kept(1)
    assert kept(1) != kept(2)


def _cut(npz: Path) -> None:
    npz.write_bytes(npz.read_bytes()[: npz.stat().st_size // 2])


def _empty(npz: Path) -> None:
    npz.write_bytes(b"")


def _web_page(npz: Path) -> None:
    npz.write_text("<html>404</html>", encoding="utf-8")


def _flipped_bytes(npz: Path) -> None:
    content = bytearray(npz.read_bytes())
    for position in range(200, 240):
        content[position] ^= 0xFF
    npz.write_bytes(content)


def _single_array(npz: Path) -> None:
    with npz.open("wb") as file:
        np.save(file, np.zeros((3, 28, 28), np.uint8))


def _changed(**changes: Callable[[NDArray[Any]], NDArray[Any] | None]) -> Callable[[Path], None]:
    def change(npz: Path) -> None:
        with np.load(npz) as archive:
            arrays = {name: archive[name] for name in archive}
        arrays |= {name: changes[name](array) for name, array in arrays.items() if name in changes}
        np.savez(npz, **{name: array for name, array in arrays.items() if array is not None})

    return change


BAD_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut short": (_cut, "cut short or damaged"),
    "empty": (_empty, "cut short or damaged"),
    "a web page": (_web_page, "cut short or damaged"),
    "bytes flipped": (_flipped_bytes, "cut short or damaged"),
    "a single array": (_single_array, "cut short or damaged"),
    "missing array": (_changed(y_test=lambda array: None), "y_test"),
    "images of another size": (_changed(x_train=lambda array: array[:, :20]), "training images"),
    "coloured images": (_changed(x_test=lambda array: array[..., None]), "validation images"),
    "float images": (_changed(x_train=lambda array: array / 255.0), "training images"),
    "fewer labels than images": (_changed(y_train=lambda array: array[:-1]), "training"),
    "one-hot labels": (_changed(y_test=lambda array: np.eye(10)[array]), "validation labels"),
    "labels of a column": (_changed(y_train=lambda array: array[:, None]), "training labels"),
    "a single number for labels": (_changed(y_train=lambda array: np.array(3)), "training labels"),
    "fractional labels": (_changed(y_train=lambda array: array + 0.5), "training labels"),
    "label 10": (_changed(y_train=lambda array: np.where(array == 9, 10, array)), "outside 0..9"),
    "label -1": (_changed(y_test=lambda array: array.astype(int) - 1), "outside 0..9"),
    "no images": (_changed(x_test=lambda array: array[:0], y_test=lambda array: array[:0]), "validation"),
}


@pytest.mark.parametrize(("spoil", "said"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_an_error_that_names_it_and_says_what_to_do(
    spoil: Callable[[Path], None], said: str, npz: Path, config: MnistConfig
) -> None:
    spoil(npz)
    with pytest.raises(DataError) as raised:
        load_states(config)
    assert str(npz) in str(raised.value)
    assert said in str(raised.value)
    assert "Delete it to have it downloaded again." in str(raised.value)


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file and no network."""

    def refuse(*arguments: object) -> None:
        raise DataError("Could not download mnist.npz.\nPut it there by hand.")

    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    monkeypatch.setattr(preprocess, "fetch", refuse)


@pytest.mark.usefixtures("offline")
def test_offline_the_digits_of_scikit_learn_stand_in_and_one_line_says_so(
    config: MnistConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    states = load_states(config)
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "scikit-learn" in said.err
    assert "Could not download mnist.npz." in said.err
    assert [digits.source for digits in states.values()] == ["scikit-learn digits"] * 2


@pytest.mark.usefixtures("offline")
def test_the_substitute_has_the_form_of_mnist(config: MnistConfig) -> None:
    from sklearn.datasets import load_digits

    states = load_states(config)
    for digits in states.values():
        assert digits.images.shape == (len(digits.ids), 28, 28)
        assert digits.images.dtype == digits.labels.dtype == np.uint8
        # White ink on black, the digit in the middle.
        assert digits.images.max() == 255
        border = np.ones((28, 28), bool)
        border[4:24, 4:24] = False
        assert (digits.images[:, border] == 0).all()
        assert (digits.images.max(axis=(1, 2)) > 127).all()
    sizes = [len(digits.ids) for digits in states.values()]
    assert sum(sizes) == 1797
    assert sizes[0] / 1797 == pytest.approx(0.8, abs=0.001)
    shares = np.bincount(states[VALIDATION].labels, minlength=10) / np.bincount(load_digits().target)
    np.testing.assert_allclose(shares, 0.2, atol=0.006)


@pytest.mark.usefixtures("offline")
def test_the_split_of_the_substitute_is_seeded_and_shares_nothing(config: MnistConfig) -> None:
    first, again, other = (load_states(replace(config, seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[VALIDATION].images, again[VALIDATION].images)
    assert not np.array_equal(first[VALIDATION].labels, other[VALIDATION].labels)
    images = [set(map(bytes, first[state].images.reshape(-1, 784))) for state in (TRAINING, VALIDATION)]
    assert len(images[0] & images[1]) == 0
