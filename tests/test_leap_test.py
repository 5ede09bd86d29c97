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
    """The exit code of `run_tests`, and pytest's arguments, for a binder's reason and an exit code of pytest."""

    def run_tests(reason: str | None, pytest_code: int, examples: list[str]) -> tuple[int, list[str]]:
        commands: list[list[str]] = []

        def finish(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
            commands.append(command)
            return subprocess.CompletedProcess(command, pytest_code)

        monkeypatch.setattr(leap_test, "check_binder", lambda example, data, root: reason)
        monkeypatch.setattr(subprocess, "run", finish)
        code = leap_test.run_tests(examples)
        assert len(commands) == 1
        assert commands[0][:3] == [sys.executable, "-m", "pytest"]
        return code, commands[0][3:]

    return run_tests


@pytest.mark.parametrize(
    ("reason", "pytest_code", "expected"), [(None, 0, 0), ("it is broken", 0, 1), (None, 1, 1), ("it is broken", 2, 2)]
)
def test_any_failure_is_an_exit_code(
    reason: str | None, pytest_code: int, expected: int, outcome: Callable[..., tuple[int, list[str]]]
) -> None:
    code, arguments = outcome(reason, pytest_code, [])
    assert code == expected
    assert arguments == ["tests"]


def test_a_failed_binder_is_named_with_its_reason(
    outcome: Callable[..., tuple[int, list[str]]], capsys: pytest.CaptureFixture[str]
) -> None:
    outcome("it is broken", 0, ["mnist"])
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
    outcome(None, 0, [example])
    assert f"{example}: ok, the platform would accept it (on generated data: " in capsys.readouterr().out
    assert not (tmp_path / "nothing").exists(), "the data root of a person is theirs"


def test_where_the_real_data_is_demanded_nothing_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAP_DATA_ROOT", str(tmp_path / "nothing"))
    monkeypatch.setenv("REQUIRE_REAL_DATA", "1")
    assert example_data_root("mnist", tmp_path / "scratch") == tmp_path / "nothing"


def test_a_named_example_is_tested_alone(outcome: Callable[..., tuple[int, list[str]]]) -> None:
    _, arguments = outcome(None, 0, ["mnist"])
    assert arguments == ["tests/mnist", "tests/contract", "--example=mnist"]


def test_an_unknown_example_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="The command line names the example 'fashion'"):
        leap_test.run_tests(["fashion"])
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
