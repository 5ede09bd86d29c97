import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import leap_test
from data_access.errors import DataError
from tests.contract.binder_process import WITHOUT_TENSORFLOW, run
from tests.example_data import example_data_root
from tests.mnist.fixture_data import write

PARTS = (
    "leap_binder.py",
    "leap_integration.py",
    "leap_test.py",
    "project_config.yaml",
    "data_access",
    "mnist",
    "tasks",
    "vision",
    "models/mnist_cnn.onnx",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data root with a small mnist.npz."""
    write(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def project(repository: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what binds the mnist example, with a small dataset, to be broken."""
    root = tmp_path / "project"
    for part in PARTS:
        source, target = repository / part, root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    monkeypatch.setenv("LEAP_DATA_ROOT", str(data))
    monkeypatch.setenv("PYTHONPATH", WITHOUT_TENSORFLOW)
    return root


def _change(project: Path, file: str, old: str, new: str) -> None:
    text = (project / file).read_text(encoding="utf-8")
    assert old in text, f"{file} no longer holds what this test changes"
    (project / file).write_text(text.replace(old, new), encoding="utf-8")


def _break_encoder(project: Path) -> None:
    _change(project, "mnist/leap_binder.py", "return encoders.image(", "raise RuntimeError('no light'); return (")


def test_a_good_binder_has_nothing_against_it(project: Path, data: Path) -> None:
    assert leap_test.check_binder("mnist", data, project) is None


def test_an_encoder_that_raises_is_refused_with_its_own_words(project: Path, data: Path) -> None:
    _break_encoder(project)
    reason = leap_test.check_binder("mnist", data, project)
    assert reason is not None
    assert reason.startswith("the platform would refuse it: image: ")
    assert "no light" in reason
    assert "\n" not in reason


def test_a_binder_that_cannot_be_imported_is_refused_with_the_cause(project: Path, data: Path) -> None:
    _change(project, "mnist/leap_binder.py", "CONFIG = load_config()", "CONFIG = load_the_config()")
    reason = leap_test.check_binder("mnist", data, project)
    assert reason is not None
    assert reason.startswith("the platform would refuse it: ")
    assert "load_the_config" in reason


def test_a_metric_without_a_direction_is_a_warning_and_fails(project: Path, data: Path) -> None:
    old = '@tensorleap_custom_metric("accuracy", direction=MetricDirection.Upward, compute_insights=True)'
    _change(project, "mnist/leap_binder.py", old, '@tensorleap_custom_metric("accuracy", compute_insights=True)')
    reason = leap_test.check_binder("mnist", data, project)
    assert reason is not None
    assert reason.startswith("its integration test warns: ")
    assert "direction" in reason
    assert "metric_accuracy" in reason


def test_a_missing_model_fails_the_integration_test_with_its_path(project: Path, data: Path) -> None:
    (project / "models/mnist_cnn.onnx").unlink()
    reason = leap_test.check_binder("mnist", data, project)
    assert reason is not None
    assert reason.startswith("its integration test fails: ")
    assert str(project / "models/mnist_cnn.onnx") in reason


def test_the_verdict_is_the_exit_code(project: Path) -> None:
    accepted = run(["leap_test.py", "--verdict"], "mnist", project, IS_TENSORLEAP_PLATFORM="true")
    assert (accepted.returncode, accepted.stderr) == (0, "")
    _break_encoder(project)
    refused = run(["leap_test.py", "--verdict"], "mnist", project, IS_TENSORLEAP_PLATFORM="true")
    assert refused.returncode == 1
    assert refused.stderr.startswith("image: ")
    assert "no light" in refused.stderr


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, list[str]]]:
    """The exit code of `test WORDS`, and pytest's arguments, for a binder's reason and an exit code of pytest."""

    def run_tests(reason: str | None, pytest_code: int, *words: str) -> tuple[int, list[str]]:
        commands: list[list[str]] = []

        def finish(command: list[str], env: dict[str, str], **options: Any) -> subprocess.CompletedProcess[str]:
            assert "PYTEST_ADDOPTS" not in env, "pytest would read it a second time"
            commands.append(command)
            return subprocess.CompletedProcess(command, pytest_code)

        monkeypatch.setattr(leap_test, "check_binder", lambda example, data, root: reason)
        monkeypatch.setattr(subprocess, "run", finish)
        monkeypatch.setattr(sys, "argv", ["test", *words])
        with pytest.raises(SystemExit) as left:
            leap_test.main()
        assert len(commands) == 1
        assert commands[0][:3] == [sys.executable, "-m", "pytest"]
        assert commands[0][3 : 3 + len(leap_test.PARALLEL)] == [*leap_test.PARALLEL]
        return int(left.value.code or 0), commands[0][3 + len(leap_test.PARALLEL) :]

    return run_tests


