"""Evaluations that are killed, starved and raced, and the runs that they leave behind."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import pytest

from leaplab.errors import LeaplabError
from leaplab.store.run import RunStore

SCRIPT = Path(__file__).with_name("small_parts.py")
FOLDERS = ("samples", "instances", "latent", "predictions", "ground_truths", "thumbnails", "confusion", "parts")
IMAGE = "    image: NDArray[np.float32] = response.data[sample_id].image\n"
SLOW = f"    import time\n    time.sleep(0.01)\n{IMAGE}"
KILLS = 50
pytestmark = pytest.mark.long


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run but its manifest, which has the time of writing."""
    found = [file for folder in FOLDERS for file in (run / folder).rglob("*") if file.is_file()]
    return {str(file.relative_to(run)): file.read_bytes() for file in found}


def start(size: int, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), str(size), *map(str, arguments)]
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True, **pipes)


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=120)
    return process.returncode, " ".join(said.split())


def parts_of(run: Path) -> int:
    return len(list((run / "parts").glob("[0-9]*.json")))


def wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)


def has_more_parts_or_ended(run: Path, known: int, process: subprocess.Popen[str]) -> bool:
    return parts_of(run) > known or process.poll() is not None


@pytest.fixture
def lasting(make_project: Callable[..., Path], changed: Callable[[Path, str, str], None]) -> Path:
    """An integration whose evaluation takes some seconds."""
    root = make_project(changes={"leap_binder.py": (IMAGE, SLOW)})
    changed(root / "project_config.yaml", "training: 25", "training: 1200")
    return root


@pytest.fixture
def no_process_stays() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


def kill(process: subprocess.Popen[str], how: str) -> None:
    """End an evaluation in one of the ways in which they end."""
    workers = psutil.Process(process.pid).children()
    if how == "worker":
        if workers:
            workers[0].kill()
        else:
            process.kill()
    elif how == "group":
        for each in (process, *workers):
            each.send_signal(signal.SIGKILL)
    else:
        process.send_signal({"parent": signal.SIGKILL}.get(how) or getattr(signal, how))


