"""`leaplab insights` and `Run.insights`."""

import csv
import importlib.metadata
import json
import shutil
from typing import Any

import numpy as np
import pytest

import leaplab
from leaplab.analysis.insight.registry import KINDS
from leaplab.protocol.description import PredictionSpec
from leaplab.store.manifest import ColumnEntry
from tests.leaplab.runs_by_hand import write_run

COUNT = 900
CLASSES = ("bolt", "nut", "screw")


def bolts(seed=0) -> Any:
    """Three classes, of which one is often wrong on dark samples of validation; and what is wrong."""
    generator = np.random.default_rng(seed)
    states = generator.permutation(np.repeat(["training", "validation", "unlabeled"], [450, 350, 100]))
    truth = generator.integers(0, 3, COUNT)
    dark = generator.random(COUNT) < 0.4
    wrong = (states == "validation") & dark & (truth == 1)
    predicted = np.where(wrong, 0, truth)
    vectors = generator.normal(0, 6, (3, 10))[truth] + generator.normal(size=(COUNT, 10))
    probabilities = np.eye(3)[predicted] * 0.8 + 0.1
    labelled = states != "unlabeled"
    loss = np.where(labelled, -np.log(probabilities[np.arange(COUNT), truth]) + generator.normal(0, 0.1, COUNT), np.nan)
    columns = {
        "metadata.light": ("string", np.where(dark, "dark", "bright").tolist()),
        "metadata.weight": ("float", generator.normal(size=COUNT).tolist()),
        "metadata.class": (
            "string",
            [CLASSES[code] if known else None for code, known in zip(truth, labelled, strict=True)],
        ),
        "loss.entropy": ("float", [value if value == value else None for value in loss.tolist()]),
        "metric.accuracy": (
            ColumnEntry("float", "upward", True),
            [
                float(one == other) if known else None
                for one, other, known in zip(truth, predicted, labelled, strict=True)
            ],
        ),
        "metric.secret": (ColumnEntry("float", "upward", False), [1.0] * COUNT),
        "metric.plain": ("float", generator.normal(size=COUNT).tolist()),
    }
    arrays = {"predictions": {"classes": probabilities}, "ground_truths": {"truth": np.eye(3)[truth]}}
    fields = {"predictions": (PredictionSpec("classes", CLASSES, 1),)}
    return states, columns, vectors, arrays, fields, wrong


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    states, columns, vectors, arrays, fields, wrong = bolts()
    path = tmp_path_factory.mktemp("runs") / "bolts"
    return write_run(path, list(states), columns, vectors, arrays=arrays, **fields), wrong


def test_what_is_wrong_is_told_first_with_its_samples(written, command, tmp_path):
    path, wrong = written
    table, scores = tmp_path / "i.csv", tmp_path / "s.csv"
    told = json.loads(command("insights", path, "--json", "--members", "all", "-o", table, "--scores", scores).out)

    assert set(told) == {"run", "insights", "silent"}
    slices = [each for each in told["insights"] if each["kind"] == "low_performance"]
    first = slices[0]
    assert set(first) == {
        "id", "kind", "severity", "title", "explanation", "action", "state", "space", "population", "members",
        "member_count", "baseline", "inside", "statistics", "differences", "tests", "parent", "stable_id",
        "of_instances",
    }  # fmt: skip
    assert "metadata.light is dark" in first["title"]
    assert first["id"] == "low_performance-1"
    assert not first["of_instances"]
    assert {member["sample_id"] for member in first["members"]} == {f"s{row}" for row in np.flatnonzero(wrong)}
    assert {member["state"] for member in first["members"]} == {"validation"}
    assert "nut taken for bolt" in first["explanation"]
    assert first["member_count"] == wrong.sum() == first["action"]["label"]
    severities = [each["severity"] for each in told["insights"] if each["parent"] is None]
    assert severities == sorted(severities, reverse=True)
    assert all(0 <= severity <= 1 for severity in severities)
    # Every kind is there, or silent with a reason.
    assert {each["kind"] for each in told["insights"]} | {each["kind"] for each in told["silent"]} == set(KINDS)
    assert all(each["reason"].endswith(".") for each in told["silent"])

    rows = list(csv.DictReader(table.open()))
    assert len(rows) == sum(len(each["members"]) for each in told["insights"])
    assert list(rows[0]) == ["insight", "kind", "severity", "title", "sample_id", "state", "score"]
    known = list(csv.DictReader(scores.open()))
    assert list(known[0]) == ["kind", "state", "sample_id", "score"]
    of_labels = [row for row in known if row["kind"] == "mislabeled_samples"]
    assert {row["state"] for row in of_labels} == {"training", "validation"}
    assert len(of_labels) == 800


