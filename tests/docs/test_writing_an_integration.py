"""The page for a stranger, followed to the letter in an empty folder."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "writing-an-integration.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# file: (\S+)\n")
NUMBER = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True)
class Step:
    """Commands of the page, and what it says that they print."""

    commands: tuple[str, ...]
    printed: str


def files_of(page) -> dict[str, str]:
    """Name -> text; blocks of one file follow on each other."""
    parts: dict[str, list[str]] = {}
    for _, text in BLOCK.findall(page):
        if named := FILE.match(text):
            parts.setdefault(named.group(1), []).append(text[named.end() :])
    return {name: "\n\n".join(texts) for name, texts in parts.items()}


def steps_of(page) -> Iterator[Step]:
    blocks = [(language, text) for language, text in BLOCK.findall(page) if not FILE.match(text)]
    for position, (language, text) in enumerate(blocks):
        if language == "sh":
            following = blocks[position + 1] if position + 1 < len(blocks) else ("", "")
            yield Step(tuple(text.splitlines()), following[1] if following[0] == "text" else "")


def likened(line) -> str:
    """A printed line without its figures, which depend on the machine, and without the width of its columns."""
    return " ".join(NUMBER.sub("#", line).split())


@pytest.fixture
def folder(tmp_path):
    for name, text in files_of(PAGE.read_text(encoding="utf-8")).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def environment(monkeypatch):
    """A user's shell with the virtual environment active."""
    here = Path(sys.executable).parent
    return {
        **{name: value for name, value in os.environ.items() if name not in ("LEAPLAB_RUNS", "PYTHONPATH")},
        "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
    }


def run(command, folder, environment) -> str:
    finished = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, f"{command}: {finished.stdout}{finished.stderr}"
    return finished.stderr + finished.stdout


@contextmanager
def exploring(command, folder, environment) -> Iterator[subprocess.Popen[str]]:
    """The explorer, ended at last as Ctrl-C does."""
    process = subprocess.Popen(
        ["sh", "-c", f"exec {command} --no-browser --port 0"],
        cwd=folder, env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode in (0, 128 + signal.SIGINT)
    finally:
        process.kill()
        process.wait()


def assert_printed(step, printed) -> None:
    """What the page shows is a part of what was printed, apart from figures."""
    shown = [likened(line) for line in step.printed.splitlines() if line not in ("", "...")]
    missing = [line for line in shown if line not in map(likened, printed.splitlines())]
    assert not missing, f"{step.commands} printed: {printed}"


@pytest.mark.long
def test_page_works_as_written(folder, environment):
    steps = list(steps_of(PAGE.read_text(encoding="utf-8")))
    commands = [command for step in steps for command in step.commands]
    assert [command.split()[1] for command in commands if command.startswith("leaplab")] == [
        *("check", "sample", "evaluate", "explore", "bundle")
    ]

    with ExitStack() as stack:
        explored = []
        for step in steps:
            if step.commands == ("leaplab explore",):  # it goes on until it is ended: meanwhile the next steps
                explored.append((step, stack.enter_context(exploring(*step.commands, folder, environment))))
                continue
            printed = "".join(run(command, folder, environment) for command in step.commands)
            assert_printed(step, printed)
            if step.commands == ("leaplab check",):
                assert "\nNothing to mend" in printed  # below the line that tells the interpreter
        ((step, process),) = explored
        assert process.stderr is not None
        assert_printed(step, process.stderr.readline())

    assert (folder / "build" / "samples" / "training" / "training-004" / "picture.png").is_file()
    assert (folder / "bundles" / "bundle.tar.gz").is_file()
