from pathlib import Path

import pytest

from cifar10_resnet import config as module
from cifar10_resnet.config import Cifar10Config
from tests.changed_settings import assert_frozen, assert_names_file_and_key
from tests.cifar10_resnet.fixture_data import NAMES


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("labels: [airplane, ", "labels: ["), "labels"),
        (("labels: [airplane", "labels: [aeroplane"), "labels"),
        (("vehicles: [airplane", "vehicles: [tram"), "vehicles"),
        (("flyers: [airplane, bird]", "flyers: airplane"), "flyers"),
        (("validation_share: 0.1", "validation_share: 0"), "validation_share"),
        (("unlabeled_share: 0.1", "unlabeled_share: 0.5"), "unlabeled_share"),
        (("border: 4", "border: 16"), "border"),
        (("least_chroma: 0.", "least_chroma: 7."), "least_chroma"),
        (("test: null", "test: 0"), "test"),
        (("seed: 42", "sede: 42"), "sede"),
        (("warmup_epochs: 2", "warmup_epochs: 30"), "warmup_epochs (30) must be fewer than epochs (30)"),
        (("momentum: 0.9", "momentum: 1"), "momentum"),
        (("mirrored: 0.5", "mirrored: 5"), "training.mirrored"),
        (("model: models/cifar10_resnet_18.onnx", "model: models/cifar10_resnet_18.keras"), "model"),
    ],
)
def test_a_bad_value_is_an_error_that_names_file_and_key(
    change: tuple[str, str], key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_names_file_and_key(module, change, key, tmp_path, monkeypatch)


@pytest.mark.parametrize("path", ["seed", "split.validation_share", "metadata.border", "download.urls"])
def test_settings_are_frozen(path: str, config: Cifar10Config) -> None:
    assert_frozen(config, path)


def test_labels_are_in_the_order_of_the_datas_indices(config: Cifar10Config) -> None:
    assert config.labels == NAMES


def test_the_settings_name_a_model_that_is_there(config: Cifar10Config) -> None:
    assert config.model_path.is_absolute()
    assert config.model_path.is_file()


def test_the_download_is_the_archive_that_is_published(config: Cifar10Config) -> None:
    # sha256 and size as TensorFlow's and PyTorch's own loaders check them.
    assert [url.rsplit("/", 1)[1] for url in config.download.urls] == ["cifar-10-python.tar.gz"]
    assert config.download.sha256 == "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
    assert config.download.size == 170498071
