"""What leaplab's distribution says it needs, against what its source imports and what poetry.lock has."""

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

DISTRIBUTIONS = {
    "cv2": "opencv-python",
    "faiss": "faiss-cpu",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
"""Of modules that are not named like theirs."""

OF_THE_INTEGRATION = {"code_loader", "keras", "onnxruntime", "tensorflow", "tf_keras"}
"""Modules that leaplab does not bring: in worker/ they are the integration's own."""

WEB = "explorer/web"


@pytest.fixture(scope="module")
def source(repository: Path) -> Path:
    """leaplab's package."""
    return repository / "leaplab" / "src" / "leaplab"


@pytest.fixture(scope="module")
def requirements(repository: Path) -> dict[str, Requirement]:
    """Each requirement of leaplab, those of its extras too, by the distribution's name."""
    project = tomllib.loads((repository / "leaplab" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    written = [*project["dependencies"], *chain.from_iterable(project.get("optional-dependencies", {}).values())]
    return {canonicalize_name(requirement.name): requirement for requirement in map(Requirement, written)}


@pytest.fixture(scope="module")
def imported(source: Path) -> dict[str, set[str]]:
    """The modules that are neither Python's nor leaplab's, each with the files that import it."""
    found: dict[str, set[str]] = {}
    for file in modules(source):
        for name in top_level_imports(file):
            if name not in sys.stdlib_module_names and name != "leaplab":
                found.setdefault(name, set()).add(file.relative_to(source).as_posix())
    return found


def modules(source: Path) -> list[Path]:
    return sorted(file for file in source.rglob("*.py") if not file.is_relative_to(source / WEB))


def top_level_imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_poetry_lock_has_the_requirements_of_leaplab(repository: Path, requirements: dict[str, Requirement]) -> None:
    lock = tomllib.loads((repository / "poetry.lock").read_text(encoding="utf-8"))
    (package,) = (package for package in lock["package"] if package["name"] == "leaplab")
    declared = {name: (requirement.specifier, requirement.extras) for name, requirement in requirements.items()}
    locked = {canonicalize_name(name): _locked(entry) for name, entry in package["dependencies"].items()}
    for extra in map(Requirement, chain.from_iterable(package.get("extras", {}).values())):
        locked[canonicalize_name(extra.name)] = (extra.specifier, extra.extras)
    # `poetry check --lock` compares the root's pyproject.toml alone.
    assert locked == declared, "poetry.lock has other requirements than leaplab/pyproject.toml: run `make lock`"


def _locked(entry: str | dict[str, Any]) -> tuple[SpecifierSet, set[str]]:
    table = {"version": entry} if isinstance(entry, str) else entry
    return SpecifierSet(table["version"].replace("*", "")), set(table.get("extras", ()))


def test_what_leaplab_imports_it_requires(imported: dict[str, set[str]], requirements: dict[str, Requirement]) -> None:
    undeclared = {
        module: sorted(files)
        for module, files in imported.items()
        if module not in OF_THE_INTEGRATION and _distribution(module) not in requirements
    }
    assert not undeclared, "add these to the dependencies of leaplab/pyproject.toml"


def test_what_leaplab_requires_it_imports(imported: dict[str, set[str]], requirements: dict[str, Requirement]) -> None:
    unused = set(requirements) - {_distribution(module) for module in imported}
    assert not unused, "take these out of the dependencies of leaplab/pyproject.toml"


def test_what_the_integration_brings_is_imported_on_its_side_alone(imported: dict[str, set[str]]) -> None:
    outside = {
        module: sorted(file for file in imported[module] if not file.startswith("worker/"))
        for module in OF_THE_INTEGRATION & set(imported)
    }
    assert not any(outside.values()), outside


def _distribution(module: str) -> str:
    return canonicalize_name(DISTRIBUTIONS.get(module, module))


@pytest.mark.long
def test_the_wheel_holds_the_page_and_every_module_and_no_more(repository: Path, source: Path, tmp_path: Path) -> None:
    # Of a `make` that runs this test, neither options nor PYTHON or WITH; and no set-up below the feet of the tests.
    of_make = ("MAKEFLAGS", "MAKELEVEL", "PYTHON", "WITH")
    inherited = {name: value for name, value in os.environ.items() if name not in of_make}
    command = ["make", "--silent", "--old-file=.venv/ready", "wheel", f"WHEELS={tmp_path}"]
    made = subprocess.run(command, cwd=repository, env=inherited, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = tmp_path.glob("leaplab-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    page = {f"leaplab/{file.relative_to(source).as_posix()}" for file in _files(source / WEB / "dist")}
    written = {f"leaplab/{file.relative_to(source).as_posix()}" for file in modules(source)}
    assert f"leaplab/{WEB}/dist/index.html" in page
    assert {Path(name).suffix for name in page} >= {".html", ".js", ".css"}
    assert "leaplab/worker/start.py" in written
    assert held == page | written | {"leaplab/py.typed"}
    assert wheel.name.endswith("-py3-none-any.whl")


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
