"""`--runner ray`: actors of a local Ray give the bytes that processes give, also where some are killed."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

SCRIPT = Path(__file__).with_name("small_parts.py")
IMAGE = "    image: NDArray[np.float32] = response.data[sample_id].image\n"
NOTED = f"""    import os, pathlib, time
    if os.environ.get("NOTES"):
        pathlib.Path(os.environ["NOTES"], f"{{os.getpid()}}-{{os.environ.get('OMP_NUM_THREADS')}}").touch()
    time.sleep(float(os.environ.get("SLOW", 0)))
{IMAGE}"""
FATAL = f"""    import os, signal
    if str(sample_id) == os.environ.get("FATAL"):
        os.kill(os.getpid(), signal.SIGKILL)
{IMAGE}"""
FAILING = f"""    if str(sample_id).endswith("3"):
        raise ValueError("no such picture")
{IMAGE}"""
pytestmark = [pytest.mark.long, pytest.mark.installed("ray")]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Ray on this machine."""
    folder = tempfile.mkdtemp(prefix="r")  # the paths of its sockets must be short
    before = set(psutil.Process().children(recursive=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        import ray  # which reads these when it is imported

        options: dict[str, Any] = {"object_store_memory": 200 * 2**20, "_temp_dir": folder}
        ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False, **options)
        yield ray.get_runtime_context().gcs_address
        ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)
    _, alive = psutil.wait_procs(set(psutil.Process().children(recursive=True)) - before, timeout=20)
    assert not alive


@pytest.fixture(scope="module")
def noting(make_project: Callable[..., Path]) -> Path:
    """The small integration; its processes note who they are and the threads that they were given."""
    return make_project(changes={"leap_binder.py": (IMAGE, NOTED)})


@pytest.fixture(scope="module")
def by_processes(noting: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    assert finished(start(noting, "--runs", runs, "--workers", 2))[0] == 0
    return runs / "tiny"


def start(*arguments: object, **environment: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(SCRIPT), "5", "evaluate", *map(str, arguments)]
    variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=variables, start_new_session=True, **pipes)