@pytest.mark.parametrize(("workers", "kills"), [(1, KILLS), (2, KILLS // 2)])
def test_kills_leave_the_bytes_of_an_undisturbed_run(lasting, evaluated, tmp_path, no_process_stays, workers, kills):
    generator = random.Random(20261127)
    run = tmp_path / "killed" / "tiny"
    arguments = ("evaluate", lasting, "--runs", run.parent, "--workers", workers)
    endings: dict[str, set[int]] = {}
    for number in range(kills):
        begun, known = time.time(), parts_of(run)
        process = start(5, *arguments)
        # From here on it writes; what comes before is of other tests.
        wait_until(partial(has_more_parts_or_ended, run, known, process))
        assert process.poll() is None, finished(process)
        time.sleep(generator.uniform(0, 0.15))
        workers = psutil.Process(process.pid).children()
        how = ("group", "worker", "parent", "SIGINT", "SIGTERM")[number % 5]
        kill(process, how)
        code, said = finished(process)
        endings.setdefault(how, set()).add(code)
        assert "Traceback" not in said, said
        _, alive = psutil.wait_procs(workers, timeout=20)
        assert not alive, f"after {how}, {time.time() - begun:.1f} s"

    assert endings["group"] == endings["parent"] == {-signal.SIGKILL}
    assert endings["worker"] == {2}
    assert parts_of(run) < 245, "it came to its end before the kills did"
    assert finished(start(5, *arguments))[0] == 0
    whole = evaluated(tmp_path / "whole", lasting, 5)
    assert contents(run) == contents(whole.path)
    assert not [path for path in run.parent.rglob(".*") if path.name != ".tiny.lock"]


def killed_at_each_rename(arguments: tuple[object, ...], before: Callable[[Path], None], runs: Path) -> Iterator[Path]:
    """The folder of the runs after a kill at the first rename, at the second, and so on until there are no more."""
    number = 0
    while True:
        number += 1
        folder = runs / f"{number:03d}"
        folder.mkdir(parents=True)
        before(folder)
        code, said = finished(start(1000, *arguments, "--runs", folder, KILL_AT_RENAME=str(number)))
        if code == 0:
            assert number > 4
            return
        assert code == -signal.SIGKILL, said
        assert outcome_of(folder / "tiny") in ("whole", "is no run", "is incomplete")
        yield folder


def outcome_of(run: Path) -> str:
    try:
        RunStore.open(run)
    except LeaplabError as error:
        return next((reason for reason in ("is no run", "is incomplete") if reason in str(error)), str(error))
    return "whole"


def test_a_kill_at_every_rename_of_a_small_run(tiny, tiny_run, tiny_session, evaluated, tmp_path):
    wanted, killed = contents(tiny_run.path), 0
    for runs in killed_at_each_rename(("evaluate", tiny), lambda folder: None, tmp_path):
        killed += 1
        assert contents(evaluated(runs, tiny, session=tiny_session).path) == wanted
        assert [path.name for path in runs.iterdir()] == ["tiny"]
    assert killed == 17  # the manifest, and eight files of each of two parts


def test_a_kill_at_every_rename_while_a_run_is_replaced(tiny, tiny_run, tiny_session, evaluated, tmp_path):
    wanted = contents(tiny_run.path)

    def before(runs: Path) -> None:
        evaluated(runs, tiny, session=tiny_session, states=["training"])

    # The run that is there is renamed, the manifest written, the first file; what follows is as above.
    for runs in islice(killed_at_each_rename(("evaluate", tiny, "--overwrite"), before, tmp_path), 4):
        assert contents(evaluated(runs, tiny, session=tiny_session, replace="outdated").path) == wanted
        assert [path.name for path in runs.iterdir()] == ["tiny"]


def test_a_kill_at_every_rename_while_columns_are_computed_again(tiny, tiny_run, tiny_session, evaluated, tmp_path):
    wanted = {path: data for path, data in contents(tiny_run.path).items() if not path.startswith("parts/")}

    def before(runs: Path) -> None:
        evaluated(runs, tiny, session=tiny_session)

    for runs in killed_at_each_rename(("evaluate", tiny, "--only", "metrics,metadata"), before, tmp_path):
        found = contents(evaluated(runs, tiny, session=tiny_session, only=("metric", "metadata")).path)
        assert {path: data for path, data in found.items() if not path.startswith("parts/")} == wanted


def test_two_evaluations_at_once(lasting, evaluated, tmp_path, no_process_stays):
    run = tmp_path / "runs" / "tiny"
    first = start(5, "evaluate", lasting, "--runs", run.parent)
    wait_until(lambda: parts_of(run) > 2)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        second = finished(start(5, "evaluate", lasting, "--runs", run.parent, "--limit", 12, "--update"))
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert second[0] == 2
    assert f"is being written by process {first.pid}" in second[1]
    assert finished(first)[0] == 0

    assert contents(run) == contents(evaluated(tmp_path / "whole", lasting, 5).path)


def test_the_name_of_a_dead_writer_is_taken_over(lasting, evaluated, tmp_path):
    run = tmp_path / "runs" / "tiny"
    first = start(5, "evaluate", lasting, "--runs", run.parent)
    wait_until(lambda: parts_of(run) > 2)
    first.kill()
    finished(first)

    assert finished(start(5, "evaluate", lasting, "--runs", run.parent, "--limit", 12))[0] == 0
    assert contents(run) == contents(evaluated(tmp_path / "whole", lasting, 5, limit=12).path)


FULL_DISK = """
set -e
mount -t tmpfs -o size={size}k tmpfs "$RUNS"
set +e
"$@" 2> "$OUT/said"
echo $? > "$OUT/code"
set -e
mount -o remount,size=64m "$RUNS"
"$@" 2> "$OUT/said_then"
cp -r "$RUNS/tiny" "$OUT/tiny"
"""


@pytest.mark.small_disk
@pytest.mark.parametrize("size", [4, 60, 200, 340])  # KiB; it takes a megabyte and a half
def test_a_full_disk_is_a_sentence_and_room_mends_it(tiny, evaluated, tmp_path, size):
    runs, out = tmp_path / "runs", tmp_path / "out"
    runs.mkdir()
    out.mkdir()
    command = [sys.executable, str(SCRIPT), "3", "evaluate", str(tiny), "--runs", str(runs)]
    shell = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FULL_DISK.format(size=size), "sh", *command]
    environment = {**os.environ, "RUNS": str(runs), "OUT": str(out)}
    ended = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr

    said = " ".join((out / "said").read_text().split())
    assert (out / "code").read_text().strip() == "2", said
    assert "cannot be written (No space left on device" in said
    assert "Traceback" not in said
    assert contents(out / "tiny") == contents(evaluated(tmp_path / "whole", tiny, 3).path)
