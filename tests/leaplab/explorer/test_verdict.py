"""What is said of one sample: against SQL over its run's files, and by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from fastapi.testclient import TestClient

from leaplab.explorer.application import make_application
from leaplab.protocol.description import PredictionSpec
from leaplab.store.manifest import ColumnEntry
from leaplab.store.run import RunStore
from tests.leaplab.runs_by_hand import write_run

UP, DOWN = ColumnEntry("float", "upward", True), ColumnEntry("float", "downward", True)
SORTS = PredictionSpec("sort", ("cat", "dog", "eel"), -1)


@pytest.fixture
def explore(tmp_path: Path) -> Callable[..., tuple[TestClient, RunStore]]:
    """`explore(states, columns, **)`: the server of a run that is written by hand, see `write_run`."""

    def make(states: list[str], columns: dict[str, Any], **fields: Any) -> tuple[TestClient, RunStore]:
        (tmp_path / "index.html").write_text("<p>the page</p>")
        store = RunStore.open(write_run(tmp_path / "run", states, columns, **fields))
        return TestClient(make_application(store, tmp_path), base_url="http://localhost"), store

    return make


def sample(client: TestClient, row: int) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/samples/{row}").json()
    return found


def test_a_class_is_told_with_its_truth_and_its_share(explore: Callable[..., tuple[TestClient, RunStore]]) -> None:
    predictions = np.array([[0.1, 0.7, 0.2], [0.05, 0.05, 0.9], [0.5, 0.25, 0.25]], np.float32)
    truths = np.array([[0, 1, 0], [1, 0, 0], [np.nan] * 3], np.float32)
    client, _ = explore(
        ["training", "training", "unlabeled"],
        {"loss.a": (DOWN, [1.0, 2.0, None])},
        arrays={"predictions": {"sort": predictions}, "ground_truths": {"truth": truths}},
        predictions=(SORTS,),
    )
    assert sample(client, 0)["verdict"] == {
        "kind": "class", "truth": "dog", "predicted": "dog", "share": pytest.approx(0.7), "right": True,
    }  # fmt: skip
    assert sample(client, 1)["verdict"] == {
        "kind": "class", "truth": "cat", "predicted": "eel", "share": pytest.approx(0.9), "right": False,
    }  # fmt: skip
    unknown = sample(client, 2)["verdict"]
    assert (unknown["truth"], unknown["predicted"], unknown["right"]) == (None, "cat", None)


def test_numbers_that_are_no_distribution_have_no_share_and_a_column_may_hold_the_truth(
    explore: Callable[..., tuple[TestClient, RunStore]],
) -> None:
    client, _ = explore(
        ["training"] * 3,
        {"metadata.class_name": ("string", ["dog", "eel", "cat"])},
        arrays={"predictions": {"sort": np.array([[3.0, -1, 2], [0, 1, 5], [4, 9, 0]], np.float32)}},
        predictions=(SORTS,),
    )
    told = [sample(client, row)["verdict"] for row in range(3)]
    assert [(v["truth"], v["predicted"], v["share"], v["right"]) for v in told] == [
        ("dog", "cat", None, False),
        ("eel", "eel", None, True),
        ("cat", "dog", None, False),
    ]


def test_missed_and_false_objects_are_counted_by_metrics_that_belong_together(
    explore: Callable[..., tuple[TestClient, RunStore]],
) -> None:
    client, _ = explore(
        ["training", "training", "unlabeled"],
        {
            "metric.masks_false_negatives": (DOWN, [9.0, 9.0, 9.0]),
            "metric.boxes_false_positives": (DOWN, [2.0, 0.0, 1.0]),
            "metric.boxes_false_negatives": (DOWN, [1.0, 0.0, None]),
            "metric.boxes_true_positives": (UP, [5.0, 4.0, None]),
        },
    )
    assert sample(client, 0)["verdict"] == {
        "kind": "objects", "missed": 1.0, "false": 2.0, "found": 5.0, "right": False,
    }  # fmt: skip
    assert sample(client, 1)["verdict"]["right"] is True
    assert sample(client, 2)["verdict"]["kind"] == "score", "what was missed is not known there"


def test_a_number_stands_beside_the_true_one(explore: Callable[..., tuple[TestClient, RunStore]]) -> None:
    client, _ = explore(
        ["training"] * 2,
        {"loss.a": (DOWN, [1.0, 2.0])},
        arrays={"predictions": {"price": [[2.5], [3.0]]}, "ground_truths": {"paid": [[2.0], [3.25]]}},
        predictions=(PredictionSpec("price", ("price",), -1),),
    )
    assert sample(client, 1)["verdict"] == {"kind": "number", "truth": 3.25, "predicted": 3.0}


def test_else_the_score_is_named_and_a_run_without_one_says_nothing(
    explore: Callable[..., tuple[TestClient, RunStore]],
) -> None:
    client, _ = explore(["training"] * 2, {"loss.a": (DOWN, [1.0, 2.0]), "metric.b": (UP, [0.5, 0.7])})
    assert sample(client, 0)["verdict"] == {"kind": "score", "column": "metric.b"}


def test_a_run_without_a_score_has_no_verdict(explore: Callable[..., tuple[TestClient, RunStore]]) -> None:
    client, _ = explore(["training"] * 2, {"metadata.a": ("float", [1.0, 2.0])})
    assert sample(client, 0)["verdict"] is None
    assert sample(client, 0)["values"] == [{"column": "metadata.a", "value": 1.0, "rank": None}]


def test_ranks_are_among_the_finite_values_of_the_sample_s_state(
    explore: Callable[..., tuple[TestClient, RunStore]],
) -> None:
    generator = np.random.default_rng(3)
    states = ["training"] * 40 + ["validation"] * 25
    values: list[Any] = generator.integers(0, 12, 65).astype(float).tolist()
    values[4], values[50], values[51] = None, float("nan"), float("inf")
    client, store = explore(
        states, {"loss.a": (DOWN, values), "metric.hit": ("boolean", [bool(k % 3) for k in range(65)])}
    )
    files = [str(path) for path in store.sample_files()]
    for row in (0, 17, 39, 40, 64):
        state, value = states[row], values[row]
        expected = duckdb.execute(
            'select count(*), sum(("loss.a" <= ?)::int), sum(("loss.a" >= ?)::int) from read_parquet(?)'
            ' where state = ? and isfinite("loss.a")',
            [value, value, files, state],
        ).fetchone()
        ranked = {each["column"]: each["rank"] for each in sample(client, row)["values"]}
        assert expected is not None
        assert tuple(ranked["loss.a"][name] for name in ("of", "least", "most")) == expected
        hits = [bool(k % 3) for k, each in enumerate(states) if each == state]
        assert ranked["metric.hit"]["of"] == len(hits)
        assert ranked["metric.hit"]["most"] == (sum(hits) if row % 3 else len(hits))
    for row in (4, 50, 51):
        assert {each["column"]: each["rank"] for each in sample(client, row)["values"]}["loss.a"] is None
