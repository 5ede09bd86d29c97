"""What of a run a loss is predicted from, and what the prediction says of itself."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy, spearmanr
from sklearn.metrics import roc_auc_score

from leaplab.errors import LeaplabError
from leaplab.population.population import Population, open_population
from leaplab.population.predicted_loss import predicted_loss_of
from leaplab.protocol.description import PredictionSpec
from leaplab.store.manifest import ColumnEntry
from tests.leaplab.runs_by_hand import write_run

NAN = float("nan")
CLASSES = ("bolt", "nut", "pin")


def classified(folder: Path, validation: int = 400, **changes: Any) -> Path:
    """A classifier's run: a third of the samples are undecided, and so more often wrong."""
    generator = np.random.default_rng(0)
    states = np.repeat(["training", "validation", "unlabeled"], [100, validation, 200])
    count = len(states)
    sharp = np.where(generator.random(count) < 0.3, 1.0, 6.0)
    logits = sharp[:, None] * generator.normal(size=(count, 3))
    outputs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([generator.choice(3, p=row) for row in outputs])
    loss = -np.log(outputs[np.arange(count), truth])
    vectors = generator.normal(size=(count, 6))
    vectors[-20:] += 30
    known = states != "unlabeled"
    columns: dict[str, Any] = {
        "metadata.label": (
            "string",
            [CLASSES[each] if here else None for each, here in zip(truth, known, strict=True)],
        ),
        "loss.a": ("float", np.where(known, loss, NAN).tolist()),
        "metric.accuracy": (
            ColumnEntry("float", direction="upward"),
            np.where(known, outputs.argmax(axis=1) == truth, NAN).tolist(),
        ),
    }
    given: dict[str, Any] = {
        "vectors": vectors,
        "arrays": {"predictions": {"classes": outputs.astype(np.float32)}},
        "predictions": (PredictionSpec("classes", CLASSES, 1),),
    }
    return write_run(folder / "bolts", states.tolist(), columns, **{**given, **changes})


@pytest.fixture(scope="module")
def bolts(tmp_path_factory):
    return open_population(classified(tmp_path_factory.mktemp("runs")))


def test_undecided_samples_come_first(bolts):
    answer = predicted_loss_of(bolts, "unlabeled")
    outputs = bolts.store.stored("predictions", "classes")[answer.rows]

    assert (answer.score, answer.fitted_on, set(answer.states)) == ("loss.a", ("validation",), {"unlabeled"})
    assert (np.diff(answer.predicted) <= 0).all()
    assert answer.ranking == pytest.approx(entropy(outputs, axis=1), abs=1e-5)
    assert (np.diff(answer.ranking) <= 0).all()
    assert "entropy of the prediction 'classes'" in answer.recipe
    assert np.isnan(answer.real).all()
    assert [bolts.ids[row] for row in answer.rows] == answer.ids
    # The outputs are true probabilities, so that the expected loss is their entropy.
    assert answer.predicted.mean() == pytest.approx(answer.ranking.mean(), rel=0.15)


def test_skill_is_measured_out_of_fold_on_what_it_was_fitted_on(bolts):
    answer = predicted_loss_of(bolts, "unlabeled")
    rows = np.flatnonzero(np.array(bolts.states) == "validation")
    loss, wrong = bolts.values("loss.a")[rows], bolts.values("metric.accuracy")[rows] == 0
    rank = entropy(bolts.store.stored("predictions", "classes")[rows], axis=1)

    assert answer.measured_on == "out of fold on validation"
    assert answer.skill.auroc_wrong == pytest.approx(roc_auc_score(wrong, rank), abs=1e-3)
    assert answer.skill.spearman == pytest.approx(spearmanr(rank, loss).statistic, abs=1e-3)
    assert answer.skill.top_tenth_share == pytest.approx(loss[np.argsort(-rank)[:40]].sum() / loss.sum(), abs=1e-6)
    assert answer.skill.top_tenth_best == pytest.approx(np.sort(loss)[-40:].sum() / loss.sum())
    assert answer.skill.coverage == pytest.approx(0.9, abs=0.04)
    assert sum(each.count for each in answer.calibration) == 400


