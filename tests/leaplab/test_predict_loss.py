"""`leaplab predict-loss` and `Run.predict_loss`."""

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import leaplab
from leaplab.protocol.description import PredictionSpec
from tests.leaplab.runs_by_hand import write_run

SVG = "{http://www.w3.org/2000/svg}"
CLASSES = ("bolt", "nut")


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """The less sure of a bolt or a nut the model is, the greater its loss; 10 unlabeled ones lie far away."""
    generator = np.random.default_rng(0)
    states = np.repeat(["validation", "unlabeled"], [300, 100])
    sure = generator.uniform(0.5, 1, 400)
    loss = (1 - sure) * generator.uniform(0.5, 1.5, 400)
    vectors = generator.normal(size=(400, 4))
    vectors[-10:] += 20
    known = states == "validation"
    columns = {
        "metadata.label": ("string", [CLASSES[row % 2] if known[row] else None for row in range(400)]),
        "loss.a": ("float", np.where(known, loss, np.nan).tolist()),
        "loss.constant": ("float", np.where(known, 1.0, np.nan).tolist()),
    }
    outputs = np.column_stack([sure, 1 - sure]).astype(np.float32)
    path = tmp_path_factory.mktemp("runs") / "bolts"
    arrays, predictions = {"predictions": {"classes": outputs}}, (PredictionSpec("classes", CLASSES, 1),)
    return write_run(path, states.tolist(), columns, vectors, arrays=arrays, predictions=predictions)


def said(finished: Any) -> str:
    return " ".join(finished.err.split())


def test_json_is_what_the_commands_agreed_on(written, command, tmp_path):
    finished = command("predict-loss", written, "--state", "unlabeled", "--json", "-o", tmp_path / "loss.csv")
    told = json.loads(finished.out)

    assert finished.code == 0
    assert set(told) == {"fitted_on", "recipe", "skill", "withheld_share", "samples"}
    assert told["fitted_on"] == ["validation"]
    assert set(told["skill"]) == {"top_tenth_share", "top_tenth_best", "spearman", "auroc_wrong", "coverage"}
    assert told["skill"]["auroc_wrong"] is None
    assert told["skill"]["spearman"] > 0.7
    assert len(told["samples"]) == 100
    first = told["samples"][0]
    assert set(first) == {"sample_id", "state", "predicted", "low", "high"}
    assert first["state"] == "unlabeled"
    assert [each["predicted"] for each in told["samples"]] == sorted(
        (e["predicted"] for e in told["samples"]), reverse=True
    )
    withheld = {each["sample_id"] for each in told["samples"] if each["low"] is None}
    assert {f"s{row}" for row in range(390, 400)} <= withheld
    assert told["withheld_share"] == len(withheld) / 100
    assert all((each["low"] is None) == (each["high"] is None) for each in told["samples"])

    rows = list(csv.DictReader((tmp_path / "loss.csv").read_text().splitlines()))
    assert list(rows[0]) == ["sample_id", "state", "predicted", "low", "high"]
    assert [row["sample_id"] for row in rows] == [each["sample_id"] for each in told["samples"]]
    assert [float(row["predicted"]) for row in rows] == [each["predicted"] for each in told["samples"]]


def test_a_person_reads_the_first_samples_and_how_good_the_prediction_is(written, command):
    finished = command("predict-loss", written)
    answer = leaplab.open_run(written).predict_loss("unlabeled")

    assert finished.out.split()[:6] == ["sample", "state", "predicted", "90", "%", "within"]
    assert [line.split()[0] for line in finished.out.splitlines()[1:]] == list(answer.ids[:12])
    told = said(finished)
    assert f"hold {100 * answer.skill.top_tenth_share:.0f} % of the loss (chance 10, best possible" in told
    assert "Out of fold on validation, the first 10 % by prediction hold" in told
    assert "% of the intervals are withheld: these samples lie farther" in told
    assert "Kept as analysis.predicted_loss" in told


def test_of_a_labelled_state_the_real_loss_stands_beside_the_prediction(written, command):
    finished = command("predict-loss", written, "--state", "validation")

    assert finished.out.splitlines()[0].split()[-1] == "real"
    assert "(real " in said(finished)


def test_a_second_look_comes_from_the_cache_and_needs_no_table(written, monkeypatch):
    first = leaplab.open_run(written).predict_loss("unlabeled")
    monkeypatch.setattr(
        "leaplab.population.predicted_loss.evidence_of", lambda *_: pytest.fail("it was computed again")
    )
    monkeypatch.setattr(
        "leaplab.population.population.Population.columns", property(lambda _: pytest.fail("read again"))
    )
    second = leaplab.open_run(written).predict_loss("unlabeled")

    assert first.table() == second.table()
    assert (first.skill, first.warnings, first.calibration) == (second.skill, second.warnings, second.calibration)


