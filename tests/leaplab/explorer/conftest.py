"""A run of the mnist example, evaluated once for the explorer's tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from leaplab.store.run import RunStore

LIMIT = 150


@pytest.fixture(scope="package", autouse=True)
def mnist_active() -> Iterator[None]:
    """The explorer binds the integration again, so the example of the run has to be the active one still."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEAP_EXAMPLE", "mnist")
        yield


@pytest.fixture(scope="session")
def mnist_runs(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """A folder that holds the run `digits`: 150 samples of each state."""
    runs = tmp_path_factory.mktemp("runs")
    command = ["-m", "leaplab", "evaluate", str(repository), "--runs", str(runs), "--name", "digits"]
    environment = {**os.environ, "LEAP_EXAMPLE": "mnist"}
    subprocess.run([sys.executable, *command, "--limit", str(LIMIT)], check=True, env=environment, timeout=300)
    return runs


@pytest.fixture(scope="session")
def mnist_run(mnist_runs: Path) -> RunStore:
    return RunStore.open(mnist_runs / "digits")
