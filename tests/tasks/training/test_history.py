import csv
from pathlib import Path
from typing import Any

import numpy as np

ROWS, BATCH, EPOCHS, EVERY = 40, 8, 2, 2
BATCHES = ROWS // BATCH


def _fit(model: Any, path: Path, *extra: Any) -> Any:
    import keras

    from tasks.training.history import HistoryWriter

    rng = np.random.default_rng(0)
    numbers = rng.random((ROWS, 4), dtype=np.float32)
    classes = np.eye(3, dtype=np.float32)[rng.integers(0, 3, ROWS)]
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="categorical_crossentropy", metrics=["accuracy"])
    return model.fit(
        numbers,
        classes,
        batch_size=BATCH,
        epochs=EPOCHS,
        validation_data=(numbers[:16], classes[:16]),
        callbacks=[HistoryWriter(path, every=EVERY), *extra],
        verbose=0,
    )


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_of_both_states_hold_what_keras_reports(tmp_path: Path, tiny_model: Any) -> None:
    path = tmp_path / "tiny.history.csv"
    reported = _fit(tiny_model, path).history
    rows = _read(path)
    assert list(rows[0]) == ["step", "epoch", "state", "metric", "value"]

    held_out = [row for row in rows if row["state"] == "held out"]
    for metric in ("loss", "accuracy"):
        values = [float(row["value"]) for row in held_out if row["metric"] == metric]
        np.testing.assert_allclose(values, reported[f"val_{metric}"], rtol=1e-5)
    assert len(held_out) == EPOCHS * 2
    assert {row["state"] for row in rows} == {"training", "held out"}
    assert {row["metric"] for row in rows} == {"loss", "accuracy"}


def test_the_monitored_state_goes_by_the_name_that_it_is_given(tmp_path: Path) -> None:
    from tasks.training.history import HistoryWriter

    writer = HistoryWriter(tmp_path / "tiny.history.csv", monitored="validation")
    writer.on_epoch_begin(0)
    writer.on_epoch_end(0, {"loss": 2.0, "val_loss": 1.5})
    assert _read(writer.path) == [
        {"step": "0", "epoch": "1", "state": "validation", "metric": "loss", "value": "1.5"},
    ]


def test_steps_count_on_over_the_epochs(tmp_path: Path, tiny_model: Any) -> None:
    path = tmp_path / "tiny.history.csv"
    _fit(tiny_model, path)
    rows = [row for row in _read(path) if row["metric"] == "loss"]
    training = [(int(row["step"]), int(row["epoch"])) for row in rows if row["state"] == "training"]
    assert training == [(2, 1), (4, 1), (6, 2), (8, 2), (10, 2)]
    held_out = [(int(row["step"]), int(row["epoch"])) for row in rows if row["state"] == "held out"]
    assert held_out == [(BATCHES, 1), (2 * BATCHES, 2)]


def test_the_file_is_whole_after_each_epoch(tmp_path: Path, tiny_model: Any) -> None:
    import keras

    path = tmp_path / "tiny.history.csv"
    seen: list[int] = []

    class Reader(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            rows = _read(path)
            assert all(None not in row.values() for row in rows)
            assert rows[-1]["epoch"] == str(epoch + 1)
            assert [file.name for file in tmp_path.iterdir()] == ["tiny.history.csv"]
            seen.append(len(rows))

    _fit(tiny_model, path, Reader())
    assert len(seen) == EPOCHS
    assert seen[0] < seen[1]
