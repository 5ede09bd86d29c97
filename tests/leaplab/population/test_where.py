"""Conditions over a run's columns, against loops over their values; and whatever else somebody may send."""

import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.population import where

LABELS = [4, 1, None, 4, 2, 4, 9]
LOSSES = [0.5, float("nan"), 2.0, 1.5, None, float("inf"), 3.0]
SHADES = ["dark", "light", None, "it's", 'so"so', "", "Dark"]
BRIGHT = [True, False, None, True, True, False, False]
SIZES = [2**60, 2**60 + 1, 5, 6, 7, 8, None]
STATES = ["training"] * 4 + ["validation"] * 3
OVERLAP = [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture
def population(make_population):
    return make_population(
        {
            "metadata.label": ("int", LABELS),
            "loss.ce": ("float", LOSSES),
            "metadata.shade": ("string", SHADES),
            "metadata.is_bright": ("boolean", BRIGHT),
            "metadata.size": ("int", SIZES),
            "metadata.w/h": ("float", OVERLAP),
            "metadata.w": ("float", [10 * value for value in OVERLAP]),
            "metric.mAP@0.5, all": ("float", OVERLAP),
        },
        ids=["a", "b/c", "c d", "d", "e", "f", "g"],
        states={"training": 4, "validation": 3},
    )


CONDITIONS: dict[str, Any] = {
    "metadata.label = 4 and loss.ce > 1": lambda row: LABELS[row] == 4 and row in (3, 5),
    "metadata.label <> 4": lambda row: LABELS[row] not in (4, None),
    "not (metadata.label = 4)": lambda row: LABELS[row] not in (4, None),
    "loss.ce > 0.1": lambda row: row in (0, 2, 3, 5, 6),
    "loss.ce is null": lambda row: row in (1, 4),
    "loss.ce is not null and loss.ce < 2.5": lambda row: row in (0, 2, 3),
    "isinf(loss.ce)": lambda row: row == 5,
    "state = 'validation'": lambda row: STATES[row] == "validation",
    "sample_id in ('b/c', 'c d')": lambda row: row in (1, 2),
    "metadata.shade = 'it''s'": lambda row: row == 3,
    "metadata.shade = 'so\"so'": lambda row: row == 4,
    "lower(metadata.shade) = 'dark'": lambda row: row in (0, 6),
    "metadata.shade like 'd%'": lambda row: row == 0,
    "regexp_matches(metadata.shade, '^.ark$')": lambda row: row in (0, 6),
    "metadata.is_bright": lambda row: BRIGHT[row] is True,
    "not metadata.is_bright": lambda row: BRIGHT[row] is False,
    f"metadata.size = {2**60}": lambda row: row == 0,
    f"metadata.size > {2**60}": lambda row: row == 1,
    "metadata.w/h > 5": lambda row: OVERLAP[row] > 5,  # the longest name that fits
    '"metadata.w"/2 > 25': lambda row: 10 * OVERLAP[row] > 50,
    "metadata.w > 50": lambda row: 10 * OVERLAP[row] > 50,
    '"metric.mAP@0.5, all" between 2 and 3': lambda row: OVERLAP[row] in (2, 3),
    "metric.mAP@0.5, all = 2": lambda row: OVERLAP[row] == 2,
    "case when metadata.label = 4 then loss.ce > 1 else true end": lambda row: row in (1, 2, 3, 4, 5, 6),
    "coalesce(metadata.label, 0) = 0": lambda row: LABELS[row] is None,
    "abs(metadata.label - 3) <= 1": lambda row: LABELS[row] in (2, 4),
    "true": lambda row: True,
    "null": lambda row: False,
    "'loss.ce' = 'loss.ce'": lambda row: True,  # in a text nothing is a name
    "metadata.label = 4 -- or true": lambda row: LABELS[row] == 4,
}


@pytest.mark.parametrize("expression", CONDITIONS)
def test_rows_are_those_that_meet_the_condition(population, expression):
    assert population.where(expression).tolist() == [row for row in range(7) if CONDITIONS[expression](row)]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("", "is empty"),
        ("metadata.label", "is a value and no condition"),
        ("metadata.labels = 4", "names 'metadata.labels', which is no column of this run; did you mean metadata.label"),
        ('"label" = 4', "names 'label', which is no column"),
        ("samples.state = 'x'", "which is no column"),
        ("rowid > 1", "which is no column"),
        ("metadata.label = ", "syntax error"),
        ("state = 'a", "a quote (') is not closed"),
        ("(state = 'a'", "cannot be used"),
        ("state = 'a') or (true", "a bracket closes that none has opened"),
        ("state = 3 or metadata.shade", "cannot be used"),
        ("metadata.shade + 1 > 2", "cannot be used"),
        ("(select true)", "uses a subquery"),
        ("exists (select 1)", "uses a subquery"),
        ("state in (select 'training')", "uses a subquery"),
        ("metadata.label = any([1, 2])", "subquery"),
        ("read_csv('/etc/passwd') is null", "read_csv is not among"),
        ("read_text('/etc/passwd') = 'x'", "read_text is not among"),
        ("read_parquet('x') = 1", "read_parquet is not among"),
        ("getenv('HOME') = 'x'", "getenv is not among"),
        ("current_setting('memory_limit') = 'x'", "current_setting is not among"),
        ("count(*) > 1", "count_star is not among"),
        ("sum(metadata.label) over () > 1", "uses a window"),
        ("metadata.label = ?", "uses a value parameter"),
        ("list_filter([1], x -> true)", "cannot be used"),
        ("[1, 2][1] = 1", "cannot be used"),
        ("{'a': 1}.a = 1", "cannot be used"),
        ("* = 1", "uses a star"),
        ("columns('a') = 1", "cannot be used"),
        ("true; drop table samples", "syntax error"),
        ("attach 'x'", "cannot be used"),
        ("copy samples to '/tmp/x'", "cannot be used"),
        ("pragma database_list", "cannot be used"),
        ("install httpfs", "cannot be used"),
        ("set memory_limit = '1TB'", "cannot be used"),
        ("repeat('x', 2000000000) = 'y'", "repeat is not among"),
        ("generate_series(1, 1000000000000) is null", "generate_series is not among"),
        ("true and " * 2000 + "true", "characters"),
        ("(" * 4000 + "true" + ")" * 4000, "cannot be used"),
        ("\x00", "which is no column"),
    ],
)
def test_what_is_no_condition_is_one_sentence(population, expression, told):
    with pytest.raises(LeaplabError) as error:
        population.where(expression)

    assert told in str(error.value)
    assert "\n" not in str(error.value)


