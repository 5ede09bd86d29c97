"""Runs that are interrupted, repeated and refused."""

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import onnx
import psutil
import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.session.opening import open_session

SLOW = """    import os, time
    time.sleep(float(os.environ.get("SLOW", 0)) * ("validation" in sample_id))
    return image
"""


class StoppedError(Exception):
    """Ctrl-C, say."""


def contents(store) -> Any:
    """Every file of a run that an evaluation writes, beside the manifest with its time of writing."""
    folders = ("samples", "latent", "predictions", "confusion")
    files = [file for folder in folders for file in (store.path / folder).rglob("*") if file.is_file()]
    return {str(file.relative_to(store.path)): file.read_bytes() for file in files if not file.name.startswith(".")}


def stop_after(parts) -> Any:
    """A progress callback that stops the evaluation when so many parts are written, and counts samples."""
    counts: list[int] = []

    def progress(count) -> None:
        counts.append(count)
        if len(counts) == parts:
            raise StoppedError

    return progress, counts


@pytest.fixture(scope="module")
def uninterrupted(tiny, tiny_session, evaluated, tmp_path_factory):
    return evaluated(tmp_path_factory.mktemp("runs"), tiny, 7, session=tiny_session)


def test_files_of_a_run_are_complete_and_whole(uninterrupted):
    parts = [f"{number:05d}" for number in range(8)]

    assert sorted(contents(uninterrupted)) == sorted(
        [f"samples/{part}.parquet" for part in parts]
        + [f"latent/{space}/{part}.npy" for part in parts for space in ("model", "rows")]
        + [f"predictions/classes/{part}.npy" for part in parts]
        + [f"confusion/metric.confusion/{part}.parquet" for part in parts]
    )
    assert not [file for file in uninterrupted.path.rglob("*") if file.name.startswith(".")]


@pytest.mark.parametrize("parts", [1, 5])
def test_stopped_run_is_resumed_to_the_same_bytes(tiny, tiny_session, evaluated, uninterrupted, tmp_path, parts):
    stop, _ = stop_after(parts)
    with pytest.raises(StoppedError):
        evaluated(tmp_path, tiny, 7, stop)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "tiny" / "samples").iterdir()}
    assert len(kept) == parts

    counts: list[int] = []
    store = evaluated(tmp_path, tiny, 7, counts.append, session=tiny_session)

    assert len(counts) == 8 - parts
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(store) == contents(uninterrupted)


def test_killed_run_is_resumed_to_the_same_bytes(make_project, evaluated, tmp_path):
    root = make_project(changes={"leap_binder.py": ("    return image\n", SLOW)})
    command = [sys.executable, "-m", "leaplab", "evaluate", root, "--runs", tmp_path / "killed", "--batch-size", "5"]
    process = subprocess.Popen(command, env={**os.environ, "SLOW": "0.1"}, stderr=subprocess.DEVNULL)
    first = tmp_path / "killed" / "tiny" / "parts" / "00000.json"
    deadline = time.monotonic() + 60
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [path.name for path in first.parent.glob("[0-9]*.json")] == [first.name]

    counts: list[int] = []
    resumed = evaluated(tmp_path / "killed", root, batch_size=5, progress=counts.append)
    whole = evaluated(tmp_path / "whole", root, batch_size=5)

    assert counts == [25]
    assert contents(resumed) == contents(whole)
    gone, alive = psutil.wait_procs(children, timeout=30)
    assert gone
    assert not alive


def test_finished_run_is_up_to_date(tiny, tiny_session, evaluated, tmp_path):
    first = evaluated(tmp_path, tiny, session=tiny_session)
    times = {file: file.stat().st_mtime_ns for file in first.path.rglob("*")}
    counts: list[int] = []
    second = evaluated(tmp_path, tiny, progress=counts.append, session=tiny_session)

    assert counts == []
    assert {file: file.stat().st_mtime_ns for file in second.path.rglob("*")} == times


def test_edited_integration_starts_an_incomplete_run_anew_and_spares_a_complete_one(make_project, evaluated, tmp_path):
    root = make_project()
    stop, _ = stop_after(3)
    with pytest.raises(StoppedError):
        evaluated(tmp_path, root, 7, stop)
    scores = root / "scores.py"
    scores.write_text(scores.read_text() + "\n\nUNUSED = 1\n")

    counts: list[int] = []
    store = evaluated(tmp_path, root, 7, counts.append)
    assert sum(counts) == 50
    before = contents(store)

    scores.write_text(scores.read_text() + "OTHER = 2\n")
    with pytest.raises(LeaplabError, match="another model, other code or other options; give this one a --name"):
        evaluated(tmp_path, root, 7)
    assert contents(store) == before


