"""What a person adds to a run outlives evaluations, other writers, and whatever else happens to a file."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from leaplab.errors import LeaplabError, QuestionError
from leaplab.store.catalog import catalog, delete_run
from leaplab.store.lock import turn
from leaplab.store.notes import InsightNote, Notes, change_notes, notes_path, read_notes, tag_name
from leaplab.store.writing import WrittenRun

NOTES = Notes({"odd": {"training": ["training-1"]}}, {"a1b2": InsightNote("dismissed", "known")}, {"first": [1]})
ON_DISK = {
    "tags": {"odd": {"training": ["training-1"]}},
    "insights": {"a1b2": {"status": "dismissed", "note": "known"}},
    "boards": {"first": [1]},
}
WRITER = """
import sys, pathlib
from msgspec.structs import replace
from leaplab.store.notes import change_notes
run, who = pathlib.Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    change_notes(run, lambda notes: replace(notes, tags={**notes.tags, f"{who} {number}": {who: [str(number)]}}))
"""
DYING = """
import os, pathlib, signal, sys
from leaplab.store.notes import Notes, change_notes
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # when all is written and nothing is renamed
change_notes(pathlib.Path(sys.argv[1]), lambda notes: Notes())
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "digits"


def lie_at(run: Path, content: bytes) -> Path:
    path = run.parent / ".notes" / f"{run.name}.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_notes_outlive_the_run(make_store: Callable[..., WrittenRun], make_manifest: Callable[..., Any]) -> None:
    store = make_store()
    assert change_notes(store.path, lambda _: NOTES) == NOTES
    WrittenRun.begin(store.path, make_manifest(identity="two"), "always")
    assert read_notes(store.path) == NOTES
    delete_run(store.path.parent, store.path.name)

    assert not store.path.exists()
    assert read_notes(store.path) == NOTES
    assert catalog(store.path.parent) == []
    assert json.loads((store.path.parent / ".notes" / f"{store.path.name}.json").read_text()) == ON_DISK


def test_a_run_is_the_same_by_a_relative_path(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.mkdir(parents=True)
    change_notes(run, lambda _: NOTES)
    monkeypatch.chdir(run)
    assert read_notes(Path()) == NOTES


def test_nobody_has_written_any(run: Path) -> None:
    assert read_notes(run) == Notes()
    assert not run.parent.exists(), "reading makes nothing"


def test_two_processes_that_write_at_once_lose_nothing(run: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(run), who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for who in ("left", "right")
    ]
    for each in writers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in writers:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    for each in writers:
        each.communicate(timeout=50)
        assert each.returncode == 0

    assert read_notes(run).tags == {
        f"{who} {number}": {who: [str(number)]} for who in ("left", "right") for number in range(60)
    }
    assert [path.name for path in (run.parent / ".notes").iterdir()] == ["digits.json"], "nothing else is left"


def test_a_process_that_is_killed_leaves_the_former_notes_and_no_lock(run: Path) -> None:
    change_notes(run, lambda _: NOTES)
    ended = subprocess.run([sys.executable, "-c", DYING, str(run)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert read_notes(run) == NOTES

    begun = time.monotonic()
    after = change_notes(run, lambda notes: replace(notes, tags={}))
    assert time.monotonic() - begun < 2
    assert read_notes(run) == after == replace(NOTES, tags={})


def test_whoever_holds_the_notes_for_long_is_named(run: Path) -> None:
    path = notes_path(run)
    path.parent.mkdir(parents=True)
    held = rf"is being written by process {os.getpid()} .* try again"
    with turn(path), pytest.raises(LeaplabError, match=held), turn(path, patience=0.1):
        pass
    with turn(path, patience=0.0):
        pass


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"tags": 3}',
        b'{"tags": {"a": {"training": [3]}}}',
        b'{"insights": {"a": {"status": "perhaps"}}}',
        b'{"tags": {}, "pictures": {}}',  # of a later version: what it holds must not be lost
        b'{"tags": {"\xff": {}}}',
        b"[]",
        b"\x89PNG\r\n",
    ],
)
def test_what_is_damaged_or_foreign_is_a_sentence_and_stays(run: Path, content: bytes) -> None:
    path = lie_at(run, content)
    for ask in (read_notes, lambda run: change_notes(run, lambda _: NOTES)):
        with pytest.raises(LeaplabError, match="cannot be read .*; mend it, or move it away") as error:
            ask(run)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)
    assert path.read_bytes() == content


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Without the rights of the superuser, whom no permission stops."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("written_before", [True, False])
def test_a_read_only_folder_is_a_sentence(written_before: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "digits"
        run.mkdir()
        if written_before:
            change_notes(run, lambda _: NOTES)
        for each in (*Path(folder).rglob("*"), Path(folder)):
            each.chmod(0o444 if each.is_file() else 0o555)
        with as_somebody_else():
            assert read_notes(run) == (NOTES if written_before else Notes())
            with pytest.raises(LeaplabError, match="cannot be written .*, so nothing was kept; make the folder"):
                change_notes(run, lambda notes: replace(notes, boards={"b": 1}))
            assert read_notes(run) == (NOTES if written_before else Notes())
        for each in (Path(folder), *Path(folder).rglob("*")):
            each.chmod(0o755)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" look at again ", "look at again"),
        ("Odd", "Odd"),
        ("cafe\u0301", "caf\u00e9"),
        ("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c"),
        ("a/b \u00b7 100 %", "a/b \u00b7 100 %"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_any_text(text: str, kept: str) -> None:
    assert tag_name(text) == kept


@pytest.mark.parametrize("text", ["", "  ", "x" * 101, "a\nb", "a\x00b", "\ud800", "a\u2028b"])
def test_what_is_no_name_is_a_sentence(text: str) -> None:
    with pytest.raises(QuestionError, match="tag"):
        tag_name(text)
