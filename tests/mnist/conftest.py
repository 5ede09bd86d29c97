from pathlib import Path

import pytest

from mnist.config import MnistConfig, load_config
from tests.mnist.fixture_data import write


@pytest.fixture
def config() -> MnistConfig:
    return load_config()


@pytest.fixture
def npz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small seeded mnist.npz under a data root of its own."""
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path))
    return write(tmp_path)
