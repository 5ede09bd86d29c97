"""Filters and the histograms of what else there is, against SQL over the same table."""

import base64
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.explorer.model import Filter, Selecting
from leaplab.explorer.painting import order_of
from leaplab.explorer.selecting import Selector
from leaplab.population.computed import ComputedColumn
from leaplab.population.population import Population, open_population
from tests.leaplab.runs_by_hand import write_run

COUNT = 500


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Population:
    generator = np.random.default_rng(0)
    animals = [["cat", "dog", "eel", None][k] for k in generator.integers(0, 4, COUNT)]
    loss = [None if value < 0.05 else float(value) for value in generator.exponential(size=COUNT)]
    columns = {
        "metadata.animal": ("string", animals),
        "metadata.legs": ("int", generator.integers(0, 5, COUNT).tolist()),
        "metadata.file": ("string", [f"f{k}" if k % 3 else "same" for k in range(COUNT)]),
        "loss.a": ("float", loss),
    }
    states = ["training"] * 300 + ["test"] * 200
    return open_population(write_run(Path(tmp_path_factory.mktemp("runs")) / "run", states, columns))


def by_sql(population: Population, condition: str) -> list[int]:
    table = "(SELECT *, row_number() OVER () - 1 AS row FROM read_parquet(?))"
    files = [str(path) for path in population.store.sample_files()]
    found = duckdb.execute(f"SELECT row FROM {table} WHERE {condition} ORDER BY row", [files]).fetchall()
    return [row for (row,) in found]


def rows_of(answer: dict[str, Any]) -> list[int]:
    bits = np.unpackbits(np.frombuffer(base64.b64decode(answer["mask"]), np.uint8), bitorder="little")
    return np.flatnonzero(bits[:COUNT]).tolist()


@pytest.mark.parametrize(
    ("where", "filters", "condition"),
    [
        (None, [], "true"),
        (None, [Filter(column="metadata.animal", keep=["cat", "eel"])], "\"metadata.animal\" in ('cat', 'eel')"),
        (None, [Filter(column="metadata.animal", keep=[None])], '"metadata.animal" is null'),
        (None, [Filter(column="metadata.animal", keep=[])], "false"),
        (None, [Filter(column="metadata.animal", keep=["unicorn"])], "false"),
        (None, [Filter(column="metadata.legs", keep=["2", "4"])], '"metadata.legs" in (2, 4)'),
        (None, [Filter(column="metadata.file", keep=["same"])], "\"metadata.file\" = 'same'"),
        (None, [Filter(column="loss.a", low=0.5, high=1.5)], '"loss.a" between 0.5 and 1.5'),
        (None, [Filter(column="loss.a", high=0.2)], '"loss.a" <= 0.2'),
        ("loss.a > 1", [], '"loss.a" > 1'),
        (
            "metadata.legs = 3 or state = 'test'",
            [Filter(column="metadata.animal", keep=["dog", None]), Filter(column="loss.a", low=0.3)],
            '("metadata.legs" = 3 or state = \'test\') and ("metadata.animal" = \'dog\' or "metadata.animal" is null)'
            ' and "loss.a" >= 0.3',
        ),
    ],
)
def test_the_samples_are_those_of_sql(
    population: Population, where: str | None, filters: list[Filter], condition: str
) -> None:
    answer = Selector(population).select(Selecting(where=where, filters=filters))
    expected = by_sql(population, condition)
    assert rows_of(answer) == expected
    assert answer["count"] == len(expected)


