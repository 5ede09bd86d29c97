"""Against a literal reading of the published procedure, and worked examples."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.assignment import Assignment, assign, candidate_rows
from tasks.detection.detections import Objects
from tasks.detection.grid import Grid
from tests.tasks.detection import published
from tests.tasks.detection.on_a_grid import FORESIGHT, GRID, frame
from vision.boxes import Boxes

FRAMES = 400


def pairs(assignment: Assignment) -> list[tuple[int, int]]:
    """(row, object) of each candidate."""
    return list(zip(assignment.rows.tolist(), assignment.objects.tolist(), strict=True))


def around(*boxes: tuple[float, float, float, float], classes: tuple[int, ...] | None = None) -> Objects:
    """Objects of (centre x, centre y, width, height), all of class 0 where none is named."""
    return Objects(Boxes.from_centre_and_size(np.array(boxes)).edges, np.array(classes or [0] * len(boxes)))


def astray(classes: int = 1) -> NDArray[np.float64]:
    """A prediction of small boxes in the far corner, as like one class as another."""
    prediction = np.full((GRID.rows, 5 + classes), 0.5)
    prediction[:, :4] = (95.0, 63.0, 1.0, 1.0)
    return prediction


def test_the_candidates_of_an_object_worked_by_hand() -> None:
    # 20 x 12 at (21, 11): too wide for no anchor of 8 x 8 (2.5 times), too flat for none of 8 x 20.
    rows, valid = candidate_rows(np.array([[21.0, 11.0, 20.0, 12.0]]), GRID)
    # On cells of 8 the centre is (2.625, 1.375): cell (2, 1), its upper and its right neighbour. On cells of 16 it is
    # (1.31, 0.69): cell (1, 0), its left and its lower one. On cells of 32 only 60 x 40 fits, at (0.66, 0.34): cell
    # (0, 0) and its right neighbour; above it there is nothing.
    expected = [GRID.row(0, anchor, y, x) for y, x in ((1, 2), (0, 2), (1, 3)) for anchor in (0, 1)]
    expected += [GRID.row(1, anchor, y, x) for y, x in ((0, 1), (0, 0), (1, 1)) for anchor in (0, 1)]
    expected += [GRID.row(2, 0, y, x) for y, x in ((0, 0), (0, 1))]
    assert rows[valid].tolist() == expected


@pytest.mark.parametrize(
    ("x", "columns"),
    [
        (0.4, [0]),  # to the left there is nothing
        (0.5, [0]),  # the middle of a cell is near to no other
        (0.6, [0, 1]),
        (0.0, [0, 0]),  # a border is near to both of its sides, and what is right of it is the cell that holds it
        (1.0, [1, 1]),  # but not to the outermost cell
        (1.2, [1, 0]),
        (2.0, [2, 1, 2]),
        (10.6, [10, 11]),
        (11.0, [11, 10]),
        (11.4, [11, 10]),
        (11.6, [11]),
        (12.0, [11, 11]),  # the far edge belongs to the last cell, which is also to the left of it
    ],
)
def test_the_cells_of_a_centre_in_cells_worked_by_hand(x: float, columns: list[int]) -> None:
    rows, valid = candidate_rows(np.array([[8 * x, 8 * 3.5, 8.0, 8.0]]), GRID)
    fine = rows[valid][rows[valid] < GRID.row(0, 1, 0, 0)]
    assert fine.tolist() == [GRID.row(0, 0, 3, column) for column in columns]


@pytest.mark.parametrize(("side", "fits"), [(31.9, True), (32.0, False), (2.1, True), (2.0, False)])
def test_an_anchor_fits_up_to_but_not_at_a_factor_of_four(side: float, fits: bool) -> None:
    rows, valid = candidate_rows(np.array([[44.0, 28.0, 8.0, side]]), GRID)
    assert (GRID.row(0, 0, 3, 5) in rows[valid]) == fits


@pytest.mark.parametrize("grid", [GRID, FORESIGHT])
@pytest.mark.parametrize("seed", range(4))
def test_candidates_are_those_of_the_published_procedure_in_its_order(seed: int, grid: Grid) -> None:
    rng = np.random.default_rng(seed)
    # Multiples of a quarter of a cell, so that borders and middles come up, also beyond the edges of the input.
    centres = rng.integers(-8, (grid.width // 2 + 8, grid.height // 2 + 8), (40, 2)) * 2.0
    boxes = np.concatenate([centres, rng.uniform(4, 200, (40, 2))], axis=1)
    rows, valid = candidate_rows(boxes, grid)
    assert rows.T[valid.T].tolist() == published.pool(boxes.tolist(), grid)


def test_rows_go_to_objects_as_in_the_published_procedure() -> None:
    equal = repeated = shared = 0
    for seed in range(FRAMES):
        rng = np.random.default_rng(seed)
        objects, prediction = frame(rng, FORESIGHT, 3, int(rng.integers(2, 10)))
        boxes = Boxes(objects.edges).centre_and_size().tolist()
        expected = published.assignment(boxes, objects.classes.tolist(), prediction.tolist(), FORESIGHT, 3)
        equal += pairs(assign(objects, prediction.astype(np.float64), FORESIGHT, 3)) == expected
        repeated += len({row for row, _ in expected}) < len(expected)
        shared += len(set(expected)) > len({row for row, _ in expected})
    assert equal == FRAMES
    # The frames try what they are to try: rows that are assigned twice, and such as go to two objects.
    assert repeated > FRAMES / 2
    assert shared > 5


def test_the_copies_of_a_row_count_among_the_overlaps_worked_by_hand() -> None:
    # Equal objects propose the same rows, of which one lies on them with an IoU of 0.6, and the others nowhere near.
    box, row = (20.0, 20.0, 10.0, 10.0), GRID.row(0, 0, 2, 2)
    prediction = astray()
    prediction[row, :4] = (20.0, 20.0, 10.0, 6.0)
    # Two copies add up to 1.2, so each wants one, and four to 2.4, so each wants two. All want the first ones, and of
    # objects to which they cost the same the first one gets them.
    assert pairs(assign(around(*[box] * 2), prediction, GRID, 1)) == [(row, 0)]
    assert pairs(assign(around(*[box] * 4), prediction, GRID, 1)) == [(row, 0), (row, 0)]


def test_two_copies_of_a_row_go_to_two_objects_worked_by_hand() -> None:
    left, right = (20.0, 20.0, 10.0, 10.0), (20.75, 20.0, 10.0, 10.0)
    prediction, row = astray(), GRID.row(0, 0, 2, 2)
    # Both propose the row. Its IoU with the left one is 9.75 / 10.25 = 0.951, with the right one 9.5 / 10.5 = 0.905.
    prediction[row, :4] = (20.25, 20.0, 10.0, 10.0)
    # So do they these two, which lie on the outermost strip of the right one, an IoU of 0.075.
    prediction[[GRID.row(0, 1, 2, 2), GRID.row(1, 0, 1, 1)], :4] = (25.375, 20.0, 0.75, 10.0)
    # The left one wants 2 x 0.951, one; the right one 2 x 0.905 + 4 x 0.075 = 2.11, two, and those are the copies. The
    # first of them both want, and it costs the left one less.
    assert pairs(assign(around(left, right), prediction, GRID, 1)) == [(row, 0), (row, 1)]


def test_a_row_wanted_twice_goes_to_the_object_that_it_fits() -> None:
    near, far = (20.0, 20.0, 8.0, 8.0), (21.0, 21.0, 8.0, 8.0)
    prediction = astray()
    shared = GRID.row(0, 0, 2, 2)
    prediction[shared, :4] = near
    assert set(pairs(assign(around(far, near), prediction, GRID, 1))) == {(shared, 1)}


def test_a_contested_candidate_goes_to_the_cheapest_object_even_if_that_did_not_ask_for_it() -> None:
    prediction = astray()
    contested, exact = GRID.row(0, 0, 2, 2), GRID.row(0, 0, 5, 8)
    # The third object takes one row, 1 + 2 x 0.4 = 1.8, and that is its own. The two others overlap nothing, so they
    # take the row that is surest of its class, which they propose, but which lies on the third.
    prediction[exact, :4], prediction[contested, :4] = (68, 44, 10, 10), (68, 44, 10, 4)
    prediction[[exact, contested], 4:] = 0.98
    objects = around((20, 20, 10, 10), (22, 22, 10, 10), (68, 44, 10, 10))
    assert pairs(assign(objects, prediction, GRID, 1)) == [(contested, 2), (exact, 2)]


def test_without_objects_and_with_objects_that_no_anchor_fits_nothing_is_assigned() -> None:
    prediction = astray()
    nothing = Objects(np.zeros((0, 4)), np.zeros(0, int))
    needle = Objects(np.array([[10.0, 10.0, 90.0, 10.5]]), np.array([0]))
    for objects in (nothing, needle):
        assert len(assign(objects, prediction, GRID, 1).rows) == 0
