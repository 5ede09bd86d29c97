"""The data that an example is bound with in a test: the real one, or small files in its format."""

import os
from pathlib import Path
from runpy import run_path

from data_access.root import data_root

HERE = Path(__file__).resolve().parent
ON_REQUEST = {"armbench_segmentation"}
"""Examples whose real data its owners give to those who ask: no test can demand it."""


def example_data_root(example: str, scratch: Path) -> Path:
    """A data root that holds what the example reads.

    The real one where its data is there, or demanded by `REQUIRE_REAL_DATA`; else a folder in `scratch`, filled by
    `tests/EXAMPLE/fixture_data.py`. No test downloads anything.
    """
    is_demanded = bool(os.environ.get("REQUIRE_REAL_DATA")) and example not in ON_REQUEST
    file = HERE / example / "fixture_data.py"
    if is_demanded or not file.exists():
        return data_root()
    # By its path: outside pytest an installed package `tests` may come before ours.
    fixture = run_path(str(file))
    if (data_root() / fixture["REAL_DATA"]).exists():
        return data_root()
    folder = scratch / example
    fixture["write"](folder)
    return folder