def test_a_histogram_is_of_what_all_other_filters_leave(population: Population) -> None:
    filters = [Filter(column="metadata.animal", keep=["cat"]), Filter(column="loss.a", low=0.5)]
    asked = ["metadata.animal", "loss.a", "metadata.legs", "sample.state"]
    answer = Selector(population).select(Selecting(filters=filters, histograms=asked))
    animals, losses, legs, states = answer["histograms"]

    others = '"loss.a" >= 0.5'
    assert animals["counts"] == [len(by_sql(population, f"{others} and \"metadata.animal\" = '{name}'"))
                                 for name in ("cat", "dog", "eel")]  # fmt: skip
    assert animals["absent"] == len(by_sql(population, f'{others} and "metadata.animal" is null'))
    cats = by_sql(population, "\"metadata.animal\" = 'cat'")
    assert sum(losses["counts"]) + losses["absent"] == len(cats)
    assert losses["absent"] == len(by_sql(population, '"metadata.animal" = \'cat\' and "loss.a" is null'))
    both = f"{others} and \"metadata.animal\" = 'cat'"
    assert legs["counts"] == [len(by_sql(population, f'{both} and "metadata.legs" = {n}')) for n in range(5)]
    assert sum(states["counts"]) == answer["count"]


def test_all_is_of_the_samples_within_a_mask(population: Population) -> None:
    within = np.zeros(COUNT, bool)
    within[[1, 2, 3, 250, 410, 499]] = True
    mask = base64.b64encode(bytes(sum(int(within[8 * k + j]) << j for j in range(8) if 8 * k + j < COUNT)
                                  for k in range(63))).decode()  # fmt: skip
    filters = [Filter(column="metadata.legs", keep=["0", "1", "2"])]
    answer = Selector(population).select(
        Selecting(within=mask, filters=filters, histograms=["metadata.legs", "sample.state"])
    )
    expected = [row for row in by_sql(population, '"metadata.legs" in (0, 1, 2)') if within[row]]
    assert rows_of(answer) == expected
    legs, states = answer["histograms"]
    assert sum(legs["counts"]) == 6, "a column's own filter does not count"
    assert states["counts"] == [sum(row < 300 for row in expected), sum(row >= 300 for row in expected)]


def test_a_column_that_is_computed_anew_is_counted_anew(population: Population) -> None:
    selector = Selector(population)
    for value in (0.0, 5.0):
        population.keep("nearness", ComputedColumn("nearness", np.r_[np.full(499, value), 1.0], None))
        asked = Selecting(filters=[], histograms=["analysis.nearness"])
        (answer,) = selector.select(asked)["histograms"]
        assert answer["counts"][-1 if value else 0] == 499


def test_the_bins_of_a_number_are_equal_parts_between_the_first_and_last_percentile(population: Population) -> None:
    (answer,) = Selector(population).select(Selecting(histograms=["loss.a"]))["histograms"]
    values = population.values("loss.a").astype(float)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [1, 99])
    expected, _ = np.histogram(np.clip(finite, low, high), 32, (low, high))
    np.testing.assert_allclose(answer["counts"], expected, atol=1)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", ["loss.a", "metadata.animal", "metadata.legs"])
def test_the_order_is_that_of_sql(population: Population, column: str, descending: bool) -> None:
    table = "(SELECT *, row_number() OVER () - 1 AS row FROM read_parquet(?))"
    files = [str(path) for path in population.store.sample_files()]
    by = f'"{column}" {"desc" if descending else "asc"} nulls last, row'
    expected = [row for (row,) in duckdb.execute(f"SELECT row FROM {table} ORDER BY {by}", [files]).fetchall()]
    assert np.frombuffer(order_of(population, column, descending), "<u4").tolist() == expected


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Selecting(filters=[Filter(column="metadata.wings", keep=[])]), "no column 'metadata.wings'"),
        (Selecting(filters=[Filter(column="loss.a")]), "neither what to keep nor a range"),
        (Selecting(filters=[Filter(column="loss.a", keep=["1"])]), "filter it by `low` and `high`"),
        (Selecting(filters=[Filter(column="metadata.animal", low=1)]), "filter it by `keep`"),
        (Selecting(where="loss.a >"), "cannot be used"),
        (Selecting(within="AA=="), "1 bytes, which is not a bit for each"),
    ],
)
def test_what_makes_no_sense_is_told(population: Population, asked: Selecting, told: str) -> None:
    with pytest.raises(LeaplabError, match=told):
        Selector(population).select(asked)
