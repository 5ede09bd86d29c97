"""`--workers`: several processes of the integration give the bytes that one gives, and none of them stays."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from leaplab.store.run import RunStore

SCRIPT = Path(__file__).with_name("small_parts.py")
IMAGE = "    image: NDArray[np.float32] = response.data[sample_id].image\n"
NOTED = f"""    import os, pathlib, time
    if os.environ.get("NOTES"):
        pathlib.Path(os.environ["NOTES"], f"{{os.getpid()}}-{{os.environ.get('TF_NUM_INTRAOP_THREADS')}}").touch()
    time.sleep(float(os.environ.get("SLOW", 0)))
{IMAGE}"""
SECOND_HANGS = """
import os, pathlib, time

try:
    pathlib.Path(os.environ["MARK"]).open("x").close()
except FileExistsError:
    time.sleep(1000)
import samples  #"""


@pytest.fixture(scope="module")
def noting(make_project: Callable[..., Path]) -> Path:
    """The small integration; its processes note who they are and the threads that they were given."""
    return make_project(changes={"leap_binder.py": (IMAGE, NOTED)})


@pytest.fixture(autouse=True)
def no_process_stays() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


def start(*arguments: object, **environment: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), "5", "evaluate", *map(str, arguments)]
    variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=variables, start_new_session=True, **pipes)


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, said = process.communicate(timeout=120)
    assert "Traceback" not in said, said
    assert "leaked" not in said, said
    return process.returncode, out, " ".join(said.split())


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run; of the manifest all but the time of its writing."""
    found = {str(file.relative_to(run)): file.read_bytes() for file in run.rglob("*") if file.is_file()}
    manifest = json.loads(found["manifest.json"])
    assert manifest.pop("created")
    return found | {"manifest.json": json.dumps(manifest).encode()}


def wait_until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def parts_of(run: Path) -> int:
    return len(list((run / "parts").glob("[0-9]*.json")))


@pytest.fixture(scope="module")
def by_one(noting: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    assert finished(start(noting, "--runs", runs, "--workers", 1))[0] == 0
    return runs / "tiny"


def test_run_of_two_is_that_of_one_file_for_file(noting, by_one, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    process = start(noting, "--runs", tmp_path, "--workers", 2, NOTES=notes, SLOW=0.05)
    code, _, _ = finished(process)

    assert code == 0
    assert contents(tmp_path / "tiny") == contents(by_one)
    noted = [path.name.split("-") for path in notes.iterdir()]
    assert len(noted) == 2  # both have encoded samples
    assert not any(psutil.pid_exists(int(process_id)) for process_id, _ in noted)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_in_the_middle_it_goes_on_to_the_same_bytes(noting, by_one, tmp_path, how):
    process = start(noting, "--runs", tmp_path, "--workers", 2, SLOW=0.05)
    wait_until(lambda: parts_of(tmp_path / "tiny") > 2)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(how)
    finished(process)
    assert 2 < parts_of(tmp_path / "tiny") < 10
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive

    assert finished(start(noting, "--runs", tmp_path, "--workers", 2))[0] == 0
    assert contents(tmp_path / "tiny") == contents(by_one)


@pytest.mark.parametrize("how", [None, signal.SIGINT, signal.SIGKILL])
def test_worker_that_never_comes_keeps_nobody_and_does_not_stay(make_project, tmp_path, how):
    root = make_project(changes={"leap_binder.py": ("import samples  #", SECOND_HANGS)})
    process = start(root, "--runs", tmp_path, "--workers", 2, MARK=tmp_path / "mark")
    wait_until(lambda: len(psutil.Process(process.pid).children()) == 2)
    children = psutil.Process(process.pid).children(recursive=True)
    if how is not None:
        process.send_signal(how)
    code, _, said = finished(process)

    assert how is not None or code == 0, said
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_worker_that_cannot_be_bound_is_told(make_project, changed, tmp_path):
    refuses = SECOND_HANGS.replace("time.sleep(1000)", 'raise OSError("the device is taken") from None')
    root = make_project(changes={"leap_binder.py": ("import samples  #", refuses)})
    changed(root / "leap_binder.py", IMAGE, NOTED)
    code, _, said = finished(start(root, "--runs", tmp_path, "--workers", 2, MARK=tmp_path / "mark", SLOW=0.2))

    assert code == 0
    assert "A worker could not be started, and the others go on: " in said
    assert "the device is taken" in said
    assert RunStore.open(tmp_path / "tiny").samples == 50


def test_choice_is_told_where_nobody_made_it(noting, by_one, tmp_path):
    code, _, said = finished(start(noting, "--runs", tmp_path))

    assert code == 0
    assert "1 worker, as" in said
    assert contents(tmp_path / "tiny")["samples/00000.parquet"] == contents(by_one)["samples/00000.parquet"]


@pytest.mark.long
def test_slow_encoders_get_a_second_worker_unasked(noting, by_one, tmp_path):
    code, _, said = finished(start(noting, "--runs", tmp_path, SLOW=0.4))

    assert code == 0
    assert "workers, as encoding and scoring take longer than the model (4" in said
    assert contents(tmp_path / "tiny") == contents(by_one)


def test_threads_are_the_runs_own_when_it_is_taken_up(noting, by_one, tmp_path):
    assert finished(start(noting, "--runs", tmp_path, "--workers", 2))[0] == 0
    manifest, notes = tmp_path / "tiny" / "manifest.json", tmp_path / "notes"
    content = json.loads(manifest.read_text())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert content["inference_threads"] == max(1, cores // 2 - 1)
    content["inference_threads"] = 37
    manifest.write_text(json.dumps(content))
    notes.mkdir()
    assert '"up_to_date": true' in finished(start(noting, "--runs", tmp_path, "--json"))[1]
    (tmp_path / "tiny" / "parts" / "00003.json").unlink()

    assert finished(start(noting, "--runs", tmp_path, NOTES=notes))[0] == 0
    assert "37" in {path.name.split("-")[1] for path in notes.iterdir()}
    (tmp_path / "tiny" / "parts" / "00003.json").unlink()
    code, _, said = finished(start(noting, "--runs", tmp_path, "--in-process"))
    assert code == 2
    assert finished(start(noting, "--runs", tmp_path, "--only", "losses"))[0] == 0
    assert json.loads(manifest.read_text())["inference_threads"] == 37
    assert "was begun with other threads of inference, which --in-process cannot give it" in said


def test_run_of_an_earlier_leaplab_is_taken_up_by_one_worker(noting, by_one, tmp_path):
    assert finished(start(noting, "--runs", tmp_path))[0] == 0
    manifest = tmp_path / "tiny" / "manifest.json"
    content = json.loads(manifest.read_text())
    del content["inference_threads"]
    manifest.write_text(json.dumps(content))
    assert '"up_to_date": true' in finished(start(noting, "--runs", tmp_path, "--json", "--workers", 2))[1]
    assert RunStore.open(manifest.parent).samples == 50
    for number in (3, 4, 7, 8):
        (manifest.parent / "parts" / f"0000{number}.json").unlink()
    notes = tmp_path / "notes"
    notes.mkdir()

    code, _, said = finished(start(noting, "--runs", tmp_path, "--workers", 2, NOTES=notes, SLOW=0.1))

    assert code == 0
    assert [path.name.split("-")[1] for path in notes.iterdir()].count("None") == 1  # the other one has planned
    assert "is of an earlier leaplab, which noted no threads: one worker goes on with it" in said
    files = contents(manifest.parent)
    assert {**files, "manifest.json": b""} == {**contents(by_one), "manifest.json": b""}


def test_in_process_is_one_worker(noting, tmp_path):
    code, _, said = finished(start(noting, "--runs", tmp_path, "--in-process", "--workers", 2))

    assert code == 0
    assert "With --in-process there is one worker." in said


def test_some_columns_again_by_two(make_project, changed, tmp_path):
    root = make_project()
    for runs in (tmp_path / "one", tmp_path / "two"):
        assert finished(start(root, "--runs", runs))[0] == 0
    changed(root / "leap_binder.py", "scores.cross_entropy(truth, guess)", "2 * scores.cross_entropy(truth, guess)")
    for number, runs in ((1, tmp_path / "one"), (2, tmp_path / "two")):
        assert finished(start(root, "--runs", runs, "--only", "losses", "--workers", number))[0] == 0

    one, two = contents(tmp_path / "one" / "tiny"), contents(tmp_path / "two" / "tiny")
    del one["manifest.json"], two["manifest.json"]  # it says when
    assert one == two
