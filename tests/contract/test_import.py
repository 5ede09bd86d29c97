"""Binding is cheap: the platform imports the entry file again and again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data_access.root import data_root
from tests.contract import binder_process

MOST = 0.75
"""Of the processor time that importing code-loader takes."""

HEAVY = {"tensorflow", "keras", "sklearn", "torch", "pandas", "matplotlib", "onnx"}


@pytest.fixture(scope="module")
def imports(example: str, example_data: Callable[[str], Path]) -> list[dict[str, Any]]:
    return binder_process.imports(example, example_data(example))


def test_the_root_binder_binds_the_example_that_is_asked_for(
    imports: list[dict[str, Any]], example: str, repository: Path
) -> None:
    assert imports[0]["binder"] == str(repository / "leap_binder.py")
    assert f"{example}.leap_binder" in imports[0]["modules"]


def test_importing_the_binder_loads_no_heavy_library(imports: list[dict[str, Any]]) -> None:
    assert "code_loader" in imports[0]["modules"]
    assert HEAVY & set(imports[0]["modules"]) == set()


def test_importing_the_binder_prints_nothing(imports: list[dict[str, Any]]) -> None:
    for found in imports:
        assert (binder_process.said_by_us(found["stdout"]), found["stderr"]) == ([], "")


def test_importing_the_binder_asks_nothing_of_the_network(imports: list[dict[str, Any]]) -> None:
    assert [found["sent"] for found in imports] == [[]] * len(imports)


def test_importing_the_binder_writes_no_file(imports: list[dict[str, Any]]) -> None:
    assert [found["written"] for found in imports] == [[]] * len(imports)


def test_importing_the_binder_opens_neither_data_nor_model(
    imports: list[dict[str, Any]], example: str, example_data: Callable[[str], Path], repository: Path
) -> None:
    opened = [Path(path) for path in imports[0]["opened"]]
    assert repository / example / "project_config.yaml" in opened, "the probe watches the wrong thing"
    for forbidden in (example_data(example), data_root(), repository / "models"):
        assert [path for path in opened if path.is_relative_to(forbidden)] == []


def test_importing_the_binder_takes_little_more_than_code_loader_alone(imports: list[dict[str, Any]]) -> None:
    shares = [found["binder_processor_seconds"] / found["code_loader_processor_seconds"] for found in imports]
    assert min(shares) < MOST
