"""Plans: gaps, lists and similar samples are those of the commands, and nobody waits in vain."""

import base64
import csv
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from leaplab.errors import LeaplabError, QuestionError
from leaplab.explorer.application import make_application
from leaplab.explorer.background import Background, GoneError
from leaplab.explorer.calculating import Calculator
from leaplab.explorer.model import Filter
from leaplab.explorer.planning_model import PruningAsked
from leaplab.explorer.sides import condition_of
from leaplab.population.population import open_population
from leaplab.store.run import RunStore
from tests.leaplab.explorer.sites import SITES, write_sites
from tests.leaplab.runs_by_hand import write_run

PLAN = "/api/v1/plan"
ORIGIN = {"origin": "http://localhost"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sites(Path(tmp_path_factory.mktemp("runs")) / "run")


@pytest.fixture(scope="module")
def client(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with TestClient(
        application(run, tmp_path_factory.mktemp("web")), base_url="http://localhost", headers=ORIGIN
    ) as client:
        yield client


def application(run: Path, web: Path) -> Any:
    (web / "index.html").write_text("<p>the page</p>")
    return make_application(RunStore.open(run), web)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run for the commands, so that what they print was not computed by the server."""
    return write_sites(Path(tmp_path_factory.mktemp("twin")) / "run")


@pytest.fixture
def printed(command: Callable[..., Any], twin: Path) -> Callable[..., Any]:
    """The JSON that a command prints."""

    def told(name: str, *arguments: object) -> Any:
        finished = command(name, twin, "--json", *arguments)
        assert finished.code == 0, finished.err
        return json.loads(finished.out)

    return told


def asked(client: TestClient, name: str, **body: Any) -> Any:
    answer = client.post(f"{PLAN}/{name}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, name: str, **body: Any) -> str:
    answer = client.post(f"{PLAN}/{name}", json=body)
    assert answer.status_code in (404, 422), answer.text
    return str(answer.json()["detail"])


def mask_of(rows: list[int], samples: int = 400) -> str:
    bits = np.zeros(samples, np.uint8)
    bits[rows] = 1
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def site_filter(*names: str) -> dict[str, Any]:
    return {"filters": [{"column": "metadata.site", "keep": list(names)}]}


def column(client: TestClient, name: str, rows: list[int]) -> list[Any]:
    answer = client.get("/api/v1/columns/values", params={"name": name, "rows": rows})
    assert answer.status_code == 200, answer.text
    values: list[Any] = answer.json()
    return values


def test_a_gap_is_that_of_the_command_and_its_nearness_a_column_at_once(client: TestClient, printed: Any) -> None:
    names = [each["name"] for each in client.get("/api/v1/run").json()["columns"]]
    assert "analysis.nearness" not in names
    sides = {"source": site_filter("north", "south"), "target": site_filter("o'hare")}
    told = asked(client, "gap", **sides, rank={"where": "state = 'unlabeled'"}, limit=1000)
    north, hare = "metadata.site in ('north', 'south')", "metadata.site = 'o''hare'"
    command = printed("domain-gap", "--source", north, "--target", hare, "--rank", "state = 'unlabeled'")
    assert {name: told[name] for name in command} == command
    assert told["columns"][0]["column"] == "input.brightness", "what was planted explains it"
    assert "differ" in told["headline"]

    assert "analysis.nearness" in [each["name"] for each in client.get("/api/v1/run").json()["columns"]]
    values = column(client, "analysis.nearness", told["rows"])
    assert values == [each["nearness"] for each in told["ranked"]] == sorted(values, reverse=True)
    table = client.post(f"{PLAN}/gap/table", json={**sides, "rank": {"where": "state = 'unlabeled'"}})
    lines = list(csv.DictReader(table.text.splitlines()))
    assert [each["sample_id"] for each in lines] == [each["sample_id"] for each in command["ranked"]]


def test_a_selection_is_a_population_and_so_is_everything_else(client: TestClient, run: Path) -> None:
    sites = open_population(run).values("metadata.site")
    rows = np.flatnonzero(sites == "o'hare").tolist()
    told = asked(client, "gap", source={"rest": True}, target={"mask": mask_of(rows), "told": "my samples"})
    assert told["target"] == {"where": "my samples", "count": len(rows)}
    assert told["source"] == {"where": "everything else", "count": 400 - len(rows)}
    by_condition = asked(
        client, "gap", source={"where": "metadata.site <> 'o''hare'"}, target={"where": "metadata.site = 'o''hare'"}
    )
    same = ("p", "auc", "auc_interval", "statistics", "centroid_distance")
    assert {name: told[name] for name in same} == {name: by_condition[name] for name in same}
    # What the samples were picked by explains nothing, and a selection does not tell.
    assert "metadata.site" in [each["column"] for each in told["columns"]]
    assert "metadata.site" not in [each["column"] for each in by_condition["columns"]]
    picked = asked(client, "gap", source={"rest": True}, target={"mask": mask_of(rows), "columns": ["metadata.site"]})
    assert "metadata.site" not in [each["column"] for each in picked["columns"]]


def test_gaps_between_all_values_are_those_of_the_command(client: TestClient, printed: Any) -> None:
    told = asked(client, "gaps", by="metadata.site")
    command = printed("domain-gap", "--by", "metadata.site")
    assert {name: told[name] for name in command} == command


def test_what_to_label_is_what_the_command_says(client: TestClient, printed: Any, command: Any, twin: Path) -> None:
    body = {"budget": 12, "balance": "metadata.night", "apart": "metadata.lanes"}
    told = asked(client, "label", **body)
    options = ("--budget", 12, "--balance", "metadata.night", "--apart", "metadata.lanes")
    expected = printed("prioritize", *options)
    assert {name: told[name] for name in expected} == expected
    assert column(client, "analysis.labelling_rank", told["rows"]) == [float(rank) for rank in range(1, 13)]
    command("prioritize", twin, *options, "-o", twin.parent / "list.csv")
    table = client.post(f"{PLAN}/label/table", json={**body, "limit": 1}).text
    assert table == (twin.parent / "list.csv").read_text(encoding="utf-8"), "the table holds all, whatever is listed"


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ({"share": 0.25}, ("--keep", "0.25")),
        ({"count": 90, "first": "loss.a"}, ("--keep", "90", "--first", "loss.a")),
        ({"share": 1.0, "state": "validation"}, ("--keep", "1.0", "--state", "validation")),
    ],
)
def test_what_to_prune_is_what_the_command_says(
    client: TestClient, printed: Any, body: dict[str, Any], options: tuple[str, ...]
) -> None:
    told = asked(client, "prune", **body, limit=1000)
    expected = printed("prune", *options)
    assert {name: told[name] for name in expected} == expected
    kept = np.unpackbits(np.frombuffer(base64.b64decode(told["kept_mask"]), np.uint8), bitorder="little")[:400]
    gone = np.unpackbits(np.frombuffer(base64.b64decode(told["dropped_mask"]), np.uint8), bitorder="little")[:400]
    assert sorted(told["rows"]) == np.flatnonzero(kept).tolist()
    assert (gone.sum(), (kept & gone).sum()) == (expected["dropped"], 0)


def test_predicted_loss_comes_with_how_good_it_is(client: TestClient, printed: Any) -> None:
    told = asked(client, "predicted-loss", state="unlabeled", limit=1000)
    expected = printed("predict-loss")
    assert {name: told[name] for name in expected} == expected
    assert told["told"][0].startswith("Out of fold"), "its skill stands beside it"


def test_similar_to_several_is_what_the_command_says(client: TestClient, printed: Any) -> None:
    told = asked(client, "similar", rows=[3, 17, 250], count=9)
    expected = printed("similar", "--id", "s3", "--id", "s17", "--id", "s250", "--count", 9)
    assert told == expected


def test_what_has_no_labels_is_suggested_before_larger_states(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    states = ["test"] * 50 + ["unlabeled"] * 40 + ["validation"] * 45 + ["additional"] * 9 + ["training"] * 30
    columns: dict[str, Any] = {"metadata.kind": ("string", ["a", "b"] * 87)}
    run = write_run(tmp_path / "run", states, columns, generator.normal(size=(174, 4)))
    with TestClient(application(run, tmp_path), base_url="http://localhost", headers=ORIGIN) as client:
        told = client.get(f"{PLAN}/suggestions").json()
    assert [each["title"] for each in told["gaps"]] == [
        "unlabeled against training", "test against training", "validation against training",
    ]  # fmt: skip
    assert told["by"] == "sample.state"


def test_the_domains_of_the_integration_are_suggested_first(client: TestClient) -> None:
    told = client.get(f"{PLAN}/suggestions").json()
    assert told["by"] == "metadata.site"
    titles = [each["title"] for each in told["gaps"]]
    assert titles[2:] == ["unlabeled against training", "validation against training"]
    assert {titles[0].partition(" against ")[0], titles[1].partition(" against ")[0]} < set(SITES)
    for each in told["gaps"]:
        asked(client, "gap", source={"filters": [each["source"]]}, target={"filters": [each["target"]]})


FILTERS: list[list[dict[str, Any]]] = [
    [{"column": "sample.state", "keep": ["validation", "unlabeled"]}],
    [{"column": "metadata.site", "keep": ["o'hare"]}, {"column": "metadata.night", "keep": ["true"]}],
    [{"column": "metadata.lanes", "keep": ["2", None]}],
    [{"column": "metadata.lanes", "keep": [None]}, {"column": "metadata.size w/h", "low": -0.5}],
    [{"column": "metadata.size w/h", "low": -0.25, "high": 1e-05}],
    [{"column": "loss.a", "high": 1}],
    [{"column": "analysis.cluster", "keep": ["0", "3"]}],
]


@pytest.mark.parametrize("filters", FILTERS)
def test_filters_are_the_same_samples_as_a_condition(
    client: TestClient, run: Path, filters: list[dict[str, Any]]
) -> None:
    population = open_population(run)
    condition = condition_of(population, [Filter(**each) for each in filters])
    selected = client.post("/api/v1/select", json={"filters": filters}).json()
    assert 0 < selected["count"] < 400
    bits = np.unpackbits(np.frombuffer(base64.b64decode(selected["mask"]), np.uint8), bitorder="little")[:400]
    assert population.where(condition).tolist() == np.flatnonzero(bits).tolist()


def test_a_value_that_is_none_cannot_come_into_a_condition(run: Path) -> None:
    with pytest.raises(QuestionError, match="has no value"):
        condition_of(open_population(run), [Filter(column="metadata.lanes", keep=["1) or (1 = 1"])])


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("gap", {"source": {"rest": True}, "target": {"rest": True}}, "Everything else needs another population"),
        ("gap", {"source": {}, "target": {"where": "true"}}, "Name a population"),
        ("gap", {"source": {"where": "state = 'training'"}, "target": {"where": "1 = 0"}}, "The target is empty"),
        ("gap", {"source": {"mask": mask_of([1, 2])}, "target": {"mask": mask_of([2, 3])}}, "both populations"),
        ("gap", {"source": {"mask": mask_of([1, 2])}, "target": {"rest": True}}, "it takes 5 at least"),
        ("gaps", {"by": "loss.a"}, "has no categories"),
        ("label", {"budget": 101}, "only 100 samples can be chosen"),
        ("label", {"budget": 1, "state": "test"}, "no state 'test'"),
        ("prune", {"share": 0.5, "count": 3}, "Say how much to keep"),
        ("prune", {"count": 1000}, "240 with a finite vector"),
        ("predicted-loss", {"state": "test"}, "no state 'test'"),
        ("similar", {"rows": [400]}, "no sample 400"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_a_sentence(
    client: TestClient, name: str, body: dict[str, Any], sentence: str
) -> None:
    assert sentence in refused(client, name, **body)


def test_runs_without_what_is_needed_say_so(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    columns: dict[str, Any] = {"metadata.kind": ("string", ["a", "b"] * 30)}
    bare = write_run(tmp_path / "bare", ["training"] * 40 + ["unlabeled"] * 20, columns)
    spaced = write_run(tmp_path / "spaced", ["training"] * 60, columns, generator.normal(size=(60, 4)))
    with TestClient(application(bare, tmp_path), base_url="http://localhost", headers=ORIGIN) as client:
        for name, body in (("label", {"budget": 3}), ("prune", {"share": 0.5}), ("similar", {"rows": [0]})):
            assert "no latent space" in refused(client, name, **body)
    with TestClient(application(spaced, tmp_path), base_url="http://localhost", headers=ORIGIN) as client:
        assert client.get(f"{PLAN}/suggestions").json() == {"gaps": [], "by": None}
        assert "no state 'unlabeled'" in refused(client, "label", budget=3)
        assert "loss" in refused(client, "predicted-loss", state="training")
        told = asked(client, "label", budget=3, state="training")
        assert "no loss can be predicted" in told["notices"][0]


def calculator_of(run: Path) -> tuple[Calculator, Background]:
    population = open_population(run)
    background = Background(population)
    return Calculator(population, background), background


def test_what_was_computed_once_is_answered_without_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_sites(tmp_path / "run")
    calculator, _ = calculator_of(run)
    first = calculator.answer("prune", PruningAsked(share=0.3), threading.Event())

    def none(*_: Any, **__: Any) -> Any:
        raise AssertionError("a process was started")

    monkeypatch.setattr(Background, "compute", none)
    again = calculator_of(run)[0].answer("prune", PruningAsked(share=0.3), threading.Event())
    assert again.table() == first.table()
    with pytest.raises(AssertionError, match="a process was started"):
        calculator.answer("prune", PruningAsked(share=0.4), threading.Event())


def test_a_run_that_is_only_to_be_read_is_answered_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_sites(tmp_path / "run")
    shutil.copytree(run, tmp_path / "other")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr("leaplab.files.written_aside", _refuse)
    answer = calculator_of(run)[0].answer("prune", PruningAsked(count=40), threading.Event())
    monkeypatch.undo()
    expected, _ = calculator_of(tmp_path / "other")
    assert answer.table() == expected.answer("prune", PruningAsked(count=40), threading.Event()).table()


def _refuse(_: Path) -> Any:
    raise OSError(30, "Read-only file system")


def test_who_leaves_ends_the_computation_and_the_next_is_answered(tmp_path: Path) -> None:
    calculator, background = calculator_of(write_sites(tmp_path / "run"))
    gone = threading.Event()
    left: list[BaseException] = []

    def wait() -> None:
        try:
            calculator.answer("prune", PruningAsked(share=0.5), gone)
        except GoneError as error:
            left.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    process = _first_process(background)
    calculator.leave(gone)
    waiting.join(timeout=10)
    assert len(left) == 1
    assert process.poll() not in (None, 0)
    assert not list((tmp_path / "run" / "derived").glob("pruning*"))
    calculator.answer("prune", PruningAsked(share=0.5), threading.Event())


def test_a_process_that_dies_is_told_and_another_takes_its_place(tmp_path: Path) -> None:
    calculator, background = calculator_of(write_sites(tmp_path / "run"))
    killing = threading.Thread(target=lambda: _first_process(background).kill())
    killing.start()
    with pytest.raises(LeaplabError, match="The process that computes the plan was ended by SIGKILL"):
        calculator.answer("prune", PruningAsked(share=0.5), threading.Event())
    killing.join()
    assert calculator.answer("prune", PruningAsked(share=0.5), threading.Event()).table()["priority"][0] == 1


def _first_process(background: Background) -> "subprocess.Popen[bytes]":
    while not background._running:
        time.sleep(0.01)
    return next(iter(background._running))


def test_other_answers_come_while_one_is_computed(tmp_path: Path) -> None:
    with TestClient(
        application(write_sites(tmp_path / "run"), tmp_path), base_url="http://localhost", headers=ORIGIN
    ) as client:
        client.get("/api/v1/run")
        statuses: list[int] = []

        def prune() -> None:
            statuses.append(client.post(f"{PLAN}/prune", json={"share": 0.4}).status_code)

        long = threading.Thread(target=prune)
        long.start()
        time.sleep(0.05)
        assert client.get("/api/v1/ids").status_code == 200
        assert statuses == [], "the process has only just been started"
        long.join(timeout=60)
        assert statuses == [200]
