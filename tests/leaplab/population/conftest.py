"""Runs of a few samples, written without an evaluation."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaplab.population.population import Population
from leaplab.store.manifest import ColumnEntry, Manifest
from leaplab.store.run import RunStore
from leaplab.store.writing import PartValues, WrittenRun


@pytest.fixture
def make_store(tmp_path: Path, make_manifest: Callable[..., Manifest]) -> Callable[..., RunStore]:
    """`make_store()`: an empty run."""
    return lambda **fields: WrittenRun(tmp_path / "run", make_manifest(**fields))


@pytest.fixture
def make_population(tmp_path: Path, make_manifest: Callable[..., Manifest]) -> Callable[..., Population]:
    """`make_population({"metadata.label": ("int", [1, None])}, ids=.., states=.., vectors=[N, W])`: parts of two."""

    def make(
        columns: Mapping[str, tuple[str | ColumnEntry, Sequence[Any]]],
        ids: Sequence[str] | None = None,
        states: Mapping[str, int] | None = None,
        vectors: Any = None,
        **fields: Any,
    ) -> Population:
        count = max([len(values) for _, values in columns.values()] + [len(ids or ())])
        states = states or {"training": count}
        ids = ids or [f"s{number}" for number in range(count)]
        sizes = {state: tuple(min(2, n - start) for start in range(0, n, 2)) for state, n in states.items()}
        manifest = make_manifest(sizes, {name: entry for name, (entry, _) in columns.items()}, **fields)
        store = WrittenRun.begin(tmp_path / f"run{len(list(tmp_path.iterdir()))}", manifest)
        row = 0
        for part in manifest.parts:
            rows = slice(row, row + part.stop - part.start)
            row = rows.stop
            latents = {} if vectors is None else {"model": np.asarray(vectors, np.float32)[rows]}
            values = {name: list(found[rows]) for name, (_, found) in columns.items()}
            store.write_part(PartValues(part, ids[rows], values, latents, {}, {}))
        return Population(RunStore.open(store.path))

    return make
