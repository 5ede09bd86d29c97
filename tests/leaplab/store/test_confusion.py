"""Confusion elements as arrays, against SQL over their files."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from leaplab.errors import MissingError
from leaplab.store.run import RunStore
from leaplab.store.writing import PartValues, WrittenRun
from tests.leaplab.runs_by_hand import without_ids, write_run

ELEMENTS = [
    (0, "o'clock", True, 0.25, "a"),
    (0, "cat", False, 0.75, "a"),
    (0, "cat", True, 0.5, "b"),
    (2, "dog", True, 0.125, "a"),
    (2, "cat", False, float("nan"), ""),
    (3, "cat", False, 0.0, "a"),
]
STATES = ["training", "validation", "validation", "training"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    elements = [each for state in ("training", "validation") for each in ELEMENTS if STATES[each[0]] == state]
    return write_run(tmp_path / "run", STATES, {}, confusion={"metric.what / which": elements})


def told(store: RunStore) -> list[tuple[Any, ...]]:
    found = store.confusion("metric.what / which")
    names = [found.labels[code] for code in found.label]
    return list(zip(found.row.tolist(), names, found.expected.tolist(), found.probability.tolist(), strict=True))


def test_elements_come_with_the_rows_of_the_run_over_parts(run: Path) -> None:
    store = RunStore.open(run)
    found = store.confusion("metric.what / which")

    # rows are by part: training 0 and 3 become 0 and 1, validation 1 and 2 become 2 and 3
    new = {0: 0, 3: 1, 1: 2, 2: 3}
    ordered = sorted(ELEMENTS, key=lambda each: new[each[0]])
    assert [(row, name, is_expected) for row, name, is_expected, _ in told(store)] == [
        (new[row], label, is_expected) for row, label, is_expected, _, _ in ordered
    ]
    np.testing.assert_array_equal(found.probability, [each[3] for each in ordered])
    assert found.labels == ["cat", "dog", "o'clock"]
    assert store.confusion_metrics == ["metric.what / which"]
    with pytest.raises(MissingError, match="no confusion elements of 'metric.iou'; it has metric.what / which"):
        store.confusion("metric.iou")


def test_ids_are_equal_where_they_are_equal_and_nothing_has_none(run: Path) -> None:
    found = RunStore.open(run).confusion("metric.what / which")

    assert found.thing is not None
    first, second, other, alike, dog, none = found.thing.tolist()
    assert first == second == alike == dog != other
    assert none == 0
    assert 0 not in (first, other)
    with duckdb.connect() as connection:
        ids = connection.execute(
            "SELECT id FROM read_parquet(?) ORDER BY ALL", [str(run / "confusion" / "*" / "*.parquet")]
        ).fetchall()
    assert ids == [("a",), ("a",), ("a",), ("a",), ("b",), (None,)]


def test_a_run_of_an_earlier_leaplab_has_no_ids_and_opens(run: Path) -> None:
    before = told(RunStore.open(run))
    without_ids(run)
    store = RunStore.open(run)
    found = store.confusion("metric.what / which")

    assert (found.thing, found.kept_ids) == (None, False)
    np.testing.assert_equal(told(store), before)


def test_elements_without_ids_have_none(tmp_path: Path) -> None:
    elements = [(0, "cat", True, 0.5, ""), (1, "cat", False, 0.25, "")]
    store = RunStore.open(write_run(tmp_path / "run", ["test", "test"], {}, confusion={"metric.which": elements}))

    assert (store.confusion("metric.which").thing, store.confusion("metric.which").kept_ids) == (None, True)


def test_a_metric_that_found_nothing_to_tell_has_no_elements(tmp_path: Path) -> None:
    store = RunStore.open(write_run(tmp_path / "run", ["test"], {}, confusion={"metric.which": []}))

    found = store.confusion("metric.which")
    assert (found.labels, len(found.row), found.thing) == ([], 0, None)


def test_700_000_elements_are_read_in_half_a_second(make_store: Callable[..., WrittenRun]) -> None:
    size, samples = 2000, 70_000
    store = make_store({"training": (size,) * (samples // size)})
    generator = np.random.default_rng(0)
    for part in store.manifest.parts:
        elements: dict[str, Any] = {
            "offset": np.repeat(np.arange(size), 10),
            "label": [str(label) for _ in range(size) for label in range(10)],
            "expected": np.tile(np.arange(10) == part.number % 10, size),
            "probability": generator.random(size * 10),
        }
        store.write_part(PartValues(part, [str(n) for n in range(size)], {}, {}, {}, {"metric.which": elements}))
    opened = RunStore.open(store.path)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        found = opened.confusion("metric.which")
        times.append(time.perf_counter() - start)

    assert min(times) < 0.5
    np.testing.assert_array_equal(found.row, np.repeat(np.arange(samples), 10))
    np.testing.assert_array_equal(found.label, np.tile(np.arange(10), samples))
