"""`leaplab report`: what stands in the file."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.report.model import Report
from leaplab.report.writing import page_of
from tests.leaplab.explorer.sites import write_sites
from tests.leaplab.runs_by_hand import write_run

HOSTILE = "</script><script>alert('x')</script><!--"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(tmp_path_factory.mktemp("runs"))
    write_sites(folder / "sites")
    return folder


def written(command: Any, runs: Path, name: str, *options: str) -> tuple[str, dict[str, Any]]:
    """The file's text, and what it shows."""
    out = runs / f"{name}.html"
    command("report", name, "--runs", runs, "-o", out, *options)
    text = out.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', text, re.S)
    assert found
    return text, json.loads(found.group(1))


def test_a_report_says_what_the_run_says(command: Any, runs: Path) -> None:
    _, told = written(command, runs, "sites", "--json")
    assert told["name"] == "sites"
    assert told["samples"] == 400
    assert {each["name"]: each["count"] for each in told["states"]} == {
        "training": 240,
        "validation": 60,
        "unlabeled": 100,
    }
    asked = command("insights", "sites", "--runs", runs, "--json", "--members", "all")
    expected = json.loads(asked.out)["insights"]
    assert [each["id"] for each in told["insights"]] == [each["id"] for each in expected[:12]]
    assert [each["count"] for each in told["insights"]] == [len(each["members"]) for each in expected[:12]]
    losses = [each["value"] for each in told["map"]["extremes"]]
    import leaplab

    known = leaplab.open_run(runs / "sites").read("loss.a")
    assert losses == pytest.approx(np.sort(known[np.isfinite(known)])[::-1][: len(losses)])
    assert sum(told["map"]["counts"]) + told["map"]["absent"] == 400
    target, source = (f"metadata.site = '{site}'" for site in told["gap"]["title"].split(" against "))
    gap = json.loads(
        command("domain-gap", "sites", "--runs", runs, "--json", "--source", source, "--target", target).out
    )
    assert f"AUC {gap['auc']:.2f}" in told["gap"]["headline"]
    # The run was written by hand: nothing can draw its samples, and the report says so.
    assert any("pictures" in sentence for sentence in told["left_out"])
    assert all(one["picture"] is None for each in told["insights"] for one in each["pictures"])


def test_the_file_asks_nobody_and_runs_its_own_script_alone(command: Any, runs: Path) -> None:
    text, _ = written(command, runs, "sites", "--overwrite")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    script = re.search(r"</script>\s*<script>(.*?)</script>", text, re.S)
    assert script
    digest = base64.b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy.group(1)
    assert policy.group(1).startswith("default-src 'none'")
    assert not re.search(r"""(src|href)=["'](?!data:)""", text)


def test_a_name_that_looks_like_a_tag_ends_no_script(command: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    columns = {
        "metadata.class_name": ("string", [HOSTILE, "b"] * 15),
        "loss.a": ("float", generator.random(30).tolist()),
    }
    write_run(
        tmp_path / "tags",
        ["training"] * 30,
        columns,
        generator.normal(size=(30, 4)),
        [f"{HOSTILE}{k}" for k in range(30)],
    )
    text, told = written(command, tmp_path, "tags")
    assert HOSTILE not in text
    assert HOSTILE in told["map"]["column"]["categories"]
    assert told["map"]["extremes"][0]["shown"]["sample_id"].startswith(HOSTILE)


@pytest.mark.parametrize(
    ("columns", "vectors"),
    [
        ({}, None),
        ({"loss.a": ("float", [None] * 6)}, np.full((6, 3), np.nan)),
        ({"loss.a": ("float", [1.0] * 6)}, np.zeros((6, 3))),
        ({"metadata.path": ("string", [f"p{k}" for k in range(6)])}, np.eye(6)),
    ],
    ids=["nothing", "no finite number", "one value", "texts"],
)
def test_a_run_that_says_little_makes_a_report_that_says_so(
    command: Any, tmp_path: Path, columns: dict[str, Any], vectors: Any
) -> None:
    write_run(tmp_path / "odd", ["training"] * 6, columns, vectors)
    _, told = written(command, tmp_path, "odd")
    assert told["samples"] == 6
    if vectors is None or not np.isfinite(vectors).any():
        assert told["map"] is None
        assert any(sentence.startswith("The map") for sentence in told["left_out"])


def test_a_file_that_is_there_stays(command: Any, runs: Path) -> None:
    (runs / "mine.html").write_text("mine")
    done = command("report", "sites", "--runs", runs, "-o", runs / "mine.html")
    assert done.code == 2
    assert "--overwrite" in done.err
    assert (runs / "mine.html").read_text() == "mine"


def test_a_page_that_is_not_built_is_a_sentence(tmp_path: Path) -> None:
    report = Report.model_construct(name="x")
    with pytest.raises(LeaplabError, match="make web"):
        page_of(report, tmp_path)
