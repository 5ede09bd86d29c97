import numpy as np
import pytest

from tasks.detection.average_precision import COCO_THRESHOLDS
from tasks.segmentation.average_precision import mask_average_precisions
from tests.tasks.segmentation.conftest import (
    area,
    coco_precision,
    detections,
    objects,
    random_crowds,
    random_image,
)

CLASSES = 3
"""One more than there are: it has no objects."""


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_of_masks_is_that_of_pycocotools(seed: int) -> None:
    images = [random_image(np.random.default_rng((seed, number))) for number in range(25)]
    precision = coco_precision(images, CLASSES)
    expected = np.where((precision > -1).all(axis=1), precision.mean(axis=1), np.nan)
    found = mask_average_precisions(images, CLASSES)
    assert found.shape == (len(COCO_THRESHOLDS), CLASSES)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.isnan(found[:, 2]).all()
    assert 0.05 < found[:, 0].mean() < 0.95


@pytest.mark.parametrize("seed", range(3))
def test_with_crowds_too_it_is_that_of_pycocotools(seed: int) -> None:
    images = [random_image(np.random.default_rng((seed, number))) for number in range(25)]
    crowds = [random_crowds(np.random.default_rng((seed, 60, number)), image) for number, image in enumerate(images)]
    precision = coco_precision(images, CLASSES, crowds)
    expected = np.where((precision > -1).all(axis=1), precision.mean(axis=1), np.nan)
    found = mask_average_precisions(images, CLASSES, crowds=crowds)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert np.abs(found - mask_average_precisions(images, CLASSES))[:, 0].max() > 0.01


def test_the_mask_of_a_crowd_counts_and_not_its_box() -> None:
    # The crowd is an L, which leaves out its box's upper right quarter; both false alarms lie in the box.
    crowd = area(0, 0, 20, 20) & ~area(10, 0, 20, 10)
    in_it, beside = area(2, 12, 8, 18), area(12, 2, 18, 8)
    truth, found = objects(area(24, 2, 30, 8)), detections(in_it, beside, area(24, 2, 30, 8), scores=(0.9, 0.8, 0.7))
    assert mask_average_precisions([(truth, found)], 1, (0.5,), [objects(crowd)])[0, 0] == pytest.approx(1 / 2)
    assert mask_average_precisions([(truth, found)], 1, (0.5,))[0, 0] == pytest.approx(1 / 3)


def test_it_goes_by_masks_and_not_by_boxes() -> None:
    # Two triangles of a square have one box, and share their diagonal at most.
    square = area(4, 4, 14, 14)
    lower, upper = np.tril(np.ones_like(square)) > 0, np.triu(np.ones_like(square)) > 0
    images = [(objects(square & lower), detections(square & upper))]
    np.testing.assert_allclose(images[0][0].edges, images[0][1].edges)
    assert mask_average_precisions(images, 1, (0.5,))[0, 0] == 0
    assert mask_average_precisions([(images[0][0], detections(square & lower))], 1, (0.95,))[0, 0] == 1


def test_images_without_objects_or_detections_count() -> None:
    one = area(2, 2, 8, 8)
    images = [(objects(one), detections(one, scores=(0.5,))), (objects(), detections(one, scores=(0.9,)))]
    assert mask_average_precisions(images, 1, (0.5,))[0, 0] == pytest.approx(0.5)
    assert mask_average_precisions([(objects(one), detections())], 1, (0.5,))[0, 0] == 0
    assert np.isnan(mask_average_precisions([], 2)).all()
