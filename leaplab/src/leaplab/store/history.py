"""The history of a training: history.csv, a value a line, and what other trainers write, read as the same."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leaplab.errors import LeaplabError
from leaplab.files import write_text
from leaplab.store.run import RunStore

HISTORY = "history.csv"
"""In a run's folder."""
ENDING = ".history.csv"
"""Behind a model's name, of the file beside it."""
FIELDS = ("step", "epoch", "state", "metric", "value")
LARGEST = 64 * 2**20
"""Bytes of a file that is read."""
TRAINING, VALIDATION = "training", "validation"
STATES = {"train": TRAINING, "training": TRAINING, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION,
          "test": "test", "metrics": VALIDATION}  # fmt: skip
"""How the columns of other trainers begin, before `_` or `/`, and the state that it means."""
OF_THE_TRAINER = ("time", "wall_time", "timestamp", "relative_time")


@dataclass(frozen=True)
class History:
    """The values that a training wrote down, n of them, in its order.

    Attributes:
        step, epoch: [n] NaN where it is not said.
        state, metric: [n] what the value is of.
        value: [n] NaN or infinite where the training gave no number.
    """

    step: list[float]
    epoch: list[float]
    state: list[str]
    metric: list[str]
    value: list[float]


def read_history(path: Path) -> History:
    """Read the history of a training.

    It has the columns step, epoch, state, metric and value; or, as the CSV loggers of Keras, Lightning and Ultralytics
    write it, `epoch` or `step`, and a column a metric: `val_`, `val/` or `metrics/` begins one of the validation, and
    one without such a beginning is of the training.

    Raises:
        LeaplabError: the file is not there, or is no such table.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise LeaplabError(f"{path} has more than {LARGEST >> 20} MiB; name a history with fewer values.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise LeaplabError(f"The history {path} cannot be read ({reason}); name a CSV file.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        rows = list(_rows(path, reader, header))
    except csv.Error as error:
        raise LeaplabError(f"{path}, line {reader.line_num}, is no CSV ({error}); mend it.") from error
    if not set(header) >= set(FIELDS) and not {"epoch", "step"} & set(header):
        raise LeaplabError(
            f"{path} is no history of a training; its columns are to be {', '.join(FIELDS)}, or epoch and one a metric."
        )
    if len(set(header)) < len(header):
        raise LeaplabError(f"{path} has a column twice; name each differently.")
    history = _long(path, header, rows) if set(header) >= set(FIELDS) else _wide(path, header, rows)
    if not history.value:
        raise LeaplabError(f"{path} holds no value; name a history that has some.")
    return history


def keep_history(run: Path, history: History) -> None:
    """Write a history into a run's folder, whole or not at all."""
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\n")
    table.writerow(FIELDS)
    columns = (history.step, history.epoch, history.state, history.metric, history.value)
    for step, epoch, state, metric, value in zip(*columns, strict=True):
        table.writerow([_written(step), _written(epoch), state, metric, repr(value)])
    write_text(run / HISTORY, written.getvalue())


def beside_model(model: Path) -> Path:
    """Where a model's training would have written its history."""
    return model.with_name(f"{model.stem}{ENDING}")


def places_of_history(store: RunStore) -> list[Path]:
    """Where a run's history may lie: its own first; one that was evaluated without finds it beside its model."""
    manifest = store.manifest
    root = Path(manifest.integration)
    models = [root / "models" / manifest.model, root / manifest.model]
    if manifest.model_option is not None:
        models = [Path(manifest.model_option)]
    return [store.path / HISTORY, *map(beside_model, models)]


def history_of(store: RunStore) -> Path | None:
    """The history of a run's model; None where there is none."""
    return next((path for path in places_of_history(store) if path.is_file()), None)


def _rows(path: Path, reader: "Iterator[list[str]]", header: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, cells in enumerate(reader, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise LeaplabError(f"{path}, line {number}, has {len(cells)} values for {len(header)} columns; mend it.")
        yield number, dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _long(path: Path, header: Sequence[str], rows: Sequence[tuple[int, dict[str, str]]]) -> History:
    history = History([], [], [], [], [])
    for number, row in rows:
        where = f"{path}, line {number}"
        step, epoch = _number(where, "step", row["step"]), _number(where, "epoch", row["epoch"])
        if not row["state"] or not row["metric"]:
            raise LeaplabError(f"{where}, has no {'metric' if row['state'] else 'state'}; mend it.")
        _add(history, where, step, epoch, row["state"], row["metric"], _number(where, "value", row["value"]))
    return history


def _wide(path: Path, header: Sequence[str], rows: Sequence[tuple[int, dict[str, str]]]) -> History:
    history = History([], [], [], [], [])
    names = [name for name in header if name and name not in ("step", "epoch", *OF_THE_TRAINER)]
    for number, row in rows:
        where = f"{path}, line {number}"
        step, epoch = _number(where, "step", row.get("step", "")), _number(where, "epoch", row.get("epoch", ""))
        for name in names:
            if row[name]:  # Lightning leaves a cell empty where a line is of something else
                _add(history, where, step, epoch, *_state_and_metric(name), _number(where, name, row[name]))
    return history


def _add(history: History, where: str, step: float, epoch: float, state: str, metric: str, value: float) -> None:
    if math.isinf(step) or math.isinf(epoch) or (math.isnan(step) and math.isnan(epoch)):
        raise LeaplabError(f"{where}, has neither a step nor an epoch; mend it.")
    history.step.append(step)
    history.epoch.append(epoch)
    history.state.append(state)
    history.metric.append(metric)
    history.value.append(value)


def _state_and_metric(name: str) -> tuple[str, str]:
    for mark in ("/", "_"):
        first, found, rest = name.partition(mark)
        if found and rest and first.lower() in STATES:
            return STATES[first.lower()], rest
    return TRAINING, name


def _number(where: str, name: str, text: str) -> float:
    if not text:
        return math.nan
    try:
        return float(text)
    except ValueError:
        raise LeaplabError(f"{where}, says {text[:40]!r} for {name}, which is no number; mend it.") from None


def _written(number: float) -> str:
    return "" if math.isnan(number) else str(int(number)) if number.is_integer() else repr(number)