@pytest.mark.parametrize(
    "options", [{"float16": True}, {"limit": 20}, {"states": ["validation"]}, {"latent": "maps"}, {"batch_size": 3}]
)
def test_run_of_other_options_is_not_replaced_unasked(tiny, tiny_session, evaluated, tmp_path, options):
    evaluated(tmp_path, tiny, session=tiny_session)

    with pytest.raises(LeaplabError, match="other options"):
        evaluated(tmp_path, tiny, session=tiny_session, **options)
    assert evaluated(tmp_path, tiny, session=tiny_session, name="second", **options).path == tmp_path / "second"


def test_limit_and_states_decide_the_samples(tiny, tiny_session, evaluated, tmp_path):
    store = evaluated(tmp_path, tiny, states=["validation"], limit=10, session=tiny_session)
    ids = store.read(["sample_id"])["sample_id"].tolist()

    assert store.manifest.states == {"validation": 10}
    assert len(set(ids)) == 10
    assert ids == sorted(ids)
    assert all(key.startswith("validation-") for key in ids)


def test_manifest_says_what_the_run_is(tiny_run, tiny):
    manifest = tiny_run.manifest

    assert (manifest.integration, manifest.entry_file) == (str(tiny), "leap_binder.py")
    assert (manifest.model, manifest.model_format, manifest.model_option) == ("tiny.onnx", "onnx", None)
    assert manifest.states == {"training": 25, "validation": 25}
    assert manifest.visualizers == ("picture", "probabilities")
    columns = manifest.columns
    assert [columns[name].type for name in ("metadata.label", "metadata.shade", "metadata.is_dark")] == [
        *("int", "string", "boolean"),
    ]
    assert (columns["metric.spread_entropy"].direction, columns["metric.spread_entropy"].insights) == (
        "downward",
        False,
    )
    assert (columns["metric.spread_gap"].direction, columns["metric.spread_gap"].insights) == ("upward", True)
    assert columns["loss.cross_entropy"].direction == "downward"


def test_columns_are_declared_in_the_order_of_the_integration(tiny_run):
    assert [name for name in tiny_run.manifest.columns if name.startswith("metric.")] == [
        *("metric.accuracy", "metric.confidence", "metric.spread_entropy", "metric.spread_gap"),
        *("metric.shortfall", "metric.shortfall_1", "metric.confusion"),
    ]


def test_columns_that_differ_by_case_alone_are_refused(make_project, evaluated, tmp_path):
    root = make_project(changes={"leap_binder.py": ('@tensorleap_metadata("number")', '@tensorleap_metadata("Label")')})

    with pytest.raises(LeaplabError, match="'metadata.label' and 'metadata.Label' differ only in upper and lower case"):
        evaluated(tmp_path, root)


def test_nothing_but_a_run_is_replaced(tiny, tiny_session, evaluated, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")

    for replace in ("never", "outdated", "always"):
        with pytest.raises(LeaplabError, match=r"thesis exists and is no run; choose another --name"):
            evaluated(tmp_path, tiny, name="thesis", replace=replace, session=tiny_session)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_another_model_has_a_run_of_its_own(tiny, make_model, evaluated, tmp_path, tiny_run):
    shutil.copytree(tiny_run.path, tmp_path / "runs" / "tiny")
    onnx.save(make_model(seed=4), tmp_path / "other.onnx")
    with open_session(find_project(tiny), tmp_path / "other.onnx") as session:
        with pytest.raises(LeaplabError, match="holds a run of another model"):
            evaluated(tmp_path / "runs", tiny, name="tiny", model=tmp_path / "other.onnx", session=session)
        store = evaluated(tmp_path / "runs", tiny, model=tmp_path / "other.onnx", session=session)

    assert store.path.name == "other"
    assert store.manifest.model_option == str((tmp_path / "other.onnx").resolve())
    assert not np.allclose(store.prediction("classes", 0), tiny_run.prediction("classes", 0))
