import numpy as np

from tasks.detection.ground_truth import PADDING, padded, unpadded, unpadded_crowds
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


def test_a_crowd_of_a_class_is_marked_by_it_and_stands_below_the_objects() -> None:
    rows = padded(objects((20, 10, 60, 40, 2)), 4, HEIGHT, WIDTH, objects((0, 0, 100, 50, 0), (0, 50, 100, 100, 3)))
    assert rows[:, 0].tolist() == [2, -2, -5, PADDING]
    np.testing.assert_allclose(rows[1:3, 1:], [[0.25, 0.25, 0.5, 0.5], [0.25, 0.75, 0.5, 0.5]], rtol=1e-6)
    assert rows.dtype == np.float32


def test_objects_and_crowds_are_read_back_apart_whatever_stands_between_them() -> None:
    there, crowds = objects((20, 10, 60, 40, 2), (5, 6, 7, 9, 0)), objects((0, 0, 100, 50, 0), (0, 50, 90, 100, 3))
    rows = padded(there, 6, HEIGHT, WIDTH, crowds)[[3, 5, 0, 2, 4, 1]]
    for read, expected in ((unpadded, there), (unpadded_crowds, crowds)):
        back = read(rows, HEIGHT, WIDTH)
        order = np.argsort(back.classes)[np.argsort(np.argsort(expected.classes))]
        np.testing.assert_allclose(back.edges[order], expected.edges, atol=1e-4)
        np.testing.assert_array_equal(back.classes[order], expected.classes)


def test_half_precision_holds_the_crowds_of_a_thousand_classes() -> None:
    crowds = objects(*[(n / 10, 10, n / 10 + 31.7, 57.3, n) for n in range(1000)])
    back = unpadded_crowds(padded(objects(), 1000, 640, 640, crowds).astype(np.float16), 640, 640)
    np.testing.assert_array_equal(back.classes, crowds.classes)
    np.testing.assert_allclose(back.edges, crowds.edges, atol=0.25)
    assert back.edges.dtype == np.float32


def test_where_there_is_not_room_for_all_the_crowds_are_left_out_first() -> None:
    there, crowds = objects(*[(n, n, n + 5, n + 5, 1) for n in range(3)]), objects(*[(0, 0, 50, 50, n) for n in (0, 1)])
    assert padded(there, 4, HEIGHT, WIDTH, crowds)[:, 0].tolist() == [1, 1, 1, -2]
    assert padded(there, 2, HEIGHT, WIDTH, crowds)[:, 0].tolist() == [1, 1]


def test_no_objects_are_all_padding_and_back() -> None:
    rows = padded(objects(), 4, HEIGHT, WIDTH)
    assert (rows[:, 0] == PADDING).all()
    assert len(unpadded(rows, HEIGHT, WIDTH)) == len(unpadded_crowds(rows, HEIGHT, WIDTH)) == 0
