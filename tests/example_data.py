"""The data that an example is bound with in a test: the real one, or small files in its format."""

import os
from importlib import import_module
from pathlib import Path

from data_access.root import data_root

HERE = Path(__file__).resolve().parent


def example_data_root(example: str, scratch: Path) -> Path:
    """A data root that holds what the example reads.

    The real one where its data is there, or demanded by `REQUIRE_REAL_DATA`; else a folder in `scratch`, filled by
    `tests/EXAMPLE/fixture_data.py`. No test downloads anything.
    """
    if os.environ.get("REQUIRE_REAL_DATA") or not (HERE / example / "fixture_data.py").exists():
        return data_root()
    fixture = import_module(f"tests.{example}.fixture_data")
    if (data_root() / fixture.REAL_DATA).exists():
        return data_root()
    folder = scratch / example
    fixture.write(folder)
    return folder
