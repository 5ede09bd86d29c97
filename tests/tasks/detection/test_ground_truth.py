import numpy as np

from tasks.detection.ground_truth import PADDING, padded, unpadded
from tests.tasks.detection.conftest import objects

HEIGHT, WIDTH = 100, 200


def test_a_row_is_class_centre_and_size_as_shares_of_the_input() -> None:
    rows = padded(objects((20, 10, 60, 40, 2)), 3, HEIGHT, WIDTH)
    np.testing.assert_allclose(rows[0], [2, 0.2, 0.25, 0.2, 0.3], rtol=1e-6)
    np.testing.assert_array_equal(rows[1:], [[PADDING, 0, 0, 0, 0]] * 2)
    assert rows.dtype == np.float32


def test_rows_are_read_back_whatever_stands_between_them() -> None:
    there = objects((20, 10, 60, 40, 2), (0, 0, 200, 100, 0), (5, 6, 7, 9, 1))
    rows = padded(there, 6, HEIGHT, WIDTH)[[0, 3, 1, 4, 5, 2]]
    back = unpadded(rows, HEIGHT, WIDTH)
    np.testing.assert_allclose(back.edges, there.edges, atol=1e-4)
    np.testing.assert_array_equal(back.classes, there.classes)


def test_half_precision_moves_an_edge_by_less_than_a_quarter_of_a_pixel_in_640() -> None:
    there = objects(*[(x, y, x + 31.7, y + 47.3, 1) for x, y in np.random.default_rng(0).uniform(0, 590, (50, 2))])
    back = unpadded(padded(there, 50, 640, 640).astype(np.float16), 640, 640)
    np.testing.assert_allclose(back.edges, there.edges, atol=0.25)


def test_of_too_many_objects_the_first_are_kept() -> None:
    there = objects(*[(n, n, n + 5, n + 5, n % 3) for n in range(9)])
    rows = padded(there, 4, HEIGHT, WIDTH)
    np.testing.assert_allclose(unpadded(rows, HEIGHT, WIDTH).edges, there.edges[:4], atol=1e-4)


def test_no_objects_are_all_padding_and_back() -> None:
    rows = padded(objects(), 4, HEIGHT, WIDTH)
    assert (rows[:, 0] == PADDING).all()
    assert len(unpadded(rows, HEIGHT, WIDTH)) == 0
