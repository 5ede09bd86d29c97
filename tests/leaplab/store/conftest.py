from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaplab.store.manifest import SCHEMA, ColumnEntry, Manifest, Part
from leaplab.store.run import RunStore


@pytest.fixture
def make_manifest() -> Callable[..., Manifest]:
    """`make_manifest(parts={"training": (2, 1)}, columns={"loss.a": "float"}, **fields)`."""

    def make(
        parts: dict[str, tuple[int, ...]] | None = None, columns: dict[str, Any] | None = None, **fields: Any
    ) -> Manifest:
        planned: list[Part] = []
        for state, sizes in (parts or {"training": (2, 1)}).items():
            start = 0
            for size in sizes:
                planned.append(Part(len(planned), state, start, start + size))
                start += size
        known: dict[str, Any] = {
            "schema": SCHEMA,
            "identity": "one",
            "created": "2026-01-02T03:04:05+00:00",
            "integration": "somewhere",
            "entry_file": "leap_binder.py",
            "model": "model.onnx",
            "model_option": None,
            "model_format": "onnx",
            "latent_source": "features",
            "states": {},
            "predictions": (),
            "visualizers": (),
            "notices": (),
        }
        for part in planned:
            known["states"][part.state] = part.stop
        entries = {n: e if isinstance(e, ColumnEntry) else ColumnEntry(e) for n, e in (columns or {}).items()}
        return Manifest(parts=tuple(planned), columns=entries, **{**known, **fields})

    return make


@pytest.fixture
def make_store(tmp_path: Path, make_manifest: Callable[..., Manifest]) -> Callable[..., RunStore]:
    """A begun run in a folder whose name needs quoting."""

    def make(*arguments: Any, **fields: Any) -> RunStore:
        return RunStore.begin(tmp_path / 'it\'s a "run"' / "one", make_manifest(*arguments, **fields))

    return make
