from pathlib import Path

import pytest

from cifar10_resnet.config import Cifar10Config, load_config
from tests.cifar10_resnet.fixture_data import write


@pytest.fixture
def config() -> Cifar10Config:
    return load_config()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of small seeded batches under a data root of its own."""
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    return write(tmp_path)