def test_the_predictions_are_a_column_of_the_run(written, command):
    command("predict-loss", written)
    run = leaplab.open_run(written)
    answer = run.predict_loss("unlabeled")
    high = run.where(f"analysis.predicted_loss > {answer.predicted[10]}")

    assert set(high) == set(answer.rows[answer.predicted > answer.predicted[10]])
    told = json.loads(command("predict-loss", written, "--json", "--where", "analysis.predicted_loss > 0.3").out)
    assert len(told["samples"]) == (answer.predicted > 0.3).sum()


@pytest.mark.parametrize("vectors", [None, np.full((60, 3), np.nan)])
def test_without_a_map_the_figure_and_the_notebook_show_what_there_is(command, tmp_path, vectors):
    generator = np.random.default_rng(0)
    sure = generator.uniform(0.5, 1, 60)
    loss = [*(1 - sure[:40] + 0.1 * generator.random(40)).tolist(), *[None] * 20]
    run = write_run(
        tmp_path / "bolts", ["validation"] * 40 + ["unlabeled"] * 20, {"loss.a": ("float", loss)}, vectors,
        arrays={"predictions": {"classes": np.column_stack([sure, 1 - sure]).astype(np.float32)}},
        predictions=(PredictionSpec("classes", CLASSES, 1),),
    )  # fmt: skip
    path = tmp_path / "loss.svg"

    assert command("predict-loss", run, "--figure", path).code == 0
    assert "tenths" in layers_of(path)
    assert not {e for e in layers_of(path) if e and e.startswith("losses")}
    page = leaplab.open_run(run).predict_loss("unlabeled")._repr_html_()
    assert "no interval is withheld" in page
    assert "<img" not in page


def texts_of(path: Path) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.parse(path).iter(f"{SVG}text")]


def layers_of(path: Path) -> set[str | None]:
    return {each.get("id") for each in ElementTree.parse(path).iter(f"{SVG}g")}


@pytest.mark.parametrize(("state", "maps"), [("unlabeled", 1), ("validation", 2)])
def test_it_is_drawn_with_what_came_of_former_predictions(written, command, tmp_path, state, maps):
    path = tmp_path / "loss.svg"
    finished = command("predict-loss", written, "--state", state, "--figure", path)

    assert finished.code == 0
    assert f"{path} shows them" in said(finished)
    assert {f"losses-{number}" for number in range(maps)} == {
        e for e in layers_of(path) if e and e.startswith("losses")
    }
    assert "tenths" in layers_of(path)
    texts = texts_of(path)
    assert "Predicted loss.a" in texts
    assert ("Real loss.a" in texts) == (maps == 2)
    assert "best possible" in " ".join(texts)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--state", "nowhere"), "This run has no state 'nowhere'; it has validation, unlabeled"),
        (("--score", "loss.none"), "no column 'loss.none'"),
        (("--score", "metadata.label"), "'metadata.label' is no loss and no metric; name one of these by --score"),
        (("--score", "loss.constant"), "loss.constant is the same for every sample of validation"),
        (("--space", "none"), "no latent space 'none'"),
        (("--where", "loss.a >"), "condition"),
        (("--where", "state = 'validation'"), "There is no sample of unlabeled to predict the loss of"),
        (("--figure", "loss.gif"), "let it end in .png or .svg"),
    ],
)
def test_a_bad_question_is_a_sentence(written, command, options, told):
    finished = command("predict-loss", written, *options)

    assert finished.code == 2
    assert told in said(finished)
    assert finished.out == ""


def test_warnings_stand_beside_the_json(written, command, tmp_path):
    states, loss = ["test"] * 30 + ["unlabeled"] * 2, [*np.random.default_rng(0).random(30).tolist(), None, None]
    run = write_run(
        tmp_path / "few", states, {"loss.a": ("float", loss)}, np.random.default_rng(1).normal(size=(32, 3))
    )
    finished = command("predict-loss", run, "--json")

    assert json.loads(finished.out)["fitted_on"] == ["test"]
    assert "the prediction is fitted on test" in said(finished)


def test_a_notebook_shows_the_skill_and_the_first_samples(written):
    answer = leaplab.open_run(written).predict_loss("unlabeled")
    page = answer._repr_html_()

    assert "the first 10 % by prediction hold" in page
    assert page.index(answer.ids[0]) < page.index(answer.ids[19])
    assert page.count("<tr>") == 21
    assert "and 80 more samples" in page
    assert page.count("<img") == 1


def test_a_run_of_an_integration_has_predictions(tiny_run, command):
    told = json.loads(command("predict-loss", tiny_run.path, "--state", "training", "--json").out)

    assert told["fitted_on"] == ["validation"]
    assert "entropy" in told["recipe"]
    assert len(told["samples"]) == tiny_run.states["training"]
