"""`leaplab check` on what people hand it: exit codes, JSON, and never a traceback."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.leaplab.check.variants import BINDER, LEAP_YAML, at_import, included

Command = Callable[..., Any]


def findings(command: Command, root: Path, *options: object) -> list[dict[str, str]]:
    """What `check --json` tells; its exit code is 1 for an error and 0 without."""
    finished = command("check", root, "--json", *options)
    assert "Traceback" not in finished.out + finished.err
    told = json.loads(finished.out)
    errors = any(finding["severity"] == "error" for finding in told["findings"])
    assert finished.code == int(errors)
    found: list[dict[str, str]] = told["findings"]
    return found


def test_a_good_integration_ends_with_0_and_stays_as_it_was(command: Command, make_good: Callable[..., Path]) -> None:
    root = make_good()

    def files() -> list[Path]:  # but for the bytecode that Python itself writes
        return sorted(path for path in root.rglob("*") if "__pycache__" not in path.parts)

    before = files()
    finished = command("check", root)
    assert finished.code == 0
    assert finished.out.startswith("Nothing to mend")
    assert files() == before


def test_a_warning_ends_with_0_unless_strict(command: Command, make_good: Callable[..., Path]) -> None:
    root = make_good(((LEAP_YAML, "py311", "py37"),))
    finished = command("check", root)
    assert finished.code == 0
    assert "C04 warning leap.yaml  pythonVersion is 'py37'." in finished.out
    assert "Set pythonVersion to one of py38" in finished.out
    assert "0 errors, 1 warning" in finished.out
    assert command("check", root, "--strict").code == 1


def test_an_error_ends_with_1(command: Command, make_good: Callable[..., Path]) -> None:
    finished = command("check", make_good(at_import("raise RuntimeError('[bold]no markup[/]')")))
    assert finished.code == 1
    assert f"C40 error {BINDER}:30  RuntimeError: [bold]no markup[/]." in finished.out


def test_json_tells_rule_severity_place_sentence_and_mend(command: Command, make_good: Callable[..., Path]) -> None:
    (found,) = findings(command, make_good(included("- labels")))
    assert found == {
        "rule": "C08",
        "severity": "warning",
        "place": "leap.yaml",
        "sentence": "include 'labels' matches no file; correct it or take it out.",
        "mend": found["mend"],
    }
    assert found["mend"].startswith("Correct the pattern")


@pytest.mark.parametrize("name", ["absent", "leap.yaml"])
def test_what_is_no_folder_ends_with_2(command: Command, make_good: Callable[..., Path], name: str) -> None:
    finished = command("check", make_good() / name)
    assert finished.code == 2
    assert "is not a folder; name the folder that holds the integration's leap.yaml" in finished.err
    assert "Traceback" not in finished.err


def test_an_empty_folder_holds_no_integration(command: Command, tmp_path: Path) -> None:
    assert {(found["rule"], found["place"]) for found in findings(command, tmp_path)} == {("C01", "leap.yaml")}


@pytest.mark.parametrize(
    ("content", "rule", "says"),
    [
        ("entryFile: leap_binder.py\ninclude:\n- 'leap_bin", "C01", "line 3"),
        ("entryFile: leap_binder.py\ninclude:\n\t- leap_binder.py\n", "C01", "YAML takes no tabs"),
        ("just text", "C01", "keys and values"),
        ("entryFile: leap_binder.py\ninclude: leap_binder.py\n", "C01", "must be a list"),
        ("entryFile: ../elsewhere.py\n", "C02", "lies outside the folder"),
        ("entryFile: /etc/passwd\n", "C02", "lies outside the folder"),
        ("entryFile: .\n", "C02", "does not exist"),
    ],
)
def test_a_bad_leap_yaml_is_a_finding(
    command: Command, make_good: Callable[..., Path], content: str, rule: str, says: str
) -> None:
    root = make_good()
    (root / LEAP_YAML).write_text(content, encoding="utf-8")
    (root.parent / "elsewhere.py").touch()
    told = [found for found in findings(command, root) if found["severity"] == "error"]
    assert [found["rule"] for found in told] == [rule]
    assert says in told[0]["sentence"]


def test_a_leap_yaml_that_is_no_text_is_a_finding(command: Command, make_good: Callable[..., Path]) -> None:
    root = make_good()
    (root / LEAP_YAML).write_bytes(b"\xff\xfe\x00binary")
    (found,) = findings(command, root)
    assert found["rule"] == "C01"
    assert "it is not UTF-8 text" in found["sentence"]


def test_a_folder_in_the_place_of_leap_yaml_is_a_finding(command: Command, make_good: Callable[..., Path]) -> None:
    root = make_good()
    (root / LEAP_YAML).unlink()
    (root / LEAP_YAML).mkdir()
    (found,) = findings(command, root)
    assert (found["rule"], found["place"]) == ("C01", LEAP_YAML)
    assert "directory" in found["sentence"].lower()


def test_links_in_a_circle_are_a_finding(command: Command, make_good: Callable[..., Path]) -> None:
    root = make_good(included("- labels/**"))
    (root / "labels").mkdir()
    (root / "labels" / "again").symlink_to(root / "labels")
    (root / "labels" / "self").symlink_to(root / "labels" / "self")
    (root / "labels" / "classes.txt").write_text("top\n", encoding="utf-8")
    told = findings(command, root)
    assert {(found["rule"], found["place"]) for found in told} == {("C16", "labels/again"), ("C16", "labels/self")}


def test_a_module_that_is_a_folder_is_a_finding(command: Command, make_good: Callable[..., Path]) -> None:
    root = make_good()
    (root / "samples.py").unlink()
    (root / "samples.py").mkdir()
    assert {"C08", "C40"} <= {found["rule"] for found in findings(command, root)}


def test_a_binder_that_is_no_text_is_a_finding(command: Command, make_good: Callable[..., Path]) -> None:
    root = make_good()
    (root / BINDER).write_bytes(b"\xff\xfe\x00 = 1\n")
    assert [(found["rule"], found["place"]) for found in findings(command, root)] == [("C20", f"{BINDER}:1")]


def test_a_model_that_does_not_exist_is_a_finding(command: Command, make_good: Callable[..., Path]) -> None:
    (found,) = findings(command, make_good(), "--model", "absent.onnx")
    assert found["rule"] == "C70"
    assert "absent.onnx does not exist; correct --model" in found["sentence"]


def test_what_hangs_is_ended_with_all_that_it_started(
    make_good: Callable[..., Path], command: Command, tmp_path: Path
) -> None:
    beacon = tmp_path / "beacon"
    child = f"import pathlib, time\nwhile True:\n    pathlib.Path({str(beacon)!r}).touch(); time.sleep(0.1)"
    root = make_good(
        at_import(
            f"import subprocess, sys, time\n\nsubprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(600)"
        )
    )
    (found,) = findings(command, root, "--time-limit", 4)
    assert (found["rule"], found["place"]) == ("C41", BINDER)
    beacon.unlink(missing_ok=True)
    time.sleep(0.5)
    assert not beacon.exists()
