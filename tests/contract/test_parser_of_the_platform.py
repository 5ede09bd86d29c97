"""The platform's public parser on the model files: it reads them, and what it reads gives the same numbers.

The parser is of Python 3.8 to 3.10, TensorFlow 2.12 and Keras 2, so it runs in an environment of its own.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from data_access.active_example import available_examples
from tests.contract import binder_process

pytestmark = [pytest.mark.long, pytest.mark.python("3.10")]

PARSER = "leap-model-parser==0.1.257"
HERE = Path(__file__).parent
LARGEST_DIFFERENCE = 5e-5
"""Of an output, relative to values above 1, as pixels are: 70 convolutions sum in another order."""
NEW = ("resnet", "segmenter")
"""Untrained narrow nets, written now as every train.py writes its own; together they have each kind of layer."""


class Parsed(NamedTuple):
    """What the parser says of the files, by name, and the folder that holds them with the outputs."""

    answers: dict[str, Any]
    folder: Path


@pytest.fixture(scope="module")
def parsed(
    repository: Path,
    example_data: Callable[[str], Path],
    python_of: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Parsed:
    folder = tmp_path_factory.mktemp("models")
    for example in available_examples(repository):
        model = shipped(example)
        for suffix in (".onnx", ".h5"):
            shutil.copy(model.with_suffix(suffix), folder)
        arguments = ["-P", str(HERE / "first_inputs.py"), str(folder / f"{model.stem}.npy")]
        finished = binder_process.run(arguments, example, LEAP_DATA_ROOT=str(example_data(example)))
        assert finished.returncode == 0, finished.stdout + finished.stderr
    write_new_nets(folder)

    environment = tmp_path_factory.mktemp("parser")
    subprocess.run([python_of("3.10"), "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PARSER]
    subprocess.run(install, check=True)
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command: list[str | Path] = [python, "-I", "-B", HERE / "parse_models.py", folder]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    # Keras and the parser print lines of their own.
    answers = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith('{"name"')]
    return Parsed({answer["name"]: answer for answer in answers}, folder)


def shipped(example: str) -> Path:
    """An example's model file."""
    path: Path = import_module(f"{example}.config").load_config().model_path
    return path


def write_new_nets(folder: Path) -> None:
    """The .h5, the .onnx and inputs of the nets of NEW."""
    from tasks.classification.keras_model import resnet18
    from tasks.segmentation.keras_model import yolo_segmenter
    from tasks.training.export import write_onnx
    from tasks.training.keras2_file import save_for_keras_2
    from tests.tasks.detection.test_keras_model import GRID, IMAGES

    small = np.random.default_rng(5).random((3, 32, 32, 3), dtype=np.float32)
    nets = {
        "resnet": (resnet18((32, 32, 3), 10, 4, (0.5, 0.25, 0.1), (0.2, 0.5, 0.1)), small),
        "segmenter": (yolo_segmenter(GRID, 2, width=0.125), IMAGES),
    }
    assert nets.keys() == set(NEW)
    for name, (net, images) in nets.items():
        save_for_keras_2(net, folder / f"{name}.h5")
        np.save(folder / f"{name}.npy", images)
        write_onnx(folder / name, images)


def differences(folder: Path, name: str) -> list[float]:
    """Of each output of what the parser made of a file, from what onnxruntime makes of the .onnx."""
    session = onnxruntime.InferenceSession(str((folder / name).with_suffix(".onnx")))
    images = np.load((folder / name).with_suffix(".npy"))
    expected = session.run(None, {session.get_inputs()[0].name: images})
    found: list[NDArray[np.float32]] = [np.load(folder / f"{name}.{place}.npy") for place in range(len(expected))]
    assert not (folder / f"{name}.{len(expected)}.npy").exists()
    assert [array.shape for array in found] == [array.shape for array in expected]
    return [
        float((np.abs(one - other) / np.maximum(np.abs(other), 1)).max())
        for one, other in zip(found, expected, strict=True)
    ]


@pytest.mark.parametrize("suffix", [".onnx", ".h5"])
def test_the_platform_reads_a_shipped_model_and_computes_the_same(example: str, suffix: str, parsed: Parsed) -> None:
    name = shipped(example).with_suffix(suffix).name
    assert parsed.answers[name]["failure"] is None
    assert parsed.answers[name]["inputs"] == ["image"]
    assert max(differences(parsed.folder, name)) < LARGEST_DIFFERENCE


@pytest.mark.parametrize("suffix", [".onnx", ".h5"])
@pytest.mark.parametrize("net", NEW)
def test_the_platform_reads_what_a_training_writes(net: str, suffix: str, parsed: Parsed) -> None:
    assert parsed.answers[f"{net}{suffix}"]["failure"] is None
    assert max(differences(parsed.folder, f"{net}{suffix}")) < LARGEST_DIFFERENCE
