"""Members of insights, found again in the run."""

from types import SimpleNamespace
from typing import Any

import pytest

from leaplab.population.insights import Member
from leaplab.population.members import MemberRows
from leaplab.population.population import Population


def insight_of(*members: Any, of_instances: bool = False) -> Any:
    return SimpleNamespace(of_instances=of_instances, members=[Member(name, state, None) for state, name in members])


def test_samples_are_found_by_state_and_id(make_population):
    population = make_population(
        {"loss.a": ("float", [1.0, 2.0, 3.0, 4.0])}, ["a", "b", "a", "c"], {"training": 2, "test": 2}
    )
    rows = MemberRows(population)

    insight = insight_of(("test", "c"), ("test", "a"), ("training", "b"))
    assert rows.of(insight).tolist() == [1, 2, 3]
    assert rows.of(insight_of()).tolist() == []


@pytest.mark.parametrize("taken", [slice(None), slice(2), slice(-1, None)])
def test_an_element_instance_is_found_as_its_sample(make_project, evaluated, tmp_path, taken):
    store = evaluated(tmp_path / "runs", make_project("instances", inputs=("image",)))
    population = Population(store)
    table = store.read_instances(["instance_id", "state", "sample_id"])
    rows = MemberRows(population)

    names = zip(table["state"][taken].tolist(), table["instance_id"][taken].tolist(), strict=True)
    # The last one's id is a sample's, too.
    insight = insight_of(*names, of_instances=True)
    wanted = set(zip(table["state"][taken].tolist(), table["sample_id"][taken].tolist(), strict=True))
    found = [(population.states[row], population.ids[row]) for row in rows.of(insight)]
    assert set(found) == wanted
    assert len(found) == len(wanted)
