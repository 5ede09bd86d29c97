"""Columns by which lists are balanced, kept apart or ordered."""

from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError, MissingError, QuestionError
from leaplab.population.population import Population
from leaplab.population.sharing import (
    balancing_codes,
    codes_of_column,
    in_canonical_order,
    numbers_of_column,
    rows_of_list,
)

ROWS = np.arange(6)


@pytest.fixture
def population(make_population: Any) -> Population:
    found: Population = make_population(
        {
            "metadata.camera": ("string", ["b", None, "a", "b", "", "a"]),
            "metadata.video": ("int", [10, 9, None, 10, 9, 100]),
            "metadata.night": ("boolean", [True, False, None, True, True, False]),
            "metadata.height": ("float", [0.5, 1.0, float("nan"), 0.5, 2.5, None]),
            "metadata.empty": ("float", [None] * 6),
        },
        ids=["c", "a", "b", "d", "a", "e"],
        states={"training": 3, "test": 3},
    )
    return found


def test_rows_stand_by_state_and_id(population):
    assert in_canonical_order(population, ROWS).tolist() == [4, 3, 5, 1, 2, 0]


@pytest.mark.parametrize(
    ("column", "codes", "names"),
    [
        ("metadata.camera", [2, -1, 1, 2, 0, 1], ["", "a", "b"]),
        ("metadata.video", [1, 0, -1, 1, 0, 2], ["9", "10", "100"]),
        ("metadata.night", [0, 1, -1, 0, 0, 1], ["true", "false"]),
        ("metadata.height", [0, 1, -1, 0, 2, -1], ["0.5", "1.0", "2.5"]),
    ],
)
def test_values_of_any_kind_have_codes(population, column, codes, names):
    found, told = codes_of_column(population, column, ROWS)

    assert list(told) == names
    assert found.tolist() == codes


def test_of_what_has_too_many_values_no_equal_shares_are_made(population):
    assert balancing_codes(population, "metadata.video", ROWS, 3)[0].max() == 2
    with pytest.raises(QuestionError, match="'metadata.video' has too many values"):
        balancing_codes(population, "metadata.video", ROWS, 2)
    with pytest.raises(QuestionError, match="'metadata.height' is a number on a scale"):
        balancing_codes(population, "metadata.height", ROWS, 2)


def test_numbers_are_those_of_the_column(population):
    for column, expected in (
        ("metadata.night", [1, 0, np.nan, 1, 1, 0]),
        ("metadata.video", [10, 9, np.nan, 10, 9, 100]),
    ):
        assert np.array_equal(numbers_of_column(population, column, ROWS), expected, equal_nan=True)


def test_columns_without_what_is_needed_are_sentences(population):
    with pytest.raises(QuestionError, match=r"'metadata\.camera' holds no numbers"):
        numbers_of_column(population, "metadata.camera", ROWS)
    with pytest.raises(QuestionError, match=r"None of these samples has a value of 'metadata\.empty'"):
        numbers_of_column(population, "metadata.empty", ROWS)
    with pytest.raises(QuestionError, match=r"None of these samples has a value of 'metadata\.camera'"):
        codes_of_column(population, "metadata.camera", np.array([1]))
    with pytest.raises(MissingError, match="no column"):
        codes_of_column(population, "metadata.no", ROWS)


def test_a_former_list_names_rows_by_state_and_id(population, tmp_path):
    former = tmp_path / "former.csv"
    former.write_text("sample_id,state,rank\na,test,1\nc,unlabeled,2\na,test,3\n")  # c was unlabeled once

    assert rows_of_list(population, former).tolist() == [0, 4]
    former.write_text("sample_id\na\n")
    with pytest.raises(LeaplabError, match=r"former\.csv: There are 2 samples 'a'"):
        rows_of_list(population, former)
