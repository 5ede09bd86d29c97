from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaplab.store.manifest import Manifest
from leaplab.store.writing import WrittenRun


@pytest.fixture
def make_store(tmp_path: Path, make_manifest: Callable[..., Manifest]) -> Callable[..., WrittenRun]:
    """A begun run in a folder whose name needs quoting."""

    def make(*arguments: Any, **fields: Any) -> WrittenRun:
        return WrittenRun.begin(tmp_path / 'it\'s a "run"' / "one", make_manifest(*arguments, **fields))

    return make
