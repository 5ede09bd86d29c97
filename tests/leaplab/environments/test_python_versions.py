import os
import sys
from dataclasses import replace

import pytest

from leaplab.environments.facts import read_facts
from leaplab.environments.python_versions import find_python, wanted_versions
from leaplab.errors import LeaplabError


@pytest.mark.parametrize(
    ("said", "minor"),
    [
        ("py38", 8),
        ("py310", 10),
        ("3.8", 8),
        ("3.10", 10),
        ("3.10.2", 10),
        ("python3.9", 9),
        ("Py311", 11),
        ("313", 13),
    ],
)
def test_leap_yaml_names_the_version(root, said, minor):
    (root / "leap.yaml").write_text(f"pythonVersion: {said}\n")
    (root / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.11'\n")

    wanted = wanted_versions(root)

    assert wanted.minors == (minor,)
    assert wanted.said_by == f"leap.yaml ({said})"
    assert wanted.notes == ()


@pytest.mark.parametrize(
    ("pyproject", "minors"),
    [
        ("[project]\nrequires-python = '>=3.8,<3.11'", (10, 9, 8)),
        ("[project]\nrequires-python = '>=3.8.1, < 3.10'", (9, 8)),
        ("[project]\nrequires-python = '==3.9.*'", (9,)),
        ("[tool.poetry.dependencies]\npython = '~3.8'", (8,)),
        ("[tool.poetry.dependencies]\npython = '^3.10'", (12, 11, 10)),
        ("[tool.poetry.dependencies]\npython = '>=3.8 <3.10'", (9, 8)),
        ("[tool.poetry.dependencies]\npython = '3.10.13'", (10,)),
    ],
)
def test_else_pyproject_does(root, pyproject, minors):
    (root / "pyproject.toml").write_text(pyproject)

    assert wanted_versions(root).minors == minors


@pytest.mark.parametrize("said", ["latest", "py27", "3.7", "py3.x"])
def test_an_unknown_version_is_passed_over_and_told(root, said):
    (root / "leap.yaml").write_text(f"pythonVersion: {said}\n")
    (root / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.13'\n")

    wanted = wanted_versions(root)

    assert wanted.minors == (sys.version_info.minor,)
    assert wanted.said_by == "leaplab's own version"
    assert f"pythonVersion '{said}' names no Python" in wanted.notes[0]
    assert "pyproject.toml asks for Python >=3.13" in wanted.notes[1]


def test_a_shim_that_fails_gives_way_to_pyenvs_highest_then_to_uv(root, script, tmp_path, monkeypatch, environment):
    minor = sys.version_info.minor
    shims = script("echo 'pyenv: command not found'; exit 127", f"python3.{minor}").parent
    monkeypatch.setenv("PATH", str(shims))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    for micro in ("2", "10", "9"):
        environment(tmp_path / "pyenv" / "versions" / f"3.{minor}.{micro}", sys.executable)
    environment(tmp_path / "pyenv" / "versions" / "3.1.1", sys.executable)
    wanted = wanted_versions(root)
    assert find_python(wanted).executable == tmp_path / "pyenv" / "versions" / f"3.{minor}.10" / "bin" / "python"

    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "nothing"))
    of_uv = environment(tmp_path / "uv", sys.executable)
    script(f'[ "$*" = "python find 3.{minor}" ] && echo {of_uv}', "uv")
    assert find_python(wanted).executable == of_uv

    script("exit 2", "uv")
    assert str(find_python(wanted).executable) == sys.executable


def test_none_says_how_to_get_one(root, monkeypatch, tmp_path):
    (root / "leap.yaml").write_text("pythonVersion: py38\n")
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    with pytest.raises(LeaplabError) as raised:
        find_python(wanted_versions(root))

    assert str(raised.value) == (
        "This machine has no Python 3.8, which leap.yaml (py38) asks for; install one by `pyenv install 3.8`,"
        " `uv python install 3.8` or your system's packages."
    )


def test_one_that_makes_no_environments_is_told(root, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(
        "leaplab.environments.python_versions.read_facts",
        lambda path: replace(read_facts(path), makes_environments=False),
    )

    with pytest.raises(LeaplabError, match=r"\(.*python\S* lacks venv or ensurepip\); install one by"):
        find_python(wanted_versions(root))


@pytest.mark.python("3.8", "3.9")
def test_of_those_that_pyproject_admits_the_highest_there_is_counts(root, python_of, monkeypatch):
    monkeypatch.setenv("PATH", os.pathsep.join(str(python_of(version).parent) for version in ("3.8", "3.9")))
    (root / "pyproject.toml").write_text("[project]\nrequires-python = '>=3.8,<3.10'\n")
    assert find_python(wanted_versions(root)).version[:2] == (3, 9)

    (root / "leap.yaml").write_text("pythonVersion: 3.8\n")
    assert find_python(wanted_versions(root)).version[:2] == (3, 8)
