from pathlib import Path

import pytest

from mnist import config as module
from mnist.config import MnistConfig
from tests.changed_settings import assert_frozen, assert_names_file_and_key, load_changed


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("ink_threshold: 0.", "ink_threshold: 7."), "ink_threshold"),
        (("epochs: 16", "epochs: 0"), "epochs"),
        (("epochs: 16", "epochs: many"), "epochs"),
        (("warmup_epochs: 1", "warmup_epochs: 16"), "warmup_epochs (16) must be fewer than epochs (16)"),
        (("weight_decay: 0.001", "weight_decay: -1"), "training.weight_decay"),
        (("dropout: 0.2", "dropout: 1"), "training.dropout"),
        (("model: models/mnist_cnn.onnx", "model: models/mnist_cnn"), "model"),
        (('"8", "9"]', '"8", "8"]'), "labels must differ"),
        (("training: null", "training: -5"), "training"),
        (("looped_digits: [0,", "looped_digits: [10,"), "looped_digits"),
        (('labels: ["0",', "labels: ["), "labels"),
        (("seed: 42", "sede: 42"), "sede"),
        (("sha256: 731", "sha256: zzz"), "sha256"),
        (("urls: [", "urls: [] #"), "urls"),
    ],
)
def test_a_bad_value_is_an_error_that_names_file_and_key(
    change: tuple[str, str], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_names_file_and_key(module, change, key, tmp_path, monkeypatch)


def test_a_changed_value_is_the_one_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = load_changed(module, ("validation: null", "validation: 50"), tmp_path, monkeypatch)
    assert (changed.sample_limit.training, changed.sample_limit.validation) == (None, 50)


@pytest.mark.parametrize("path", ["seed", "metadata.ink_threshold", "training.epochs", "download.urls"])
def test_settings_are_frozen(path: str, config: MnistConfig) -> None:
    assert_frozen(config, path)


def test_the_settings_name_a_model_that_is_there_and_ten_labels(config: MnistConfig) -> None:
    assert config.model_path.is_absolute()
    assert config.model_path.is_file()
    assert config.labels == tuple("0123456789")


def test_the_download_is_the_file_that_keras_publishes(config: MnistConfig) -> None:
    remote = config.download
    assert [url.rsplit("/", 1)[1] for url in remote.urls] == ["mnist.npz"]
    assert remote.sha256 == "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
    assert remote.size == 11490434
