"""What is near to a sample, and tables to take away."""

import base64
import csv
import json
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from leaplab.errors import QuestionError
from leaplab.explorer.listing import json_of, near, table_of
from leaplab.population.computed import ComputedColumn
from leaplab.population.population import Population, open_population
from tests.leaplab.runs_by_hand import write_run

COUNT = 21
NAN = float("nan")


@pytest.fixture
def population(tmp_path: Path) -> Population:
    generator = np.random.default_rng(0)
    columns = {
        "metadata.name": ("string", [None, 'a "quoted", name', *["x"] * (COUNT - 2)]),
        "metadata.legs": ("int", [None, *range(COUNT - 1)]),
        "metadata.wild": ("boolean", [True, False, None] * 7),
        "loss.a": ("float", [NAN, 0.25, *generator.random(COUNT - 2).tolist()]),
    }
    states = ["training"] * 11 + ["test"] * 10
    return open_population(write_run(tmp_path / "run", states, columns, generator.normal(size=(COUNT, 5))))


def mask(*rows: int) -> str:
    bits = np.zeros(24, np.uint8)
    bits[list(rows)] = 1
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def test_a_table_holds_the_chosen_samples_and_nothing_else(population: Population) -> None:
    population.keep("nearness", ComputedColumn("nearness", np.arange(COUNT) / 2))
    rows = list(csv.DictReader(StringIO(table_of(population, mask(0, 1, 12)))))
    assert [(row["sample_id"], row["state"]) for row in rows] == [
        ("s0", "training"),
        ("s1", "training"),
        ("s12", "test"),
    ]
    assert [row["metadata.name"] for row in rows] == ["", 'a "quoted", name', "x"]
    assert [row["metadata.legs"] for row in rows] == ["", "0", "11"]
    assert [row["metadata.wild"] for row in rows] == ["true", "false", "true"]
    assert rows[0]["loss.a"] == ""
    assert float(rows[1]["loss.a"]) == 0.25
    assert [float(row["analysis.nearness"]) for row in rows] == [0.0, 0.5, 6.0]


def test_as_json_it_holds_numbers_and_null(population: Population) -> None:
    told = json.loads(json_of(population, mask(0, 1, 12)))
    samples = told["samples"]
    assert told["run"] == "run"
    assert [list(each)[:2] for each in samples] == [["sample_id", "state"]] * 3
    assert [each["metadata.name"] for each in samples] == [None, 'a "quoted", name', "x"]
    assert [each["metadata.legs"] for each in samples] == [None, 0, 11]
    assert [each["metadata.wild"] for each in samples] == [True, False, True]
    assert [each["loss.a"] for each in samples[:2]] == [None, 0.25]


def test_a_mask_of_another_run_is_refused(population: Population) -> None:
    with pytest.raises(QuestionError, match="2 bytes"):
        table_of(population, base64.b64encode(b"ab").decode())
    for text in ("?", "\x80"):
        with pytest.raises(QuestionError, match="no base64"):
            table_of(population, text)


def test_what_is_near_is_that_of_scipy(population: Population) -> None:
    vectors = population.vectors().values
    distances = cdist(vectors[4:5], vectors, "cosine")[0]
    expected = [row for row in np.argsort(distances) if row != 4][:6]
    found = near(population, 4, 6, None)
    assert [each["row"] for each in found] == expected
    assert [each["distance"] for each in found] == pytest.approx(distances[expected])
