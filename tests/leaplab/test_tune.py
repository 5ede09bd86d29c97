"""`leaplab tune` on a stranger's simulation whose best parameters are known."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image
from scipy.spatial.distance import cdist, pdist
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from leaplab.cli.tune import figure_of_tuning
from leaplab.population.population import open_population
from leaplab.project.locate import find_project
from leaplab.session.opening import open_session
from leaplab.tune.journal import Journal
from leaplab.tune.tuning import Question, halves_of, tune
from tests.leaplab import tuned
from tests.leaplab.runs_by_hand import write_run

TARGET = "state = 'unlabeled'"


@pytest.fixture(scope="module")
def made(tmp_path_factory: Any, evaluated: Any) -> Any:
    """The integration, and its run."""
    root = tuned.make(tmp_path_factory.mktemp("tuned") / "integration")
    return root, evaluated(tmp_path_factory.mktemp("runs"), root).path


@pytest.fixture
def asked(made: Any, command: Any, tmp_path: Any) -> Any:
    """`asked("--trials", 5)`: the command, on a copy of the run."""
    root, run = made
    shutil.copytree(run, tmp_path / "runs" / "model", ignore=shutil.ignore_patterns("tune"))

    def ask(*options: Any, simulation: Any = "scene", target: Any = TARGET) -> Any:
        where = ("--run", tmp_path / "runs" / "model", "--target", target)
        return command("tune", simulation, root, *where, *options)

    return ask


def test_the_parameters_of_the_target_are_found(asked, tmp_path):
    finished = asked("--json", "-o", tmp_path / "trials.csv")
    assert finished.code == 0, finished.err
    told = json.loads(finished.out)

    assert list(told) == ["best", "start", "trials", "front", "population"]
    best, start = told["best"], told["start"]
    assert list(best) == list(start) == ["parameters", "distance", "p"]
    assert start["parameters"] == tuned.START
    assert best["parameters"]["lying"] == "upright"
    assert best["parameters"]["place"] == 7
    assert best["parameters"]["light"] == pytest.approx(0.8, abs=0.15)
    assert best["parameters"]["tint"] == pytest.approx(-0.5, abs=0.3)
    assert best["distance"] < 0.1 * start["distance"]
    assert start["p"] < 0.01 < best["p"]

    trials = told["trials"]
    assert trials[0]["parameters"] == tuned.START
    assert [each["number"] for each in trials] == list(range(len(trials)))
    assert best["parameters"] == min(trials, key=lambda each: each["value"])["parameters"]
    for each in told["front"]:
        assert each in trials
        assert not any(
            other["distance"] < each["distance"] and other["coverage"] < each["coverage"] for other in trials
        )
    assert told["population"] is None
    rows = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert list(rows[0]) == ["number", "light", "tint", "place", "lying", "distance", "coverage", "value"]
    assert [float(row["distance"]) for row in rows] == [each["distance"] for each in trials]


def test_what_is_told_is_of_the_half_that_no_trial_has_seen(made):
    root, run = made
    population = open_population(run)
    question = Question("scene", TARGET, trials=3, seed=4)
    answer = tune(population, question, lambda: open_session(find_project(root)))
    halves = halves_of(population, TARGET, "model", 4)
    target = population.where(TARGET)
    assert sorted([*halves.fitted, *halves.held_out]) == target.tolist()
    assert len(halves.fitted) == len(halves.held_out) == 30

    vectors = np.asarray(population.vectors("model").values, float)
    pool = np.concatenate([vectors[halves.fitted], np.delete(vectors, target, axis=0)])
    scaler = StandardScaler().fit(pool)
    components = PCA(svd_solver="full").fit(scaler.transform(pool))
    scale = np.sqrt(components.explained_variance_ * (len(pool) - 1) / len(pool))

    def laid_out(values: Any) -> Any:
        return (components.transform(scaler.transform(values)) / scale)[:, scale > 1e-4]  # the rest is rounding

    for checked in (answer.start, answer.best):
        pictures = tuned.draw()(64, (11, 5), **checked.parameters)  # of another seed than the trials'
        one, other = laid_out(tuned.vectors_of(pictures)), laid_out(vectors[halves.held_out])
        within = pdist(one).mean() + pdist(other).mean()
        assert checked.distance == pytest.approx(2 * cdist(one, other).mean() - within, rel=1e-3, abs=1e-3)
    first = laid_out(tuned.vectors_of(tuned.draw()(64, (11, 4), **tuned.START)))
    fitted = laid_out(vectors[halves.fitted])
    expected = 2 * cdist(first, fitted).mean() - pdist(first).mean() - pdist(fitted).mean()
    assert answer.trials[0].distance == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
def test_one_that_was_interrupted_answers_the_same_to_the_byte(asked, monkeypatch, tmp_path, workers):
    options = ("--json", "--trials", 12, "--samples", 32, "--seed", 3, "--workers", workers)
    keep, kept = Journal.keep, []

    def interrupted(journal: Any, number: Any, *rest: Any) -> Any:
        if number == 9:
            raise KeyboardInterrupt
        kept.append(number)
        keep(journal, number, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "keep", interrupted)
        stopped = asked(*options)
    assert stopped.code not in (0, 2)
    assert stopped.out == ""
    assert f"Stopped after {9 // workers * workers} of 12 trials" in stopped.err
    assert "the same command goes on from there" in " ".join(stopped.err.split())

    resumed = asked(*options)
    again = asked(*options)
    shutil.rmtree(tmp_path / "runs" / "model" / "derived" / "tune")
    whole = asked(*options)
    assert kept == list(range(9))
    assert whole.code == 0, whole.err
    assert resumed.out == again.out == whole.out


def test_the_best_population_is_written_as_it_was_checked(asked, tmp_path):
    options = ("--trials", 6, "--json", "--write", tmp_path / "best")
    told = json.loads(asked(*options).out)

    folder = tmp_path / "best"
    assert told["population"] == str(folder)
    about = json.loads((folder / "parameters.json").read_text())
    assert about["parameters"] == told["best"]["parameters"]
    assert (about["simulation"], about["seed"], about["samples"], about["target"]) == ("scene", 1, 64, TARGET)
    assert (about["distance"], about["p"], about["run"]) == (told["best"]["distance"], told["best"]["p"], "model")
    rows = list(csv.DictReader((folder / "samples.csv").read_text().splitlines()))
    assert [row["sample_id"] for row in rows] == [f"made/{number}" for number in range(64)]
    pictures = tuned.draw()(64, (11, 1), **about["parameters"])
    for row, picture in zip(rows, pictures, strict=True):
        with Image.open(folder / row["picture"]) as shown:
            np.testing.assert_array_equal(np.asarray(shown), np.rint(picture * 255))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

    refused = asked(*options)
    assert refused.code == 2
    assert "is there already; name another folder by --write, or replace it by --overwrite" in flat(refused.err)
    (folder / "old.txt").write_text("")
    assert asked(*options, "--overwrite").code == 0
    assert not (folder / "old.txt").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    refused = asked(*options[:-1], tmp_path / "mine", "--overwrite")
    assert refused.code == 2
    assert "holds no population of `leaplab tune`" in flat(refused.err)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_a_person_reads_from_where_to_where(asked, tmp_path):
    finished = asked(
        "--trials", 4, "--workers", 2, "--figure", tmp_path / "tuned.png", "--start", "light=-0.5", "--start", "place=6"
    )

    assert finished.code == 0, finished.err
    lines = finished.out.splitlines()
    assert lines[0].split() == ["parameter", "bounds", "start", "best"]
    assert lines[1].split()[:5] == ["light", "-1", "to", "1", "-0.5"]
    assert lines[3].split()[:5] == ["place", "0", "to", "9", "6"]
    assert lines[4].split()[:4] == ["lying", "across,", "upright", "across"]
    assert "To the 30 samples of the target that no trial has seen: distance " in finished.out
    assert "Two halves of the target lie up to" in flat(finished.err)
    assert (tmp_path / "tuned.png").read_bytes().startswith(b"\x89PNG")


def test_the_integration_of_the_run_is_taken_where_none_is_named(asked, made, command, tmp_path):
    finished = command("tune", "light", "--run", "model", "--runs", tmp_path / "runs", "--target", TARGET, "--json",
                       "--trials", 9)  # fmt: skip
    assert finished.code == 0, finished.err
    # One parameter.
    best = json.loads(finished.out)["best"]["parameters"]
    assert best == {"light": pytest.approx(0.8, abs=0.4)}


def test_the_same_question_gives_the_same_whatever_the_order_of_the_runs_rows(made, tmp_path):
    root, run = made
    population = open_population(run)
    vectors = population.vectors("model").values
    order = np.random.default_rng(0).permutation(population.samples)
    answers = []
    for name, rows in (("one", np.arange(population.samples)), ("other", order)):
        states = [population.states[row] for row in rows]
        path = write_run(tmp_path / name / "run", states, {}, vectors[rows], [population.ids[row] for row in rows],
                         integration=str(root))  # fmt: skip
        question = Question("scene", TARGET, trials=5)
        answers.append(tune(open_population(path), question, lambda: open_session(find_project(root))).as_json())
    assert answers[0] == answers[1]


@pytest.mark.usefixtures("one_process")
def test_a_target_that_is_the_whole_run(asked, tmp_path):
    told = json.loads(asked("--trials", 2, "--json", target="metadata.brightness > -1").out)
    assert len(told["trials"]) == 2
    assert told["start"]["distance"] > 0.1

    same = write_run(tmp_path / "same", ["training"] * 30, {}, np.ones((30, 24)))
    shutil.rmtree(tmp_path / "runs")
    shutil.copytree(same, tmp_path / "runs" / "model")
    # Nothing of such a run tells in which ways samples differ: those of the start do.
    finished = asked("--trials", 1, "--json", target="state = 'training'")
    assert finished.code == 0, finished.err
    assert json.loads(finished.out)["best"]["p"] < 0.05


def test_a_space_of_the_integrations_own(asked):
    told = json.loads(asked("--space", "colours", "--trials", 14, "--json").out)
    bad = asked("--space", "sounds")

    assert told["best"]["distance"] < told["start"]["distance"]
    assert bad.code == 2
    assert "sounds" in bad.err


@pytest.mark.usefixtures("one_process")
def test_what_makes_no_sense_is_a_sentence(asked, tmp_path):
    (tmp_path / "there.png").write_text("")
    for options, told in (
        ({"simulation": "rain"}, "There is no simulation 'rain'; this integration has scene, light, faulty."),
        ({"target": "state = 'test'"}, "No sample meets the target's condition; it takes 20: widen --target."),
        ({"target": "sample_id in ('u1', 'u2', 'u3')"}, "Only 3 samples with a vector meet the target's condition"),
        ({"target": "metadata.colour = 1"}, "colour"),
        (("--start", "light=2"), "--start light=2 is outside of its bounds; give a number from -1 to 1."),
        (("--start", "light=nan"), "--start light=nan is outside of its bounds"),
        (("--start", "light=bright"), "--start light=bright: give a number."),
        (("--start", "place=2.5"), "--start place=2.5: give a whole number."),
        (("--start", "lying=askew"), "--start lying=askew: it is one of across, upright; give one of these."),
        (("--start", "light"), "--start takes NAME=VALUE, not 'light'."),
        (("--start", "rain=1"), "'scene' has no parameter 'rain'; it has light, tint, place, lying."),
        (("--start", "light=0", "--start", "light=1"), "--start gives 'light' twice; give it once."),
        (("--trials", 0), "--trials is at least 1, not 0."),
        (("--samples", 1), "--samples is at least 2, not 1."),
        (("--workers", 0), "--workers is at least 1, not 0."),
        (("--seed", -1), "--seed is at least 0, not -1."),
        (("--figure", tmp_path / "there.png"), "is there already"),
        (("--figure", tmp_path / "there.pdf"), "is no name of a figure"),
    ):
        finished = asked(**options) if isinstance(options, dict) else asked(*options)
        assert finished.code == 2, (options, finished.err)
        assert told in flat(finished.err), (options, finished.err)
        assert finished.out == ""


@pytest.mark.usefixtures("one_process")
def test_a_simulation_that_does_wrong_is_refused_before_the_search(asked, tmp_path):
    for way, told in (
        ("raises", "The simulation 'faulty' with way=raises fails: RuntimeError: the engine is cold"),
        ("fewer", "The simulation 'faulty' gives 7 samples for N=8"),
        ("shape", "The input 'picture' of sample 'made/0' has shape (9, 10, 3)"),
        (
            "random",
            "gives other samples the second time, for the same parameters and the seed 0; let all that is random",
        ),
    ):
        finished = asked("--start", f"way={way}", simulation="faulty")
        assert finished.code == 2, (way, finished.err)
        assert told in flat(finished.err), (way, finished.err)
        assert not (tmp_path / "runs" / "model" / "derived" / "tune").exists()


def test_bounds_that_are_upside_down_are_refused(made, command, changed, tmp_path):
    root = tuned.make(tmp_path / "upside")
    changed(root / "leap_binder.py", '{"min": 0, "max": 9}', '{"min": 9, "max": 0}')
    finished = command("tune", "scene", root, "--run", made[1], "--target", TARGET)

    assert finished.code == 2
    assert "'place': min (9) must be < max (0)" in flat(finished.err)


def test_an_integration_without_a_simulation(command, tiny, tiny_run):
    finished = command("tune", "scene", tiny, "--run", tiny_run.path, "--target", "state = 'validation'")

    assert finished.code == 2
    assert "This integration has no simulation; decorate a function that makes samples with" in flat(finished.err)


def test_a_run_without_a_latent_space(made, command, tmp_path):
    path = write_run(tmp_path / "run", ["training"] * 30, {}, integration=str(made[0]))
    finished = command("tune", "scene", made[0], "--run", path, "--target", "state = 'training'")

    assert finished.code == 2
    assert "latent space" in finished.err


def test_another_model_or_other_code_than_the_runs_is_told(made, command, changed, tmp_path):
    root = tuned.make(tmp_path / "other")
    options = ("--run", made[1], "--target", TARGET, "--trials", 1, "--json")
    same = command("tune", "light", root, *options)
    changed(root / "scenes.py", "0.2 * tint", "0.2 * tint + 0")
    code = command("tune", "light", root, *options)
    onnx.save(tuned.model(seed=6), root / "model.onnx")
    model = command("tune", "light", root, *options)
    onnx.save(tuned.model(hidden=7), root / "model.onnx")
    narrow = command("tune", "light", root, *options)

    assert (same.code, code.code, model.code, narrow.code) == (0, 0, 0, 2)
    assert "not that of" not in flat(same.err)
    assert "The integration's code is not that of model any more; the latent vectors are still" in flat(code.err)
    assert "The model is not that of model: its latent vectors of the run's own samples differ" in flat(model.err)
    assert "The model gives vectors of 7 numbers, and the run model holds vectors of 24" in flat(narrow.err)


def test_a_run_that_cannot_be_written_is_tuned_all_the_same(asked, tmp_path):
    first = asked("--trials", 3, "--json")
    derived = tmp_path / "runs" / "model" / "derived"
    shutil.rmtree(derived)
    derived.write_text("")  # root may write everywhere, but not below a file

    assert asked("--trials", 3, "--json").out == first.out


def test_the_figure_shows_each_trial_and_parameter(made):
    root, run = made
    answer = tune(open_population(run), Question("scene", TARGET, trials=11), lambda: open_session(find_project(root)))
    figure = figure_of_tuning(answer)

    (axes,) = figure.axes
    shown = {line.get_gid(): line for line in axes.lines}
    assert np.asarray(shown["trials"].get_xdata()).tolist() == list(range(len(answer.trials)))
    assert shown["best"].get_xdata() == [answer.best_number]
    assert shown["start"].get_ydata() == pytest.approx([answer.trials[0].distance])
    texts = [each.get_text() for each in figure.texts]
    for name in tuned.START:
        assert name in texts


@pytest.mark.long
def test_ctrl_c_ends_it_in_the_middle(made, tmp_path):
    root, run = made
    shutil.copytree(run, tmp_path / "model", ignore=shutil.ignore_patterns("tune"))
    command = [sys.executable, "-m", "leaplab", "tune", "scene", str(root), "--run", str(tmp_path / "model")]
    command += ["--target", TARGET, "--json", "--samples", "400", "--workers", "2", "--trials", "24"]
    journal = tmp_path / "model" / "derived" / "tune"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and lines_of(journal) < 8:
        pass
    process.send_signal(2)
    out, err = process.communicate(timeout=30)
    assert process.returncode != 0
    assert out == ""
    assert "Traceback" not in err
    resumed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    shutil.rmtree(journal)
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == resumed


def lines_of(journal: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in journal.glob("*.journal"))


def flat(text: str) -> str:
    return " ".join(text.split())
