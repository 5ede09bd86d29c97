"""What goes wrong around an evaluation is a sentence, or goes well after all."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from leaplab.store.run import RunStore

SHADE = "    shade: str | None = samples.shade(response.data[sample_id])\n"
LABEL = "    label: int = response.data[sample_id].label\n"
IDS = "PreprocessResponse(sample_ids=list(ids), data=ids, state=state)"
LONELY = (
    'PreprocessResponse(sample_ids=[f"{each}\\ud83d" for each in ids],'
    ' data={f"{each}\\ud83d": one for each, one in ids.items()}, state=state)'
)
STACK = """
def stack(arrays):
    return original(arrays)

original, np.stack = np.stack, stack
"""
IMPORTING = """
import time
from pathlib import Path
Path("importing").touch()
time.sleep(60)
"""


@pytest.fixture
def edited(make_project: Callable[..., Path], changed: Callable[[Path, str, str], None]) -> Callable[[str, str], Path]:
    def edit(old: str, new: str) -> Path:
        root = make_project()
        changed(root / "leap_binder.py", old, new)
        return root

    return edit


def said_by(finished) -> str:
    return " ".join(finished.err.split())


def test_half_a_character_is_stored_as_its_escape(edited, command, tmp_path):
    root = edited(SHADE, '    shade = "grey \\ud83d"\n')
    finished = command("evaluate", root, "--runs", tmp_path, "--json")

    assert finished.code == 0, finished.err
    assert set(RunStore.open(tmp_path / "tiny").read(["metadata.shade"])["metadata.shade"]) == {"grey \\ud83d"}


def test_ids_may_hold_half_a_character(edited, command, tmp_path):
    finished = command("evaluate", edited(IDS, LONELY), "--runs", tmp_path, "--json")

    assert finished.code == 0, finished.err
    assert RunStore.open(tmp_path / "tiny").row(3)["sample_id"] == "training-03\\ud83d"


def test_an_integer_beyond_64_bits_names_sample_and_handler(edited, command, tmp_path):
    finished = command("evaluate", edited(LABEL, f"{LABEL}    label = 2**64\n"), "--runs", tmp_path)

    assert finished.code == 2
    told = "Metadata 'label' on sample 'training-00' of training: it returned 18446744073709551616, which is beyond 64"
    assert told in said_by(finished)


def test_a_name_may_be_longer_than_a_file_s(tiny, command, tmp_path):
    finished = command("evaluate", tiny, "--runs", tmp_path, "--name", "digits " * 100, "--json")

    assert finished.code == 0, finished.err
    assert len(Path(json.loads(finished.out)["run"]).name) < 255


def test_a_file_where_the_runs_should_be_is_a_sentence(tiny, command, tmp_path):
    (tmp_path / "runs").write_text("mine")
    finished = command("evaluate", tiny, "--runs", tmp_path / "runs")

    assert finished.code == 2
    assert "cannot be written (" in said_by(finished)
    assert "name another folder by --runs" in said_by(finished)


def test_overwriting_a_link_replaces_the_run_that_it_leads_to(tiny, command, tmp_path):
    assert command("evaluate", tiny, "--runs", tmp_path / "elsewhere", "--limit", 3).code == 0
    (tmp_path / "runs").mkdir()
    link = tmp_path / "runs" / "tiny"
    link.symlink_to(tmp_path / "elsewhere" / "tiny")

    finished = command("evaluate", tiny, "--runs", link.parent, "--overwrite")

    assert finished.code == 0, finished.err
    assert link.is_symlink()
    assert RunStore.open(tmp_path / "elsewhere" / "tiny").samples == 50


def test_what_an_integration_makes_of_numpy_is_told(edited, command, tmp_path):
    root = edited("HERE = Path", f"{STACK}\nHERE = Path")
    finished = command("evaluate", root, "--runs", tmp_path, "--json")

    assert finished.code == 0, finished.err
    assert "The integration replaces numpy.stack; what leaplab computes in its process is by" in said_by(finished)


def test_what_fails_by_it_is_a_sentence(edited, command, tmp_path):
    broken = STACK.replace("return original(arrays)", 'raise TypeError("not with me")')
    finished = command("evaluate", edited("HERE = Path", f"{broken}\nHERE = Path"), "--runs", tmp_path)

    assert finished.code == 2
    said = said_by(finished)
    assert "failed (TypeError: not with me); the integration replaces numpy.stack" in said
    assert "leave these as they are" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_an_integration_is_imported_leaves_nothing(edited, tmp_path, stop):
    root = edited("HERE = Path", f"{IMPORTING}\nHERE = Path")
    command = [sys.executable, "-m", "leaplab", "evaluate", str(root), "--runs", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    end = time.monotonic() + 60
    while not (root / "importing").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, stop)
    _, said = process.communicate(timeout=20)

    assert process.returncode == (130 if stop is signal.SIGINT else -signal.SIGTERM)
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(children, timeout=15)
    assert not alive
    assert list(tmp_path.iterdir()) == []


READ_ONLY = """
set -e
mount -t tmpfs -o size=64m tmpfs "$RUNS"
cp -r "$RUN" "$RUNS/tiny"
mount -o remount,ro "$RUNS"
set +e
"$PYTHON" -m leaplab evaluate "$ROOT" --runs "$RUNS" --overwrite 2> "$OUT/said"
echo $? > "$OUT/code"
"$PYTHON" -c "$LOOK" "$RUNS/tiny" > "$OUT/seen" 2>&1
"""
LOOK = """
import sys
from pathlib import Path
from fastapi.testclient import TestClient
from leaplab.explorer.application import make_application
from leaplab.store.run import RunStore

client = TestClient(make_application(RunStore.open(Path(sys.argv[1]))), base_url="http://127.0.0.1")
for path in ("/api/v1/run", "/api/v1/map?space=model&method=pca", "/api/v1/samples/3"):
    print(path, client.get(path).status_code)
"""


@pytest.mark.long
@pytest.mark.small_disk
def test_a_run_that_is_only_to_be_read_is_explored_and_not_replaced(tiny, tiny_run, tmp_path):
    runs, out = tmp_path / "runs", tmp_path / "out"
    runs.mkdir()
    out.mkdir()
    given = {"RUNS": runs, "OUT": out, "ROOT": tiny, "RUN": tiny_run.path, "PYTHON": sys.executable, "LOOK": LOOK}
    environment = {**os.environ, **{name: str(value) for name, value in given.items()}}
    shell = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", READ_ONLY]
    ended = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr

    said = " ".join((out / "said").read_text().split())
    assert (out / "code").read_text().strip() == "2", said
    assert "cannot be written (Read-only file system)" in said
    seen = (out / "seen").read_text()
    assert [line.rpartition(" ")[2] for line in seen.splitlines()] == ["200"] * 3, seen