@pytest.mark.parametrize(
    ("reason", "pytest_code", "expected"), [(None, 0, 0), ("it is broken", 0, 1), (None, 1, 1), ("it is broken", 2, 2)]
)
def test_any_failure_is_an_exit_code(
    reason: str | None, pytest_code: int, expected: int, outcome: Callable[..., tuple[int, list[str]]]
) -> None:
    code, arguments = outcome(reason, pytest_code)
    assert code == expected
    assert arguments == ["-m", "not long", "tests"]


def test_a_failed_binder_is_named_with_its_reason(
    outcome: Callable[..., tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    outcome("it is broken", 0, "mnist")
    printed = capsys.readouterr().out
    assert "mnist: FAILED, it is broken" in printed
    assert "1 of 1 binders failed" in printed


def test_without_the_real_data_a_binder_is_checked_on_generated_data_and_that_is_said(
    example: str,
    outcome: Callable[..., tuple[int, list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("REQUIRE_REAL_DATA", raising=False)
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path / "nothing"))
    outcome(None, 0, example)
    assert f"{example}: ok, the platform would accept it (on generated data: " in capsys.readouterr().out
    assert not (tmp_path / "nothing").exists(), "the data root of a person is theirs"


def test_where_the_real_data_is_demanded_nothing_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path / "nothing"))
    monkeypatch.setenv("REQUIRE_REAL_DATA", "1")
    assert example_data_root("mnist", tmp_path / "scratch") == tmp_path / "nothing"


def test_a_named_example_is_tested_alone(outcome: Callable[..., tuple[int, list[str]]]) -> None:
    _, arguments = outcome(None, 0, "mnist")
    assert arguments == ["-m", "not long", "tests/mnist", "tests/contract", "--example=mnist"]


@pytest.mark.parametrize("words", [("--long", "mnist"), ("mnist", "--long")])
def test_the_long_tests_run_alone_and_without_the_binders(
    words: tuple[str, ...], outcome: Callable[..., tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    code, arguments = outcome("it is broken", 0, *words)
    assert (code, capsys.readouterr().out) == (0, "")
    assert arguments == ["-m", "long", "tests/mnist", "tests/contract", "--example=mnist"]


@pytest.mark.parametrize(("words", "expected"), [(("--long",), 5), (("mnist",), 5), (("--long", "mnist"), 0)])
def test_only_an_example_may_have_no_long_test(
    words: tuple[str, ...], expected: int, outcome: Callable[..., tuple[int, list[str]]]
) -> None:
    code, _ = outcome(None, 5, *words)
    assert code == expected


def test_words_of_the_person_come_last_so_that_they_win(
    outcome: Callable[..., tuple[int, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-n 2 -k 'one or two'")
    _, arguments = outcome(None, 0, "-n", "0", "-x")
    assert arguments == ["-m", "not long", "tests", "-n", "2", "-k", "one or two", "-n", "0", "-x"]


def test_an_installed_package_named_tests_is_never_imported(
    repository: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site-packages"
    (installed / "tests").mkdir(parents=True)
    (installed / "tests" / "__init__.py").write_text("raise RuntimeError('not these')\n", encoding="utf-8")
    monkeypatch.delenv("REQUIRE_REAL_DATA", raising=False)
    path = os.pathsep.join([str(installed), WITHOUT_TENSORFLOW])
    environment = {"LEAP_DATA_ROOT": str(tmp_path / "nothing"), "PYTHONPATH": path}
    # -P and PYTHONPATH: as the console script has it, where the repository comes after all of site-packages.
    script = "import sys, leap_test; sys.argv[1:] = ['mnist', '-n', '2', '-k', 'test_config']; leap_test.main()"
    process = run(["-P", "-c", script], "mnist", repository, **environment)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "mnist: ok, the platform would accept it (on generated data" in process.stdout
    assert " passed" in process.stdout.splitlines()[-1]
    assert " deselected" in process.stdout.splitlines()[-1]


def test_an_unknown_example_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="The command line names the example 'fashion'"):
        leap_test.run_tests(["fashion"], [])
    monkeypatch.setattr(sys, "argv", ["test", "fashion"])
    with pytest.raises(SystemExit) as left:
        leap_test.main()
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("error: The command line names the example 'fashion'")


def test_no_test_demands_data_that_is_given_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path / "nothing"))
    monkeypatch.setenv("REQUIRE_REAL_DATA", "1")
    found = example_data_root("armbench_segmentation", tmp_path / "scratch")
    assert found == tmp_path / "scratch" / "armbench_segmentation"
    assert (found / "armbench" / "mix-object-tote" / "train.json").exists()
    # Where it lies in the data root, it is what the tests bind with.
    monkeypatch.setenv("LEAP_DATA_ROOT", str(found))
    assert example_data_root("armbench_segmentation", tmp_path / "again") == found


MARKED = """
import pytest

def test_short(): pass

@pytest.mark.long
def test_long(): pass

@pytest.mark.browser
def test_browser(): pass

@pytest.mark.real_data("nothing")
def test_data(): pass

@pytest.mark.python("3.1")
def test_python(python_of): python_of("3.1")
"""


@pytest.fixture
def marked(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, str]]:
    """The output, and the counts of the last line, of pytest on five tests of which each needs something else."""
    for name in ("REQUIRE_REAL_DATA", "REQUIRE_BROWSER", "REQUIRE_PYTHONS", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "test_marked.py").write_text(MARKED, encoding="utf-8")
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\nmarkers =\n  long\n  browser\n  real_data\n  python\n", encoding="utf-8")
    command = ["-m", "pytest", "-p", "tests.conftest", "-c", str(settings), "--strict-markers", str(tmp_path)]

    def counts(*options: str, **environment: str) -> tuple[str, str]:
        environment = {"LEAP_DATA_ROOT": str(tmp_path / "data"), **environment}
        printed = run([*command, *options], "mnist", repository, **environment).stdout
        return printed, printed.splitlines()[-1].strip("= ").partition(" in ")[0]

    return counts


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize(("selected", "passed"), [("not long", 1), ("long", 2)])
def test_the_last_line_counts_what_was_left_out_once(
    processes: str, selected: str, passed: int, marked: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "chromium").touch(mode=0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    printed, counts = marked("-n", processes, "-m", selected, PATH=path)
    assert counts == f"{passed} passed, {5 - passed} deselected", printed


def test_what_is_missing_is_left_out(marked: Callable[..., tuple[str, str]], tmp_path: Path) -> None:
    printed, counts = marked(PATH=str(tmp_path))
    assert counts == "2 passed, 3 deselected", printed


def test_an_interpreter_that_is_demanded_must_be_there(marked: Callable[..., tuple[str, str]]) -> None:
    printed, counts = marked("-k", "test_python", REQUIRE_PYTHONS="1")
    assert counts == "1 failed, 4 deselected", printed
    assert "There is no Python 3.1, neither on the PATH nor in pyenv" in printed


def test_an_interpreter_is_one_that_runs_and_no_environment(repository: Path, tmp_path: Path) -> None:
    version = "{}.{}".format(*sys.version_info)
    shims, environment = tmp_path / "shims", tmp_path / "environment"
    shims.mkdir()
    shim = shims / f"python{version}"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    # In a process of its own: what was found is kept.
    script = f"from tests.conftest import _interpreter as find; print(find({version!r}))"
    path = os.pathsep.join(map(str, (shims, environment / "bin", Path(sys.base_prefix, "bin"))))
    found = Path(run(["-c", script], "mnist", repository, PATH=path).stdout.strip())
    assert found.is_file()
    assert not found.is_relative_to(tmp_path)
