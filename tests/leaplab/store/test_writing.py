"""A run's folder between its writers: locks, leftovers, damage and what is said of it."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.store.catalog import catalog, delete_run, verify_run
from leaplab.store.lock import locked
from leaplab.store.manifest import read_manifest, write_manifest
from leaplab.store.removing import clear_leftovers
from leaplab.store.run import RunStore
from leaplab.store.writing import PartValues, WrittenRun

COLUMNS = {"metadata.label": "int", "loss.a": "float", "metric.b": "float"}
HOLDER = """
import os, sys, time
from pathlib import Path
from leaplab.store.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def written(store: WrittenRun, part: int = 0, **columns: Sequence[Any]) -> None:
    planned = store.manifest.parts[part]
    count = planned.stop - planned.start
    ids = [f"{planned.state}-{planned.start + number}" for number in range(count)]
    values: dict[str, Sequence[Any]] = {"metadata.label": list(range(count)), "loss.a": [0.5] * count, **columns}
    latent = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    store.write_part(PartValues(planned, ids, values, {"model": latent}, {"out": latent}, {}))


@pytest.fixture
def store(make_store: Callable[..., WrittenRun]) -> WrittenRun:
    """A finished run of two parts."""
    store = make_store({"training": (3,), "unlabeled": (2,)}, COLUMNS)
    written(store, 0, **{"metric.b": [1.0, 2.0, 3.0]})
    written(store, 1)
    store.finish()
    return store


