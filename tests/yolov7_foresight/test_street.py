import numpy as np
import pytest

from vision import statistics
from yolov7_foresight.street import CAR, CYCLIST, PEDESTRIAN, Scene, render, visible_objects

WIDTH, HEIGHT = 480, 360


@pytest.fixture(scope="module")
def streets() -> list[Scene]:
    return [render(np.random.default_rng((11, number)), WIDTH, HEIGHT, 0.1, 1.3) for number in range(30)]


def _scene(instances: list[list[int]], classes: list[int], whole: list[float]) -> Scene:
    numbers = np.array(instances, np.int32)
    image = np.zeros((*numbers.shape, 3), np.uint8)
    return Scene(image, numbers, np.array(classes, np.int64), np.array(whole, np.float64))


def test_a_box_reaches_from_the_first_to_behind_the_last_pixel_that_is_seen() -> None:
    scene = _scene([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 2]], [CAR, CYCLIST], [3, 1])
    objects = visible_objects(scene, least_visible=0.25, least_side=1)
    assert objects.edges.tolist() == [[1, 1, 3, 3], [3, 2, 4, 3]]
    assert objects.classes.tolist() == [CAR, CYCLIST]


def test_an_object_of_which_too_little_is_seen_has_no_box() -> None:
    scene = _scene([[1, 2, 2, 2]], [CAR, PEDESTRIAN], [5, 3])
    assert visible_objects(scene, least_visible=0.25, least_side=1).classes.tolist() == [PEDESTRIAN]
    assert visible_objects(scene, least_visible=0.2, least_side=1).classes.tolist() == [CAR, PEDESTRIAN]


def test_an_object_that_is_seen_nowhere_has_no_box_even_if_anything_counts() -> None:
    scene = _scene([[0, 2]], [CAR, PEDESTRIAN, CYCLIST], [9, 1, 0])
    assert visible_objects(scene, least_visible=0.0, least_side=1).classes.tolist() == [PEDESTRIAN]


@pytest.mark.parametrize(("least_side", "expected"), [(1, 2), (2, 1), (3, 0)])
def test_an_object_that_is_too_narrow_or_too_low_has_no_box(least_side: int, expected: int) -> None:
    scene = _scene([[1, 1, 1, 1], [0, 2, 2, 0], [0, 2, 2, 0]], [CAR, CAR], [4, 4])
    assert len(visible_objects(scene, least_visible=0.25, least_side=least_side)) == expected


def test_a_street_without_objects_has_no_boxes() -> None:
    objects = visible_objects(_scene([[0, 0]], [], []), 0.25, 1)
    assert objects.edges.shape == (0, 4)
    assert objects.classes.shape == (0,)


def test_the_same_seed_draws_the_same_street() -> None:
    one, other = (render(np.random.default_rng(3), 200, 150, 0.5) for _ in range(2))
    assert np.array_equal(one.image, other.image)
    assert np.array_equal(one.instances, other.instances)
    assert not np.array_equal(render(np.random.default_rng(4), 200, 150, 0.5).image, one.image)


def test_the_hour_changes_the_light_and_nothing_else() -> None:
    day, night = (render(np.random.default_rng(8), 200, 150, dusk) for dusk in (0.0, 1.0))
    assert np.array_equal(day.instances, night.instances)
    assert statistics.brightness(night.image) < 0.6 * statistics.brightness(day.image)


def test_an_image_has_the_size_that_was_asked_for() -> None:
    scene = render(np.random.default_rng(0), 321, 200, 0.0)
    assert scene.image.shape == (200, 321, 3)
    assert scene.image.dtype == np.uint8
    assert scene.instances.shape == (200, 321)
    assert scene.instances.dtype == np.int32


def test_no_more_of_an_object_is_seen_than_there_is(streets: list[Scene]) -> None:
    hidden = 0
    for scene in streets:
        seen = np.bincount(scene.instances.ravel(), minlength=len(scene.classes) + 1)[1:]
        assert scene.instances.max() <= len(scene.classes)
        # One in four drawn pixels stands for an image's pixel: of few, that is a coarse count.
        assert (seen <= scene.whole_areas * 1.05 + 8).all()
        hidden += int((seen < 0.5 * scene.whole_areas).sum())
    assert hidden > 10  # cars hide people, and people cars


def test_an_object_is_drawn_where_its_pixels_are_said_to_be(streets: list[Scene]) -> None:
    # Objects stand out from the street: their own pixels differ from those around more than chance would have it.
    steps = []
    for scene in streets:
        for left, top, right, bottom in visible_objects(scene, 0.9, 20).edges.astype(int).tolist():
            inside = scene.instances[top:bottom, left:right] > 0
            window = scene.image[top:bottom, left:right].astype(float).mean(axis=2)
            if inside.all() or not inside.any():
                continue
            edges = inside[:, 1:] != inside[:, :-1]
            change = np.abs(np.diff(window, axis=1))
            steps.append(change[edges].mean() / change[~edges].mean())
    assert len(steps) > 30
    assert np.median(steps) > 3


def test_streets_are_about_as_busy_as_the_real_ones(streets: list[Scene]) -> None:
    # Of 577 real frames: 5.6 objects a frame, heights from 0.03 to 0.35 of the frame's, median 0.09; all three classes.
    found = [visible_objects(scene, 0.25, 6) for scene in streets]
    counts = np.array([len(objects) for objects in found])
    assert 3.5 < counts.mean() < 8
    heights = np.concatenate([objects.edges[:, 3] - objects.edges[:, 1] for objects in found]) / HEIGHT
    assert 0.06 < np.median(heights) < 0.18
    assert np.quantile(heights, 0.05) < 0.06
    assert np.quantile(heights, 0.95) > 0.22
    shares = np.bincount(np.concatenate([objects.classes for objects in found]), minlength=3) / counts.sum()
    assert shares.shape == (3,)
    assert (shares > 0.1).all()
    assert shares.argmax() == CAR


def test_a_nearer_object_stands_lower_in_the_frame_than_a_farther_one_of_its_kind(streets: list[Scene]) -> None:
    lower, higher = [], []
    for scene in streets:
        objects = visible_objects(scene, 0.95, 6)
        cars = objects.edges[objects.classes == CAR]
        cars = cars[(cars[:, 0] > 0) & (cars[:, 2] < WIDTH) & (cars[:, 3] < HEIGHT)]
        if len(cars) > 1:
            tall = cars[:, 3] - cars[:, 1]
            lower.append(cars[tall.argmax(), 3])
            higher.append(cars[tall.argmin(), 3])
    assert len(lower) > 5
    assert (np.array(lower) >= np.array(higher)).mean() > 0.9


def test_a_larger_crowd_has_more_objects() -> None:
    counts = [
        sum(len(render(np.random.default_rng((2, number)), 240, 180, 0.0, crowd).classes) for number in range(12))
        for crowd in (0.3, 3.0)
    ]
    assert counts[1] > 3 * counts[0]
