import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.classification.losses import PROBABILITY_FLOOR, categorical_cross_entropy
from tests.tasks.classification.conftest import Batch
from tests.tasks.conftest import MetricTester


def _keras(truth: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
    import keras

    loss = keras.losses.CategoricalCrossentropy(reduction=None)
    return np.asarray(keras.ops.convert_to_numpy(loss(truth, prediction)))


def _by_hand(truth: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
    losses = []
    for expected, row in zip(truth.tolist(), prediction.astype(np.float64).tolist(), strict=True):
        probability = row[expected.index(1.0)] / sum(row)
        losses.append(-math.log(min(max(probability, 1e-7), 1 - 1e-7)))
    return np.array(losses)


@pytest.mark.parametrize("reference", [_keras, _by_hand])
def test_cross_entropy_is_that_of_the_reference(metric_tester: MetricTester, batch: Batch, reference: Any) -> None:
    metric_tester(categorical_cross_entropy, reference, batch.truth, batch.prediction, tolerance=1e-5)


@pytest.mark.parametrize("reference", [_keras, _by_hand])
def test_rows_that_do_not_sum_to_one_are_divided_by_their_sum(
    metric_tester: MetricTester, batch: Batch, reference: Any
) -> None:
    scale = np.linspace(0.2, 3.0, len(batch.labels), dtype=np.float32)[:, None]
    metric_tester(categorical_cross_entropy, reference, batch.truth, batch.prediction * scale, tolerance=1e-5)


def test_two_even_classes_cost_the_logarithm_of_two() -> None:
    loss = categorical_cross_entropy(np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]]))
    assert loss == pytest.approx(math.log(2), abs=1e-6)


def test_a_true_class_of_probability_zero_costs_the_documented_maximum() -> None:
    truth, prediction = np.array([[1, 0, 0]], np.float32), np.array([[0, 1, 0]], np.float32)
    loss = categorical_cross_entropy(truth, prediction)
    assert loss == pytest.approx(16.12, abs=0.005)
    assert loss == pytest.approx(-math.log(PROBABILITY_FLOOR), abs=1e-4)
    np.testing.assert_allclose(loss, _keras(truth, prediction), atol=1e-5)


def test_a_certain_and_right_prediction_costs_nothing() -> None:
    loss = categorical_cross_entropy(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))
    # Nothing but what no probability is nearer to 1 than, as in Keras.
    assert loss == pytest.approx(-math.log(1 - PROBABILITY_FLOOR), rel=0.2)


def test_a_nan_stays_with_its_own_sample(batch: Batch) -> None:
    prediction = batch.prediction.copy()
    prediction[5, 2] = np.nan
    loss = categorical_cross_entropy(batch.truth, prediction)
    assert np.isnan(loss).nonzero()[0].tolist() == [5]
    others = np.arange(len(loss)) != 5
    np.testing.assert_array_equal(loss[others], categorical_cross_entropy(batch.truth, batch.prediction)[others])