def test_a_slices_condition_selects_its_samples(written):
    path, _ = written
    run = leaplab.open_run(path)
    (first, *_) = run.insights("low_performance", members=None).insights
    (test,) = first.tests

    rows = run.where(test.where)
    assert len(rows) == first.population
    assert {member.sample_id for member in first.members} <= {run.ids[row] for row in rows}
    assert run.read("loss.entropy", test.where).mean() == pytest.approx(first.inside["loss.entropy"])
    assert test.bound == f"<= {first.baseline['loss.entropy']:.6g}"


def test_the_order_of_rows_changes_nothing(written, tmp_path):
    path, _ = written
    states, columns, vectors, arrays, fields, _ = bolts()
    order = np.random.default_rng(1).permutation(COUNT)
    other = write_run(
        tmp_path / "bolts",
        list(states[order]),
        {name: (entry, [values[row] for row in order]) for name, (entry, values) in columns.items()},
        vectors[order],
        ids=[f"s{row}" for row in order],
        arrays={folder: {name: each[order] for name, each in named.items()} for folder, named in arrays.items()},
        **fields,
    )

    one, two = leaplab.open_run(path).insights(members=None), leaplab.open_run(other).insights(members=None)
    assert one.insights == two.insights
    assert one.silent == two.silent


def test_a_second_look_comes_from_the_cache(written, monkeypatch):
    path, _ = written
    first = leaplab.open_run(path).insights()
    monkeypatch.setattr("leaplab.population.insights.finder", lambda kind: pytest.fail(f"{kind} was asked again"))
    second = leaplab.open_run(path).insights()

    assert (second.insights, second.silent) == (first.insights, first.silent)
    assert second.score_table() == first.score_table()


def test_kinds_limits_and_members(written, command):
    path, wrong = written
    options = ("--kind", "low_performance", "--kind", "shortcut", "--limit", 1, "--members", 3, "--json")
    told = json.loads(command("insights", path, *options).out)

    assert [each["kind"] for each in told["insights"]] == ["low_performance"]
    assert len(told["insights"][0]["members"]) == 3
    assert told["insights"][0]["member_count"] == wrong.sum()
    assert [each["kind"] for each in told["silent"]] == ["shortcut"]


def test_states_and_conditions_choose_the_samples(written, command):
    path, _ = written
    told = json.loads(command("insights", path, "--state", "training", "--kind", "low_performance", "--json").out)

    assert told["insights"] == []
    assert "training" in told["silent"][0]["reason"]