@pytest.fixture
def holder(store):
    """Another process that writes the run."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, store.path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_run_has_one_writer_who_is_named(store, holder):
    with pytest.raises(LeaplabError, match=f"is being written by process {holder.pid} on "), locked(store.path):
        pass


@pytest.mark.parametrize("act", [delete_run, lambda runs, name: verify_run(runs / name)])
def test_what_is_being_written_is_neither_deleted_nor_verified(store, holder, act):
    with pytest.raises(LeaplabError, match="is being written by"):
        act(store.path.parent, store.path.name)
    assert RunStore.open(store.path).samples == 5


def test_a_dead_writer_holds_nothing(store, holder):
    holder.kill()
    holder.wait()

    with locked(store.path):
        pass
    assert [path.name for path in store.path.parent.iterdir()] == [store.path.name]


def test_a_lock_whose_file_was_removed_meanwhile_is_not_taken_for_held(store):
    lock = store.path.with_name(f".{store.path.name}.lock")
    with lock.open("w") as former:
        fcntl.flock(former, fcntl.LOCK_EX)
        lock.unlink()
        with locked(store.path):
            assert not os.path.samestat(lock.stat(), os.fstat(former.fileno()))


def test_a_part_is_not_published_into_another_run(store, make_manifest):
    late = WrittenRun(store.path, store.manifest)
    write_manifest(store.path / "manifest.json", make_manifest({"training": (3,)}, COLUMNS, identity="two"))

    with pytest.raises(LeaplabError, match="holds another run by now"):
        written(late, 0)


def test_checksums_of_a_part_are_those_of_its_files(store):
    entry = json.loads((store.path / "parts" / "00000.json").read_text())

    assert set(entry["files"]) == {"samples/00000.parquet", "latent/model/00000.npy", "predictions/out/00000.npy"}
    for path, file in entry["files"].items():
        data = (store.path / path).read_bytes()
        assert file == {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize("file", ["samples/00001.parquet", "latent/model/00001.npy", "parts/00001.json"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_part_that_lost_a_byte_is_a_sentence_and_alone_to_be_made_again(store, file, damage):
    path = store.path / file
    path.unlink() if damage == "missing" else path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(LeaplabError, match=r"is incomplete: 1 of 2 parts are missing or damaged; run the same"):
        RunStore.open(store.path)
    again = WrittenRun.begin(store.path, store.manifest)
    assert [part.number for part in again.missing_parts()] == [1]
    written(again, 1)
    again.finish()
    assert RunStore.open(store.path).read(["metadata.label"])["metadata.label"].tolist() == [0, 1, 2, 0, 1]


def test_what_changed_without_a_change_in_size_is_found_by_its_checksum(store):
    assert verify_run(store.path) == []
    path = store.path / "latent" / "model" / "00000.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    assert RunStore.open(store.path).samples == 5  # sizes are as they were

    assert verify_run(store.path) == ["latent/model/00000.npy"]
    assert [part.number for part in RunStore(store.path, store.manifest).missing_parts()] == [0]


def test_files_of_a_desktop_disturb_nothing(store):
    for folder in (store.path.parent, store.path, *store.path.iterdir()):
        if folder.is_dir():
            (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
            (folder / "Thumbs.db").write_bytes(b"\xd0\xcf")
    (store.path.parent / "README.txt").write_text("mine")

    found = RunStore.open(store.path)
    assert found.read(["loss.a"])["loss.a"].tolist() == [0.5] * 5
    assert found.latent("model").shape == (5, 3)
    (entry,) = catalog(store.path.parent)
    assert (entry.name, entry.condition) == (store.path.name, "complete")
    assert verify_run(store.path) == []


def test_a_folder_whose_manifest_was_not_written_yet_is_taken(tmp_path, make_manifest):
    path = tmp_path / "one"
    path.mkdir()
    (path / ".manifest.json.999.part").write_text("{")
    (path / ".DS_Store").write_bytes(b"\x00")

    assert len(WrittenRun.begin(path, make_manifest()).missing_parts()) == 2


def test_what_killed_writers_have_left_is_removed(store):
    leftovers = [
        store.path / ".manifest.json.123.part",
        store.path / "samples" / ".00000.parquet.123.part",
        store.path / "latent" / "model" / ".00001.npy.7.part",
    ]
    for path in leftovers:
        path.write_bytes(b"half")
    removed = store.path.with_name(f".{store.path.name}.123.removed")
    (removed / "samples").mkdir(parents=True)
    of_another = store.path.with_name(".other.123.removed")
    of_another.mkdir()
    in_use = store.path / "derived" / ".map.npy.123.part"
    in_use.parent.mkdir()
    in_use.write_bytes(b"half")

    clear_leftovers(store.path)

    assert not [path for path in (*leftovers, removed) if path.exists()]
    assert of_another.exists()
    assert in_use.exists()
    assert RunStore.open(store.path).samples == 5


def test_plain_sql_reads_all_parts(store):
    files = str(store.path / "samples" / "*.parquet").replace("'", "''")
    query = f"SELECT sample_id, \"metric.b\" FROM read_parquet('{files}') ORDER BY sample_id"
    with duckdb.connect() as connection:
        rows = connection.execute(query).fetchall()

    # Without `union_by_name`, which the reader of another program does not know of.
    assert rows == [
        ("training-0", 1.0),
        ("training-1", 2.0),
        ("training-2", 3.0),
        ("unlabeled-0", None),
        ("unlabeled-1", None),
    ]


def test_values_that_are_not_finite_are_counted_by_what_they_are_in(make_store):
    store = make_store({"training": (3, 2)}, COLUMNS)
    nan, infinity = float("nan"), float("inf")
    parts: list[tuple[list[Any], list[float]]] = [([nan, 1.0, infinity], [0, 0, nan]), ([None, -infinity], [0, 0])]
    for number, (loss, vectors) in enumerate(parts):
        part = store.manifest.parts[number]
        ids = [str(place) for place in range(part.start, part.stop)]
        latent = np.array(vectors, np.float32)[:, None]
        values: dict[str, Sequence[Any]] = {"loss.a": loss, "metadata.depth": [nan] * len(ids)}
        store.write_part(PartValues(part, ids, values, {"model": latent}, {"out": 1 / (1 - latent)}, {}))
    store.finish()

    # An absent loss is none that is not finite, and metadata may be what it likes.
    assert RunStore.open(store.path).not_finite == {"loss.a": 3, "latent/model": 1, "predictions/out": 1}


def test_the_catalog_tells_size_and_integration(store):
    (entry,) = catalog(store.path.parent)

    assert entry.size == sum(file.stat().st_size for file in store.path.rglob("*") if file.is_file())
    assert (entry.integration, entry.samples) == ("somewhere", 5)


def test_manifest_comes_with_its_updates(store):
    again = WrittenRun.begin_again(store.path, store.manifest, ("metric",))
    assert [part.number for part in again.outdated_parts()] == [0, 1]

    assert read_manifest(store.path / "manifest.json").revision == 1
    assert again.manifest.updates[0].groups == ("metric",)


@pytest.fixture
def a_place(tmp_path: Path) -> Path:
    path = tmp_path / "place"
    path.write_text("a file")
    return path


def test_runs_that_cannot_be_written_are_a_sentence(a_place):
    told = pytest.raises(LeaplabError, match=r"cannot be written \(.*\); name another folder by --runs")
    with told, locked(a_place / "runs" / "one"):
        pass