def test_intervals_of_samples_that_are_unlike_are_withheld(bolts):
    answer = predicted_loss_of(bolts, "unlabeled")
    away = answer.rows >= bolts.samples - 20

    assert np.isnan(answer.low[away]).all()
    assert np.isnan(answer.high[~away]).mean() < 0.05
    assert answer.withheld_share == pytest.approx(np.isnan(answer.low).mean())
    assert np.array_equal(np.isnan(answer.low), np.isnan(answer.high))
    assert np.isfinite(answer.predicted).all()


def test_a_state_that_it_is_fitted_on_is_predicted_out_of_fold(bolts):
    answer = predicted_loss_of(bolts, "validation")
    real = bolts.values("loss.a")[answer.rows]

    assert len(answer.rows) == 400
    assert np.array_equal(answer.real, real)
    assert answer.measured_on == "out of fold on validation"
    assert answer.skill == predicted_loss_of(bolts, "unlabeled").skill
    inside = (real >= answer.low) & (real <= answer.high)
    assert inside[~np.isnan(answer.low)].mean() == pytest.approx(answer.skill.coverage)
    assert [each.predicted for each in answer.calibration][-1] == pytest.approx(np.sort(answer.predicted)[-40:].mean())


def test_another_labelled_state_is_judged_itself(bolts):
    answer = predicted_loss_of(bolts, "training")
    wrong = bolts.values("metric.accuracy")[answer.rows] == 0

    assert (answer.fitted_on, answer.measured_on) == (("validation",), "on training itself")
    assert answer.skill.auroc_wrong == pytest.approx(roc_auc_score(wrong, answer.ranking))


def test_of_a_metric_what_it_lacks_to_its_best_is_predicted(bolts):
    answer = predicted_loss_of(bolts, "validation", "metric.accuracy")

    assert answer.quantity == "1 - metric.accuracy"
    assert np.array_equal(answer.real, 1 - bolts.values("metric.accuracy")[answer.rows])
    assert answer.predicted.mean() == pytest.approx(answer.real.mean(), abs=0.02)
    by_loss = predicted_loss_of(bolts, "validation")
    assert np.array_equal(answer.ranking[np.argsort(answer.rows)], by_loss.ranking[np.argsort(by_loss.rows)])


def test_columns_are_kept_for_the_map_and_for_conditions(tmp_path):
    run = classified(tmp_path)
    answer = predicted_loss_of(open_population(run), "unlabeled")
    population = open_population(run)
    column = population.column("analysis.predicted_loss")

    assert (column.label, column.direction) == ("predicted loss.a of unlabeled", "downward")
    kept = {name: population.values(f"analysis.predicted_loss{name}") for name in ("", "_low", "_high")}
    for name, values in (("", answer.predicted), ("_low", answer.low), ("_high", answer.high)):
        assert np.array_equal(kept[name][answer.rows], values, equal_nan=True)
        assert np.isnan(np.delete(kept[name], answer.rows)).all()
    greatest = population.where(f"analysis.predicted_loss > {answer.predicted[50]}")
    assert set(greatest) == set(answer.rows[answer.predicted > answer.predicted[50]])


def test_a_condition_chooses_what_is_told_and_not_what_is_fitted(bolts):
    whole = predicted_loss_of(bolts, "unlabeled")
    some = predicted_loss_of(bolts, "unlabeled", among=np.sort(whole.rows)[10:40])
    chosen = np.isin(whole.rows, np.sort(whole.rows)[10:40])

    assert np.array_equal(some.rows, whole.rows[chosen])
    assert np.array_equal(some.predicted, whole.predicted[chosen])
    assert some.skill == whole.skill
    assert np.isfinite(bolts.values("analysis.predicted_loss")).sum() == 200
    with pytest.raises(LeaplabError, match="no sample of unlabeled .*widen the condition"):
        predicted_loss_of(bolts, "unlabeled", among=np.arange(10))


