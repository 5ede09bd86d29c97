import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.assignment import assign
from tasks.detection.detections import Objects
from tasks.detection.grid import Grid
from tasks.detection.ground_truth import padded
from tasks.detection.losses import detection_losses
from tasks.segmentation.losses import mask_loss, segmentation_losses
from vision.boxes import Boxes

GRID = Grid(64, 96, (8, 16, 32), (((8, 8), (8, 20)), ((20, 12), (30, 30)), ((60, 40), (90, 60))))
CLASSES, PROTOTYPES, MOST = 2, 4, 6
ROWS, COLUMNS = GRID.height // 4, GRID.width // 4

Arrays = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def crowd(seed: int, batch: int = 4) -> Arrays:
    """Random objects with rectangles for masks (none in the last sample), and an output near them."""
    rng = np.random.default_rng(seed)
    truths, masks = [], np.zeros((batch, MOST, ROWS, COLUMNS), np.float32)
    prediction = rng.uniform(0.02, 0.98, (batch, GRID.rows, 5 + CLASSES + PROTOTYPES)).astype(np.float32)
    prediction[..., :4] = rng.uniform(1, 90, (batch, GRID.rows, 4))
    prediction[..., 5 + CLASSES :] = rng.normal(0, 1, (batch, GRID.rows, PROTOTYPES))
    for sample in range(batch):
        count = 0 if sample == batch - 1 else int(rng.integers(1, MOST + 1))
        corners = rng.integers(0, (16, 10), (count, 2))
        edges = np.concatenate([corners, corners + rng.integers(2, 7, (count, 2))], axis=1)
        for number, (x1, y1, x2, y2) in enumerate(edges.tolist()):
            masks[sample, number, y1 : y2 - 1, x1:x2] = 1  # not all of the box
        # A little beside the grid: at half precision, what lies on the border of two cells may change them.
        objects = Objects(edges * 4.0 + 0.37, rng.integers(0, CLASSES, count))
        truths.append(padded(objects, MOST, GRID.height, GRID.width))
        for box in Boxes(objects.edges).centre_and_size():
            near = rng.random(GRID.rows) < 0.2
            prediction[sample, near, :4] = box * rng.uniform(0.9, 1.1, (near.sum(), 4))
    prototypes = rng.normal(0, 1, (batch, PROTOTYPES, ROWS, COLUMNS)).astype(np.float32)
    return np.stack(truths), masks, prediction, prototypes


def loss(arrays: Arrays) -> NDArray[np.float32]:
    return mask_loss(*arrays, GRID, CLASSES)


def cell_by_cell(truth: NDArray[Any], masks: NDArray[Any], rows: NDArray[Any], prototypes: NDArray[Any]) -> float:
    """One sample's loss by a loop over rows and cells."""
    kept = [number for number in range(MOST) if truth[number, 0] >= 0]
    edges = Boxes.from_normalised(truth[kept, 1:].astype(np.float64), GRID.width, GRID.height).edges
    assignment = assign(Objects(edges, truth[kept, 0].astype(int)), rows.astype(np.float64), GRID, CLASSES)
    of_rows = []
    for row, owner in zip(assignment.rows.tolist(), assignment.objects.tolist(), strict=True):
        x1, y1, x2, y2 = edges[owner]
        entropies = []
        for y in range(ROWS):
            for x in range(COLUMNS):
                if x1 <= 4 * x + 2 < x2 and y1 <= 4 * y + 2 < y2:
                    logit = float(rows[row, 5 + CLASSES :] @ prototypes[:, y, x])
                    chance = 1 / (1 + math.exp(-logit))
                    entropies.append(-math.log(chance if masks[kept[owner], y, x] else 1 - chance))
        if entropies:
            of_rows.append(sum(entropies) / len(entropies))
    return sum(of_rows) / len(of_rows) if of_rows else 0.0


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_is_the_cross_entropy_within_the_boxes_cell_by_cell(seed: int) -> None:
    arrays = crowd(seed)
    expected = [cell_by_cell(*sample) for sample in zip(*arrays, strict=True)]
    np.testing.assert_allclose(loss(arrays), expected, rtol=1e-5)
    assert expected[-1] == 0, "the last sample has no objects"


def test_a_mask_that_says_nothing_costs_one_bit_and_a_sure_and_right_one_nothing() -> None:
    truth, masks, prediction, prototypes = crowd(0)
    prediction[..., 5 + CLASSES :] = 0
    np.testing.assert_allclose(loss((truth, masks, prediction, prototypes))[:-1], math.log(2), rtol=1e-6)
    one, mask = truth[:1].copy(), masks[:1].copy()
    one[:, 1:, 0] = -1
    mask[:, 1:] = 0
    prediction[..., 5 + CLASSES] = 1
    prototypes[:1, 0] = np.where(mask[0, 0] > 0, 50, -50)
    assert loss((one, mask, prediction[:1], prototypes[:1]))[0] == pytest.approx(0, abs=1e-9)
    assert loss((one, mask, prediction[:1], -prototypes[:1]))[0] == pytest.approx(50, rel=1e-6)


def test_what_lies_outside_of_the_box_costs_nothing() -> None:
    arrays = crowd(1)
    before = loss(arrays)
    truth, masks, prediction, prototypes = arrays
    left, top, right, bottom = 24, 16, 0, 0
    for row in truth[0][truth[0, :, 0] >= 0]:
        (x1, y1, x2, y2) = Boxes.from_normalised(row[np.newaxis, 1:].astype(np.float64), COLUMNS, ROWS).edges[0]
        left, top, right, bottom = min(left, x1), min(top, y1), max(right, x2), max(bottom, y2)
    changed = prototypes.copy()
    changed[0, :, :, : int(left)] += 9
    changed[0, :, int(np.ceil(bottom)) :] -= 9
    assert loss((truth, masks, prediction, changed))[0] == before[0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_output_that_is_no_number_has_no_loss(value: float) -> None:
    truth, masks, prediction, prototypes = crowd(2)
    prototypes[1, 2, 3, 4] = value
    found = loss((truth, masks, prediction, prototypes))
    assert np.isnan(found).tolist() == [False, True, False, False]


def test_batches_and_float16(metric_tester: Any) -> None:
    arrays = [array.astype(np.float16).astype(np.float32) for array in crowd(3)]

    def handler(*batch: Any) -> NDArray[np.float32]:
        return loss(batch)

    metric_tester(
        handler, lambda *batch: handler(*(each.astype(np.float64) for each in batch)), *arrays, tolerance=1e-4
    )


def test_all_four_losses_are_those_of_the_detector_and_of_the_masks() -> None:
    truth, masks, prediction, prototypes = crowd(4)
    prediction[1, 7, 3] = np.nan
    prototypes[2, 0, 1, 1] = np.inf
    found = segmentation_losses(truth, masks, prediction, prototypes, GRID, CLASSES)
    for part, expected in zip(found, detection_losses(truth, prediction, GRID, CLASSES), strict=False):
        np.testing.assert_array_equal(part, expected)
    np.testing.assert_array_equal(found.masks, loss((truth, masks, prediction, prototypes)))
    assert np.isnan(found.box).tolist() == [False, True, False, False]
    assert np.isnan(found.masks).tolist() == [False, True, True, False]
    total = found.total((1, 2, 3, 4))
    by_hand = found.box[0] + 2 * found.objectness[0] + 3 * found.classes[0] + 4 * found.masks[0]
    assert total[0] == pytest.approx(by_hand)
    assert total.dtype == np.float32
