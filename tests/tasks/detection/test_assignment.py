"""Against a literal account of the published rules, cell by cell and pair by pair."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.assignment import EPSILON, assign, candidate_rows
from tasks.detection.detections import Objects
from tasks.detection.grid import Grid
from tests.tasks.detection.on_a_grid import GRID
from vision.boxes import Boxes, iou


def expected_candidates(box: NDArray, grid: Grid) -> set[int]:
    """Rows whose anchor differs by less than a factor of 4 each way, of the own cell and the nearer neighbours."""
    x, y, width, height = box
    found = set()
    for row, (level, anchor, cell_y, cell_x) in enumerate(grid.place_of_row.tolist()):
        ratios = [width / grid.anchors[level][anchor][0], height / grid.anchors[level][anchor][1]]
        if max(max(ratio, 1 / ratio) for ratio in ratios) >= 4:
            continue
        right, down = x / grid.strides[level] - cell_x, y / grid.strides[level] - cell_y
        is_own = 0 <= right < 1 and 0 <= down < 1
        is_beside = 0 <= down < 1 and (-0.5 < right < 0 or 1 <= right < 1.5)
        is_above_or_below = 0 <= right < 1 and (-0.5 < down < 0 or 1 <= down < 1.5)
        if is_own or is_beside or is_above_or_below:
            found.add(row)
    return found


def expected_assignment(objects: Objects, prediction: NDArray, grid: Grid, classes: int) -> dict[int, int]:
    """simOTA, pair by pair."""
    centred = Boxes(objects.edges).centre_and_size()
    pool = sorted(set().union(*(expected_candidates(box, grid) for box in centred)))
    edges = Boxes.from_centre_and_size(prediction[:, :4]).edges
    cost: dict[tuple[int, int], float] = {}
    claims: dict[int, list[int]] = {}
    for number in range(len(objects)):
        overlaps = {row: float(iou(edges[row], objects.edges[number])) for row in pool}
        for row in pool:
            entropy = 0.0
            for label in range(classes):
                joint = math.sqrt(prediction[row, 4] * prediction[row, 5 + label])
                joint = min(max(joint, EPSILON), 1 - EPSILON)
                entropy -= math.log(joint) if label == objects.classes[number] else math.log(1 - joint)
            cost[number, row] = entropy - 3 * math.log(overlaps[row] + 1e-8)
        wanted = max(1, int(sum(sorted(overlaps.values())[-10:])))
        for row in sorted(pool, key=lambda row: cost[number, row])[:wanted]:
            claims.setdefault(row, []).append(number)
    return {row: min(numbers, key=lambda number: cost[number, row]) for row, numbers in claims.items()}


def scene(seed: int, count: int, grid: Grid = GRID, classes: int = 3) -> tuple[Objects, NDArray]:
    """Random objects, and predictions of which some are near them."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, (grid.width, grid.height), (count, 2))
    sizes = np.exp(rng.uniform(np.log(4), np.log(70), (count, 2)))
    objects = Objects(
        Boxes.from_centre_and_size(np.concatenate([centres, sizes], axis=1)).edges, rng.integers(0, classes, count)
    )
    prediction = rng.uniform(0.02, 0.98, (grid.rows, 5 + classes))
    prediction[:, :4] = rng.uniform(1, 90, (grid.rows, 4))
    for box in np.concatenate([centres, sizes], axis=1):
        for row in expected_candidates(box, grid):
            if rng.random() < 0.7:
                prediction[row, :4] = box * rng.uniform(0.85, 1.15, 4)
    return objects, prediction


def test_the_candidates_of_an_object_worked_by_hand() -> None:
    # 20 x 12 at (21, 11): too wide for no anchor of 8 x 8 (2.5 times), too flat for none of 8 x 20.
    rows, valid = candidate_rows(np.array([[21.0, 11.0, 20.0, 12.0]]), GRID)
    # On cells of 8 the centre is (2.625, 1.375): cell (2, 1), its right and its upper neighbour. On cells of 16 it is
    # (1.31, 0.69): cell (1, 0), its left and its lower one. On cells of 32 only 60 x 40 fits, at (0.66, 0.34): cell
    # (0, 0) and its right neighbour; above it there is nothing.
    expected = [GRID.row(0, anchor, y, x) for anchor in (0, 1) for y, x in ((1, 2), (1, 3), (0, 2))]
    expected += [GRID.row(1, anchor, y, x) for anchor in (0, 1) for y, x in ((0, 1), (0, 0), (1, 1))]
    expected += [GRID.row(2, 0, y, x) for y, x in ((0, 0), (0, 1))]
    assert sorted(rows[valid]) == sorted(expected)


@pytest.mark.parametrize("seed", range(6))
def test_candidates_are_those_of_the_rules(seed: int) -> None:
    objects, _ = scene(seed, 12)
    boxes = Boxes(objects.edges).centre_and_size()
    rows, valid = candidate_rows(boxes, GRID)
    for box, numbers, is_candidate in zip(boxes, rows, valid, strict=True):
        chosen = numbers[is_candidate].tolist()
        assert len(chosen) == len(set(chosen))
        assert set(chosen) == expected_candidates(box, GRID)


def test_a_centre_on_the_far_edge_belongs_to_the_last_cell() -> None:
    rows, valid = candidate_rows(np.array([[96.0, 64.0, 8.0, 8.0]]), GRID)
    assert GRID.row(0, 0, 7, 11) in rows[valid]
    assert rows[valid].max() < GRID.rows


@pytest.mark.parametrize("count", [1, 2, 7, 25])
@pytest.mark.parametrize("seed", range(3))
def test_rows_go_to_the_objects_that_the_rules_give_them(seed: int, count: int) -> None:
    objects, prediction = scene(seed, count)
    assignment = assign(objects, prediction, GRID, 3)
    assert dict(zip(assignment.rows.tolist(), assignment.objects.tolist(), strict=True)) == expected_assignment(
        objects, prediction, GRID, 3
    )
    assert assignment.rows.tolist() == sorted(set(assignment.rows.tolist()))


def test_a_row_wanted_twice_goes_to_the_object_that_it_fits() -> None:
    near, far = np.array([20.0, 20.0, 8.0, 8.0]), np.array([21.0, 21.0, 8.0, 8.0])
    objects = Objects(Boxes.from_centre_and_size(np.stack([far, near])).edges, np.array([0, 0]))
    prediction = np.full((GRID.rows, 6), 0.5)
    prediction[:, :4] = (90.0, 60.0, 2.0, 2.0)
    shared = GRID.row(0, 0, 2, 2)
    prediction[shared, :4] = near
    assignment = assign(objects, prediction, GRID, 1)
    assert dict(zip(assignment.rows.tolist(), assignment.objects.tolist(), strict=True))[shared] == 1


def test_without_objects_and_with_objects_that_no_anchor_fits_nothing_is_assigned() -> None:
    prediction = np.full((GRID.rows, 6), 0.5)
    nothing = Objects(np.zeros((0, 4)), np.zeros(0, int))
    needle = Objects(np.array([[10.0, 10.0, 90.0, 10.5]]), np.array([0]))
    for objects in (nothing, needle):
        assert len(assign(objects, prediction, GRID, 1).rows) == 0