SLOW = " and ".join(f"regexp_matches(sqrt(metadata.size)::varchar, '{n}.*9')" for n in range(60))


@pytest.fixture
def a_million_rows(monkeypatch):
    monkeypatch.setattr(where, "_load", lambda connection, *_: connection.execute(
        "CREATE TABLE samples AS SELECT a.range AS \"metadata.size\" FROM range(3000) a, range(400) b"
    ))  # fmt: skip


def test_condition_that_takes_too_long_is_one_sentence(population, a_million_rows, monkeypatch):
    monkeypatch.setattr(where, "TIME_LIMIT", 0.2)
    begun = time.monotonic()

    with pytest.raises(LeaplabError, match=r"takes more than 0.2 s"):
        population.where(SLOW)
    assert time.monotonic() - begun < 30


def test_ctrl_c_during_a_condition_is_not_an_error_of_the_condition(population, a_million_rows):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            population.where(SLOW)
    finally:
        signal.signal(signal.SIGINT, before)


def test_columns_of_an_analysis_may_be_named(make_population):
    clusters = np.repeat([[0.0, 0.0], [9.0, 9.0]], 3, axis=0) + np.linspace(0, 0.1, 12).reshape(6, 2)
    clusters[4] = np.nan
    population = make_population({"loss.ce": ("float", [1.0] * 6)}, vectors=clusters)

    first = population.values("analysis.cluster")[0]

    rows = population.where(f"analysis.cluster = {first} and loss.ce = 1").tolist()
    assert rows == np.flatnonzero(population.values("analysis.cluster") == first).tolist()
    assert 4 not in population.where("analysis.cluster >= 0").tolist()  # it has no vector, and so no cluster