def test_the_order_of_the_evaluation_changes_nothing(tmp_path):
    """The same samples, of which an evaluation wrote the rows in another order."""
    first = predicted_loss_of(open_population(detected(tmp_path / "a")), "unlabeled")
    order = np.random.default_rng(1).permutation(380)
    second = predicted_loss_of(open_population(detected(tmp_path / "b", order)), "unlabeled")

    assert first.table() == second.table()
    assert first.skill == second.skill


def detected(folder: Path, order: Any = slice(None), without: tuple[str, ...] = (), **changes: Any) -> Path:
    """A detector's run: no probabilities; the loss goes with a direction of the space, a metric and a metadata."""
    generator = np.random.default_rng(0)
    states = np.repeat(["training", "validation", "unlabeled"], [100, 200, 80])
    vectors, sure, dark = generator.normal(size=(380, 5)), generator.normal(size=380), generator.normal(size=380)
    loss = np.exp(0.6 * vectors[:, 1] - 0.8 * sure + 0.5 * dark + 0.6 * generator.normal(size=380))
    known = states != "unlabeled"
    columns: dict[str, Any] = {
        "loss.a": ("float", np.where(known, loss, NAN)),
        "metric.confidence": (ColumnEntry("float", direction="upward"), sure),
        "metadata.dark": ("float", dark),
        "metadata.truth": ("float", np.where(known, loss, NAN)),
        "metadata.filled": ("float", np.where(known, loss, -1)),
        "metadata.kind": ("string", np.where(dark > 0, "street", "field").astype(object)),
    }
    columns = {name: (kind, values[order].tolist()) for name, (kind, values) in columns.items() if name not in without}
    given: dict[str, Any] = {"vectors": vectors[order], "ids": np.array([f"s{n}" for n in range(380)])[order].tolist()}
    return write_run(folder / "frames", states[order].tolist(), columns, **{**given, **changes})


def test_without_probabilities_vectors_and_columns_tell_the_loss(tmp_path):
    population = open_population(detected(tmp_path))
    answer = predicted_loss_of(population, "unlabeled")

    assert "'model' and 3 columns" in answer.recipe, "the confidence, the darkness and the kind"
    assert answer.fitted_on[0] == "validation"
    # What tells the loss explains it to a correlation of .88.
    assert answer.skill.spearman > 0.7
    assert answer.skill.spearman < 0.92, "neither the truth nor what fills its place may be seen"
    assert answer.skill.auroc_wrong is None
    assert answer.skill.coverage == pytest.approx(0.9, abs=0.06)
    assert not answer.warnings


def test_without_an_unlabeled_state_no_metadata_are_believed(tmp_path):
    generator = np.random.default_rng(0)
    loss = generator.exponential(size=120)
    columns: dict[str, Any] = {
        "loss.a": ("float", loss),
        "metadata.truth": ("float", loss),
        "input.brightness": ("float", loss**2),
    }
    states = np.repeat(["validation", "test"], 60)
    alone = {name: each for name, each in columns.items() if name != "input.brightness"}
    blind = write_run(tmp_path / "a", states.tolist(), alone, generator.normal(size=(120, 3)))
    seeing = write_run(tmp_path / "b", states.tolist(), columns, generator.normal(size=(120, 3)))

    answer = predicted_loss_of(open_population(blind), "test")
    assert abs(answer.skill.spearman) < 0.4
    assert "no unlabeled state" in " ".join(answer.warnings)
    assert predicted_loss_of(open_population(seeing), "test").skill.spearman > 0.8


def test_columns_or_probabilities_alone_are_enough_and_say_that_no_interval_is_withheld(tmp_path):
    by_columns = predicted_loss_of(open_population(detected(tmp_path / "a", vectors=None)), "unlabeled")
    by_entropy = predicted_loss_of(open_population(classified(tmp_path / "b", vectors=None)), "unlabeled")

    assert 0.4 < by_columns.skill.spearman < 0.95
    assert by_entropy.skill.spearman > 0.7
    for answer in (by_columns, by_entropy):
        assert answer.withheld_share == 0
        assert "no interval is withheld" in " ".join(answer.warnings)


