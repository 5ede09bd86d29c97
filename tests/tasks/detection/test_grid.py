import numpy as np
import pytest

from tasks.detection.grid import Grid, fit_anchors

ANCHORS = (((10.0, 13.0), (16.0, 30.0), (33.0, 23.0)),) * 3


def test_an_official_input_has_the_rows_of_an_official_export() -> None:
    assert Grid(640, 640, (8, 16, 32), ANCHORS).rows == 25200


def test_rows_are_ordered_as_a_flattened_level_anchor_row_column_array() -> None:
    grid = Grid(64, 96, (8, 16, 32), ANCHORS)
    flattened = [
        (level, anchor, y, x)
        for level, (rows, columns) in enumerate([(8, 12), (4, 6), (2, 3)])
        for anchor in range(3)
        for y in range(rows)
        for x in range(columns)
    ]
    np.testing.assert_array_equal(grid.place_of_row, flattened)
    assert [grid.row(*place) for place in flattened] == list(range(grid.rows))
    np.testing.assert_array_equal(grid.level_of_row, np.array(flattened)[:, 0])


def test_rows_of_another_grid_are_refused_with_both_numbers() -> None:
    grid = Grid(64, 96, (8, 16, 32), ANCHORS)
    grid.require_rows(378)
    with pytest.raises(ValueError, match="gives 25200 rows, but 64 x 96 pixels .* make 378"):
        grid.require_rows(25200)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"height": 60}, "60 x 96 pixels do not divide into cells of 8"),
        ({"width": 112}, "64 x 112 pixels do not divide into cells of 32"),
        ({"strides": (8, 16)}, "2 strides do not fit the anchors of 3 levels"),
        ({"anchors": (*ANCHORS[:2], ANCHORS[0][:1])}, "as many anchors"),
    ],
)
def test_what_is_no_grid_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Grid(**{"height": 64, "width": 96, "strides": (8, 16, 32), "anchors": ANCHORS, **changes})


def test_anchors_are_the_medians_of_clusters_of_boxes_small_ones_first() -> None:
    rng = np.random.default_rng(0)
    typical = np.array([[6, 14], [60, 40], [20, 16], [14, 40], [120, 90], [30, 30]])
    sizes = np.repeat(typical, 40, axis=0) * rng.uniform(0.92, 1.08, (240, 2))
    anchors = fit_anchors(sizes, (8, 16), 3)
    expected = np.median(sizes.reshape(6, 40, 2), axis=1).round()
    np.testing.assert_array_equal(np.array(anchors).reshape(6, 2), expected[np.argsort(expected.prod(axis=1))])


def test_too_few_different_boxes_for_the_anchors_are_refused() -> None:
    with pytest.raises(ValueError, match="2 different sizes of boxes are too few for 6 anchors"):
        fit_anchors(np.array([[3, 4], [5, 6]] * 20), (8, 16), 3)


def test_as_many_different_boxes_as_anchors_are_the_anchors() -> None:
    sizes = np.array([[4, 4], [8, 4], [9, 9], [20, 12], [30, 40], [60, 50]] * 7)
    assert np.array(fit_anchors(sizes, (8, 16), 3)).reshape(6, 2).tolist() == sizes[:6].tolist()


def test_many_boxes_of_one_size_leave_anchors_for_the_others() -> None:
    others = [(3, 3), (20, 20), (40, 10), (10, 40), (80, 80)]
    anchors = fit_anchors(np.array([(10, 10)] * 95 + others), (8, 16), 3)
    assert {anchor for level in anchors for anchor in level} == {(10, 10), *others}


def test_an_anchor_is_at_least_a_pixel() -> None:
    sizes = np.array([[0.2, 0.3], [0.3, 0.2], [9, 9], [20, 12], [30, 40], [60, 50]] * 7)
    assert fit_anchors(sizes, (8, 16), 3)[0][0] == (1.0, 1.0)
