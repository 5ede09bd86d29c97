"""A training from its start to the model's files, and one that is killed on the way."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.training import tiny_training

NAME = "tiny"


def _fit(folder: Path, *, resume: bool = False, init: Path | None = None, **settings: Any) -> Any:
    from tasks.training.fitting import Start, fit

    return fit(tiny_training.training(**settings), folder / NAME, Start(init, resume))


def _weights(folder: Path) -> list[np.ndarray]:
    import keras

    weights: list[np.ndarray] = keras.models.load_model(folder / f"{NAME}.h5", compile=False).get_weights()
    return weights


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training leaves that nobody stopped."""
    folder = tmp_path_factory.mktemp("straight")
    _fit(folder)
    return folder


@pytest.fixture
def without_onnx(straight: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing an .onnx takes longer than the rest of so small a training; `straight` has shown that it is written."""
    monkeypatch.setattr("tasks.training.fitting.write_onnx", lambda name, compared: None)


class _StopError(Exception):
    pass


def _stopped(folder: Path, after: int, **settings: Any) -> None:
    """Train, and die in the middle of the epoch after this one."""
    import keras

    class Death(keras.callbacks.Callback):  # type: ignore[misc]
        epoch = 0

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.epoch = epoch

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.epoch == after and batch == 1:
                raise _StopError

    with pytest.raises(_StopError):
        _fit(folder, callbacks=lambda: [Death()], **settings)


def test_a_training_leaves_both_files_and_the_history_and_no_checkpoint(straight: Path) -> None:
    assert {path.name for path in straight.iterdir()} == {"tiny.h5", "tiny.onnx", "tiny.history.csv"}


@pytest.mark.usefixtures("without_onnx")
def test_the_same_seed_trains_the_same_weights_and_another_one_others(straight: Path, tmp_path: Path) -> None:
    (tmp_path / "same").mkdir()
    (tmp_path / "other").mkdir()
    _fit(tmp_path / "same")
    _fit(tmp_path / "other", seed=4)
    for expected, same in zip(_weights(straight), _weights(tmp_path / "same"), strict=True):
        np.testing.assert_array_equal(same, expected)
    assert not np.array_equal(_weights(tmp_path / "other")[4], _weights(straight)[4])


@pytest.mark.usefixtures("without_onnx")
@pytest.mark.parametrize("after", [0, 2, 3])
def test_a_resumed_training_ends_as_one_that_was_not_stopped(straight: Path, tmp_path: Path, after: int) -> None:
    _stopped(tmp_path, after)
    assert not (tmp_path / "tiny.h5").exists()
    _fit(tmp_path, resume=True)
    for expected, found in zip(_weights(straight), _weights(tmp_path), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (tmp_path / "tiny.history.csv").read_bytes() == (straight / "tiny.history.csv").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"tiny.h5", "tiny.history.csv"}


@pytest.mark.usefixtures("without_onnx")
def test_a_training_that_died_while_its_files_were_written_is_finished_without_another_epoch(
    straight: Path, tmp_path: Path
) -> None:
    def die(title: str, net: Any) -> None:
        raise _StopError

    with pytest.raises(_StopError):
        _fit(tmp_path, report=die)
    _fit(tmp_path, resume=True)
    for expected, found in zip(_weights(straight), _weights(tmp_path), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert (tmp_path / "tiny.history.csv").read_bytes() == (straight / "tiny.history.csv").read_bytes()


@pytest.mark.usefixtures("without_onnx")
def test_a_killed_process_is_resumed_from_its_last_whole_epoch(straight: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.tasks.training.tiny_training", str(tmp_path / NAME)]
    process = subprocess.Popen([*command, "--slow"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    history = tmp_path / "tiny.history.csv"
    deadline = time.monotonic() + 300
    while not (history.exists() and _epochs(history) >= 2) and time.monotonic() < deadline:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    _fit(tmp_path, resume=True)
    for expected, found in zip(_weights(straight), _weights(tmp_path), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert history.read_bytes() == (straight / "tiny.history.csv").read_bytes()


def _epochs(history: Path) -> int:
    with history.open(newline="") as file:
        return max(int(row["epoch"]) for row in csv.DictReader(file))


@pytest.mark.parametrize(
    ("change", "key"),
    [({"learning_rate": 0.02}, "training.learning_rate"), ({"seed": 4}, "seed"), ({"data": 8}, "training data")],
)
def test_a_training_with_other_settings_or_data_is_not_resumed(
    tmp_path: Path, change: dict[str, Any], key: str
) -> None:
    from tasks.training.errors import TrainingError

    _stopped(tmp_path, 1)
    before = (tmp_path / "tiny.checkpoint.npz").read_bytes()
    with pytest.raises(TrainingError, match=rf"tiny\.checkpoint\.npz is of a training with another '{key}'"):
        _fit(tmp_path, resume=True, **change)
    assert (tmp_path / "tiny.checkpoint.npz").read_bytes() == before


def test_without_a_whole_checkpoint_nothing_is_resumed(tmp_path: Path) -> None:
    from tasks.training.errors import TrainingError

    with pytest.raises(TrainingError, match=r"There is no .*tiny\.checkpoint\.npz to resume from: train without"):
        _fit(tmp_path, resume=True)
    (tmp_path / "tiny.checkpoint.npz").write_bytes(b"half")
    with pytest.raises(TrainingError, match=r"tiny\.checkpoint\.npz cannot be read: delete it"):
        _fit(tmp_path, resume=True)


@pytest.mark.usefixtures("without_onnx")
def test_init_gives_what_was_learned_and_leaves_what_is_fixed(straight: Path, tmp_path: Path) -> None:
    seen: dict[str, list[np.ndarray]] = {}

    def report(title: str, net: Any) -> None:
        seen[title] = net.get_weights()

    _fit(tmp_path, init=straight / "tiny.h5", report=report, mean=0.25)
    begun, learned = seen["before, tiny.h5"], _weights(straight)
    np.testing.assert_array_equal(begun[4], learned[4])
    assert (begun[1][0], learned[1][0]) == (pytest.approx(-0.25), 0)


def test_a_file_to_start_from_that_does_not_fit_is_said(straight: Path, tmp_path: Path) -> None:
    from tasks.training.errors import TrainingError

    with pytest.raises(TrainingError, match=r"none\.h5 does not exist: give --init"):
        _fit(tmp_path, init=tmp_path / "none.h5")
    (tmp_path / "broken.h5").write_bytes(b"no model")
    with pytest.raises(TrainingError, match=r"broken\.h5 cannot be read as a model"):
        _fit(tmp_path, init=tmp_path / "broken.h5")
    with pytest.raises(TrainingError, match=r"tiny\.h5 is of another net than the settings describe"):
        _fit(tmp_path, init=straight / "tiny.h5", width=9)
