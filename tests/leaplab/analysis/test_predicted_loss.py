from typing import Any

import numpy as np
import pytest
import sklearn.linear_model
from scipy.special import softmax
from scipy.stats import entropy, spearmanr

from leaplab.analysis import predicted_loss
from leaplab.analysis.differences import Values
from leaplab.analysis.predicted_loss import are_probabilities, entropies, features, regression_ranking

NAN = float("nan")
NONE = np.zeros(0, np.int64)


def test_entropy_of_probabilities_is_that_of_scipy():
    outputs = np.random.default_rng(0).dirichlet([0.3] * 5, 40).astype(np.float32)
    outputs[3] = [0, 1, 0, 0, 0]

    assert entropies(outputs) == pytest.approx(entropy(outputs, axis=1), rel=1e-4)
    assert entropies(outputs)[3] == 0


@pytest.mark.parametrize("outputs", [np.random.default_rng(0).normal(0, 40, (30, 4)), np.full((3, 4), 0.2505)])
def test_other_outputs_are_logits(outputs):
    assert entropies(outputs) == pytest.approx(entropy(softmax(outputs, axis=1), axis=1), abs=1e-12)


def test_one_row_that_is_no_probability_makes_all_of_them_logits():
    outputs = np.array([[0.5, 0.5], [1.0, 0.0], [0.5, 0.6], [NAN, 1]])

    assert not are_probabilities(outputs)
    assert entropies(outputs)[:3] == pytest.approx(entropy(softmax(outputs[:3], axis=1), axis=1))
    assert np.isnan(entropies(outputs)[3])
    assert are_probabilities(outputs[[0, 1, 3]])
    assert not are_probabilities(outputs[3:])


def test_features_are_standard_bounded_and_never_absent_to_the_linear_one():
    number = np.array([1.0, 2, 3, NAN, 100, np.inf])
    kind = np.array([0.0, 0, 1, NAN, 2, 1])
    columns = {"number": Values(number), "kind": Values(kind, ["a", "b", "new"])}
    given = features(None, columns, np.arange(4))

    assert np.isfinite(given.linear).all()
    size, spread = number[:3].mean(), number[:3].std()
    # What lies beyond the known samples counts as the farthest of them.
    assert given.linear[:, 0] == pytest.approx([(1 - size) / spread, 0, (3 - size) / spread, 0, (3 - size) / spread, 0])
    assert given.trees[:5, 0] == pytest.approx(number[:5], nan_ok=True)
    assert given.trees[:, 1:].tolist() == [[1, 0], [1, 0], [0, 1], [0, 0], [0, 0], [0, 1]], "`new` is no known sample's"


def test_a_column_of_many_categories_has_a_feature_for_the_most_frequent():
    codes = np.concatenate([np.repeat(np.arange(20.0), 3), np.arange(200.0)])
    columns = {"many": Values(codes, [f"k{number}" for number in range(200)])}
    given = features(None, columns, np.arange(260))

    assert given.trees.shape[1] == 16
    assert given.trees.sum(axis=0).tolist() == [4] * 16


def test_components_of_a_sample_unlike_all_known_ones_are_not_extrapolated():
    vectors = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    vectors[49] *= 1000
    given = features(vectors, {}, np.arange(49))

    assert given.linear.shape == (50, 6)
    assert (given.linear[49] <= given.linear[:49].max(axis=0)).all()
    assert (given.linear[49] >= given.linear[:49].min(axis=0)).all()


def planted(seed=0, count=500, width=8) -> Any:
    """A loss that depends on the vectors in a line, on a number where that is present, and on a category."""
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, width)).astype(np.float32)
    number = np.where(generator.random(count) < 0.2, NAN, generator.normal(size=count))
    kind = generator.integers(0, 3, count).astype(float)
    loss = vectors[:, 0] + 1.5 * (np.nan_to_num(number) > 0.5) + 2 * (kind == 1) + 0.5 * generator.normal(size=count)
    return vectors, {"number": Values(number), "kind": Values(kind, ["a", "b", "c"])}, np.exp(loss)


def rank(vectors, columns, loss, known, asked, more=None) -> Any:
    return regression_ranking(features(vectors, columns, known), loss, known, asked, more)


def test_the_ranking_is_that_of_the_planted_loss():
    vectors, columns, loss = planted()
    found = rank(vectors, columns, np.where(np.arange(500) < 300, loss, NAN), np.arange(300), np.arange(300, 500))

    assert spearmanr(found.asked, loss[300:]).statistic > 0.8
    assert spearmanr(found.out_of_fold, loss[:300]).statistic > 0.8
    assert not found.with_more
    by_columns = rank(None, columns, loss, np.arange(300), np.arange(300, 500))
    assert 0.4 < spearmanr(by_columns.asked, loss[300:]).statistic < 0.8


def test_a_sample_is_ranked_by_models_that_have_not_seen_it():
    correlations = []
    for seed in range(4):
        vectors, columns, loss = planted(seed, 120, 30)
        shuffled = np.random.default_rng(seed).permutation(loss)
        found = rank(vectors, columns, shuffled, np.arange(120), NONE)
        correlations.append(spearmanr(found.out_of_fold, shuffled).statistic)
        assert len(found.asked) == 0

    assert np.mean(correlations) == pytest.approx(0, abs=0.12), "in the sample it would be above .9"


@pytest.mark.parametrize("helps", [True, False])
def test_further_samples_are_fitted_on_where_they_help(helps):
    vectors, columns, loss = planted(1, 700, 20)
    more, known, asked = np.arange(500), np.arange(500, 560), np.arange(560, 700)
    if not helps:
        loss[more] = 1 / loss[more]
    found = rank(vectors, columns, loss, known, asked, more)

    assert found.with_more == helps
    assert spearmanr(found.asked, loss[asked]).statistic > (0.75 if helps else 0.4)


def test_the_order_of_the_samples_changes_nothing():
    vectors, columns, loss = planted(2, 160)
    order = np.random.default_rng(0).permutation(160)
    place = np.argsort(order)
    known, asked, more = np.arange(60), np.arange(60, 100), np.arange(100, 160)
    found = rank(vectors, columns, loss, known, asked, more)
    turned = {name: each.of(order) for name, each in columns.items()}
    again = rank(vectors[order], turned, loss[order], place[known], place[asked], np.sort(place[more]))

    assert again.out_of_fold == pytest.approx(found.out_of_fold, abs=0.02)
    assert again.asked == pytest.approx(found.asked, abs=0.02)
    assert again.with_more == found.with_more


def test_a_fit_takes_so_many_rows_and_the_known_ones_first(monkeypatch):
    sizes: list[int] = []
    fit = sklearn.linear_model.RidgeCV.fit

    def noted(self: Any, rows: Any, target: Any) -> Any:
        sizes.append(len(rows))
        return fit(self, rows, target)

    monkeypatch.setattr(sklearn.linear_model.RidgeCV, "fit", noted)
    monkeypatch.setattr(predicted_loss, "FITTED", 100)
    vectors, columns, loss = planted(3, 400)
    rank(vectors, columns, loss, np.arange(90), NONE, np.arange(100, 400))
    assert sizes == [72] * 5 + [100] * 5
    sizes.clear()
    rank(vectors, columns, loss, np.arange(300), np.arange(300, 301))
    assert sizes == [100] * 6
