"""Tags by rows and by name, and what is said of insights, against plain dictionaries."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leaplab
from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.population.insight_notes import insight_notes, note_insight
from leaplab.population.population import Population
from leaplab.population.tags import Tag
from leaplab.store.notes import InsightNote
from tests.leaplab.runs_by_hand import write_run

IDS = ["a", "b", "c", "a", "b"]
STATES = {"training": 3, "test": 2}


@pytest.fixture
def population(make_population: Callable[..., Population]) -> Population:
    return make_population({"loss.a": ("float", [1.0, 2.0, 3.0, 4.0, 5.0])}, ids=IDS, states=STATES)


def test_a_tag_holds_samples_by_state_and_id(population: Population) -> None:
    tags = population.tags
    assert tags.told() == []
    assert tags.add(" Odd ", [4, 0]) == [Tag("Odd", 2, 0)]
    assert tags.add("Odd", np.array([0, 1])) == [Tag("Odd", 3, 0)]
    assert tags.add("empty", []) == [Tag("empty", 0, 0), Tag("Odd", 3, 0)], "by name, whatever its case"
    assert tags.rows("Odd").tolist() == [0, 1, 4]
    assert [tags.of(row) for row in range(5)] == [["Odd"], ["Odd"], [], [], ["Odd"]]

    run = leaplab.open_run(population.store.path)
    assert sorted(run.tags["Odd"]) == [("test", "b"), ("training", "a"), ("training", "b")]
    assert tags.remove("Odd", [1, 2]) == [Tag("empty", 0, 0), Tag("Odd", 2, 0)]
    assert sorted(run.tags["Odd"]) == [("test", "b"), ("training", "a")]


def test_a_tag_is_renamed_and_deleted(population: Population) -> None:
    tags = population.tags
    tags.add("one", [1])
    tags.add("two", [2])
    assert tags.rename("one", "three") == [Tag("three", 1, 0), Tag("two", 1, 0)]
    assert tags.rename("two", "TWO") == [Tag("three", 1, 0), Tag("TWO", 1, 0)]
    with pytest.raises(QuestionError, match="a tag \u201cthree\u201d already"):
        tags.rename("TWO", "three")
    assert tags.rename("three", "three") == tags.told()
    assert tags.delete("TWO") == [Tag("three", 1, 0)]
    for ask in (tags.delete, tags.rows, lambda name: tags.rename(name, "x"), lambda name: tags.remove(name, [1])):
        with pytest.raises(MissingError, match="no tag \u201ctwo\u201d"):
            ask("two")
    with pytest.raises(LeaplabError, match="no sample 5"):
        tags.add("three", [5])
    assert tags.told() == [Tag("three", 1, 0)]


def test_there_is_a_bound(population: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leaplab.population.tags.MOST_TAGS", 2)
    for name in ("a", "b", "a"):
        population.tags.add(name, [1])
    with pytest.raises(QuestionError, match="at most 2 tags"):
        population.tags.add("c", [1])


def test_samples_that_a_later_evaluation_lacks_are_kept_and_counted(tmp_path: Path) -> None:
    def evaluated(ids: list[str]) -> Population:
        columns: dict[str, Any] = {"loss.a": ("float", [0.0] * len(ids))}
        write_run(tmp_path / "run", ["test"] * len(ids), columns, ids=ids)
        return Population(leaplab.open_run(tmp_path / "run")._population.store)

    evaluated(["a", "b", "c", "d"]).tags.add("mine", [0, 2, 3])
    later = evaluated(["d", "b"]).tags
    assert later.told() == [Tag("mine", 1, 2)]
    assert later.rows("mine").tolist() == [0]
    later.add("mine", [1])
    assert later.remove("mine", [0]) == [Tag("mine", 1, 2)]
    assert leaplab.open_run(tmp_path / "run").tags == {"mine": [("test", "a"), ("test", "c"), ("test", "b")]}


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        ("tag.odd", [0, 1]),
        ("not tag.odd", [2, 3, 4]),
        ("tag.odd and loss.a > 1", [1]),
        ('"tag.look at again"', [4]),
        ('tag.odd or "tag.look at again"', [0, 1, 4]),
        ('"tag.a ""quoted"" one" and state = \'test\'', [3]),
        ("tag.odder", [2]),
        ("tag.Odd", [3]),
        ("loss.a > 4", [4]),
    ],
)
def test_a_tag_is_a_condition(population: Population, expression: str, rows: list[int]) -> None:
    named = {"odd": [0, 1], "look at again": [4], 'a "quoted" one': [1, 3], "odder": [2], "Odd": [3]}
    for name, chosen in named.items():
        population.tags.add(name, chosen)
    assert population.where(expression).tolist() == rows


@pytest.mark.parametrize(
    ("expression", "told"),
    [("tag.even", "names 'tag.even', which is no column"), ("tag.odd and tag.Odd", "differ in case only")],
)
def test_a_condition_by_what_is_no_tag_is_a_sentence(population: Population, expression: str, told: str) -> None:
    for name in ("odd", "Odd"):
        population.tags.add(name, [1])
    with pytest.raises(QuestionError, match=told):
        population.where(expression)


def test_damaged_notes_stop_only_who_asks_for_them(population: Population) -> None:
    path = population.store.path
    notes = path.parent / ".notes" / f"{path.name}.json"
    notes.parent.mkdir()
    notes.write_text("{")
    assert population.where("loss.a > 4").tolist() == [4]
    for ask in (lambda: population.where("tag.odd"), population.tags.told, lambda: population.tags.add("odd", [1])):
        with pytest.raises(LeaplabError, match="mend it, or move it away"):
            ask()
    assert notes.read_text() == "{"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A run of which an insight was told."""
    known = tmp_path / ".notes" / "insights" / "run.json"
    known.parent.mkdir(parents=True)
    known.write_text(json.dumps([{"stable_id": "abc", "kind": "duplication", "members": [["test", "a"]]}]))
    return tmp_path / "run"


def test_what_is_said_of_an_insight_is_kept(told: Path) -> None:
    assert insight_notes(told) == {}
    assert note_insight(told, "abc", note="a camera") == InsightNote("open", "a camera")
    assert note_insight(told, "abc", status="dismissed") == InsightNote("dismissed", "a camera")
    assert insight_notes(told) == {"abc": InsightNote("dismissed", "a camera")}

    (told.parent / ".notes" / "insights" / "run.json").unlink()
    assert note_insight(told, "abc", status="open") == InsightNote("open", "a camera"), "what was noted stays known"
    assert note_insight(told, "abc", note="") == InsightNote()
    assert insight_notes(told) == {}, "nothing said is nothing kept"


def test_what_cannot_be_said_of_an_insight_is_a_sentence(told: Path) -> None:
    with pytest.raises(MissingError, match="no insight 'xyz'"):
        note_insight(told, "xyz", status="accepted")
    with pytest.raises(QuestionError, match="at most 10,000 characters, not 10,001"):
        note_insight(told, "abc", note="x" * 10_001)
    assert insight_notes(told) == {}
