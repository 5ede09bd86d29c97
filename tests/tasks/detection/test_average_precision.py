from collections.abc import Callable

import numpy as np
import pytest

from tasks.detection.average_precision import COCO_THRESHOLDS, average_precision, average_precisions
from tests.tasks.detection.conftest import Image, coco_evaluation, detections, objects, random_crowds

CLASSES = 4
"""One more than there are: it has no objects."""


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_pycocotools(seed: int, crowded: Callable[[int], list[Image]]) -> None:
    images = crowded(seed)
    precision = coco_evaluation(images, CLASSES, COCO_THRESHOLDS).eval["precision"][:, :, :, 0, -1]
    expected = np.where((precision > -1).all(axis=1), precision.mean(axis=1), np.nan)
    found = average_precisions(images, CLASSES)
    assert found.shape == (10, CLASSES)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.isnan(found[:, 3]).all()
    assert 0.05 < np.nanmean(found) < 0.95


@pytest.mark.parametrize("seed", range(5))
def test_with_crowds_too_it_is_that_of_pycocotools(seed: int, crowded: Callable[[int], list[Image]]) -> None:
    images = crowded(seed)
    crowds = [random_crowds(np.random.default_rng((seed, 50, number)), image) for number, image in enumerate(images)]
    precision = coco_evaluation(images, CLASSES, COCO_THRESHOLDS, crowds).eval["precision"][:, :, :, 0, -1]
    expected = np.where((precision > -1).all(axis=1), precision.mean(axis=1), np.nan)
    found = average_precisions(images, CLASSES, crowds=crowds)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    # They matter in each class.
    assert (np.abs(found - average_precisions(images, CLASSES))[:, :3].max(axis=0) > 1e-3).all()


def test_what_is_found_in_a_crowd_is_no_mistake_by_hand() -> None:
    # The one that is right is the least sure. Three are surer: two of the crowd, and one half of which lies outside.
    images = [
        (
            objects((0, 0, 20, 20, 0)),
            detections(
                (0, 0, 20, 20, 0, 0.3), (60, 0, 70, 10, 0, 0.9), (60, 5, 70, 15, 0, 0.8), (90, 0, 110, 10, 0, 0.7)
            ),
        )
    ]
    crowds = [objects((50, 0, 100, 50, 0))]
    assert average_precisions(images, 1, (0.5, 0.6), crowds)[:, 0] == pytest.approx([1, 1 / 2])
    assert average_precisions(images, 1, (0.5,))[0, 0] == pytest.approx(1 / 4)
    # A crowd of another class excuses nothing.
    others = [objects((50, 0, 100, 50, 1))]
    assert average_precisions(images, 2, (0.5,), others)[0] == pytest.approx([1 / 4, np.nan], nan_ok=True)


@pytest.mark.parametrize(("in_crowd", "average"), [(99, 1), (100, 0)])
def test_what_is_found_in_a_crowd_counts_among_the_hundred_predictions(in_crowd: int, average: float) -> None:
    surest = [(200 + row, 200, 210 + row, 210, 0, 0.9) for row in range(in_crowd)]
    images = [(objects((0, 0, 10, 10, 0)), detections(*surest, (0, 0, 10, 10, 0, 0.5)))]
    crowds = [objects((150, 150, 500, 500, 0))]
    expected = coco_evaluation(images, 1, (0.5,), crowds).eval["precision"][0, :, 0, 0, -1].mean()
    assert average_precisions(images, 1, (0.5,), crowds)[0, 0] == pytest.approx(expected) == average


def test_more_than_a_hundred_predictions_of_an_image_do_not_count() -> None:
    truth = objects((0, 0, 10, 10, 0))
    many = [(200 + row, 200, 210 + row, 210, 0, 0.9) for row in range(100)]
    images = [(truth, detections(*many, (0, 0, 10, 10, 0, 0.5)))]
    expected = coco_evaluation(images, 1, (0.5,)).eval["precision"][0, :, 0, 0, -1].mean()
    assert average_precisions(images, 1, (0.5,))[0, 0] == expected == 0


def test_by_hand() -> None:
    # Right, wrong, right; two of the four objects are found: precision 1 up to recall 1/4, then 2/3 up to 1/2.
    found = average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 4)
    assert found == pytest.approx((26 * 1 + 25 * 2 / 3) / 101)


def test_the_order_of_the_predictions_does_not_matter_but_their_scores_do() -> None:
    scores, hits = np.array([0.7, 0.9, 0.8]), np.array([True, True, False])
    assert average_precision(scores, hits, 2) == average_precision(scores[::-1], hits[::-1], 2)
    assert average_precision(np.array([0.9, 0.1]), np.array([True, False]), 1) == 1
    assert average_precision(np.array([0.1, 0.9]), np.array([True, False]), 1) == pytest.approx(0.5)


def test_without_objects_there_is_none_and_without_predictions_it_is_zero() -> None:
    assert average_precision(np.array([0.9]), np.array([False]), 0) is None
    assert average_precision(np.zeros(0), np.zeros(0, bool), 3) == 0
    assert np.isnan(average_precisions([], 2)).all()
    assert average_precisions([(objects((0, 0, 1, 1, 0)), detections())], 2, (0.5,)).tolist()[0][0] == 0
