"""Which tests run where: examples by `--example`; what needs real data, a browser, another interpreter, packages of
the extras or a small disk where there is such.

A test that lacks one is deselected, and pytest's last line counts it. Where `REQUIRE_REAL_DATA`, `REQUIRE_BROWSER`,
`REQUIRE_PYTHONS`, `REQUIRE_EXTRAS` or `REQUIRE_SMALL_DISK` is set, as in CI, it runs and fails.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase, settings

os.environ["TL_DISABLE_ANALYTICS"] = "true"  # before anything imports code-loader
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from data_access.active_example import available_examples
from data_access.root import data_root
from tests.browser import chromium
from tests.example_data import example_data_root

# Of a mutant (tests/mutants.py) it is enough that a test fails; a smallest example is wanted by nobody.
settings.register_profile(
    "mutants", settings.get_profile("ci"), max_examples=25, phases=[Phase.explicit, Phase.generate]
)

ROOT = Path(__file__).resolve().parents[1]
IDENTITY = "import sys; print('%d.%d' % sys.version_info[:2], sys.prefix == sys.base_prefix, sys.executable)"
"""Version, whether it is no virtual environment, and the path behind whatever was called."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--example", action="append", default=[], help="run contract tests of this example only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "example" in metafunc.fixturenames:
        examples = metafunc.config.getoption("--example") or available_examples(ROOT)
        metafunc.parametrize("example", examples, scope="module")


@pytest.hookimpl(tryfirst=True)  # before -m reads the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker("long")
    lacks = (_lacks_data, _lacks_browser, _lacks_python, _lacks_extras, _lacks_small_disk)
    absent = [item for item in items if any(lacking(item) for lacking in lacks)]
    if absent:
        config.hook.pytest_deselected(items=absent)
        items[:] = [item for item in items if item not in absent]


def pytest_deselected(items: list[pytest.Item]) -> None:
    # In a process of pytest-xdist, whose last line nobody sees.
    for item in items:
        if hasattr(item.config, "workeroutput"):
            item.config.workeroutput.setdefault("deselected", []).append(item.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    # Every process collects every test: what one has deselected counts once.
    deselected = getattr(node, "workeroutput", {}).get("deselected")
    if deselected:
        counted = [SimpleNamespace(nodeid=name) for name in deselected]
        node.config.pluginmanager.get_plugin("terminalreporter").stats["deselected"] = counted


def _lacks_data(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("real_data")
    if marker is None or os.environ.get("REQUIRE_REAL_DATA"):
        return False
    return not all((data_root() / path).exists() for path in marker.args)


def _lacks_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None and not os.environ.get("REQUIRE_BROWSER") and not chromium()


def _lacks_python(item: pytest.Item) -> bool:
    if os.environ.get("REQUIRE_PYTHONS"):
        return False
    versions = {version for marker in item.iter_markers("python") for version in marker.args}
    return not all(_interpreter(version) for version in versions)


def _lacks_extras(item: pytest.Item) -> bool:
    if os.environ.get("REQUIRE_EXTRAS"):
        return False
    needed = {package for marker in item.iter_markers("installed") for package in marker.args}
    return not all(importlib.util.find_spec(package) for package in needed)


def _lacks_small_disk(item: pytest.Item) -> bool:
    required = item.get_closest_marker("small_disk") is not None and not os.environ.get("REQUIRE_SMALL_DISK")
    return required and not _mounts()


@cache
def _mounts() -> bool:
    """Whether a process may have a file system of its own, in memory."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@cache
def _interpreter(version: str) -> Path | None:
    """A bare interpreter of a version such as 3.8: the first on the PATH that runs, else the newest of pyenv."""
    return next((found for place in _places(version) if (found := _bare(place, version))), None)


def _places(version: str) -> Iterator[Path]:
    for folder in os.get_exec_path():
        if found := shutil.which(f"python{version}", path=folder):
            yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    patches = [path for path in pyenv.glob(f"versions/{version}.*") if path.name.rpartition(".")[2].isdigit()]
    for path in sorted(patches, key=lambda path: int(path.name.rpartition(".")[2]), reverse=True):
        yield path / "bin" / "python"


def _bare(python: Path, version: str) -> Path | None:
    # A shim of pyenv is there for versions that it does not run, and an environment's Python brings its packages.
    try:
        said = subprocess.run([python, "-c", IDENTITY], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found, is_bare, path = said.strip().split(" ", 2)
    return Path(path) if (found, is_bare) == (version, "True") else None


@pytest.fixture(scope="session")
def python_of() -> Callable[[str], Path]:
    """`python_of("3.8")`: a bare interpreter of that version; for tests marked `python("3.8")`."""

    def find(version: str) -> Path:
        found = _interpreter(version)
        if found is None:
            pytest.fail(f"There is no Python {version}, neither on the PATH nor in pyenv: install one.")
        return found

    return find


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def example_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`example_data(example)`: a data root to bind an example with."""
    scratch = tmp_path_factory.mktemp("data")
    return cache(lambda example: example_data_root(example, scratch))
