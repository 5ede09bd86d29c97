from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract import binder_process


@pytest.fixture(scope="module")
def behaviour(example: str, example_data: Callable[[str], Path]) -> dict[str, Any]:
    """What probe_behaviour.py finds of an example that the platform accepts."""
    found = binder_process.behaviour(example, example_data(example))
    assert found["is_valid"], found["general_error"] or found["failed"]
    return found
