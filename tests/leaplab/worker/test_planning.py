import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from leaplab.evaluate.run import plan_sha256
from leaplab.protocol.plan import Plan, PlanOrder
from leaplab.worker.planning import make_plan, planned_ids


def integration(counts=None, **states) -> Any:
    """Of these states and ids; `counts`: sample id -> number of its element instances."""
    return SimpleNamespace(
        sample_ids=lambda state: list(states[state]),
        instance_count=lambda state, sample_id: counts.get(sample_id, 0),
        description=SimpleNamespace(
            states={state: len(ids) for state, ids in states.items()},
            instances={"training": 9} if counts else {},
            inputs=(),
        ),
    )


def planned(bound, states=None, **order) -> Plan:
    return make_plan(bound, PlanOrder(states, **order))


def test_limit_draws_everywhere_and_keeps_the_order():
    bound = integration(training=range(1000))

    chosen: list[Any] = planned_ids(bound, "training", 100)

    assert len(chosen) == len(set(chosen)) == 100
    assert chosen == sorted(chosen)
    assert 35 < sum(number < 500 for number in chosen) < 65  # not the first ones
    assert chosen == planned_ids(bound, "training", 100)


@pytest.mark.parametrize("limit", [None, 3, 4])
def test_limit_beyond_the_state_takes_all_of_it(limit):
    assert planned_ids(integration(test=["c", "a", "b"]), "test", limit) == ["c", "a", "b"]


def test_parts_cover_every_sample_once_and_never_two_states():
    plan = planned(integration(training=range(25), validation=range(4)), part_size=10)

    assert [(part.number, part.state, part.start, part.stop) for part in plan.parts] == [
        (0, "training", 0, 10),
        (1, "training", 10, 20),
        (2, "training", 20, 25),
        (3, "validation", 0, 4),
    ]
    assert plan.states == {"training": 25, "validation": 4}
    assert plan.samples == 29


@pytest.mark.parametrize(
    ("samples", "batch_size", "size"),
    [
        (40, 32, 40),
        (1_500, 32, 128),
        (4_096, 32, 256),
        (4_097, 32, 288),
        (70_000, 32, 2_000),
        (9_000, 250, 750),
        (9_000, 5_000, 2_000),
    ],
)
def test_few_samples_are_divided_into_enough_parts_for_several_workers(samples, batch_size, size):
    parts = planned(integration(training=range(samples)), batch_size=batch_size).parts

    assert {part.stop - part.start for part in parts[:-1]} <= {size}
    assert parts[0].stop == size
    assert parts[-1].stop == samples
    assert all(before.stop == after.start for before, after in itertools.pairwise(parts))


def test_states_may_be_chosen():
    assert planned(integration(training=range(25), validation=range(4)), ("validation",)).states == {"validation": 4}


def test_instances_are_counted_of_the_samples_that_are_planned():
    counts: dict[Any, int] = {3: 2, 4: 5, 7: 1}
    bound = integration(counts, training=range(8), validation=range(10, 14))

    assert planned(bound).instances == {"training": 8, "validation": 0}
    assert planned(bound, ("validation",)).instances == {"validation": 0}
    chosen = planned_ids(bound, "training", 4)
    assert planned(bound, limit=4).instances["training"] == sum(counts.get(number, 0) for number in chosen)
    assert planned(integration(training=range(8))).instances == {}


def test_digest_tells_apart_how_many_instances_each_sample_has():
    plans = [planned(integration(counts, training=range(8))) for counts in ({3: 2, 4: 5}, {3: 5, 4: 2}, {3: 7}, {3: 8})]

    assert len({plan_sha256(plan) for plan in plans}) == len(plans)


def test_digest_tells_plans_apart():
    bound = integration(training=range(25), validation=range(4))
    plans = [
        planned(bound),
        planned(bound, limit=5),
        planned(bound, ("training",)),
        planned(bound, float16=True),
        planned(bound, latent="hidden"),
        planned(bound, batch_size=7),
        planned(bound, part_size=7),
        planned(integration(training=range(1, 26), validation=range(4))),
    ]

    assert plan_sha256(planned(bound)) == plan_sha256(plans[0])
    assert len({plan_sha256(plan) for plan in plans}) == len(plans)
