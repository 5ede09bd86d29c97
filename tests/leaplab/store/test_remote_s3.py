"""A run in a bucket of S3, by the commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leaplab import open_run
from tests.leaplab.conftest import change

pytestmark = [pytest.mark.long, pytest.mark.installed("s3fs", "moto", "flask", "flask_cors")]
PARTS = ("parts/00000.json", "parts/00001.json")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPLAB_CACHE", str(tmp_path / "cache"))


def objects(url: str) -> dict[str, bytes]:
    import s3fs

    system, root = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False), url.partition("://")[2]
    return {path[len(root) + 1 :]: system.cat_file(path) for path in system.find(root)}


def test_evaluated_read_told_verified_and_deleted(
    s3: str, command: Callable[..., Any], make_project: Callable[..., Path], tmp_path: Path
) -> None:
    root, runs = make_project(), f"{s3}/runs"
    assert command("evaluate", root, "--runs", tmp_path, "--workers", 1).code == 0
    ended = command("evaluate", root, "--runs", runs, "--workers", 1, "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["run"] == f"{runs}/tiny"
    there = objects(f"{runs}/tiny")
    here = {path: (tmp_path / "tiny" / path).read_bytes() for path in there if path != "manifest.json"}
    assert {path: content for path, content in there.items() if path != "manifest.json"} == here
    assert set(PARTS) < set(here)
    assert json.loads(command("evaluate", root, "--runs", runs, "--json").out)["up_to_date"]

    listed = json.loads(command("runs", "--runs", runs, "--json").out)
    assert [(run["name"], run["samples"], run["condition"]) for run in listed] == [("tiny", 50, "complete")]
    assert listed[0]["size"] == sum(map(len, here.values())) - sum(len(here[path]) for path in PARTS)
    sample = open_run(tmp_path / "tiny").ids[3]
    one, other = (
        json.loads(command("similar", *asked, "--id", f"training/{sample}", "--json").out)["similar"]
        for asked in ((f"{runs}/tiny",), (tmp_path / "tiny",))
    )
    assert one == other

    change(root / "leap_binder.py", "scores.cross_entropy(truth, guess)", "2 * scores.cross_entropy(truth, guess)")
    before = open_run(f"{runs}/tiny").read("loss.cross_entropy")
    assert command("evaluate", root, "--runs", runs, "--only", "losses").code == 0
    assert open_run(f"{runs}/tiny").read("loss.cross_entropy").tolist() == (2 * before).tolist()

    assert command("runs", "--runs", runs, "--verify").code == 0
    assert command("runs", "--runs", runs, "--delete", "tiny").code == 0
    assert not objects(runs)


def test_bucket_that_is_not_there(s3: str, command: Callable[..., Any], tiny: Path) -> None:
    ended = command("evaluate", tiny, "--runs", "s3://nobodys/runs")
    assert ended.code == 2
    assert "s3://nobodys/runs/tiny cannot be reached (" in " ".join(ended.err.split())
