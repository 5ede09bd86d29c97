import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.assignment import assign
from tasks.detection.grid import Grid
from tasks.detection.ground_truth import unpadded
from tasks.detection.losses import LEVEL_BALANCE, detection_losses
from tests.tasks.detection.on_a_grid import CLASSES, GRID, crowd, quiet, truth
from vision.boxes import Boxes, ciou


def test_a_perfect_prediction_costs_nothing() -> None:
    ground_truth = truth((10, 12, 26, 22, 1), (40, 20, 90, 60, 2))
    prediction = quiet(0.0)
    assigned = assign(unpadded(ground_truth, 64, 96), prediction, GRID, CLASSES)
    for _ in range(2):  # once the rows predict their objects, they are the ones that the objects get
        objects = unpadded(ground_truth, 64, 96)
        prediction[assigned.rows, :4] = Boxes(objects.edges[assigned.objects]).centre_and_size()
        prediction[assigned.rows, 4] = 1
        prediction[assigned.rows, 5 + objects.classes[assigned.objects]] = 1
        assigned = assign(objects, prediction, GRID, CLASSES)
    losses = detection_losses(ground_truth[np.newaxis], prediction[np.newaxis], GRID, CLASSES)
    np.testing.assert_allclose(losses, 0, atol=2e-6)


def test_the_losses_of_one_row_worked_by_hand() -> None:
    ground_truth = truth((8, 8, 24, 20, 1))
    prediction = quiet(0.0)
    row = GRID.row(0, 0, 1, 2)  # its cell holds the centre, (16, 14)
    prediction[row] = (17, 14, 16, 12, 0.8, 0.1, 0.7, 0.2)
    box, objectness, classes = (
        float(part[0]) for part in detection_losses(ground_truth[np.newaxis], prediction[np.newaxis], GRID, CLASSES)
    )
    quality = float(ciou(np.array([9.0, 8, 25, 20]), np.array([8.0, 8, 24, 20])))
    assert quality == pytest.approx(15 / 17 - 1 / (17**2 + 12**2))
    assert box == pytest.approx(1 - quality, rel=1e-5)
    entropy = -(quality * math.log(0.8) + (1 - quality) * math.log(0.2))
    assert objectness == pytest.approx(4.0 * entropy / (2 * 8 * 12), rel=1e-4)
    assert classes == pytest.approx(-(math.log(0.9) + math.log(0.7) + math.log(0.8)) / 3, rel=1e-5)


def test_the_losses_of_a_row_that_two_objects_got_worked_by_hand() -> None:
    # Of the two copies of this row the first goes to the left object and the second to the right one, see
    # test_assignment.py; the rows on the outermost strip of the right one only make it want two.
    ground_truth = truth((15, 15, 25, 25, 0), (15.75, 15, 25.75, 25, 1))
    prediction = quiet(0.0)
    row = GRID.row(0, 0, 2, 2)
    prediction[row] = (20.25, 20, 10, 10, 0.8, 0.5, 0.5, 0.5)
    for strip in (GRID.row(0, 1, 2, 2), GRID.row(1, 0, 1, 1)):
        prediction[strip, :4] = (25.375, 20, 0.75, 10)
    box, objectness, classes = (
        float(part[0]) for part in detection_losses(ground_truth[np.newaxis], prediction[np.newaxis], GRID, CLASSES)
    )
    # CIoU with the left one, a quarter of a pixel away, and with the right one, half a pixel away.
    left = 9.75 / 10.25 - 0.25**2 / (10.25**2 + 10**2)
    right = 9.5 / 10.5 - 0.5**2 / (10.5**2 + 10**2)
    assert box == pytest.approx(1 - (left + right) / 2, rel=1e-5)
    assert classes == pytest.approx(math.log(2), rel=1e-5)
    entropy = -(right * math.log(0.8) + (1 - right) * math.log(0.2))
    assert objectness == pytest.approx(4.0 * entropy / (2 * 8 * 12), rel=1e-4)


def test_an_image_without_objects_still_pays_for_what_it_is_taken_to_hold() -> None:
    for probability in (0.01, 0.6):
        box, objectness, classes = detection_losses(truth()[np.newaxis], quiet(probability)[np.newaxis], GRID, CLASSES)
        assert (box[0], classes[0]) == (0, 0)
        assert objectness[0] == pytest.approx(-sum(LEVEL_BALANCE) * math.log(1 - probability), rel=1e-5)


