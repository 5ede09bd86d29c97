import numpy as np
import pytest

from leaplab.errors import LeaplabError, QuestionError
from leaplab.population.computed import ComputedColumn, computed_columns, keep
from leaplab.population.population import Population, open_population
from leaplab.store.run import RunStore

NEAR = ComputedColumn("nearness to the fisheye frames", np.array([0.5, np.nan, -2.0, 3.0]))


@pytest.fixture
def population(make_population) -> Population:
    found: Population = make_population({"loss.ce": ("float", [1.0, 2.0, 3.0, 4.0])})
    return found


def test_kept_column_is_one_of_the_run_for_this_and_the_next_reader(population):
    assert "analysis.nearness" not in population.columns

    population.keep("nearness", NEAR)

    for each in (population, open_population(population.store.path)):
        column = each.columns["analysis.nearness"]
        assert (column.label, column.group, column.kind) == (NEAR.label, "analysis", "continuous")
        assert (column.min, column.max) == (-2.0, 3.0)
        np.testing.assert_array_equal(each.values("analysis.nearness"), NEAR.values)


def test_conditions_use_it_and_know_nothing_of_samples_without_a_value(population):
    population.keep("nearness", NEAR)

    assert population.where("analysis.nearness < 1").tolist() == [0, 2]
    assert population.where("analysis.nearness > 0 and loss.ce > 1").tolist() == [3]
    assert population.where("analysis.nearness is null").tolist() == [1]
    with pytest.raises(QuestionError, match=r"analysis\.nearnes"):
        population.where("analysis.nearnes < 1")


def test_direction_is_told(population):
    population.keep("predicted_loss", ComputedColumn("predicted loss", np.zeros(4), "downward"))

    assert population.columns["analysis.predicted_loss"].direction == "downward"


def test_later_column_takes_the_place_of_the_former(population):
    population.keep("nearness", NEAR)
    population.keep("nearness", ComputedColumn("nearness to the night", np.arange(4.0)))

    (column,) = computed_columns(population.store).values()
    assert (column.label, column.values.tolist()) == ("nearness to the night", [0.0, 1.0, 2.0, 3.0])
    assert len(list((population.store.path / "derived" / "columns").iterdir())) == 2


def test_column_of_other_samples_is_none_of_the_run(population, make_manifest):
    population.keep("nearness", NEAR)
    manifest = population.store.manifest

    for changed in ({"identity": "two"}, {"revision": manifest.revision + 1}):
        other = RunStore(population.store.path, make_manifest({"training": (2, 2)}, **changed))
        assert not computed_columns(other)


def test_what_cannot_be_read_is_no_column(population):
    population.keep("nearness", NEAR)
    folder = population.store.path / "derived" / "columns"
    (values,) = folder.glob("*.npy")
    values.write_bytes(values.read_bytes()[:40])

    assert not computed_columns(population.store)
    (described,) = folder.glob("*.json")
    described.write_text('{"name": 3}')
    assert not computed_columns(population.store)


def test_run_that_is_only_to_be_read_has_the_column_as_long_as_the_process(population, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("leaplab.population.computed.write_array", refuse)
    population.keep("nearness", NEAR)

    assert "analysis.nearness" in open_population(population.store.path).columns
    assert not (population.store.path / "derived" / "columns").exists()


def test_name_of_the_clusters_is_taken(population):
    with pytest.raises(LeaplabError, match=r"analysis\.cluster is that of the clusters"):
        keep(population.store, "cluster", NEAR)
