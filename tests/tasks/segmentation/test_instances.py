import numpy as np
import pytest

from tasks.segmentation.instances import (
    MaskedDetections,
    MaskedObjects,
    unpadded_instances,
    unpadded_masked_crowds,
)
from tests.tasks.segmentation.conftest import ROWS, SIZE, area, arrays, detections, objects


def test_padding_may_stand_anywhere_and_takes_its_mask_with_it() -> None:
    truth = objects(area(2, 3, 9, 8), area(20, 1, 30, 20), classes=(1, 0))
    batch = arrays((truth, detections()))
    order = np.array([5, 1, 3, 0, *range(6, 12), 2, 4])
    found = unpadded_instances(batch.ground_truth[0][order], batch.masks[0][order], *SIZE)
    assert found.classes.tolist() == [0, 1]
    np.testing.assert_allclose(found.edges, truth.edges[::-1], atol=1e-4)
    np.testing.assert_array_equal(found.masks, truth.masks[::-1])
    assert found.masks.dtype == bool


@pytest.mark.parametrize("precision", [np.float32, np.float16])
def test_objects_and_crowds_come_apart_each_with_its_mask(precision: type) -> None:
    truth, crowds = (
        objects(area(2, 3, 9, 8), classes=(1,)),
        objects(area(0, 9, 30, 20), area(0, 0, 4, 4), classes=(0, 1)),
    )
    batch = arrays((truth, detections()), crowds=[crowds])
    order = np.array([2, 5, 0, 1, 3, 4, *range(6, 12)])
    rows, masks = batch.ground_truth[0][order].astype(precision), batch.masks[0][order].astype(precision)
    assert rows[:4, 0].tolist() == [-3, -1, 1, -2]
    found = unpadded_instances(rows, masks, *SIZE)
    np.testing.assert_array_equal(found.masks, truth.masks)
    found = unpadded_masked_crowds(rows, masks, *SIZE)
    assert found.classes.tolist() == [1, 0]
    np.testing.assert_allclose(found.edges, crowds.edges[::-1], atol=0.05)
    np.testing.assert_array_equal(found.masks, crowds.masks[::-1])


def test_half_precision_changes_no_mask() -> None:
    truth = objects(area(2, 3, 9, 8))
    batch = arrays((truth, detections()))
    found = unpadded_instances(batch.ground_truth[0].astype(np.float16), batch.masks[0].astype(np.float16), *SIZE)
    np.testing.assert_array_equal(found.masks, truth.masks)
    np.testing.assert_allclose(found.edges, truth.edges, atol=0.05)


def test_rows_are_chosen_with_their_masks() -> None:
    found = detections(area(0, 0, 4, 4), area(5, 5, 9, 9), area(9, 9, 12, 12), scores=(0.1, 0.9, 0.5))
    some = found[found.by_score()[:2]]
    assert isinstance(some, MaskedDetections)
    assert some.scores.tolist() == [0.9, 0.5]
    np.testing.assert_array_equal(some.masks, found.masks[[1, 2]])


def test_masks_must_fit_their_boxes() -> None:
    few = objects(area(0, 0, 4, 4), area(5, 5, 9, 9))
    with pytest.raises(ValueError, match="do not fit 2 boxes"):
        MaskedObjects(few.edges, few.classes, few.masks[:1])
    with pytest.raises(ValueError, match="do not fit 2 boxes"):
        MaskedDetections(few.edges, few.classes, np.ones(2), few.masks.reshape(2, ROWS, -1, 1))
