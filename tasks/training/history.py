"""The history of a training, as leaplab draws it: one row a value."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

Row = tuple[int, int, str, str, float]
COLUMNS = ("step", "epoch", "state", "metric", "value")


class HistoryWriter(keras.callbacks.Callback):  # type: ignore[misc]
    """Collects training values every `every` batches and those of the monitored state at each epoch's end.

    `step` counts batches from 1 over the whole training. The file is written aside and renamed after each epoch.

    Args:
        path: the CSV file, `models/NAME.history.csv`.
        every: batches between two rows of the training state; Keras's values are running means of the epoch.
        monitored: the state of the rows at each epoch's end, of what `fit` is given as validation data.
    """

    def __init__(self, path: Path, every: int = 25, monitored: str = "held out") -> None:
        super().__init__()
        self.path = path
        self.every = every
        self.monitored = monitored
        self.rows: list[Row] = []
        self.step = 0
        self.epoch = 0

    def restore(self, epoch: int, step: int, rows: Iterable[Row]) -> None:
        """Go on from a history whose `epoch`th epoch ended with the `step`th batch."""
        self.epoch, self.step = epoch, step
        self.rows = list(rows)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.step += 1
        if self.step % self.every == 0:
            self._add("training", logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        values = {name.removeprefix("val_"): value for name, value in (logs or {}).items() if name.startswith("val_")}
        self._add(self.monitored, values)
        self._write()

    def _add(self, state: str, values: dict[str, Any]) -> None:
        self.rows += [(self.step, self.epoch, state, metric, float(value)) for metric, value in values.items()]

    def _write(self) -> None:
        aside = self.path.with_suffix(".part")
        with aside.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows((*row[:4], f"{row[4]:.6g}") for row in self.rows)
        aside.replace(self.path)
