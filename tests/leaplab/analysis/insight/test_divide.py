from typing import Any

import numpy as np
import pytest

from leaplab.analysis.differences import Values
from leaplab.analysis.insight.divide import divided
from leaplab.analysis.insight.result import Action, Insight
from leaplab.analysis.insight.samples import Samples, Space

COUNT = 400


def two_groups(told=True) -> Any:
    """300 samples that lie in two places, of which a column may tell, and an insight of 200 of them."""
    generator = np.random.default_rng(0)
    group = generator.permutation(np.repeat([0, 1], [280, 120]))
    vectors = (10.0 * group[:, None] + generator.normal(size=(COUNT, 5))).astype(np.float32)
    height = generator.normal(size=COUNT) + (4.0 * group if told else 0)
    samples = Samples(
        np.full(COUNT, "test", object),
        {"metadata.height": Values(height)},
        space=Space("model", np.arange(COUNT), vectors),
    )
    members = np.arange(0, COUNT, 2)
    action = Action(200, 50, "Look.")
    return samples, Insight("high", "They are high.", 0.8, action, members, -members.astype(float), 300, "test"), group


def test_members_divide_into_the_two_places_that_they_lie_in():
    samples, insight, group = two_groups()
    first, second = divided(insight, samples)

    assert {*first.members.tolist(), *second.members.tolist()} == set(insight.members.tolist())
    assert len(first.members) > len(second.members)
    assert set(group[first.members]) == {0}
    assert set(group[second.members]) == {1}
    assert second.scores.tolist() == (-second.members).tolist()
    assert first.severity + second.severity == pytest.approx(0.8)
    assert first.severity == pytest.approx(0.8 * len(first.members) / 200)
    assert second.title.startswith("metadata.height ")
    assert (first.action.label, first.action.acquire) == (len(first.members), round(50 * len(first.members) / 200))


def test_parts_of_which_nothing_can_be_said_are_none():
    samples, insight, _ = two_groups(told=False)

    assert divided(insight, samples) == []


def test_one_place_is_no_two():
    samples, insight, _ = two_groups()
    generator = np.random.default_rng(1)
    space = Space("model", np.arange(COUNT), generator.normal(size=(COUNT, 30)).astype(np.float32))

    assert divided(insight, Samples(samples.states, samples.columns, space=space)) == []


@pytest.mark.parametrize("rows", [np.zeros(0, np.int64), np.arange(30)])
def test_few_members_or_none_with_a_vector_stay_whole(rows):
    samples, insight, _ = two_groups()
    vectors = samples.space.vectors[rows]
    few = Samples(samples.states, samples.columns, space=Space("model", rows, vectors))

    assert divided(insight, few) == []
    assert divided(insight, Samples(samples.states, samples.columns)) == []
