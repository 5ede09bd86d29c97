"""The chart of a training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaplab.analysis.charting.chart import Chart
from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.population.chart_question import ChartQuestion
from leaplab.population.charts import chart_of
from leaplab.population.population import open_population
from leaplab.store.manifest import ColumnEntry
from tests.leaplab.runs_by_hand import write_run

HEAD = "step,epoch,state,metric,value\n"


def lines(state: str, values: Any, every: int = 10, metric: str = "loss", per_epoch: int = 5) -> str:
    return "".join(
        f"{(place + 1) * every},{1 + place // per_epoch},{state},{metric},{value}\n"
        for place, value in enumerate(values)
    )


def curves(folder: Path, text: str, **question: Any) -> Chart:
    run = write_run(folder / "run", ["training"], {"metric.hits": (ColumnEntry("float", "upward", True), [1.0])})
    (run / "history.csv").write_text(HEAD + text)
    return chart_of(open_population(run), ChartQuestion("curves", **question))


def falling(noise: float = 0.001, seed: int = 0) -> Any:
    return np.exp(-np.arange(60) / 8) + 0.2 + np.random.default_rng(seed).normal(0, noise, 60)


def test_states_stand_side_by_side_and_gaps_stay(tmp_path: Path) -> None:
    training = [1.0, 0.5, "nan", 0.25, "", 0.2, 0.1]
    chart = curves(tmp_path, lines("validation", [0.9, 0.8]) + lines("training", training))

    assert chart.series == ["training", "validation"]
    first, second = chart.curves
    assert (first.name, first.x) == ("training", [10, 20, 30, 40, 50, 60, 70])
    assert first.y == [1.0, 0.5, None, 0.25, None, 0.2, 0.1]
    assert (second.series, second.x, second.y) == ("validation", [10, 20], [0.9, 0.8])
    assert (chart.x, chart.y, chart.count, chart.absent) == ("step", "loss", 7, 2)
    assert (chart.x_axis.low, chart.x_axis.high, chart.y_axis.low, chart.y_axis.high) == (10, 70, 0.1, 1.0)
    best = {group.name: (group.count, group.value, group.x) for group in chart.groups}
    assert best == {"training": (5, 0.1, 70), "validation": (2, 0.8, 20)}


def test_by_epoch_the_values_of_one_are_their_mean(tmp_path: Path) -> None:
    chart = curves(tmp_path, lines("training", [1, 2, 3, 4, 6, 8], per_epoch=3), x="epoch")

    assert (chart.x, chart.curves[0].x, chart.curves[0].y) == ("epoch", [1, 2], [2, 6])


def test_steps_that_were_written_again_take_the_last_value(tmp_path: Path) -> None:
    chart = curves(tmp_path, lines("training", [5, 4, 3]) + lines("training", [50, 40]))

    assert chart.curves[0].y == [50, 40, 3]
    assert chart.notices == ["2 values were written again for the same step; the last one counts."]


def test_it_tells_that_a_training_has_levelled_off_by_its_validation(tmp_path: Path) -> None:
    chart = curves(tmp_path, lines("training", falling() - 0.1) + lines("validation", falling(seed=1)))

    assert "loss of validation has levelled off" in chart.told
    assert "worse than that of training" in chart.told
    best = falling(seed=1)
    assert chart.measures["best_validation"] == pytest.approx(best.min())
    assert chart.measures["best_at_validation"] == 10 * (1 + best.argmin())
    assert chart.measures["gap"] == pytest.approx(falling(seed=1)[-12:].mean() - (falling() - 0.1)[-12:].mean())


def test_it_tells_that_a_validation_gets_worse_while_the_training_improves(tmp_path: Path) -> None:
    up = 0.3 + (np.arange(60) - 25.0) ** 2 / 3000
    chart = curves(tmp_path, lines("training", 1 - np.arange(60) / 70) + lines("validation", up))

    assert "loss of validation gets worse again" in chart.told
    assert "it is best, 0.3, at step 260" in chart.told


def test_it_tells_that_a_training_still_improves_and_has_nothing_to_hold_it_against(tmp_path: Path) -> None:
    chart = curves(tmp_path, lines("training", 1 - np.arange(60) / 70))

    assert "loss of training still improves" in chart.told
    assert "Nothing but the training's own data was measured." in chart.told
    assert "gap" not in chart.measures


@pytest.mark.parametrize("metric", ["hits", "accuracy"])
def test_of_a_metric_more_may_be_better(tmp_path: Path, metric: str) -> None:
    rising = np.arange(60) / 70
    chart = curves(tmp_path, lines("held out", rising, metric=metric) + lines("training", [1.0]), y=metric)

    assert f"{metric} of held out still improves" in chart.told
    assert chart.measures["best_held out"] == rising.max()


def test_the_default_metric_is_the_loss_or_the_first(tmp_path: Path) -> None:
    both = lines("training", [1], metric="accuracy") + lines("training", [2])
    assert curves(tmp_path / "a", both).y == "loss"
    assert curves(tmp_path / "b", lines("training", [1], metric="accuracy")).y == "accuracy"
    with pytest.raises(MissingError, match="no metric 'iou'; it has accuracy, loss"):
        curves(tmp_path / "c", both, y="iou")


def test_a_history_of_epochs_alone_is_drawn_by_them(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", ["training"], {})
    (run / "history.csv").write_text("epoch,loss,val_loss\n0,3,4\n1,2,3\n1,1,2\n")
    population = open_population(run)

    chart = chart_of(population, ChartQuestion("curves"))
    assert (chart.x, chart.curves[0].x, chart.curves[0].y) == ("epoch", [0, 1], [3, 1])  # the last one of epoch 1
    with pytest.raises(QuestionError, match="says no step; draw it along epoch"):
        chart_of(population, ChartQuestion("curves", x="step"))
    with pytest.raises(QuestionError, match="along step or epoch, and not 'time'"):
        chart_of(population, ChartQuestion("curves", x="time"))
    with pytest.raises(QuestionError, match="takes no split"):
        chart_of(population, ChartQuestion("curves", split="sample.state"))


def test_values_that_are_none_are_told(tmp_path: Path) -> None:
    chart = curves(tmp_path, lines("training", ["nan"] * 8))

    assert chart.told == "No value of loss is a number."
    assert (chart.count, chart.absent, chart.groups) == (0, 8, [])
    assert chart.curves[0].y == [None] * 8
    few = curves(tmp_path / "few", lines("training", [1, 2, 3]))
    assert few.told.startswith("There are too few values of loss")


def test_without_a_history_it_says_where_one_is_looked_for(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", ["training"], {}, integration=str(tmp_path / "project"), model="net.onnx")

    chart = chart_of(open_population(run), ChartQuestion("curves"))
    assert (chart.curves, chart.groups) == ([], [])
    assert str(tmp_path / "project" / "models" / "net.history.csv") in chart.told
    assert "`leaplab evaluate --history FILE` adds one to the run." in chart.told


@pytest.mark.parametrize("place", ["models/net.history.csv", "net.history.csv", "elsewhere/other.history.csv"])
def test_a_run_that_was_evaluated_before_finds_it_beside_its_model(tmp_path: Path, place: str) -> None:
    option = str(tmp_path / "elsewhere" / "other.h5") if place.startswith("elsewhere") else None
    name = "other.h5" if option else "net.onnx"
    run = write_run(tmp_path / "run", ["training"], {}, integration=str(tmp_path), model=name, model_option=option)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(HEAD + lines("training", [1, 2]))

    assert chart_of(open_population(run), ChartQuestion("curves")).curves[0].y == [1, 2]
    (run / "history.csv").write_text(HEAD + lines("training", [7]))  # the run's own comes first
    assert chart_of(open_population(run), ChartQuestion("curves")).curves[0].y == [7]


def test_a_history_that_is_damaged_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(LeaplabError, match=r"history.csv, line 2, says 'low' for value"):
        curves(tmp_path, "1,1,training,loss,low\n")
