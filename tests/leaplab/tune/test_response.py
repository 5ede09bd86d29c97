"""What is learnt of how samples answer to parameters, on samples that answer in a known way."""

from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from leaplab.tune.journal import Journal
from leaplab.tune.objective import Objective
from leaplab.tune.response import Bounds, Response, proposed
from leaplab.tune.search import search

WIDE = {
    "x": FloatDistribution(-2.0, 6.0),
    "y": FloatDistribution(0.0, 0.1),
    "n": IntDistribution(3, 11),
    "kind": CategoricalDistribution(("a", "b", "c")),
}
BEST = {"x": 3.0, "y": 0.03, "n": 9, "kind": "c"}
START = {"x": -1.0, "y": 0.08, "n": 4, "kind": "a"}


def made_of(parameters: Any, count: Any = 40, seed: Any = 0) -> Any:
    """[count, 6] components: curved functions of the parameters, others for each sample; the target's are at BEST."""
    generator = np.random.default_rng(seed)
    noise, slopes = generator.normal(size=(count, 6)), generator.normal(1, 0.1, (count, 4))
    away, kind = parameters["x"] - 3, "abc".index(parameters["kind"]) - 2
    moved = np.array([away, 30 * (parameters["y"] - 0.03) + 0.1 * away**2, 0.5 * (parameters["n"] - 9), kind])
    bent = np.tanh(away * slopes[:, :1])
    return noise + np.concatenate([slopes * moved, bent, np.zeros((count, 1))], axis=1)


def drawn(count: Any, seed: Any = 0) -> Any:
    bounds = Bounds(WIDE)
    return [bounds.parameters(row) for row in bounds.drawn(count, np.random.default_rng(seed))]


def test_rows_are_the_parameters_again():
    several = [START, BEST, *drawn(50)]
    bounds = Bounds(WIDE)
    rows = bounds.rows(several)

    assert [bounds.parameters(row) for row in rows] == [
        {**each, "x": pytest.approx(each["x"]), "y": pytest.approx(each["y"])} for each in several
    ]
    assert rows[0].tolist() == pytest.approx([0.125, 0.8, 0.125, 0])
    assert bounds.features(rows)[0].tolist() == pytest.approx([0.125, 0.8, 0.125, 1, 0, 0])
    assert {each["kind"] for each in several} == {"a", "b", "c"}
    assert {each["n"] for each in several} == set(range(3, 12))


def test_what_is_near_keeps_to_the_bounds_and_close():
    bounds = Bounds(WIDE)
    middle = bounds.rows([START])
    near = bounds.around(middle, 500, (0.05,), np.random.default_rng(1))

    assert ((near[:, :3] >= 0) & (near[:, :3] <= 1)).all()
    assert set(near[:, 3]) <= {0.0, 1.0, 2.0}
    assert (near[:, 3] == 0).mean() > 0.85
    np.testing.assert_allclose(near[:, 0].std(), 0.05, rtol=0.2)
    np.testing.assert_allclose(near[:, 2] * 8, np.round(near[:, 2] * 8), atol=1e-9)


def test_samples_of_parameters_that_were_not_tried_are_predicted():
    tried, others = drawn(40), drawn(30, seed=1)
    bounds = Bounds(WIDE)
    response = Response(bounds.features(bounds.rows(tried)), np.stack([made_of(each) for each in tried]))
    weights = response.weights(bounds.features(bounds.rows(others)))
    found = np.stack([response.samples(each) for each in weights])
    true = np.stack([made_of(each) for each in others])

    np.testing.assert_allclose(response.means(weights), found.mean(axis=1), atol=1e-9)
    explained = 1 - np.square(found - true).sum() / np.square(true - true.mean(axis=0)).sum()
    assert explained > 0.9
    # Of what was tried, what was seen.
    own = response.weights(bounds.features(bounds.rows(tried[:5])))
    for each, weight in zip(tried[:5], own, strict=True):
        np.testing.assert_allclose(response.samples(weight), made_of(each), atol=0.5)


def test_what_is_proposed_is_near_the_best_and_not_what_is_tried_already():
    tried = drawn(25)
    objective = Objective(made_of(BEST, seed=9))
    made = [made_of(each) for each in tried]
    values = [objective.measure(each).value for each in made]
    arguments = (Bounds(WIDE), tried, values, made)

    def value_of(samples: Any) -> Any:
        return objective.measure(samples).value

    first = proposed(*arguments, [], value_of, objective.centre, 0)
    assert first is not None
    second = proposed(*arguments, [first], value_of, objective.centre, 0)
    assert first == proposed(*arguments, [], value_of, objective.centre, 0)
    assert first["kind"] == "c"
    assert value_of(made_of(first)) < value_of(made_of(BEST)) + 0.02  # the best that was tried has 0.31
    assert second != first
    assert proposed(Bounds(WIDE), tried[:5], values[:5], made[:5], [], value_of, objective.centre, 0) is None


def test_a_search_that_learns_from_samples_needs_fewer_trials(tmp_path):
    objective = Objective(made_of(BEST, seed=9))

    def measure(several: Any) -> Any:
        return [objective.measure(made_of(each).astype(np.float32)) for each in several]

    def best_of(seed: Any, learnt: Any, path: Any = None) -> Any:
        options = {"trials": 22, "seed": seed, "together": 2, "noise": -1.0}
        return search(WIDE, START, measure, Journal(path), objective=learnt, **options)

    learning = [best_of(seed, objective).best.value for seed in range(2)]
    blind = [best_of(seed, None).best.value for seed in range(2)]
    assert max(learning) < 0.5 * min(blind)
    kept = best_of(0, objective, tmp_path / "journal")
    assert best_of(0, objective, tmp_path / "journal") == kept
