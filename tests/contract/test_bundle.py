"""What a push of an example uploads: everything that it needs, and nothing that is not listed."""

import ast
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract import binder_process


@pytest.fixture(scope="module")
def settings(example: str, repository: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((repository / example / "push" / "leap.yaml").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def bundle(settings: dict[str, Any], repository: Path) -> set[Path]:
    """The files, relative to the root. `**` is written as a whole segment, where pathlib and the CLI agree."""
    included = {file for pattern in settings["include"] for file in repository.glob(pattern) if file.is_file()}
    excluded = {file for pattern in settings["exclude"] for file in repository.glob(pattern)}
    return {file.relative_to(repository) for file in included - excluded}


@pytest.fixture(scope="module")
def pins(example: str, repository: Path) -> dict[str, str]:
    lines = (repository / example / "push" / "tensorleap_requirements.txt").read_text("utf-8").splitlines()
    found = [re.fullmatch(r"([a-z0-9-]+)~=([0-9.]+)", line) for line in lines]
    assert all(found), "one `name~=version` a line"
    return {match[1]: match[2] for match in found if match}


def _run_time_imports(body: list[ast.stmt]) -> Iterator[tuple[str, ...]]:
    """Each imported module as its parts; not those of `if TYPE_CHECKING`."""
    for node in body:
        for inner in ast.iter_child_nodes(node):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                break
            if isinstance(inner, ast.stmt | ast.excepthandler):
                yield from _run_time_imports([inner])  # type: ignore[list-item]
        if isinstance(node, ast.Import):
            yield from (tuple(name.name.split(".")) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, "relative imports are not used here"
            # Each name may be a module of its own.
            yield from ((*node.module.split("."), name.name) for name in node.names)


@pytest.fixture(scope="module")
def imported(bundle: set[Path], repository: Path) -> set[tuple[str, ...]]:
    sources = [repository / file for file in bundle if file.suffix == ".py"]
    return {parts for file in sources for parts in _run_time_imports(ast.parse(file.read_text("utf-8")).body)}


def _is_own(parts: tuple[str, ...], root: Path) -> bool:
    return (root / parts[0]).is_dir() or (root / f"{parts[0]}.py").is_file()


def test_every_pattern_matches_a_file(settings: dict[str, Any], repository: Path) -> None:
    for pattern in settings["include"]:
        assert any(file.is_file() for file in repository.glob(pattern)), (
            f"{pattern}: the CLI would pass over it silently"
        )
    for pattern in settings["exclude"]:
        assert any(repository.glob(pattern)), f"{pattern} excludes nothing"


def test_patterns_mean_the_same_to_the_cli(settings: dict[str, Any], repository: Path) -> None:
    for pattern in [*settings["include"], *settings["exclude"]]:
        assert all(segment == "**" or "**" not in segment for segment in pattern.split("/")), pattern
        assert not (repository / pattern).is_dir(), f"{pattern} is a folder, which matches nothing: write {pattern}/**"


def test_the_entry_file_and_the_requirements_are_in_the_bundle(settings: dict[str, Any], bundle: set[Path]) -> None:
    assert settings["entryFile"] == "leap_binder.py"
    assert Path("leap_binder.py") in bundle
    assert Path("tensorleap_requirements.txt") in bundle
    assert Path("pyproject.toml") not in bundle


def test_the_python_version_is_one_that_the_code_runs_on(settings: dict[str, Any]) -> None:
    assert settings["pythonVersion"] in ("py311", "py312")


def test_settings_hold_nothing_that_is_the_owners(settings: dict[str, Any]) -> None:
    assert set(settings) == {"entryFile", "pythonVersion", "include", "exclude"}


def test_every_module_of_ours_that_the_bundle_imports_is_in_it(
    imported: set[tuple[str, ...]], bundle: set[Path], repository: Path
) -> None:
    files = {
        candidate
        for parts in imported
        if _is_own(parts, repository)
        for length in range(1, len(parts) + 1)
        for candidate in (Path(*parts[:length]).with_suffix(".py"), Path(*parts[:length], "__init__.py"))
        if (repository / candidate).is_file()
    }
    assert files
    assert files - bundle == set()


def test_every_package_that_the_bundle_imports_is_required_and_no_other(
    imported: set[tuple[str, ...]], pins: dict[str, str], repository: Path
) -> None:
    distributions = packages_distributions()
    outside = {parts[0] for parts in imported if not _is_own(parts, repository)} - sys.stdlib_module_names
    assert "numpy" in outside
    needed = {name.lower().replace("_", "-") for module in outside for name in distributions[module]}
    assert set(pins) == needed


def test_pins_are_the_versions_of_the_lock_file(pins: dict[str, str], repository: Path) -> None:
    locked: dict[str, set[str]] = {}
    for package in tomllib.loads((repository / "poetry.lock").read_text("utf-8"))["package"]:
        locked.setdefault(package["name"].lower(), set()).add(package["version"])
    assert {name: version for name, version in pins.items() if version not in locked[name]} == {}


def test_the_bundle_binds_on_its_own(
    example: str, bundle: set[Path], repository: Path, tmp_path: Path, example_data: Callable[[str], Path]
) -> None:
    for file in bundle:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository / file, tmp_path / file)
    # Not even where the repository is installed may anything come from it.
    bind = f"""
import sys
from pathlib import Path
sys.path = [path for path in sys.path if path and not Path({str(repository)!r}) == Path(path)]
from code_loader import LeapLoader
result = LeapLoader({str(tmp_path)!r}, "leap_binder.py").check_dataset()
failed = [(payload.name, payload.display) for payload in result.payloads if not payload.is_passed]
print(result.is_valid, result.general_error, failed)
"""
    environment = {"LEAP_DATA_ROOT": str(example_data(example)), "IS_TENSORLEAP_PLATFORM": "true"}
    process = binder_process.run(["-c", bind], example, tmp_path, **environment)
    assert process.stdout.splitlines()[-1:] == ["True None []"], process.stdout + process.stderr