def test_each_mistake_raises_the_loss_of_its_name_alone() -> None:
    ground_truth = truth((10, 12, 26, 22, 1))[np.newaxis]
    right = quiet()
    row = GRID.row(0, 0, 2, 2)
    right[row] = (18, 17, 16, 10, 0.9, 0.01, 0.9, 0.01)
    beside, unsure, confused = right.copy(), right.copy(), right.copy()
    beside[row, 0] += 1
    unsure[row, 4] = 0.2
    confused[row, 5:] = (0.9, 0.01, 0.01)
    losses = [
        detection_losses(ground_truth, prediction[np.newaxis], GRID, CLASSES)
        for prediction in (right, beside, unsure, confused)
    ]
    assert losses[1].box > losses[0].box
    assert losses[1].classes == losses[0].classes
    assert losses[2].objectness > losses[0].objectness
    assert (losses[2].box, losses[2].classes) == (losses[0].box, losses[0].classes)
    assert losses[3].classes > losses[0].classes
    assert (losses[3].box, losses[3].objectness) == (losses[0].box, losses[0].objectness)


def test_a_crowd_costs_as_little_as_padding() -> None:
    ground_truth, prediction = crowd(5)
    marked = ground_truth.copy()
    marked[marked[..., 0] == -1] = (-3, 0.4, 0.4, 0.3, 0.3)  # of class 1
    assert (marked != ground_truth).any(axis=(1, 2)).sum() > 2
    for expected, found in zip(
        detection_losses(ground_truth, prediction, GRID, CLASSES),
        detection_losses(marked, prediction, GRID, CLASSES),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_one_class_has_no_class_loss() -> None:
    losses = detection_losses(truth((10, 12, 26, 22, 0))[np.newaxis], quiet()[np.newaxis, :, :6], GRID, 1)
    assert losses.classes[0] == 0
    assert losses.box[0] > 0


def test_two_classes_have_one() -> None:
    prediction = quiet()[np.newaxis, :, :7]
    row = GRID.row(0, 0, 2, 2)
    prediction[0, row] = (18, 17, 16, 10, 0.9, 0.8, 0.3)
    losses = detection_losses(truth((10, 12, 26, 22, 0))[np.newaxis], prediction, GRID, 2)
    assert losses.classes[0] == pytest.approx(-(math.log(0.8) + math.log(0.7)) / 2, rel=1e-5)


def test_other_levels_than_three_are_refused() -> None:
    two = Grid(64, 96, (8, 16), GRID.anchors[:2])
    with pytest.raises(ValueError, match="^The losses are defined for 3 levels, not 2.$"):
        detection_losses(truth()[np.newaxis], quiet()[np.newaxis, : two.rows], two, CLASSES)


@pytest.mark.parametrize("huge", [1e4, 1e30])
@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_huge_boxes_and_certain_ones_cost_a_finite_amount(huge: float, probability: float) -> None:
    prediction = quiet(probability)
    prediction[:, :4] = huge
    for ground_truth in (truth(), truth((10, 12, 26, 22, 1))):
        losses = detection_losses(ground_truth[np.newaxis], prediction[np.newaxis], GRID, CLASSES)
        assert np.isfinite(losses).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_prediction_that_is_no_number_has_no_loss_and_spoils_no_other(value: float) -> None:
    ground_truth, prediction = crowd(1)
    expected = np.array(detection_losses(ground_truth, prediction, GRID, CLASSES))
    prediction[2, 17, 4] = value
    losses = np.array(detection_losses(ground_truth, prediction, GRID, CLASSES))
    assert np.isnan(losses[:, 2]).all()
    np.testing.assert_array_equal(np.delete(losses, 2, axis=1), np.delete(expected, 2, axis=1))


def test_further_columns_mean_nothing_to_the_losses() -> None:
    ground_truth, prediction = crowd(2)
    masks = np.random.default_rng(0).normal(size=(*prediction.shape[:2], 32)).astype(np.float32)
    np.testing.assert_array_equal(
        detection_losses(ground_truth, np.concatenate([prediction, masks], axis=-1), GRID, CLASSES),
        detection_losses(ground_truth, prediction, GRID, CLASSES),
    )


def test_a_prediction_of_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match="gives 100 rows"):
        detection_losses(truth()[np.newaxis], quiet()[np.newaxis, :100], GRID, CLASSES)


def test_the_total_weighs_box_objectness_and_classes_in_this_order() -> None:
    losses = detection_losses(*crowd(3), GRID, CLASSES)
    np.testing.assert_allclose(
        losses.total((1, 10, 100)), losses.box + 10 * losses.objectness + 100 * losses.classes, rtol=1e-6
    )


@pytest.mark.parametrize("part", ["box", "objectness", "classes"])
def test_batches_and_float16(metric_tester: Any, part: str) -> None:
    def handler(ground_truth: NDArray[Any], prediction: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(getattr(detection_losses(ground_truth, prediction, GRID, CLASSES), part))

    ground_truth, prediction = crowd(4)
    # At half precision a row may change hands, so the numbers are ones that it holds exactly.
    exact = prediction.astype(np.float16).astype(np.float32)
    single = [handler(ground_truth[row : row + 1], exact[row : row + 1])[0] for row in range(5)]
    metric_tester(handler, lambda *arguments: handler(*(a.astype(np.float64) for a in arguments)), ground_truth, exact)
    np.testing.assert_allclose(handler(ground_truth, exact), single, rtol=1e-6)
