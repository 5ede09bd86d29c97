from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from code_loader.contract.enums import ConfusionMatrixValue
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, top_k_accuracy_score
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from tasks.classification.metrics import (
    accuracy,
    confidence,
    confusion_matrix,
    margin,
    predicted_label,
    top_k_accuracy,
)
from tests.tasks.classification.conftest import CLASSES, Batch
from tests.tasks.conftest import MetricTester

LABELS = [f"class {index}" for index in range(CLASSES)]


def _most_probable(row: list[float]) -> int:
    return row.index(max(row))


def _per_row(function: Callable[[list[float]], float]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    return lambda prediction: np.array([function(row) for row in prediction.tolist()])


def test_accuracy_by_hand(metric_tester: MetricTester, batch: Batch) -> None:
    def reference(truth: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
        rows = zip(truth.tolist(), prediction.tolist(), strict=True)
        return np.array([_most_probable(row) == expected.index(1.0) for expected, row in rows], float)

    metric_tester(accuracy, reference, batch.truth, batch.prediction)


def test_mean_accuracy_is_that_of_scikit_learn(batch: Batch) -> None:
    expected = accuracy_score(batch.labels, predicted_label(batch.prediction).astype(int))
    assert 0.1 < expected < 0.9
    assert accuracy(batch.truth, batch.prediction).mean() == np.float32(expected)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_top_k_accuracy_by_hand(metric_tester: MetricTester, batch: Batch, k: int) -> None:
    def reference(truth: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
        found = []
        for expected, row in zip(truth.tolist(), prediction.tolist(), strict=True):
            ranked = sorted((-probability, index) for index, probability in enumerate(row))
            found.append(expected.index(1.0) in [index for _, index in ranked[:k]])
        return np.array(found, float)

    metric_tester(partial(top_k_accuracy, k=k), reference, batch.truth, batch.prediction)


@pytest.mark.parametrize("k", [1, 2, CLASSES - 1])
def test_mean_top_k_accuracy_is_that_of_scikit_learn(batch: Batch, k: int) -> None:
    expected = top_k_accuracy_score(batch.labels, batch.prediction, k=k, labels=range(CLASSES))
    assert top_k_accuracy(batch.truth, batch.prediction, k).mean() == np.float32(expected)


def test_top_1_accuracy_is_accuracy_ties_and_nan_included() -> None:
    tied = np.array([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2], [np.nan, 0.5, 0.5]], np.float32)
    truth = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(top_k_accuracy(truth, tied, 1), accuracy(truth, tied))
    np.testing.assert_array_equal(top_k_accuracy(truth, tied, 2), [1, 1, np.nan])
    flat = np.full((3, 3), 1 / 3, np.float32)
    assert top_k_accuracy(truth, flat, 2).tolist() == [1, 1, 0]


def test_margin_is_what_the_first_class_is_ahead_of_the_second(metric_tester: MetricTester, batch: Batch) -> None:
    def ahead(row: list[float]) -> float:
        first, second = sorted(row, reverse=True)[:2]
        return first - second

    metric_tester(margin, _per_row(ahead), batch.prediction)


def test_margin_of_a_tie_is_nothing_and_of_certainty_everything() -> None:
    assert margin(np.array([[0.4, 0.2, 0.4], [0, 1, 0]], np.float32)).tolist() == [0, 1]
    assert np.isnan(margin(np.array([[np.nan, 0.5, 0.5]], np.float32))).all()


def test_confidence_is_the_highest_probability(metric_tester: MetricTester, batch: Batch) -> None:
    metric_tester(confidence, _per_row(max), batch.prediction)


def test_predicted_label_is_the_most_probable_index(metric_tester: MetricTester, batch: Batch) -> None:
    metric_tester(predicted_label, _per_row(_most_probable), batch.prediction)


def test_of_equal_probabilities_the_first_class_counts() -> None:
    tied = np.array([[0.1, 0.45, 0.45], [1 / 3, 1 / 3, 1 / 3]], np.float32)
    truth = np.array([[0, 0, 1], [1, 0, 0]], np.float32)
    assert predicted_label(tied).tolist() == [1, 0]
    assert accuracy(truth, tied).tolist() == [0, 1]


def test_confusion_matrix_passes_probabilities_through(metric_tester: MetricTester, batch: Batch) -> None:
    def probabilities(truth: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
        elements = confusion_matrix(truth, prediction, LABELS)
        return np.array([[element.predicted_probability for element in row] for row in elements], np.float32)

    metric_tester(probabilities, lambda truth, prediction: prediction, batch.truth, batch.prediction)


def test_confusion_matrix_expects_the_true_class_alone(metric_tester: MetricTester, batch: Batch) -> None:
    def expected(truth: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
        elements = confusion_matrix(truth, prediction, LABELS)
        positive = ConfusionMatrixValue.Positive
        return np.array([[element.expected_outcome is positive for element in row] for row in elements], np.float32)

    metric_tester(expected, lambda truth, prediction: truth, batch.truth, batch.prediction)


def test_confusion_matrix_summed_over_samples_is_that_of_scikit_learn(batch: Batch) -> None:
    summed = np.zeros((CLASSES, CLASSES), int)
    for row in confusion_matrix(batch.truth, batch.prediction, LABELS):
        true = next(element.label for element in row if element.expected_outcome is ConfusionMatrixValue.Positive)
        predicted = max(row, key=lambda element: element.predicted_probability).label
        summed[LABELS.index(true), LABELS.index(predicted)] += 1
    reference = sklearn_confusion_matrix(batch.labels, batch.prediction.argmax(axis=1), labels=range(CLASSES))
    np.testing.assert_array_equal(summed, reference)


def test_confusion_matrix_names_every_class_once_a_sample(batch: Batch) -> None:
    elements = confusion_matrix(batch.truth, batch.prediction, LABELS)
    assert len(elements) == len(batch.labels)
    assert all([element.label for element in row] == LABELS for row in elements)


def test_a_nan_prediction_has_no_class() -> None:
    truth = np.array([[1, 0], [1, 0]], np.float32)
    prediction = np.array([[np.nan, np.nan], [0.9, 0.1]], np.float32)
    np.testing.assert_array_equal(accuracy(truth, prediction), [np.nan, 1.0])
    np.testing.assert_array_equal(predicted_label(prediction), [np.nan, 0.0])
