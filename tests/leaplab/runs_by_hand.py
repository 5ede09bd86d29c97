"""Runs that are written without an evaluation, a part a state."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from leaplab.protocol.plan import Part
from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest
from leaplab.store.writing import PartValues, WrittenRun


def write_run(
    path: Path,
    states: Sequence[str],
    columns: Mapping[str, tuple[str | ColumnEntry, Sequence[Any]]],
    vectors: Any = None,
    ids: Sequence[str] | None = None,
    arrays: Mapping[str, Mapping[str, Any]] | None = None,
    objects: Mapping[str, Sequence[Any]] | None = None,
    object_vectors: Any = None,
    confusion: Mapping[str, Sequence[tuple[int, str, bool, float, str]]] | None = None,
    **fields: Any,
) -> Path:
    """A run of n samples.

    Args:
        states: [n] the state of each.
        columns: name -> type or entry, and [n] values.
        vectors: [n, W] of the latent space `model`; None writes none.
        arrays: `predictions`, `ground_truths` or `thumbnails` -> name -> [n, ...].
        objects: columns of element instances, where there is a single state.
        object_vectors: [m, W] of these.
        confusion: column -> elements in the order of rows: row, label, whether expected, probability, id.
        fields: of the manifest.
    """
    states = [str(state) for state in states]
    of_state = {state: [row for row, each in enumerate(states) if each == state] for state in dict.fromkeys(states)}
    known = {
        "schema": SCHEMA, "identity": "one", "basis": "any", "created": "2026-01-02T03:04:05+00:00", "integration": "",
        "entry_file": "", "model": "model.onnx", "model_option": None, "model_format": "onnx", "latent_source": "",
        "predictions": (), "visualizers": (), "notices": (),
    }  # fmt: skip
    manifest = Manifest(
        states={state: len(rows) for state, rows in of_state.items()},
        parts=tuple(Part(number, state, 0, len(rows)) for number, (state, rows) in enumerate(of_state.items())),
        columns={n: e if isinstance(e, ColumnEntry) else ColumnEntry(e) for n, (e, _) in columns.items()},
        **{**known, **fields},
    )
    store = WrittenRun.begin(path, manifest)
    names = ids or [f"s{row}" for row in range(len(states))]
    for part, (state, rows) in zip(manifest.parts, of_state.items(), strict=True):
        chosen: dict[str, Any] = {
            folder: {name: np.asarray(values)[rows] for name, values in named.items()}
            for folder, named in (arrays or {}).items()
        }
        if state == "unlabeled":
            chosen.pop("ground_truths", None)
        values = {name: [values[row] for row in rows] for name, (_, values) in columns.items()}
        latents = {} if vectors is None else {"model": np.asarray(vectors, np.float32)[rows]}
        predictions = chosen.pop("predictions", {})
        if objects is not None:
            chosen["instances"] = dict(objects)
            chosen["instance_latents"] = {"model": np.asarray(object_vectors, np.float32)}
        elements = {name: _of_rows(found, rows) for name, found in (confusion or {}).items()}
        named = [names[row] for row in rows]
        store.write_part(PartValues(part, named, values, latents, predictions, elements, **chosen))
    store.finish()
    return path


def _of_rows(elements: Sequence[tuple[int, str, bool, float, str]], rows: Sequence[int]) -> dict[str, list[Any]]:
    found = [(rows.index(row), *rest) for row, *rest in elements if row in set(rows)]
    return {
        name: [each[place] for each in found]
        for place, name in enumerate(("offset", "label", "expected", "probability", "id"))
    }


def without_ids(run: Path) -> None:
    """Write a run's confusion elements as an earlier leaplab did, which knew no ids."""
    for entry in sorted((run / "parts").glob("*.json")):
        content = json.loads(entry.read_text())
        for name in [name for name in content["files"] if name.startswith("confusion/")]:
            path = run / name
            old = path.with_suffix(".old")
            with duckdb.connect() as connection:
                query = f"COPY (SELECT * EXCLUDE (id) FROM read_parquet('{path}')) TO '{old}' (FORMAT parquet)"
                connection.execute(query)
            old.replace(path)
            content["files"][name]["size"] = path.stat().st_size
        entry.write_text(json.dumps(content))
