"""What a column is taken for."""

import numpy as np
import pytest
from msgspec import UNSET

from leaplab.population.columns import MAX_CATEGORIES, MAX_INTEGER_CATEGORIES, default_colour
from leaplab.store.manifest import ColumnEntry

NAN = float("nan")
TEXTS = [f"{number:04d}" for number in range(MAX_CATEGORIES)]


@pytest.mark.parametrize(
    ("entry", "values", "kind", "categories"),
    [
        ("string", ["b", "a", None, "b"], "categorical", ["a", "b"]),
        ("boolean", [True, None, True], "categorical", ["true"]),
        ("boolean", [None, None], "categorical", []),
        ("int", [3, -1, None, 3], "categorical", ["-1", "3"]),
        ("int", list(range(MAX_INTEGER_CATEGORIES)), "categorical", [str(n) for n in range(MAX_INTEGER_CATEGORIES)]),
        ("int", list(range(MAX_INTEGER_CATEGORIES + 1)), "continuous", UNSET),
        ("int", [2**60 + n for n in range(MAX_INTEGER_CATEGORIES + 1)], "continuous", UNSET),  # one double
        ("int", [2**60, 2**60 + 1, None], "categorical", [str(2**60), str(2**60 + 1)]),
        ("float", [1.0, 1.0, None], "continuous", UNSET),
        (
            "string",
            [f"{n:04d}" for n in range(MAX_CATEGORIES)],
            "categorical",
            [f"{n:04d}" for n in range(MAX_CATEGORIES)],
        ),
        ("string", [f"{n}" for n in range(MAX_CATEGORIES + 1)], "text", UNSET),
    ],
)
def test_kind_and_categories_follow_type_and_values(make_population, entry, values, kind, categories):
    column = make_population({"metadata.x": (entry, values)}).columns["metadata.x"]

    assert (column.kind, column.categories) == (kind, categories)
    assert (column.label, column.group, column.type) == ("x", "metadata", entry)


def test_range_is_of_the_finite_values(make_population):
    columns = make_population(
        {"loss.a": ("float", [1.5, NAN, float("inf"), None, -2.0]), "loss.b": ("float", [NAN, None, NAN, NAN, NAN])}
    ).columns

    assert (columns["loss.a"].min, columns["loss.a"].max) == (-2.0, 1.5)
    assert (columns["loss.b"].min, columns["loss.b"].max) == (None, None)


def test_direction_is_told_where_insights_are_to_be_drawn(make_population):
    columns = make_population(
        {
            "metric.up": (ColumnEntry("float", "upward", True), [1.0]),
            "metric.neither": (ColumnEntry("float", "upward", False), [1.0]),
            "loss.down": (ColumnEntry("float", "downward"), [1.0]),
        }
    ).columns

    assert [columns[name].direction for name in ("metric.up", "metric.neither", "loss.down")] == [
        *("upward", UNSET, "downward")
    ]
    assert [columns[name].insights for name in ("metric.up", "metric.neither", "loss.down")] == [True, False, UNSET]


def test_keys_of_a_metric_have_what_is_declared_of_it_or_of_them(make_population):
    population = make_population({"metric.iou_car": ("float", [1.0]), "metric.iou_mean_car": ("float", [1.0])})
    declared = {"metric.iou": ColumnEntry("float", "upward"), "metric.iou_mean": ColumnEntry("float", "downward")}
    population.store.manifest.columns.clear()
    population.store.manifest.columns.update(declared)

    assert population.columns["metric.iou_car"].direction == "upward"
    assert population.columns["metric.iou_mean_car"].direction == "downward"  # of the longest name that fits


@pytest.mark.parametrize(
    ("name", "entry", "values", "meaning"),
    [
        ("label", "int", [1, 2], "label"),
        ("class_id", "int", [1, 2], "label"),
        ("label", "string", ["cat", "dog"], "class name"),
        ("class_name", "string", ["cat", "dog"], "class name"),
        ("capture_time", "int", [1, 2], "time"),
        ("timestamp", "string", ["2026-01-01", "2026-01-02"], "time"),
        ("exposure_ns", "int", [2**60, 2**61], "time"),
        ("times_seen", "int", [1, 2], "ordinal"),
        ("file", "string", [f"{n}.png" for n in range(MAX_INTEGER_CATEGORIES + 1)], "identifier"),
        ("file", "string", [f"{n}.png" for n in range(MAX_INTEGER_CATEGORIES)], UNSET),
        ("file", "string", ["0.png", *(f"{n}.png" for n in range(MAX_INTEGER_CATEGORIES))], UNSET),  # one comes twice
        ("site", "string", ["north", "south"], UNSET),
        ("brightness", "float", [0.5, 1.0], UNSET),
    ],
)
def test_meaning_is_told_from_name_and_values(make_population, name, entry, values, meaning):
    assert make_population({f"metadata.{name}": (entry, values)}).columns[f"metadata.{name}"].meaning == meaning


@pytest.mark.parametrize(
    ("columns", "colour"),
    [
        (
            {"label": ("int", [1, 2]), "site": ("string", ["n", "s"]), "class_name": ("string", ["a", "b"])},
            "class_name",
        ),
        ({"site": ("string", ["n", "s"]), "label": ("int", [1, 2])}, "label"),
        ({"count": ("int", [1, 2]), "site": ("string", ["n", "s"])}, "site"),  # names before numbers
        ({"label": ("int", [1, 1]), "count": ("int", [1, 2])}, "count"),  # one label says nothing
    ],
)
def test_population_is_coloured_by_what_says_most(make_population, columns, colour):
    population = make_population({f"metadata.{name}": told for name, told in columns.items()})

    assert default_colour(list(population.columns.values()), ("sample.state",)) == f"metadata.{colour}"


def test_population_without_telling_metadata_is_coloured_by_clusters_or_states(make_population):
    with_vectors = make_population({"loss.a": ("float", [1.0, 2.0])}, vectors=np.eye(2))
    without = make_population({"loss.a": ("float", [1.0, 2.0])})

    otherwise = ("analysis.cluster", "sample.state")
    assert default_colour(list(with_vectors.columns.values()), otherwise) == "analysis.cluster"
    assert default_colour(list(without.columns.values()), otherwise) == "sample.state"
