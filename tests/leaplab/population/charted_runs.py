"""Runs to draw, and what SQL says of their Parquet files."""

from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from leaplab.store.manifest import ColumnEntry
from tests.leaplab.runs_by_hand import write_run

STATES = ["training", "validation", "unlabeled"]


def write_charted(path: Path, rows: int = 700, seed: int = 0) -> Path:
    """Samples of three states, with columns of every kind, some absent, NaN or infinite."""
    generator = np.random.default_rng(seed)
    states = np.repeat(STATES, [rows - 2 * (rows // 4), rows // 4, rows // 4])
    size = generator.normal(3, 2, rows)
    loss = generator.exponential(size=rows) + np.where(size > 3, size - 3, 0)
    odd = generator.random(rows)
    many = np.minimum(generator.geometric(0.06, rows), 45)

    def absent(values: Any, share: float) -> list[Any]:
        gone = generator.random(rows) < share
        return [None if none else value for none, value in zip(gone, values, strict=True)]

    def of_state(wanted: str) -> list[float | None]:
        return [float(each) if state == wanted else None for state, each in zip(states, size, strict=True)]

    labelled = states != "unlabeled"
    columns: dict[str, tuple[str, list[Any]]] = {
        "metadata.kind": ("string", absent([f"kind {each}" for each in generator.integers(0, 5, rows)], 0.05)),
        "metadata.video": ("string", absent([f"v{each:02}" for each in many], 0.02)),
        "metadata.name": ("string", [f"n{each}" for each in generator.integers(0, 4 * rows, rows)]),
        "metadata.id": ("string", [f"id {each}" for each in range(rows)]),
        "metadata.night": ("boolean", absent([bool(each) for each in generator.random(rows) < 0.3], 0.1)),
        "metadata.lanes": ("int", absent([int(each) for each in generator.integers(0, 6, rows)], 0.1)),
        "metadata.label": ("int", [int(each) for each in generator.integers(0, 4, rows)]),
        "metadata.area": ("int", absent([int(each) for each in generator.integers(-40, 900, rows)], 0.05)),
        "metadata.shot_date": ("string", [f"2024-05-{each:02}" for each in generator.integers(1, 15, rows)]),
        "metadata.size": (
            "float",
            [
                None if o < 0.04 else float("nan") if o < 0.07 else float("inf") if o < 0.08 else float(each)
                for o, each in zip(odd, size, strict=True)
            ],
        ),
        "metadata.same": ("float", [0.1] * rows),
        "metadata.empty": ("float", [None] * rows),
        "metadata.nothing": ("string", [None] * rows),
        "metadata.of_training": ("float", of_state("training")),
        "metadata.of_validation": ("float", of_state("validation")),
        "input.skewed": ("float", (generator.exponential(size=rows) ** 4).tolist()),
        "loss.a": ("float", [float(each) if known else None for known, each in zip(labelled, loss, strict=True)]),
        "metric.hit": ("float", [float(each) for each in generator.random(rows) < 0.8]),
    }  # fmt: skip
    return write_run(path, states.tolist(), columns)


def write_objects(path: Path, seed: int = 0) -> Path:
    """Forty samples with 0 to 6 objects each."""
    generator = np.random.default_rng(seed)
    counts = generator.integers(0, 7, 40)
    owners = np.repeat(np.arange(40), counts)
    total = int(counts.sum())
    iou = generator.random(total)
    objects: dict[str, list[Any]] = {
        "offset": owners.tolist(),
        "number": [number for count in counts for number in range(count)],
        "name": [f"name {each}" for each in generator.integers(0, 3, total)],
        "mask_share": generator.random(total).tolist(),
        "metric.iou": np.where(iou < 0.1, np.nan, iou).tolist(),
    }
    columns = {"metadata.site": ("string", [f"site {each % 3}" for each in range(40)])}
    return write_run(
        path,
        ["training"] * 40,
        columns,
        generator.normal(size=(40, 3)),
        objects=objects,
        object_vectors=generator.normal(size=(total, 3)),
        instances={"training": total},
        instance_columns={
            "name": ColumnEntry("string"),
            "mask_share": ColumnEntry("float"),
            "metric.iou": ColumnEntry("float", "upward"),
        },
    )


def asked_in_sql(path: Path, query: str, folder: str = "samples") -> list[tuple[Any, ...]]:
    """The rows of a query over `rows`, which are those of the run's Parquet files."""
    return _database(path, folder).execute(query).fetchall()


@cache
def _database(path: Path, folder: str) -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(config={"threads": 1})
    files = [str(file) for file in sorted((path / folder).glob("*.parquet"))]
    database.execute("CREATE TABLE rows AS SELECT * FROM read_parquet(?)", [files])
    return database
