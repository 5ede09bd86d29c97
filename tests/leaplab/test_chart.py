"""`leaplab chart` and `Run.chart`."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

import leaplab
from leaplab.population.charts import KINDS
from tests.leaplab.population.charted_runs import asked_in_sql, write_charted

Command = Callable[..., Any]
FIELDS = [
    "run",
    "kind",
    "x",
    "y",
    "split",
    "aggregate",
    "of",
    "x_axis",
    "y_axis",
    "count",
    "absent",
    "series",
    "groups",
]
ASKED = {
    "bar": ["--x", "metadata.kind", "--y", "loss.a"],
    "line": ["--x", "metadata.size", "--y", "loss.a", "--split", "state"],
    "scatter": ["--x", "metadata.size", "--y", "loss.a"],
    "histogram": ["--x", "metadata.area", "--aggregate", "share"],
    "box": ["--y", "metadata.size"],
    "heatmap": ["--x", "metadata.kind", "--y", "metadata.area", "--value", "loss.a", "--bins", "4"],
    "group-means": ["--x", "metadata.size", "--y", "loss.a", "--split", "metadata.kind"],
    "correlation": ["--y", "loss.a"],
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_charted(tmp_path_factory.mktemp("runs") / "charted", 400, 8)


@pytest.mark.parametrize("kind", ASKED)
def test_each_kind_answers_in_json_and_in_a_file_and_in_words(
    path: Path, command: Command, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "chart.csv"
    finished = command("chart", kind, path, *ASKED[kind], "--json", "-o", out)
    told = json.loads(finished.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))

    assert finished.code == 0
    assert list(told)[: len(FIELDS)] == FIELDS
    assert (told["run"], told["kind"]) == ("charted", kind)
    assert {"name", "count", "value", "low", "high"} <= set(told["groups"][0])
    assert {"correlation", "told", "notices"} <= set(told)
    assert all(notice in finished.err.replace("\n", " ") for notice in told["notices"])
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == (len(told["points"]["rows"]) if kind == "scatter" else len(told["groups"]))

    words = command("chart", kind, path, *ASKED[kind])
    assert words.code == 0
    assert told["told"] in words.err.replace("\n", " ")
    assert "95 %" in words.out
    for group in told["groups"][:3]:
        assert f"{group['count']:,}" in words.out
        assert f"{group['value']:.6g}" in words.out
        assert kind not in ("line", "group-means") or f"{group['x']:.6g}" in words.out


def test_a_chart_is_of_what_the_condition_and_the_states_leave(path: Path, command: Command) -> None:
    options = (
        "--where",
        '"metadata.area" > 200',
        "--state",
        "training",
        "--state",
        "validation",
        "--aggregate",
        "median",
    )
    told = json.loads(command("chart", "bar", path, *ASKED["bar"], *options, "--json").out)
    rows = asked_in_sql(
        path,
        'SELECT "metadata.kind", count(*), median("loss.a") FROM rows WHERE "metadata.area" > 200'
        " AND state IN ('training', 'validation') AND \"metadata.kind\" IS NOT NULL GROUP BY 1",
    )

    assert {group["x"]: (group["count"], group["value"]) for group in told["groups"]} == {
        kind: (count, pytest.approx(value)) for kind, count, value in rows
    }


def test_the_table_of_many_marks_ends_and_says_where_the_rest_is(path: Path, command: Command) -> None:
    finished = command("chart", "heatmap", path, "--x", "metadata.video", "--y", "metadata.area")
    told = json.loads(command("chart", "heatmap", path, "--x", "metadata.video", "--y", "metadata.area", "--json").out)

    assert len(finished.out.splitlines()) <= 1 + 40
    assert f"and {len(told['groups']) - 40:,} more; --json or -o FILE has all." in finished.err


def test_a_file_is_replaced_only_where_that_is_wanted(path: Path, command: Command, tmp_path: Path) -> None:
    out = tmp_path / "chart.parquet"
    assert command("chart", "bar", path, *ASKED["bar"], "-o", out).code == 0
    before = duckdb.read_parquet(str(out)).fetchall()
    again = command("chart", "box", path, *ASKED["box"], "-o", out)
    assert (again.code, duckdb.read_parquet(str(out)).fetchall()) == (2, before)
    assert command("chart", "box", path, *ASKED["box"], "-o", out, "--overwrite").code == 0
    assert "median" in duckdb.read_parquet(str(out)).columns


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bar"], "name x"),
        (["bar", "--x", "metadata.no"], "no column 'metadata.no'"),
        (["bar", "--x", "metadata.kind", "--aggregate", "average"], "no aggregate 'average'"),
        (["bar", "--x", "metadata.kind", "--threshold", "0.5"], "takes no threshold"),
        (["scatter", "--x", "metadata.kind", "--y", "loss.a"], "name a column of numbers"),
        (["histogram", "--x", "loss.a", "--bins", "-3"], "not -3"),
        (["box", "--y", "loss.a", "--state", "test"], "no state 'test'"),
        (["box", "--y", "loss.a", "--where", "loss.a >"], "condition"),
        (["box", "--y", "loss.a", "--of", "objects"], "no element instances"),
    ],
)
def test_what_makes_no_sense_ends_with_a_sentence(
    path: Path, command: Command, arguments: list[str], says: str
) -> None:
    finished = command("chart", arguments[0], path, *arguments[1:])

    assert finished.code == 2
    assert finished.out == ""
    assert "Traceback" not in finished.err
    assert says in finished.err.replace("\n", " ")


def test_a_chart_in_a_notebook(path: Path) -> None:
    run = leaplab.open_run(path)
    answer = run.chart("bar", "metadata.kind", "loss.a", where="state = 'training'")
    shown = answer._repr_html_()

    assert answer.table()["x"] == [group.x for group in answer.groups]
    assert answer.told.replace("'", "&#x27;") in shown
    assert all(f"<td>{group.count:,}</td>" in shown for group in answer.groups)
    assert (
        answer.count
        == asked_in_sql(
            path, 'SELECT count("loss.a") FROM rows WHERE state = \'training\' AND "metadata.kind" IS NOT NULL'
        )[0][0]
    )
    assert run.chart("histogram", "metadata.area", bins=3, split="state").series == list(run.states)


def test_the_guide_names_each_kind(repository: Path) -> None:
    text = (repository / "docs" / "analyses.md").read_text(encoding="utf-8").split("## leaplab chart\n")[1]
    section = text.split("\n## ")[0]

    assert [kind for kind in KINDS if f"**{kind}**" not in section] == []
