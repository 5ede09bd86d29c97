"""worker/ and protocol/ run in the integration's own interpreter: any Python from 3.8, and of ours numpy alone."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOT_EVERYWHERE = {"asynchat", "asyncore", "distutils", "graphlib", "imp", "smtpd", "tomllib", "zoneinfo"}
"""Modules of the standard library that came after 3.8 or went before 3.13."""

STANDARD_LIBRARY = sys.stdlib_module_names - NOT_EVERYWHERE
OURS = ("leaplab.worker", "leaplab.protocol", "leaplab.errors")
OF_THE_INTEGRATION = {"code_loader", "keras", "onnxruntime", "tensorflow", "tf_keras"}

IMPORT_ALL = """
import importlib, sys, traceback, types

package = types.ModuleType("leaplab")
package.__path__ = [sys.argv[1]]
sys.modules["leaplab"] = package
for module in sys.argv[2:]:
    try:
        importlib.import_module(module)
    except Exception:
        print(module + ": " + traceback.format_exc(limit=-1))
"""


@pytest.fixture(scope="module")
def package(repository: Path) -> Path:
    return repository / "leaplab" / "src" / "leaplab"


@pytest.fixture(scope="module")
def files(package: Path) -> list[Path]:
    """The modules of the integration's side."""
    found = [file for room in ("worker", "protocol") for file in sorted((package / room).rglob("*.py"))]
    assert package / "worker" / "start.py" in found
    return [*found, package / "errors.py"]


def test_it_is_written_for_python_3_8(files: list[Path], package: Path) -> None:
    refused = []
    for file in files:
        try:
            ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))
        except SyntaxError as error:
            refused.append(f"{file.relative_to(package)}:{error.lineno}: {error.msg}")
    assert not refused, "\n".join(refused)


def test_it_imports_what_every_integration_has(files: list[Path], package: Path) -> None:
    violations = [
        f"{place.relative_to(package)}:{line}: {name}"
        for place in files
        for line, name in _imports(place)
        if not _is_allowed(name, in_worker=place.is_relative_to(package / "worker"))
    ]
    assert not violations, "\n".join(violations)


def _imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "." * node.level + (node.module or "")
        elif isinstance(node, ast.ImportFrom):
            # `from leaplab import errors` names a module too.
            whole = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "leaplab" else [node.module]
            )
            yield from ((node.lineno, name or "") for name in whole)


def _is_allowed(name: str, in_worker: bool) -> bool:
    top = name.partition(".")[0]
    if top == "leaplab":
        return any(name == room or name.startswith(f"{room}.") for room in OURS)
    return top in STANDARD_LIBRARY or top == "numpy" or (in_worker and top in OF_THE_INTEGRATION)


@pytest.mark.parametrize(
    ("name", "in_worker", "is_allowed"),
    [
        ("numpy.typing", False, True),
        ("dataclasses", False, True),
        ("tomllib", False, False),
        ("msgspec", True, False),
        ("onnxruntime", True, True),
        ("onnxruntime", False, False),
        ("leaplab.protocol.wire", True, True),
        ("leaplab.errors", False, True),
        ("leaplab.workers", False, False),
        ("leaplab.store", True, False),
        ("leaplab", True, False),
        (".wire", True, False),
    ],
)
def test_the_rule_tells_one_from_the_other(name: str, in_worker: bool, is_allowed: bool) -> None:
    assert _is_allowed(name, in_worker) == is_allowed


@pytest.mark.long
@pytest.mark.parametrize("version", [pytest.param(v, marks=pytest.mark.python(v)) for v in ("3.8", "3.13")])
def test_every_module_imports_with_numpy_alone(
    version: str, files: list[Path], package: Path, python_of: Callable[[str], Path], tmp_path: Path
) -> None:
    python = tmp_path / "bin" / "python"
    subprocess.run([python_of(version), "-m", "venv", tmp_path], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "numpy"], check=True)
    parts = [file.relative_to(package.parent).with_suffix("").parts for file in files]
    modules = [".".join(part for part in place if part != "__init__") for place in parts]
    command: list[str | Path] = [python, "-I", "-B", "-c", IMPORT_ALL, package, *modules]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert process.returncode == 0, process.stderr
    assert not process.stdout, process.stdout
