import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import use_example
from data_access.active_example import active_example, available_examples
from data_access.errors import DataError
from use_example import use

WRITTEN = ("leap.yaml", "tensorleap_requirements.txt", "project_config.yaml")


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def project(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that `use` reads and writes, and a second example."""
    monkeypatch.delenv("LEAP_EXAMPLE", raising=False)
    for name in (*WRITTEN, "use_example.py"):
        shutil.copyfile(repository / name, tmp_path / name)
    for name in available_examples(repository):
        shutil.copytree(repository / name / "push", tmp_path / name / "push")
        (tmp_path / name / "leap_binder.py").touch()
    other = tmp_path / "other"
    (other / "push").mkdir(parents=True)
    (other / "leap_binder.py").touch()
    (other / "push/leap.yaml").write_text("entryFile: leap_binder.py\npythonVersion: py312\ninclude: [other/**]\n")
    (other / "push/tensorleap_requirements.txt").write_text("numpy~=2.4.0\n")
    return tmp_path


def test_the_root_is_in_step_with_the_active_example(repository: Path, project: Path) -> None:
    use(active_example(repository), project)
    assert _yaml(project / "leap.yaml") == _yaml(repository / "leap.yaml")
    for name in WRITTEN[1:]:
        assert (project / name).read_bytes() == (repository / name).read_bytes(), f"{name}: run `poetry run use`"


def test_use_puts_the_files_of_the_example_to_the_root(project: Path) -> None:
    use("other", project)
    assert _yaml(project / "leap.yaml") == _yaml(project / "other/push/leap.yaml")
    assert (project / "tensorleap_requirements.txt").read_text() == "numpy~=2.4.0\n"
    assert active_example(project) == "other"


def test_use_keeps_what_is_the_owners_and_nothing_else(project: Path) -> None:
    owned = {"projectId": "p1", "secretId": "s1", "branch": "main"}
    (project / "leap.yaml").write_text(yaml.safe_dump({**owned, "exclude": ["x"], "entryFile": "y.py", "odd": 1}))
    use("other", project)
    assert _yaml(project / "leap.yaml") == {**owned, **_yaml(project / "other/push/leap.yaml")}


def test_use_there_and_back_restores_every_file(project: Path) -> None:
    use("mnist", project)
    before = {name: (project / name).read_bytes() for name in WRITTEN}
    use("other", project)
    assert (project / "leap.yaml").read_bytes() != before["leap.yaml"]
    use("mnist", project)
    assert {name: (project / name).read_bytes() for name in WRITTEN} == before


def test_use_works_where_the_root_has_no_leap_yaml_yet(project: Path) -> None:
    (project / "leap.yaml").unlink()
    use("other", project)
    assert _yaml(project / "leap.yaml") == _yaml(project / "other/push/leap.yaml")


@pytest.mark.parametrize("name", ["fashion", "mnist/push", "."])
def test_an_unknown_example_changes_nothing(name: str, project: Path) -> None:
    before = {file: (project / file).read_bytes() for file in WRITTEN}
    with pytest.raises(DataError, match="does not exist; choose .*mnist.* or other"):
        use(name, project)
    assert {file: (project / file).read_bytes() for file in WRITTEN} == before


def test_a_leap_yaml_that_is_no_yaml_is_an_error_that_names_it_and_changes_nothing(project: Path) -> None:
    (project / "leap.yaml").write_text("include: [")
    with pytest.raises(DataError) as raised:
        use("other", project)
    assert str(project / "leap.yaml") in str(raised.value)
    assert (project / "leap.yaml").read_text() == "include: ["
    assert active_example(project) == "mnist"


def _command(project: Path, repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The script of the project, so that the root is the project and not this repository."""
    command = [sys.executable, "use_example.py", *arguments]
    environment = {"PYTHONPATH": str(repository), "PATH": ""}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_the_command_says_what_it_did(project: Path, repository: Path) -> None:
    done = _command(project, repository, "other")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("other is active:")
    assert active_example(project) == "other"


@pytest.mark.parametrize("arguments", [["fashion"], [], ["mnist", "other"], ["--help-me"]])
def test_what_the_command_does_not_understand_is_exit_code_2(
    arguments: list[str], project: Path, repository: Path
) -> None:
    refused = _command(project, repository, *arguments)
    assert refused.returncode == 2
    assert "mnist" in refused.stderr
    assert "other" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_root_is_that_of_the_script(repository: Path) -> None:
    assert repository == use_example.ROOT
