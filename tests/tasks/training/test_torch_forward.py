"""Nets on PyTorch's own operations, against Keras's backend of PyTorch, in an environment that has it."""

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.cifar10_resnet.fixture_data import write

ROOT = Path(__file__).resolve().parents[3]
DEEP = ("resnet18, training", "segmenter, training")
"""Forty layers that normalise by the batch make of a rounding error of one a gradient that is elsewhere by percents."""


@pytest.fixture(scope="session")
def python_with_torch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """This environment's interpreter, or where it has no PyTorch that of one which adds it."""
    if importlib.util.find_spec("torch"):
        return sys.executable
    folder = tmp_path_factory.mktemp("torch")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "torch==2.13.0"], check=True, capture_output=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    (Path(own) / "all_else.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def in_torch(python: str, *arguments: str, **variables: str) -> str:
    environment = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1", **variables}
    command = [python, "-W", "ignore", *arguments]
    finished = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.long
def test_torch_gives_what_keras_gives_and_learns_the_same_of_it(python_with_torch: str) -> None:
    found: dict[str, dict[str, float]] = json.loads(
        in_torch(python_with_torch, "-m", "tests.tasks.training.nets_in_torch")
    )

    assert len(found) == 15
    for name, differences in found.items():
        if name.endswith("bfloat16"):
            assert differences["outputs"] < 0.01, name
            continue
        assert differences["outputs"] < (1e-3 if name in DEEP else 1e-5), name
        assert differences["gradients"] < (0.05 if name in DEEP else 1e-4), name
        # Of the variance of a batch of n values PyTorch keeps n / (n - 1).
        assert differences["statistics"] < 1e-4, name


@pytest.mark.long
def test_a_training_on_torch_writes_what_any_backend_reads(python_with_torch: str, tmp_path: Path) -> None:
    import keras

    write(tmp_path)
    arguments = ("-m", "cifar10_resnet.train", "--epochs", "1", "--output", str(tmp_path / "tiny"), "--bfloat16")
    said = in_torch(python_with_torch, *arguments, LEAP_DATA_ROOT=str(tmp_path))

    assert "tiny: test accuracy 0." in said
    assert "with --export" in said
    model: Any = keras.models.load_model(tmp_path / "tiny.h5", compile=False)
    assert model.output_shape == (None, 10)
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}


def test_other_backends_run_the_net_itself() -> None:
    import keras

    from tasks.training.torch_forward import accelerated

    assert keras.backend.backend() == "tensorflow"
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    assert accelerated(net) is net
