import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mnist import metadata
from mnist.config import MnistConfig


@pytest.fixture
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (12, 28, 28), dtype=np.uint8)


@pytest.fixture
def means() -> NDArray[np.float64]:
    return np.random.default_rng(6).random((10, 28, 28))


def test_even_and_odd() -> None:
    assert [metadata.even_odd(label) for label in range(10)] == ["even", "odd"] * 5


def test_digits_with_a_loop_are_those_of_the_settings(config: MnistConfig) -> None:
    assert [label for label in range(10) if metadata.has_loop(label, config.looped_digits)] == [0, 6, 8, 9]


def test_brightness_is_the_mean_of_the_unit_range(images: NDArray[np.uint8]) -> None:
    for image in images:
        assert metadata.brightness(image) == pytest.approx(np.mean(image / 255.0), abs=1e-9)
    assert metadata.brightness(np.full((28, 28), 255, np.uint8)) == 1.0


def test_ink_fraction_counts_the_pixels_above_the_threshold(images: NDArray[np.uint8]) -> None:
    for threshold in (0.0, 0.35, 0.8, 1.0):
        for image in images:
            bright = sum(value / 255 > threshold for row in image.tolist() for value in row)
            assert metadata.ink_fraction(image, threshold) == pytest.approx(bright / 784, abs=1e-12)


def test_distances_are_those_of_scipy(images: NDArray[np.uint8], means: NDArray[np.float64]) -> None:
    reference = cdist(images.reshape(12, -1) / 255.0, means.reshape(10, -1))
    for row, image in enumerate(images):
        label = row % 10
        distances = metadata.class_distances(image, label, means)
        assert list(distances) == ["to_own_class", "nearest_class", *(f"to_class_{digit}" for digit in range(10))]
        assert [distances[f"to_class_{digit}"] for digit in range(10)] == pytest.approx(reference[row], rel=1e-9)
        assert distances["to_own_class"] == pytest.approx(reference[row, label], rel=1e-9)
        assert distances["nearest_class"] == reference[row].argmin()


def test_the_image_of_a_mean_itself_is_at_no_distance(images: NDArray[np.uint8]) -> None:
    distances = metadata.class_distances(images[3], 3, images[:10] / 255.0)
    assert distances["to_own_class"] == distances["to_class_3"] == 0
    assert distances["nearest_class"] == 3


def test_a_class_without_a_mean_has_no_distance_and_is_never_nearest(
    images: NDArray[np.uint8], means: NDArray[np.float64]
) -> None:
    nearest = metadata.class_distances(images[0], 0, means)["nearest_class"]
    assert isinstance(nearest, int)
    means[nearest] = np.nan
    distances = metadata.class_distances(images[0], nearest, means)
    assert distances["to_own_class"] is None
    assert distances[f"to_class_{nearest}"] is None
    others = [digit for digit in range(10) if digit != nearest]
    assert all(isinstance(distances[f"to_class_{digit}"], float) for digit in others)
    assert distances["nearest_class"] in others


def test_without_any_mean_nothing_is_known(images: NDArray[np.uint8]) -> None:
    distances = metadata.class_distances(images[0], 0, np.full((10, 28, 28), np.nan))
    assert set(distances.values()) == {None}


def _stroke(*points: tuple[int, int]) -> NDArray[np.int32]:
    return np.array(points, np.int32)


STROKES: dict[str, tuple[list[NDArray[np.int32]], int]] = {
    "open 4": ([_stroke((8, 5), (8, 15), (20, 15)), _stroke((17, 5), (17, 24))], 0),
    "closed 4": ([_stroke((15, 4), (6, 16), (21, 16)), _stroke((15, 4), (15, 24))], 1),
    "1": ([_stroke((14, 4), (14, 24))], 0),
    "9": ([_stroke((18, 12), (10, 12), (10, 5), (18, 5), (18, 24))], 1),
}


@pytest.mark.parametrize(("strokes", "loops"), STROKES.values(), ids=STROKES.keys())
def test_holes_are_the_loops_that_this_image_closes(
    strokes: list[NDArray[np.int32]], loops: int, config: MnistConfig
) -> None:
    canvas = np.zeros((28, 28), np.uint8)
    cv2.polylines(canvas, strokes, isClosed=False, color=255, thickness=2)
    assert metadata.holes(canvas, config.metadata.ink_threshold, config.metadata.min_hole_area) == loops


def test_an_eight_has_two_holes(config: MnistConfig) -> None:
    canvas = np.zeros((28, 28), np.uint8)
    cv2.circle(canvas, (14, 9), 4, 255, 2)
    cv2.circle(canvas, (14, 18), 5, 255, 2)
    assert metadata.holes(canvas, config.metadata.ink_threshold, config.metadata.min_hole_area) == 2


def test_grey_below_the_threshold_closes_nothing() -> None:
    ring = np.zeros((28, 28), np.uint8)
    cv2.circle(ring, (14, 14), 6, 100, 2)
    assert metadata.holes(ring, 0.35, 1) == 1
    assert metadata.holes(ring, 0.45, 1) == 0


def test_a_hole_below_the_least_area_is_noise() -> None:
    speck = np.full((28, 28), 255, np.uint8)
    speck[10, 10:12] = 0
    assert [metadata.holes(speck, 0.35, area) for area in (1, 2, 3)] == [1, 1, 0]