def on_ray(address: str, *arguments: object, **environment: object) -> subprocess.Popen[str]:
    names = [argument for name in environment for argument in ("--env", name)]
    return start(*arguments, "--runner", "ray", "--address", address, *names, **environment)


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, said = process.communicate(timeout=180)
    assert "Traceback" not in said, said
    return process.returncode, out, " ".join(said.split())


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run; of the manifest all but the times of its writing."""
    found = {str(file.relative_to(run)): file.read_bytes() for file in run.rglob("*") if file.is_file()}
    manifest = json.loads(found["manifest.json"])
    for written in (manifest, *manifest["updates"]):
        assert written.pop("created")
    return found | {"manifest.json": json.dumps(manifest).encode()}


def wait_until(true: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def published(run: Path) -> dict[str, int]:
    """Parts that are whole -> when they became so."""
    return {path.name: path.stat().st_mtime_ns for path in (run / "parts").glob("[0-9]*.json")}


def processes(notes: Path) -> set[int]:
    return {int(path.name.split("-")[0]) for path in notes.iterdir()}


def actors(numbers: set[int]) -> dict[int, psutil.Process]:
    """Processes of the integration that an actor has -> the actor."""
    found = {}
    for number in numbers:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(number).parent()
            if parent is not None and "Evaluator" in " ".join(parent.cmdline()):
                found[number] = parent
    return found


def gone(numbers: set[int]) -> bool:
    return not any(psutil.pid_exists(number) for number in numbers)


def test_two_actors_give_the_run_of_two_processes(cluster, noting, by_processes, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    process = on_ray(cluster, noting, "--runs", tmp_path, "--workers", 2, "--json", NOTES=notes, SLOW=0.05)
    code, out, said = finished(process)

    assert code == 0, said
    assert "2 workers on Ray: 1 node, 2 cores." in said
    assert json.loads(out)["states"]["training"]["samples"] == 25
    assert contents(tmp_path / "tiny") == contents(by_processes)
    assert len(processes(notes)) == 3  # those of both actors have encoded samples, and the one that planned
    assert {path.name.split("-")[1] for path in notes.iterdir()} == {os.environ.get("OMP_NUM_THREADS", "None")}
    wait_until(lambda: gone(processes(notes)), 10)


def test_examples_give_the_runs_of_one_process(cluster, repository, tmp_path, example, example_data):
    variables = {"LEAP_EXAMPLE": example, "LEAP_DATA_ROOT": str(example_data(example))}
    options = (repository, "--limit", 12, "--name", "some")
    assert finished(start(*options, "--runs", tmp_path / "local", "--workers", 1, **variables))[0] == 0
    code, _, said = finished(on_ray(cluster, *options, "--runs", tmp_path / "ray", "--workers", 2, **variables))

    assert code == 0, said
    assert len(published(tmp_path / "ray" / "some")) >= 4
    assert contents(tmp_path / "ray" / "some") == contents(tmp_path / "local" / "some")


def test_actor_and_process_that_are_killed_are_replaced(cluster, noting, by_processes, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    process = on_ray(cluster, noting, "--runs", tmp_path, "--workers", 2, "--json", NOTES=notes, SLOW=0.2)
    wait_until(lambda: len(actors(processes(notes))) == 2 and len(published(tmp_path / "tiny")) >= 2)
    first, second = (found := actors(processes(notes)))
    os.kill(first, signal.SIGKILL)
    found[second].kill()
    done = published(tmp_path / "tiny")
    assert len(done) < 10
    code, out, said = finished(process)

    assert code == 0, said
    assert said.count("A worker was lost, and another one takes its place: ") == 2
    assert json.loads(out)["states"]["validation"]["samples"] == 25
    assert contents(tmp_path / "tiny") == contents(by_processes)
    assert done.items() <= published(tmp_path / "tiny").items()  # what was finished was not done again
    assert len(processes(notes)) == 5
    wait_until(lambda: gone(processes(notes)), 10)


def test_part_that_kills_whoever_has_it_ends_the_evaluation(cluster, make_project, tmp_path):
    root = make_project(changes={"leap_binder.py": (IMAGE, FATAL)})
    local, fatal = tmp_path / "local", "training_7"
    fatal = sample_id_of(root, tmp_path / "whole", 7)
    code, _, said = finished(on_ray(cluster, root, "--runs", tmp_path, "--workers", 2, FATAL=fatal))

    assert code == 2
    assert f"was ended by SIGKILL in the middle of its work, input 'image' on sample '{fatal}'" in said
    assert "That was part 1, and it was tried 3 times." in said
    assert "00001.json" not in published(tmp_path / "tiny")
    for runs in (tmp_path, local):  # what kills can be left out, with the words of one process
        runner = ("--runner", "ray", "--address", cluster, "--env", "FATAL") if runs is tmp_path else ()
        ended = start(root, "--runs", runs, "--workers", 2, "--on-error", "skip", *runner, FATAL=fatal)
        assert finished(ended)[0] == 0
    assert contents(tmp_path / "tiny") == contents(local / "tiny")


def sample_id_of(root: Path, runs: Path, row: int) -> str:
    from leaplab import open_run

    assert finished(start(root, "--runs", runs))[0] == 0
    return open_run(runs / "tiny").ids[row]


def test_handler_that_fails_is_told_as_by_a_process(cluster, make_project, tmp_path):
    root = make_project(changes={"leap_binder.py": (IMAGE, FAILING)})
    said = [
        finished(start(root, "--runs", tmp_path / name, "--workers", 1, *arguments))
        for name, arguments in (("local", ()), ("ray", ("--runner", "ray", "--address", cluster)))
    ]

    (one, _, local), (other, _, ray) = said
    assert one == other == 2
    sentence = local[local.index("no such picture") - 40 :]
    assert sentence in ray
    assert "was lost" not in ray


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_it_leaves_nothing_and_goes_on_to_the_same_bytes(cluster, noting, by_processes, tmp_path, how):
    notes = tmp_path / "notes"
    notes.mkdir()
    process = on_ray(cluster, noting, "--runs", tmp_path, "--workers", 2, NOTES=notes, SLOW=0.1)
    wait_until(lambda: len(published(tmp_path / "tiny")) >= 2)
    process.send_signal(how)
    finished(process)
    assert len(published(tmp_path / "tiny")) < 10
    wait_until(lambda: gone(processes(notes)), 30)

    assert finished(on_ray(cluster, noting, "--runs", tmp_path, "--workers", 2))[0] == 0
    assert contents(tmp_path / "tiny") == contents(by_processes)


def test_some_columns_again(cluster, make_project, changed, tmp_path):
    root = make_project()
    for runs in ("local", "ray"):
        assert finished(start(root, "--runs", tmp_path / runs, "--workers", 2))[0] == 0
    changed(root / "leap_binder.py", "scores.cross_entropy(truth, guess)", "2 * scores.cross_entropy(truth, guess)")
    assert finished(start(root, "--runs", tmp_path / "local", "--only", "losses,metrics"))[0] == 0
    again = on_ray(cluster, root, "--runs", tmp_path / "ray", "--only", "losses,metrics")
    assert finished(again)[0] == 0

    assert contents(tmp_path / "ray" / "tiny") == contents(tmp_path / "local" / "tiny")


def test_workers_for_whom_there_is_no_room_keep_nobody(cluster, noting, by_processes, tmp_path):
    code, _, said = finished(on_ray(cluster, noting, "--runs", tmp_path, "--workers", 5))

    assert code == 0, said
    assert "5 workers on Ray: 1 node, 2 cores." in said
    assert contents(tmp_path / "tiny") == contents(by_processes)


@pytest.mark.installed("s3fs", "moto", "flask", "flask_cors")
def test_run_at_a_url(s3, cluster, noting, by_processes, tmp_path, monkeypatch):
    monkeypatch.setenv("LEAPLAB_CACHE", str(tmp_path))
    variables = {name: os.environ[name] for name in ("LEAPLAB_CACHE", *(n for n in os.environ if n.startswith("AWS_")))}
    process = on_ray(cluster, noting, "--runs", f"{s3}/ray", "--workers", 2, "--json", **variables)
    code, out, said = finished(process)

    assert code == 0, said
    assert json.loads(out)["run"] == f"{s3}/ray/tiny"
    import s3fs

    s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False).get(
        f"{s3}/ray/tiny", str(tmp_path / "tiny"), recursive=True
    )
    assert contents(tmp_path / "tiny") == contents(by_processes)


def test_where_no_cluster_is_named_one_is_started_and_ended(noting, by_processes, tmp_path):
    process = start(noting, "--runs", tmp_path, "--runner", "ray")
    children: set[psutil.Process] = set()

    def ended() -> bool:
        if process.poll() is None:
            children.update(psutil.Process(process.pid).children(recursive=True))
        return process.poll() is not None

    wait_until(ended)
    assert process.returncode == 0, process.communicate()
    assert contents(tmp_path / "tiny") == contents(by_processes)
    assert any("raylet" in child.name() for child in children if child.is_running()) or children
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_address_at_which_nothing_answers_is_a_sentence(tiny, tmp_path):
    code, _, said = finished(start(tiny, "--runs", tmp_path, "--runner", "ray", "--address", "127.0.0.1:1"))

    assert code == 2
    assert "No Ray answers at 127.0.0.1:1 (Connection refused); start one by `ray start --head`" in said
