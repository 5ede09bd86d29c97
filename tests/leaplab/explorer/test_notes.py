"""What a person adds to a run, over HTTP: against what lies in the file."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import leaplab
from leaplab.explorer.application import make_application
from leaplab.store.run import RunStore
from tests.leaplab.runs_by_hand import write_run

COUNT = 20
TAGS = "/api/v1/tags"
NOTES = "/api/v1/notes/insights"
OWN = {"origin": "http://localhost"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    ids = [f"s{row}" for row in range(12)] + [f"s{row}" for row in range(8)]
    columns = {"loss.a": ("float", np.arange(COUNT, dtype=float).tolist())}
    return write_run(tmp_path / "run", ["training"] * 12 + ["test"] * 8, columns, ids=ids)


@pytest.fixture
def opened(run: Path, tmp_path: Path) -> Callable[[], TestClient]:
    """`opened()`: an explorer of the run, as another window or a later day has it."""
    (tmp_path / "index.html").write_text("<p>the page</p>")
    return lambda: TestClient(make_application(RunStore.open(run), tmp_path), base_url="http://localhost", headers=OWN)


@pytest.fixture
def client(opened: Callable[[], TestClient]) -> TestClient:
    return opened()


def mask(*rows: int) -> str:
    bits = np.zeros(24, np.uint8)
    bits[list(rows)] = 1
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def on_disk(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.parent / ".notes" / "run.json").read_text())
    return content


def rows_of(client: TestClient, name: str) -> list[int]:
    found: list[int] = np.frombuffer(client.get(f"{TAGS}/rows", params={"name": name}).content, "<u4").tolist()
    return found


def test_a_tag_is_made_filled_renamed_and_deleted(
    client: TestClient, opened: Callable[[], TestClient], run: Path
) -> None:
    assert client.get(TAGS).json() == []
    made = client.post(TAGS, json={"name": " a/b & c? ", "mask": mask(3, 15)})
    assert (made.status_code, made.json()) == (200, [{"name": "a/b & c?", "count": 2, "missing": 0}])
    assert made.headers["cache-control"] == "no-store"
    client.post(TAGS, json={"name": "a/b & c?", "rows": [0, 3]})
    assert on_disk(run) == {"tags": {"a/b & c?": {"training": ["s3", "s0"], "test": ["s3"]}}}
    assert rows_of(opened(), "a/b & c?") == [0, 3, 15], "another window has them, too"

    client.post(TAGS, json={"name": "a/b & c?", "change": "remove", "rows": [3]})
    assert rows_of(client, "a/b & c?") == [0, 15]
    assert client.get("/api/v1/samples/15/tags").json() == ["a/b & c?"]
    assert client.get("/api/v1/samples/3/tags").json() == [], "the sample of that id is another state's"
    renamed = client.put(TAGS, params={"name": "a/b & c?"}, json={"name": "odd"})
    assert renamed.json() == [{"name": "odd", "count": 2, "missing": 0}]
    selected = client.post("/api/v1/select", json={"where": "tag.odd and state = 'test'"}).json()
    assert selected["mask"] == mask(15)
    assert client.delete(TAGS, params={"name": "odd"}).json() == []
    assert on_disk(run) == {}


@pytest.mark.parametrize(
    ("method", "asked", "status", "told"),
    [
        ("POST", {"json": {"name": "a"}}, 422, "by `mask` or by `rows`"),
        ("POST", {"json": {"name": "a", "rows": [1], "mask": mask(1)}}, 422, "and not by both"),
        ("POST", {"json": {"name": "a", "rows": [20]}}, 404, "no sample 20"),
        ("POST", {"json": {"name": "a", "rows": [-1]}}, 404, "no sample -1"),
        ("POST", {"json": {"name": "a", "rows": ["1"]}}, 422, "integer"),
        ("POST", {"json": {"name": "a", "rows": [True]}}, 422, "integer"),
        ("POST", {"json": {"name": "a", "mask": "AA=="}}, 422, "not a bit for each"),
        ("POST", {"json": {"name": "  ", "rows": [1]}}, 422, "needs a name"),
        ("POST", {"json": {"name": "", "rows": [1]}}, 422, "at least 1 character"),
        ("POST", {"json": {"name": "x" * 101, "rows": [1]}}, 422, "at most 100 characters"),
        ("POST", {"json": {"name": "a\nb", "rows": [1]}}, 422, "one line"),
        ("POST", {"json": {"name": "a", "rows": [1], "colour": "red"}}, 422, "colour"),
        ("POST", {"json": {"name": "no", "change": "remove", "rows": [1]}}, 404, "no tag \u201cno\u201d"),
        ("POST", {"json": {"name": "a", "change": "toggle", "rows": [1]}}, 422, "'add' or 'remove'"),
        ("PUT", {"params": {"name": "no"}, "json": {"name": "b"}}, 404, "no tag \u201cno\u201d"),
        ("PUT", {"params": {"name": "kept"}, "json": {"name": "other"}}, 422, "a tag \u201cother\u201d already"),
        ("PUT", {"json": {"name": "b"}}, 422, "name"),
        ("DELETE", {"params": {"name": "no"}}, 404, "no tag \u201cno\u201d"),
    ],
)
def test_what_makes_no_sense_is_a_problem_and_changes_nothing(
    client: TestClient, run: Path, method: str, asked: dict[str, Any], status: int, told: str
) -> None:
    for name in ("kept", "other"):
        client.post(TAGS, json={"name": name, "rows": [1]})
    before = on_disk(run)
    answer = client.request(method, TAGS, **asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert told in answer.json()["detail"]
    assert on_disk(run) == before


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost:1"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", TAGS), ("PUT", f"{TAGS}?name=kept"), ("DELETE", f"{TAGS}?name=kept"), ("PATCH", f"{NOTES}/x")],
)
def test_another_page_can_change_nothing(
    client: TestClient, run: Path, origin: str | None, method: str, path: str
) -> None:
    client.post(TAGS, json={"name": "kept", "rows": [1]})
    before = on_disk(run)
    del client.headers["origin"]
    headers = {} if origin is None else {"origin": origin}
    body = {"name": "kept", "rows": [2]} if method == "POST" else {"name": "gone"}
    answer = client.request(method, path, headers=headers, json=body)
    assert answer.status_code == 403
    assert on_disk(run) == before


def test_another_run_s_window_changes_nothing(client: TestClient, run: Path) -> None:
    answer = client.post(TAGS, params={"key": "of another run"}, json={"name": "a", "rows": [1]})
    assert answer.status_code == 409
    assert not (run.parent / ".notes").exists()


def test_an_insight_gets_a_status_and_a_note(client: TestClient, opened: Callable[[], TestClient], run: Path) -> None:
    known = run.parent / ".notes" / "insights" / "run.json"
    known.parent.mkdir(parents=True)
    known.write_text(json.dumps([{"stable_id": "ab12", "kind": "duplication", "members": [["test", "s1"]]}]))
    assert client.get(NOTES).json() == []
    said = client.patch(f"{NOTES}/ab12", json={"note": "a camera\nof 2019"})
    assert said.json() == {"stable_id": "ab12", "status": "open", "note": "a camera\nof 2019"}
    client.patch(f"{NOTES}/ab12", json={"status": "dismissed"})
    assert opened().get(NOTES).json() == [{"stable_id": "ab12", "status": "dismissed", "note": "a camera\nof 2019"}]
    assert on_disk(run) == {"insights": {"ab12": {"status": "dismissed", "note": "a camera\nof 2019"}}}

    for path, body, status in (
        ("zz", {"status": "open"}, 404),
        ("ab12", {"status": "perhaps"}, 422),
        ("ab12", {"note": "x" * 10_001}, 422),
        ("ab12", {"title": "x"}, 422),
        ("ab12", {"note": 3}, 422),
    ):
        answer = client.patch(f"{NOTES}/{path}", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert on_disk(run) == {"insights": {"ab12": {"status": "dismissed", "note": "a camera\nof 2019"}}}


def test_a_broken_file_is_a_problem_and_the_rest_answers(client: TestClient, run: Path) -> None:
    notes = run.parent / ".notes" / "run.json"
    notes.parent.mkdir()
    notes.write_text("[1")
    for answer in (
        client.get(TAGS),
        client.get(NOTES),
        client.get("/api/v1/samples/1/tags"),
        client.post(TAGS, json={"name": "a", "rows": [1]}),
        client.delete(TAGS, params={"name": "a"}),
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert "mend it, or move it away" in answer.json()["detail"]
    assert notes.read_text() == "[1"
    assert client.get("/api/v1/samples/1").status_code == 200


def test_an_export_as_json_holds_the_run_s_values(client: TestClient, run: Path) -> None:
    table = client.post("/api/v1/export", json={"mask": mask(0, 3, 15), "format": "json"})
    assert table.headers["content-type"] == "application/json"
    expected = leaplab.open_run(run).read(["sample_id", "state", "loss.a"])
    assert table.json() == {
        "run": "run",
        "samples": [{name: values[row] for name, values in expected.items()} for row in (0, 3, 15)],
    }
    refused = client.post("/api/v1/export", json={"mask": mask(0), "format": "xml"})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
