"""Which tests run where: examples by `--example`, real data and a browser where they are present.

A test that lacks its data or its browser is deselected, and pytest's last line counts it. Where `REQUIRE_REAL_DATA` or
`REQUIRE_BROWSER` is set, as in CI, it runs and fails.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

os.environ["TL_DISABLE_ANALYTICS"] = "true"  # before anything imports code-loader
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from data_access.active_example import available_examples
from data_access.root import data_root
from tests.browser import chromium
from tests.example_data import example_data_root

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--example", action="append", default=[], help="run contract tests of this example only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "example" in metafunc.fixturenames:
        examples = metafunc.config.getoption("--example") or available_examples(ROOT)
        metafunc.parametrize("example", examples, scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    absent = [item for item in items if _lacks_data(item) or _lacks_browser(item)]
    if absent:
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if item not in absent]


def _lacks_data(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("real_data")
    if marker is None or os.environ.get("REQUIRE_REAL_DATA"):
        return False
    return not all((data_root() / path).exists() for path in marker.args)


def _lacks_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None and not os.environ.get("REQUIRE_BROWSER") and not chromium()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def example_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`example_data(example)`: a data root to bind an example with."""
    scratch = tmp_path_factory.mktemp("data")
    return cache(lambda example: example_data_root(example, scratch))
