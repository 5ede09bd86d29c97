import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import data_access
from data_access import limit

IDS = [f"training_{index:05d}" for index in range(40)]


@settings(max_examples=60, deadline=None)
@given(
    ids=st.lists(st.text(max_size=5), max_size=30, unique=True),
    maximum=st.integers(1, 40),
    seed=st.integers(),
)
def test_a_limit_keeps_that_many_in_their_order(ids: list[str], maximum: int, seed: int) -> None:
    chosen = limit(ids, maximum, seed)
    assert len(chosen) == min(maximum, len(ids))
    places = [ids.index(sample_id) for sample_id in chosen]
    assert places == sorted(set(places))


@pytest.mark.parametrize("maximum", [None, 40, 41])
def test_no_limit_keeps_all(maximum: int | None) -> None:
    assert limit(tuple(IDS), maximum, 0) == IDS


def test_the_result_is_a_new_list() -> None:
    assert limit(IDS, None, 0) is not IDS


def test_a_larger_limit_keeps_what_a_smaller_one_chose() -> None:
    for maximum in range(1, 40):
        assert set(limit(IDS, maximum, 3)) < set(limit(IDS, maximum + 1, 3))


def test_one_more_sample_displaces_one_at_most() -> None:
    before = set(limit(IDS, 10, 3))
    for newcomer in ("a", "b", "c", "d", "e", "f"):
        assert len(before - set(limit([newcomer, *IDS], 10, 3))) <= 1


def test_every_sample_has_the_same_chance() -> None:
    draws = 400
    counts = dict.fromkeys(IDS, 0)
    for seed in range(draws):
        for sample_id in limit(IDS, 10, seed):
            counts[sample_id] += 1
    expected, deviation = draws / 4, (draws * 0.25 * 0.75) ** 0.5
    assert all(abs(count - expected) < 4.5 * deviation for count in counts.values())


def test_the_choice_is_the_same_in_every_process() -> None:
    code = "import data_access; print(data_access.limit([str(i) for i in range(1000)], 20, 7))"
    root = Path(data_access.__file__).parents[1]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert outputs == {str(limit([str(index) for index in range(1000)], 20, 7))}


def test_the_choice_stays_what_it_was() -> None:
    # A changed draw would silently exchange the samples of everybody's runs.
    assert limit([*"abcdefghij"], 3, 7) == [*"fgj"]


@pytest.mark.parametrize("maximum", [0, -1])
def test_a_limit_below_one_is_refused(maximum: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        limit(IDS, maximum, 0)
