import tarfile
from pathlib import Path

import numpy as np
import pytest
from code_loader.contract.enums import DataStateType
from msgspec.structs import replace

from cifar10_resnet.config import Cifar10Config, SampleLimit
from cifar10_resnet.data import preprocess
from cifar10_resnet.data.batches import TEST_FILES, TRAINING_FILES, read_batches
from cifar10_resnet.data.preprocess import load_states, preprocess_responses
from data_access.download import RemoteFile
from data_access.errors import DataError

TRAINING, VALIDATION = DataStateType.training, DataStateType.validation
TEST, UNLABELED = DataStateType.test, DataStateType.unlabeled
OFFICIAL = {"train": TRAINING_FILES, "test": TEST_FILES}


def test_every_official_image_is_in_one_state_under_an_id_that_names_its_row(
    folder: Path, config: Cifar10Config
) -> None:
    states = load_states(config)
    seen: list[str] = []
    official = {name: read_batches(folder, files) for name, files in OFFICIAL.items()}
    for samples in states.values():
        seen += samples.ids
        for sample_id in samples.ids:
            part, row = sample_id.split("_")
            images, labels = official[part]
            np.testing.assert_array_equal(samples.image(sample_id), images[int(row)])
            assert samples.label(sample_id) in (None, labels[int(row)])
    assert sorted(seen) == sorted([f"train_{row:05d}" for row in range(200)] + [f"test_{row:05d}" for row in range(40)])


def test_test_is_the_official_test_and_nothing_of_it_is_unlabeled(folder: Path, config: Cifar10Config) -> None:
    states = load_states(config)
    assert states[TEST].ids == tuple(f"test_{row:05d}" for row in range(40))
    assert all(sample_id.startswith("train_") for sample_id in states[UNLABELED].ids)


def test_the_labels_of_the_unlabeled_are_nowhere_to_be_found(folder: Path, config: Cifar10Config) -> None:
    unlabeled = load_states(config)[UNLABELED]
    assert not hasattr(unlabeled, "labels")
    assert {unlabeled.label(sample_id) for sample_id in unlabeled.ids} == {None}


def test_each_class_has_the_same_share_of_every_state(folder: Path, config: Cifar10Config) -> None:
    states = load_states(config)
    _, labels = read_batches(folder, TRAINING_FILES)
    for state, of_each in ((TRAINING, 16), (VALIDATION, 2), (UNLABELED, 2)):
        rows = [int(sample_id.split("_")[1]) for sample_id in states[state].ids]
        assert np.bincount(labels[rows], minlength=10).tolist() == [of_each] * 10, state
        assert rows == sorted(rows)


def test_the_seed_decides_which_images_are_set_aside(folder: Path, config: Cifar10Config) -> None:
    first, again, other = (load_states(replace(config, seed=seed)) for seed in (1, 1, 2))
    assert first[UNLABELED].ids == again[UNLABELED].ids
    assert first[UNLABELED].ids != other[UNLABELED].ids
    assert first[VALIDATION].ids != other[VALIDATION].ids


def test_one_response_a_state_with_the_photographs_as_its_data(folder: Path, config: Cifar10Config) -> None:
    responses = {response.state: response for response in preprocess_responses(config)}
    sizes = {state: len(response.sample_ids) for state, response in responses.items()}
    assert sizes == {TRAINING: 160, VALIDATION: 20, TEST: 40, UNLABELED: 20}
    for response in responses.values():
        assert list(response.data.ids) == response.sample_ids
        assert all(type(sample_id) is str for sample_id in response.sample_ids)


def test_a_limit_keeps_that_many_with_their_own_image_label_and_id(folder: Path, config: Cifar10Config) -> None:
    whole = load_states(config)
    limited = load_states(replace(config, sample_limit=SampleLimit(test=7, unlabeled=3)))
    assert {state: len(samples.ids) for state, samples in limited.items()} == {
        TRAINING: 160,
        VALIDATION: 20,
        TEST: 7,
        UNLABELED: 3,
    }
    for sample_id in limited[TEST].ids:
        np.testing.assert_array_equal(limited[TEST].image(sample_id), whole[TEST].image(sample_id))
        assert limited[TEST].label(sample_id) == whole[TEST].label(sample_id)
    assert limited[UNLABELED].label(limited[UNLABELED].ids[0]) is None


def test_missing_batches_are_downloaded_and_unpacked(
    folder: Path, config: Cifar10Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = load_states(config)[TEST].images
    packed = tmp_path / "packed.tar.gz"
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder, "cifar-10-batches-py")
    asked: list[tuple[RemoteFile, Path]] = []

    def fetch(remote: RemoteFile, destination: Path) -> Path:
        asked.append((remote, destination))
        destination.parent.mkdir(parents=True)
        return packed.rename(destination)

    other_root = tmp_path / "other"
    monkeypatch.setenv("LEAP_DATA_ROOT", str(other_root))
    monkeypatch.setattr(preprocess, "fetch", fetch)
    np.testing.assert_array_equal(load_states(config)[TEST].images, expected)
    load_states(config)
    assert asked == [(config.download, other_root / "cifar10" / "cifar-10-python.tar.gz")], "asked for once"


def test_offline_and_without_the_data_there_is_no_substitute(
    config: Cifar10Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DataError("cifar-10-python.tar.gz could not be downloaded.")

    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    monkeypatch.setattr(preprocess, "fetch", refuse)
    with pytest.raises(DataError, match="could not be downloaded"):
        load_states(config)
    assert list(tmp_path.iterdir()) == []
