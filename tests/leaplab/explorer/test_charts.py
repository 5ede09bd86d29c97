"""Charts and boards over HTTP: against SQL over the run's own files, and what lies in the notes."""

import base64
import csv
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from fastapi.testclient import TestClient

from leaplab.explorer.application import make_application
from leaplab.population.population import open_population
from leaplab.population.proposed_board import proposed_board
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import RunStore
from tests.leaplab.explorer.trees import COUNT, KINDS, write_trees
from tests.leaplab.runs_by_hand import write_run

API = "/api/v1"
ORIGIN = {"origin": "http://localhost"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trees(Path(tmp_path_factory.mktemp("charts")) / "run")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], TestClient]:
    web = Path(tmp_path_factory.mktemp("web"))
    (web / "index.html").write_text("<p>the page</p>")
    return lambda run: TestClient(
        make_application(RunStore.open(run), web), base_url="http://localhost", headers=ORIGIN
    )


@pytest.fixture(scope="module")
def client(run: Path, opened: Callable[[Path], TestClient]) -> TestClient:
    return opened(run)


@pytest.fixture
def sql(run: Path) -> Callable[[str], list[tuple[Any, ...]]]:
    """Rows of a query of `samples`: the run's Parquet files, with their row in the run."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            files = sorted(map(str, (run / "samples").glob("*.parquet")))
            connection.execute(
                "CREATE VIEW samples AS SELECT *, row_number() OVER () - 1 AS row FROM read_parquet(?)".replace(
                    "?", repr(files)
                )
            )
            return connection.execute(query).fetchall()

    return ask


def rows_in(mask: str) -> list[int]:
    bits = np.unpackbits(np.frombuffer(base64.b64decode(mask), np.uint8), count=COUNT, bitorder="little")
    found: list[int] = np.flatnonzero(bits).tolist()
    return found


def masked(rows: list[int]) -> str:
    bits = np.zeros(COUNT, np.uint8)
    bits[rows] = 1
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def test_objects_are_counted_and_lead_to_their_samples(tmp_path: Path, opened: Callable[[Path], TestClient]) -> None:
    objects: dict[str, Any] = {
        "offset": [0, 0, 1, 3, 3, 3],
        "number": [0, 1, 0, 0, 1, 2],
        "name": ["nut", "bolt", "nut", "bolt", "bolt", "nut"],
        "metric.iou": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
    }
    run = write_run(
        tmp_path / "run",
        ["training"] * 4,
        {"metadata.site": ("string", ["a", "a", "b", "b"])},
        np.eye(4),
        objects=objects,
        object_vectors=np.eye(6),
        instances={"training": 6},
        instance_columns={"name": ColumnEntry("string"), "metric.iou": ColumnEntry("float", "upward", True)},
    )
    client = opened(run)
    asked = {"kind": "bar", "x": "name", "of": "objects"}
    counts = {group["x"]: group["count"] for group in client.post(f"{API}/chart", json=asked).json()["groups"]}
    assert counts == {"bolt": 3, "nut": 3}
    of_b = {**asked, "filters": [{"column": "metadata.site", "keep": ["b"]}]}
    counts = {group["x"]: group["count"] for group in client.post(f"{API}/chart", json=of_b).json()["groups"]}
    assert counts == {"bolt": 2, "nut": 1}
    assert behind(client, {**asked, "mark": {"x": "bolt"}}) == [0, 3]
    assert behind(client, {**of_b, "mark": {"x": "bolt"}}) == [3]
    ranged = {"kind": "histogram", "x": "metric.iou", "of": "objects", "mark": {"x_low": 0.25, "x_high": 0.3}}
    assert behind(client, ranged) == [1]


def behind(client: TestClient, asked: dict[str, Any]) -> list[int]:
    mask = base64.b64decode(client.post(f"{API}/chart/rows", json=asked).json()["mask"])
    found: list[int] = np.flatnonzero(np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little")).tolist()
    return found


MEANS = {"kind": "bar", "x": "metadata.class_name", "y": "loss.entropy"}


def test_values_are_those_of_sql_under_filters_states_and_a_condition(
    client: TestClient, sql: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    asked = {
        **MEANS,
        "filters": [{"column": "metadata.site", "keep": ["north"]}],
        "hidden": ["validation"],
        "where": "input.brightness > 0.5",
    }
    answer = client.post(f"{API}/chart", json=asked).json()
    expected = sql(
        'SELECT "metadata.class_name", avg("loss.entropy"), count(*) FROM samples WHERE NOT isnan("loss.entropy")'
        " AND \"metadata.site\" = 'north' AND state = 'training' AND \"input.brightness\" > 0.5"
        ' AND "metadata.class_name" IS NOT NULL GROUP BY 1'
    )
    told = {group["x"]: (group["value"], group["count"]) for group in answer["groups"]}
    assert set(told) == set(KINDS)
    for kind, mean, count in expected:
        assert told[kind] == (pytest.approx(mean, rel=1e-9), count)


def test_the_own_columns_filter_leaves_the_others_to_be_chosen(client: TestClient) -> None:
    whole = client.post(f"{API}/chart", json=MEANS).json()["groups"]
    own = {"filters": [{"column": "metadata.class_name", "keep": ["oak"]}]}
    assert client.post(f"{API}/chart", json={**MEANS, **own}).json()["groups"] == whole
    other = client.post(f"{API}/chart", json={"kind": "bar", "x": "metadata.site", **own}).json()
    assert 0 < other["count"] < COUNT / 2
    hidden = {"kind": "bar", "x": "sample.state", "hidden": ["training"]}
    counts = {group["x"]: group["count"] for group in client.post(f"{API}/chart", json=hidden).json()["groups"]}
    assert counts == {"training": 400, "validation": 200}
    # What a bar aggregates is filtered like any other column.
    least = {"filters": [{"column": "loss.entropy", "low": 1.0}]}
    groups = client.post(f"{API}/chart", json={**MEANS, **least}).json()["groups"]
    assert min(group["value"] for group in groups) > 1


def test_a_mask_is_what_a_chart_is_of(client: TestClient) -> None:
    chosen = list(range(0, COUNT, 7))
    asked = {"kind": "bar", "x": "sample.state", "within": masked(chosen)}
    assert client.post(f"{API}/chart", json=asked).json()["count"] == len(chosen)
    assert client.post(f"{API}/chart", json={**asked, "within": "AAAA"}).status_code == 422


def test_the_table_is_the_chart(client: TestClient) -> None:
    groups = client.post(f"{API}/chart", json=MEANS).json()["groups"]
    answer = client.post(f"{API}/chart/table", json=MEANS)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["x"], int(row["count"])) for row in rows] == [(group["x"], group["count"]) for group in groups]
    assert [float(row["value"]) for row in rows] == [group["value"] for group in groups]


@pytest.mark.parametrize(
    ("asked", "mark", "condition"),
    [
        (MEANS, {"x": "fir"}, "\"metadata.class_name\" = 'fir'"),
        (
            {**MEANS, "split": "metadata.site"},
            {"x": "fir", "series": "south"},
            "\"metadata.class_name\" = 'fir' AND \"metadata.site\" = 'south'",
        ),
        (
            {"kind": "histogram", "x": "metadata.away"},
            {"x_low": 1.5, "x_high": 2.5},
            '"metadata.away" BETWEEN 1.5 AND 2.5',
        ),
        (
            {"kind": "heatmap", "x": "metadata.site", "y": "metadata.away"},
            {"x": "north", "y_low": 3.0},
            '"metadata.site" = \'north\' AND "metadata.away" >= 3',
        ),
        (
            {"kind": "group-means", "x": "metadata.away", "y": "loss.entropy", "split": "metadata.class_name"},
            {"name": "elm"},
            "\"metadata.class_name\" = 'elm'",
        ),
        ({"kind": "bar", "x": "metadata.note"}, {"x": "note 4"}, "\"metadata.note\" = 'note 4'"),
    ],
)
def test_the_samples_behind_a_mark_are_those_of_sql(
    client: TestClient,
    sql: Callable[[str], list[tuple[Any, ...]]],
    asked: dict[str, Any],
    mark: dict[str, Any],
    condition: str,
) -> None:
    answer = client.post(f"{API}/chart/rows", json={**asked, "mark": mark, "hidden": ["validation"]}).json()
    expected = [row for (row,) in sql(f"SELECT row FROM samples WHERE state = 'training' AND {condition} ORDER BY row")]
    assert expected
    assert (rows_in(answer["mask"]), answer["count"]) == (expected, len(expected))


@pytest.mark.parametrize(
    ("path", "asked", "status", "told"),
    [
        ("chart", {"kind": "pie", "x": "metadata.site"}, 422, "no chart 'pie'"),
        ("chart", {"kind": "bar", "x": "metadata.nothing"}, 404, "metadata.nothing"),
        ("chart", {"kind": "bar"}, 422, "x"),
        ("chart", {**MEANS, "filters": [{"column": "metadata.site"}]}, 422, "neither"),
        ("chart", {**MEANS, "where": "nonsense ="}, 422, ""),
        ("chart", {**MEANS, "of": "objects"}, 422, "no element instances"),
        ("chart", {**MEANS, "colour": "red"}, 422, "colour"),
        ("chart/table", {"kind": "pie"}, 422, "no chart 'pie'"),
        ("chart/rows", {**MEANS, "mark": {}}, 422, "stands for no samples"),
        ("chart/rows", {**MEANS, "mark": {"x": "oak"}, "x": "metadata.away"}, 422, "is a number"),
        ("chart/rows", {"kind": "confusion", "mark": {"x": "oak"}}, 422, "name both"),
        ("chart/rows", {"kind": "confusion", "mark": {"x": "oak", "y": "fir"}}, 422, ""),
    ],
)
def test_a_bad_question_is_refused_in_a_sentence(
    client: TestClient, path: str, asked: dict[str, Any], status: int, told: str
) -> None:
    answer = client.post(f"{API}/{path}", json=asked)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["detail"]
    assert "Traceback" not in answer.text


BOARDS = f"{API}/boards"
MINE = {"name": "Mine", "charts": [{"kind": "bar", "x": "metadata.site"}, {"kind": "curves", "width": 2}]}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return write_trees(tmp_path / "run", 30)


def notes_of(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.parent / ".notes" / "run.json").read_text())
    return content


def test_boards_are_kept_changed_renamed_and_deleted(own: Path, opened: Callable[[Path], TestClient]) -> None:
    client = opened(own)
    assert client.get(BOARDS).json() == []
    made = client.put(BOARDS, json=MINE)
    assert made.status_code == 200, made.text
    assert notes_of(own) == {"boards": {"Mine": {"charts": MINE["charts"]}}}, "what is by default is not written"
    (told,) = opened(own).get(BOARDS).json()
    assert [(chart["kind"], chart["x"], chart["width"]) for chart in told["charts"]] == [
        ("bar", "metadata.site", 1),
        ("curves", None, 2),
    ]
    client.put(BOARDS, json={"name": "Other", "charts": []})
    renamed = client.put(BOARDS, params={"name": "Mine"}, json={"name": "Yours", "charts": []}).json()
    assert [(board["name"], board["charts"]) for board in renamed] == [("Yours", []), ("Other", [])]
    assert client.put(BOARDS, json={"name": "Other", "charts": []}).status_code == 422
    assert client.put(BOARDS, params={"name": "gone"}, json=MINE).status_code == 404
    assert [board["name"] for board in client.delete(BOARDS, params={"name": "Yours"}).json()] == ["Other"]
    assert client.delete(BOARDS, params={"name": "Yours"}).status_code == 404
    # Tags and boards lie in one file.
    client.post(f"{API}/tags", json={"name": "look", "rows": [1]})
    client.delete(BOARDS, params={"name": "Other"})
    assert list(notes_of(own)) == ["tags"]


@pytest.mark.parametrize(
    ("board", "told"),
    [
        ({"name": " ", "charts": []}, "A board needs a name."),
        ({"name": "a" * 101, "charts": []}, "name of a board"),
        ({"name": "a\nb", "charts": []}, "one line"),
        ({"name": "a", "charts": [{"kind": "bar"}] * 61}, "at most 60 charts"),
        ({"name": "a", "charts": [{"kind": "bar", "title": "t" * 1001}]}, "1,000"),
        ({"name": "a", "charts": [{"kind": "bar", "width": 3}]}, "width"),
        ({"name": "a", "charts": [{"colour": "red", "kind": "bar"}]}, "colour"),
        ({"name": "a", "charts": [{}]}, "kind"),
    ],
)
def test_a_bad_board_is_refused_in_a_sentence(
    own: Path, opened: Callable[[Path], TestClient], board: dict[str, Any], told: str
) -> None:
    answer = opened(own).put(BOARDS, json=board)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert not (own.parent / ".notes").exists()


@pytest.mark.parametrize("boards", ['{"boards": {"a": 1}}', '{"boards": {"a": {"charts": [{"x": 1}]}}}', "{"])
def test_damaged_notes_are_told_and_left_as_they_are(
    own: Path, opened: Callable[[Path], TestClient], boards: str
) -> None:
    path = own.parent / ".notes" / "run.json"
    path.parent.mkdir()
    path.write_text(boards)
    answer = opened(own).get(BOARDS)
    assert answer.status_code == 500
    assert str(path) in answer.json()["detail"]
    assert "mend it, or move it away" in answer.json()["detail"]
    assert path.read_text() == boards


def test_a_folder_that_is_only_read_is_told(own: Path, opened: Callable[[Path], TestClient]) -> None:
    client = opened(own)
    # What a folder that cannot be written is to others, a file in its place is to root as well.
    (own.parent / ".notes").write_text("in the way")
    answer = client.put(BOARDS, json=MINE)
    assert answer.status_code == 500
    assert "cannot be" in answer.json()["detail"]
    assert stat.S_ISREG((own.parent / ".notes").stat().st_mode)


def test_the_proposed_board_has_what_the_columns_can_show(client: TestClient) -> None:
    board = client.get(f"{BOARDS}/proposed").json()
    told = [(chart["kind"], chart["x"], chart["y"], chart["split"]) for chart in board["charts"]]
    assert told == [
        ("bar", "metadata.class_name", "metric.accuracy", None),
        ("bar", "sample.state", "metric.accuracy", None),
        ("group-means", "metadata.away", "loss.entropy", "metadata.class_name"),
    ]
    for chart in board["charts"]:
        asked = {name: chart[name] for name in ("kind", "x", "y", "split")}
        assert client.post(f"{API}/chart", json=asked).json()["groups"]


def test_without_classes_the_board_is_of_states_and_domains(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    sites = ["a", "b"] * 50
    columns: dict[str, Any] = {
        "metadata.site": ("string", sites),
        "metadata.noise": ("float", generator.normal(size=100).tolist()),
        "input.contrast": ("float", [float(place % 2) + 0.01 * place for place in range(100)]),
        "loss.a": ("float", [float(place // 10) for place in range(100)]),
        "metadata.size": ("float", [float(place) for place in range(100)]),
    }
    board = proposed_board(open_population(write_run(tmp_path / "a", ["training"] * 60 + ["test"] * 40, columns)))
    told = [(chart.kind, chart.x, chart.y) for chart in board.charts]
    assert ("bar", "metadata.site", "loss.a") in told
    assert ("box", "metadata.site", "input.contrast") in told
    assert ("histogram", "loss.a", None) in told
    assert ("line", "metadata.size", "loss.a") in told


@pytest.mark.parametrize("columns", [{}, {"metadata.one": ("string", ["a"] * 10)}, {"loss.a": ("float", [None] * 10)}])
def test_a_run_that_has_nothing_to_show_has_a_board_all_the_same(tmp_path: Path, columns: dict[str, Any]) -> None:
    population = open_population(write_run(tmp_path / "a", ["training"] * 10, columns))
    assert proposed_board(population).name
