"""How good the model is, against SQL and by hand."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from leaplab.explorer.headline import headline
from leaplab.population.population import Population, open_population
from leaplab.store.manifest import ColumnEntry
from tests.leaplab.runs_by_hand import write_run

UP, DOWN = ColumnEntry("float", "upward", True), ColumnEntry("float", "downward", True)


def run_of(path: Path, columns: dict[str, Any], states: list[str]) -> Population:
    return open_population(write_run(path / "run", states, columns))


def test_accuracy_by_state_and_the_best_and_worst_class_of_validation(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    states = ["training"] * 300 + ["validation"] * 200 + ["unlabeled"] * 50
    classes = [["cat", "dog", "eel"][k] for k in generator.integers(0, 3, 550)]
    chances = [{"cat": 0.9, "dog": 0.5, "eel": 0.7}[each] for each in classes]
    right: list[float | None] = [float(hit) for hit in generator.random(550) < chances]
    right[500:] = [None] * 50
    columns = {
        "metadata.class_name": ("string", classes),
        "metric.confidence": (UP, generator.random(550).tolist()),
        "metric.accuracy": (UP, right),
    }
    population = run_of(tmp_path, columns, states)
    told = headline(population)
    assert told is not None
    files = [str(path) for path in population.store.sample_files()]
    by_state = duckdb.execute(
        'select state, avg("metric.accuracy"), count("metric.accuracy"), sum(1 - "metric.accuracy")'
        ' from read_parquet(?) group by state having count("metric.accuracy") > 0',
        [files],
    ).fetchall()
    assert (told["column"], told["binary"], told["judged"]) == ("metric.accuracy", True, "validation")
    for state, mean, count, wrong in by_state:
        (found,) = [each for each in told["states"] if each["state"] == state]
        assert found == {"state": state, "value": pytest.approx(mean), "count": count, "wrong": wrong}
    assert len(told["states"]) == 2
    by_class = duckdb.execute(
        'select "metadata.class_name", avg("metric.accuracy") as a from read_parquet(?)'
        " where state = 'validation' group by 1 order by a desc",
        [files],
    ).fetchall()
    for which, (name, value) in (("best", by_class[0]), ("worst", by_class[-1])):
        assert told[which] == {"column": "metadata.class_name", "name": name, "value": pytest.approx(value)}


def test_where_less_is_better_the_worst_class_has_the_most(tmp_path: Path) -> None:
    columns = {
        "metadata.label": ("string", ["a"] * 12 + ["b"] * 12 + ["rare"] * 2),
        "metric.error": (DOWN, [0.25] * 12 + [0.5] * 12 + [9.0] * 2),
    }
    told = headline(run_of(tmp_path, columns, ["test"] * 26))
    assert told is not None
    assert (told["upward"], told["binary"], told["states"][0]["wrong"]) == (False, False, None)
    assert (told["best"]["name"], told["worst"]["name"]) == ("a", "b")


def test_a_binary_error_counts_ones_as_wrong(tmp_path: Path) -> None:
    told = headline(run_of(tmp_path, {"metric.wrong": (DOWN, [0.0, 1.0, 1.0, None])}, ["test"] * 4))
    assert told is not None
    assert told["states"] == [{"state": "test", "value": pytest.approx(2 / 3), "count": 3, "wrong": 2}]
    assert (told["best"], told["worst"]) == (None, None)


def test_a_loss_stands_in_for_a_metric_and_nothing_for_neither(tmp_path: Path) -> None:
    told = headline(run_of(tmp_path / "a", {"loss.ce": ("float", [1.0, 3.0])}, ["training"] * 2))
    assert told is not None
    assert (told["column"], told["states"][0]["value"]) == ("loss.ce", 2.0)
    assert headline(run_of(tmp_path / "b", {"metadata.x": ("float", [1.0])}, ["training"])) is None
    assert headline(run_of(tmp_path / "c", {"loss.ce": ("float", [float("nan")])}, ["training"])) is None


@pytest.mark.parametrize(
    ("metrics", "chosen"),
    [
        ({"loss_box": DOWN, "box_precision": UP, "box_mean_iou": UP, "box_f1": UP}, "box_f1"),
        ({"false_positives": DOWN, "recall": UP, "precision": UP}, "recall"),
        ({"flies": DOWN, "error": DOWN}, "flies"),
        ({"mapped": UP, "mAP": UP}, "mAP"),
    ],
)
def test_what_sums_a_detector_up_comes_before_its_parts(
    tmp_path: Path, metrics: dict[str, ColumnEntry], chosen: str
) -> None:
    columns = {f"metric.{name}": (entry, [0.25, 0.5]) for name, entry in metrics.items()}
    told = headline(run_of(tmp_path, columns, ["test"] * 2))
    assert told is not None
    assert told["column"] == f"metric.{chosen}"


def test_a_right_or_wrong_that_is_better_high_comes_before_one_that_is_better_low(tmp_path: Path) -> None:
    columns = {
        "metric.over_segmented": (DOWN, [0.0, 1.0]),
        "metric.f1": (UP, [0.5, 0.25]),
        "metric.hit": (UP, [1.0, 0.0]),
    }
    told = headline(run_of(tmp_path, columns, ["test"] * 2))
    assert told is not None
    assert (told["column"], told["binary"]) == ("metric.hit", True)
