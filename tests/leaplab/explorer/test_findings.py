"""The page's insights are those of the command."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import leaplab
from leaplab.analysis.differences import Difference
from leaplab.explorer.application import make_application
from leaplab.explorer.findings import by_column
from leaplab.store.run import RunStore
from tests.leaplab.runs_by_hand import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    generator = np.random.default_rng(0)
    kinds = generator.integers(0, 4, 400)
    loss = generator.exponential(size=400) + 3 * (kinds == 2)
    columns = {
        "metadata.kind": ("string", [f"k{kind}" for kind in kinds]),
        "loss.a": ("float", loss.tolist()),
    }
    folder = Path(tmp_path_factory.mktemp("runs"))
    return write_run(folder / "run", ["validation"] * 400, columns, generator.normal(size=(400, 6)))


@pytest.fixture(scope="module")
def client(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    web = Path(tmp_path_factory.mktemp("web"))
    (web / "index.html").write_text("<p>the page</p>")
    with TestClient(make_application(RunStore.open(run), web), base_url="http://localhost") as client:
        yield client


def set_of(differences: Iterable[tuple[str, object, float]]) -> set[tuple[str, str, float]]:
    return {(column, str(inside), effect) for column, inside, effect in differences}


def test_insights_and_their_members_are_those_of_the_command(client: TestClient, run: Path) -> None:
    told = client.get("/api/v1/insights").json()
    expected = leaplab.open_run(run).insights(members=None)
    assert [each["id"] for each in told["insights"]] == [each.id for each in expected.insights]
    assert {each["kind"] for each in told["silent"]} == {each.kind for each in expected.silent}
    first, found = told["insights"][0], expected.insights[0]
    assert (first["title"], first["to_do"], first["count"]) == (found.title, found.action.do, found.member_count)
    for card, whole in zip(told["insights"], expected.insights, strict=True):
        apart = [(each["column"], each["inside"], each["effect"]) for each in card["differences"]]
        columns = list(dict.fromkeys(each.column for each in whole.differences))[:6]
        assert [column for column, _, _ in apart] == columns
        assert set_of(apart) <= set_of((each.column, each.inside, each.effect) for each in whole.differences)
    assert any(each["differences"] for each in told["insights"])
    assert any("k2" in each["title"] for each in told["insights"]), "what was planted is found"

    ids = leaplab.open_run(run).ids
    rows = np.frombuffer(client.get(f"/api/v1/insights/{first['id']}/rows").content, "<u4")
    assert {ids[row] for row in rows} == {member.sample_id for member in found.members}
    assert client.get("/api/v1/insights/nothing-1/rows").status_code == 404


def test_a_column_is_told_once_by_what_the_members_have_more_of() -> None:
    told = [
        Difference("site", {"a": 0.0}, {"a": 1.0}, -1.0, 0.0),
        Difference("site", {"b": 1.0}, {"b": 0.0}, 1.0, 0.0),
        Difference("brightness", 0.2, 0.4, -0.9, 0.0),
        Difference("kind", {"x": 0.1}, {"x": 0.7}, -0.6, 0.0),
        Difference("kind", {"y": 0.5}, {"y": 0.2}, 0.3, 0.0),
    ]
    assert by_column(told) == [told[1], told[2], told[3]]