def test_vectors_and_losses_that_are_not_finite_are_left_out_and_counted(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(700, 6))
    vectors[[150, 151, 550]] = NAN
    run = classified(tmp_path, vectors=vectors)
    answer = predicted_loss_of(open_population(run), "unlabeled")

    assert len(answer.rows) == 199
    assert "2 of 400 validation samples" in answer.warnings[0]
    assert "1 of 200 unlabeled samples" in answer.warnings[1]


def with_states(folder: Path, states: Any, loss: Any, **changes: Any) -> Population:
    count = len(states)
    vectors = np.random.default_rng(0).normal(size=(count, 3))
    return open_population(write_run(folder / "run", states, {"loss.a": ("float", loss)}, vectors, **changes))


def losses(count: int) -> Any:
    return np.random.default_rng(1).exponential(size=count).tolist()


def test_some_losses_are_absent(tmp_path):
    states = ["validation"] * 60 + ["unlabeled"] * 5
    answer = predicted_loss_of(with_states(tmp_path, states, losses(50) + [NAN] * 15), "validation")

    assert "10 of 60 validation samples have no finite loss" in " ".join(answer.warnings)
    assert len(answer.rows) == 60
    assert np.isnan(answer.real).sum() == 10
    assert np.isfinite(answer.predicted).all()


@pytest.mark.parametrize(
    ("states", "base", "told"),
    [
        (["test"] * 40 + ["training"] * 40 + ["unlabeled"], "test", "no 20 validation samples .* fitted on test"),
        (["training"] * 40 + ["validation"] * 3 + ["unlabeled"], "training", "has learned these samples"),
    ],
)
def test_another_state_stands_in_for_validation_and_is_named(tmp_path, states, base, told):
    answer = predicted_loss_of(with_states(tmp_path, states, [*losses(len(states) - 1), NAN]), "unlabeled")

    assert answer.fitted_on[0] == base
    assert len(answer.rows) == 1
    assert re.search(told, " ".join(answer.warnings))


@pytest.mark.parametrize(
    ("states", "loss", "told"),
    [
        (["validation"] * 40, losses(40), "has no state 'unlabeled'; it has validation"),
        (["unlabeled"] * 40, [NAN] * 40, "No sample has a finite value of loss.a.*evaluate a labelled state"),
        (["validation"] * 39 + ["unlabeled"], [NAN] * 40, "No sample has a finite value of loss.a"),
        (["validation"] * 39 + ["unlabeled"], [*[2.5] * 39, NAN], "loss.a is the same for every sample of validation"),
        (["validation"] * 19 + ["unlabeled"], [*losses(19), NAN], "20 samples .* but validation has 19; evaluate more"),
        (["unlabeled"] * 40, losses(40), "No labelled state has a finite loss.a"),
    ],
)
def test_what_cannot_be_predicted_is_a_sentence(tmp_path, states, loss, told):
    with pytest.raises(LeaplabError, match=told):
        predicted_loss_of(with_states(tmp_path, states, loss), "unlabeled")


def test_nothing_to_predict_from_is_a_sentence(tmp_path):
    run = write_run(tmp_path / "run", ["validation"] * 30 + ["unlabeled"], {"loss.a": ("float", [*losses(30), NAN])})

    with pytest.raises(LeaplabError, match="neither probabilities nor a latent space nor columns"):
        predicted_loss_of(open_population(run), "unlabeled")
    flat = write_run(
        tmp_path / "flat",
        ["validation"] * 30 + ["unlabeled"],
        {"loss.a": ("float", [*losses(30), NAN])},
        np.ones((31, 3)),
    )
    with pytest.raises(LeaplabError, match="neither probabilities nor a latent space nor columns"):
        predicted_loss_of(open_population(flat), "unlabeled")


def test_a_state_without_one_finite_vector_is_a_sentence(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(31, 3))
    vectors[30] = np.inf
    states, loss = ["validation"] * 30 + ["unlabeled"], [*losses(30), NAN]
    run = write_run(tmp_path / "run", states, {"loss.a": ("float", loss)}, vectors)

    with pytest.raises(LeaplabError, match="No sample of unlabeled has a finite vector"):
        predicted_loss_of(open_population(run), "unlabeled")