def test_another_score_and_label(written):
    run = leaplab.open_run(written[0])
    (first, *_) = run.insights("low_performance", score="metric.accuracy").insights

    inside, outside = first.inside["metric.accuracy"], first.baseline["metric.accuracy"]
    assert inside is not None
    assert outside is not None
    assert inside < outside
    assert first.tests[0].bound.startswith(">= ")
    by_column = run.insights("mislabeled_samples", label="metadata.class").scores["mislabeled_samples"]
    by_truth = run.insights("mislabeled_samples").scores["mislabeled_samples"]
    assert by_column == by_truth


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--kind", "magic"), f"There is no insight of the kind 'magic'; there are {', '.join(KINDS)}"),
        (("--score", "metadata.weight"), "'metadata.weight' is no loss and no metric"),
        (("--score", "metric.plain"), "The metric 'metric.plain' has no direction"),
        (("--score", "metric.none"), "This run has no column 'metric.none'"),
        (("--label", "metadata.weight"), "'metadata.weight' has no categories, so it is no label"),
        (("--space", "other"), "has no latent space 'other'"),
        (("--where", "metadata.weight > 100"), "There is no sample to look at; widen the condition."),
        (("--where", "metadata.weight >"), "metadata.weight >"),
        (("--members", "some"), "--members takes a number or `all`, not 'some'"),
        (("--state", "test"), "This run has no state 'test'"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(written, command, options, sentence):
    finished = command("insights", written[0], *options)

    assert finished.code == 2
    assert sentence in " ".join(finished.err.split())
    assert "Traceback" not in finished.err


def test_a_person_reads_what_to_do(written, command):
    finished = command("insights", written[0])

    assert finished.code == 0
    text = " ".join(finished.out.split())
    assert "To do: Look at the " in text
    assert "Nothing told of:" in text
    assert "shortcut: " in text


def test_an_insight_keeps_its_name_where_half_of_its_members_stay(tmp_path):
    states, columns, vectors, arrays, fields, _ = bolts()
    path = tmp_path / "bolts"

    def told(identity, **changes) -> dict[str, str]:
        shutil.rmtree(path, ignore_errors=True)
        write_run(path, list(states), {**columns, **changes}, vectors, arrays=arrays, **fields, identity=identity)
        return {each.id: each.stable_id for each in leaplab.open_run(path).insights("low_performance").insights}

    before = told("one")
    loss = columns["loss.entropy"][1]
    accuracy = columns["metric.accuracy"][1]
    failing = [row for row, each in enumerate(accuracy) if each == 0.0]
    some = dict.fromkeys(failing[: len(failing) // 4], 1.0)
    fewer = ("float", [0.1 if row in some else each for row, each in enumerate(loss)])
    mended = (columns["metric.accuracy"][0], [some.get(row, each) for row, each in enumerate(accuracy)])
    after = told("two", **{"loss.entropy": fewer, "metric.accuracy": mended})

    assert after["low_performance-1"] == before["low_performance-1"]
    assert len(set(before.values())) == len(before)


def test_a_read_only_run_has_the_same_insights(written, tmp_path, command):
    path = shutil.copytree(written[0], tmp_path / "runs" / "bolts", ignore=shutil.ignore_patterns("derived"))
    for each in [*path.rglob("*"), path, path.parent]:
        each.chmod(0o555)
    try:
        told = json.loads(command("insights", path, "--json", "--kind", "low_performance").out)
    finally:
        for each in [path.parent, path, *path.rglob("*")]:
            each.chmod(0o755)

    wanted = leaplab.open_run(written[0]).insights("low_performance").insights
    assert [each["title"] for each in told["insights"]] == [each.title for each in wanted]


class Registered:
    """An entry point of some package."""

    dist = None

    def __init__(self, name, loaded) -> None:
        self.name, self.value, self._loaded = name, f"somewhere:{name}", loaded

    def load(self):
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def test_a_finder_that_fails_takes_no_other_with_it(written, monkeypatch, command):
    def broken(samples):
        raise ValueError("no light")

    points = [Registered("a_bad_one", broken)]
    monkeypatch.setattr("leaplab.analysis.insight.registry.entry_points", lambda group: points)
    told = json.loads(command("insights", written[0], "--json").out)

    reasons = {each["kind"]: each["reason"] for each in told["silent"]}
    assert reasons["a_bad_one"] == "The finder failed: ValueError: no light"
    assert any(each["kind"] == "low_performance" for each in told["insights"])


@pytest.mark.parametrize(
    ("point", "sentence"),
    [
        (Registered("shortcut", lambda samples: None), "The insight 'shortcut' of somewhere:shortcut is there already"),
        (Registered("gone", ImportError("no module")), "The insight 'gone' of somewhere:gone cannot be imported"),
    ],
)
def test_a_finder_that_cannot_be_taken_is_a_sentence(written, monkeypatch, command, point, sentence):
    monkeypatch.setattr("leaplab.analysis.insight.registry.entry_points", lambda group: [point])
    finished = command("insights", written[0], "--json")

    assert finished.code == 2
    assert sentence in " ".join(finished.err.split())


def test_entry_points_are_those_of_the_documented_group(written, monkeypatch):
    asked = []

    def none(group: str) -> importlib.metadata.EntryPoints:
        asked.append(group)
        return importlib.metadata.EntryPoints()

    monkeypatch.setattr("leaplab.analysis.insight.registry.entry_points", none)
    leaplab.open_run(written[0]).insights("shortcut")

    assert set(asked) == {"leaplab.insights"}


ABSENT = [None] * COUNT


@pytest.mark.parametrize(
    "case",
    ["no score", "no vectors", "vectors of nan", "all alike", "one class", "one sample", "one state", "absent values",
     "infinite losses", "a thousand categories"],
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_odd_runs_have_an_answer(case, tmp_path, command):
    states, columns, vectors, arrays, fields, _ = bolts()
    columns = dict(columns)
    if case == "no score":
        columns = {name: each for name, each in columns.items() if name.startswith("metadata")}
    if case == "no vectors":
        vectors = None
    if case == "vectors of nan":
        vectors = np.full_like(vectors, np.nan)
    if case == "all alike":
        vectors = np.zeros_like(vectors)
        columns = {name: (entry, [values[0]] * COUNT) for name, (entry, values) in columns.items()}
    if case == "one class":
        arrays = {**arrays, "ground_truths": {"truth": np.eye(3)[np.zeros(COUNT, int)]}}
    if case == "one sample":
        states, vectors = states[:1], vectors[:1]
        columns = {name: (entry, values[:1]) for name, (entry, values) in columns.items()}
    if case == "one state":
        states = np.full(COUNT, "unlabeled")
    if case == "absent values":
        columns = {name: (entry, ABSENT) for name, (entry, _) in columns.items()}
    if case == "infinite losses":
        loss = [np.inf if row % 7 == 0 else value for row, value in enumerate(columns["loss.entropy"][1])]
        columns["loss.entropy"] = ("float", loss)
    if case == "a thousand categories":
        columns["metadata.kind"] = ("string", [f"kind {row}" for row in range(COUNT)])
    path = write_run(tmp_path / "odd", list(states), columns, vectors, arrays=arrays, **fields)
    finished = command("insights", path, "--json")

    assert finished.code == 0, finished.err
    told = json.loads(finished.out)
    assert {each["kind"] for each in told["insights"]} | {each["kind"] for each in told["silent"]} == set(KINDS)
    assert "nan" not in finished.out.lower().replace("nan or inf", "")


def test_element_instances_have_slices(make_project, evaluated, tmp_path):
    store = evaluated(tmp_path, make_project("instances", inputs=("image",)))
    answer = leaplab.open_run(store.path).insights("low_performance")

    assert answer.silent[0].reason.count("No labelled state has 60") == 2  # samples, and objects: they are few


def test_slices_of_objects_are_told_by_their_ids(tmp_path):
    generator = np.random.default_rng(0)
    count, of_each = 200, 4
    tall = generator.random(count * of_each) < 0.3
    iou = 0.9 - 0.5 * tall + generator.normal(0, 0.02, count * of_each)
    sample = np.repeat(np.arange(count), of_each)
    vectors = generator.normal(size=(count * of_each, 6)).astype(np.float32)
    path = write_run(
        tmp_path / "totes",
        ["validation"] * count,
        {"metadata.light": ("float", generator.normal(size=count).tolist())},
        generator.normal(size=(count, 6)),
        instances={"validation": count * of_each},
        instance_columns={
            "metadata.tall": ColumnEntry("boolean"), "metric.iou": ColumnEntry("float", "upward", True),
            "mask_share": ColumnEntry("float"), "name": ColumnEntry("string"),
        },
        objects={
            "offset": sample.tolist(),
            "number": np.tile(np.arange(of_each), count).tolist(),
            "instance_id": [f"s{row}_{number}" for row in range(count) for number in range(of_each)],
            "name": ["box"] * (count * of_each),
            "mask_share": generator.random(count * of_each).tolist(),
            "metadata.tall": tall.tolist(),
            "metric.iou": iou.tolist(),
        },
        object_vectors=vectors,
    )  # fmt: skip
    (insight,) = leaplab.open_run(path).insights("low_performance", members=None).insights

    assert insight.title == "metadata.tall is true"
    assert (insight.population, insight.space) == (tall.sum(), "model@instances")
    assert insight.of_instances
    worst = np.quantile(iou, 0.2)
    wanted = {f"s{row}_{number}" for row in range(count) for number in range(of_each)
              if tall[row * of_each + number] and iou[row * of_each + number] < worst}  # fmt: skip
    assert {member.sample_id for member in insight.members} == wanted
    assert "objects of validation" in insight.explanation
