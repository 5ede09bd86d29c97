"""The state of a training after each whole epoch, so that one that was killed goes on from there.

Not `keras.callbacks.BackupAndRestore`: it leaves out the random state of dropout and the history, and writes weights
and epoch one after the other, so that a training killed in between would repeat an epoch on what came of it.
"""

import json
import random
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tasks.training.errors import TrainingError
from tasks.training.history import HistoryWriter


class Checkpoint(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes all that the next epoch depends on, and the history, to one file after each epoch.

    That is weights, the optimizer's and dropout's state, and Python's generator, from which Keras draws the order of
    the batches. The callback goes behind the history. The file is written aside and renamed.

    Args:
        path: the file, .npz.
        history: what has collected the values so far.
        settings: all that decides how the training goes, in values that JSON has; only a training of the same settings
            can be resumed.
    """

    def __init__(self, path: Path, history: HistoryWriter, settings: dict[str, Any]) -> None:
        super().__init__()
        self.path, self.history = path, history
        # What JSON makes of a tuple, so that what is read back compares.
        self.settings = json.loads(json.dumps(settings))
        self.epochs = 0
        self.random_state: Any = None

    def restore(self, model: keras.Model) -> int:
        """Give a compiled model, built as in the training that was killed, the state of the last whole epoch.

        Returns:
            The number of whole epochs.

        Raises:
            TrainingError: there is no such file, it cannot be read, or it is of a training with other settings.
        """
        try:
            with np.load(self.path) as file:
                about = json.loads(str(file["about"]))
                values = [file[f"variable_{index}"] for index in range(len(file.files) - 1)]
        except FileNotFoundError as error:
            raise TrainingError(f"There is no {self.path} to resume from: train without --resume.") from error
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise TrainingError(f"{self.path} cannot be read: delete it, and train without --resume.") from error
        differing = _first_difference(about["settings"], self.settings)
        if differing is not None:
            raise TrainingError(
                f"{self.path} is of a training with another '{differing}': resume with the command and the settings "
                "that it began with, or train without --resume."
            )
        for variable, value in zip(_state(model), values, strict=True):
            variable.assign(value)
        self.epochs = about["epochs"]
        version, numbers, gauss = about["random"]
        self.random_state = (version, tuple(numbers), gauss)
        self.history.restore(self.epochs, about["step"], [tuple(row) for row in about["rows"]])
        return self.epochs

    def remove(self) -> None:
        """Delete the file: the training is done."""
        self.path.unlink()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # At once, so that an older training's file is not taken for this one's.
        self._write()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Not sooner: Keras draws from it where it sets out to fit.
        if self.random_state is not None:
            random.setstate(self.random_state)
            self.random_state = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epochs = epoch + 1
        self._write()

    def _write(self) -> None:
        about = {
            "settings": self.settings,
            "epochs": self.epochs,
            "random": self.random_state or random.getstate(),
            "step": self.history.step,
            "rows": self.history.rows,
        }
        values = [keras.ops.convert_to_numpy(variable) for variable in _state(self.model)]
        aside = self.path.with_suffix(".part")
        with aside.open("wb") as file:
            np.savez(
                file, about=json.dumps(about), **{f"variable_{index}": value for index, value in enumerate(values)}
            )
        aside.replace(self.path)


def _state(model: keras.Model) -> list[Any]:
    """Every variable that the next step depends on, in an order that is the same for models built alike."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _first_difference(one: Any, other: Any, key: str = "") -> str | None:
    """The first key, `training.epochs`, at which two nested values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one | other:
            found = _first_difference(one.get(name), other.get(name), f"{key}.{name}".removeprefix("."))
            if found is not None:
                return found
        return None
    return None if one == other else key
