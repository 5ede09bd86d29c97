import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.augmentation import Augmentation, augment
from tasks.detection.detections import Objects
from tasks.detection.ground_truth import PADDING, padded, unpadded

HEIGHT, WIDTH = 120, 200
STILL = Augmentation(zoom=(1.0, 1.0), shift=0.0, colour=0.0)
LIVELY = Augmentation(zoom=(0.6, 1.6), shift=0.2, colour=0.3)


def blocks(*edges: tuple[int, int, int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A black image with a white block an object."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for x1, y1, x2, y2 in edges:
        image[y1:y2, x1:x2] = 255
    objects = Objects(np.array(edges, np.float64).reshape(-1, 4), np.arange(len(edges)))
    return image[np.newaxis], padded(objects, 4, HEIGHT, WIDTH)[np.newaxis]


def test_a_box_goes_where_its_object_goes() -> None:
    images, truth = blocks((60, 40, 100, 64))
    rng = np.random.default_rng(0)
    for _ in range(40):
        changed, moved = augment(images, truth, Augmentation(zoom=(0.6, 1.6), shift=0.2, colour=0.1), rng)
        bright = changed[0].max(axis=-1) > 0.55  # the border is darker
        rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
        seen = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        found = unpadded(moved[0], HEIGHT, WIDTH)
        np.testing.assert_allclose(found.edges[0], seen, atol=1.1)
        assert found.classes.tolist() == [0]


def test_half_of_the_images_are_mirrored_and_nothing_else_changes_where_nothing_may() -> None:
    images, truth = blocks((20, 40, 60, 64), (150, 10, 190, 30))
    changed, moved = augment(
        np.repeat(images, 200, axis=0), np.repeat(truth, 200, axis=0), STILL, np.random.default_rng(0)
    )
    mirrored = [not np.array_equal(image, images[0] / np.float32(255)) for image in changed]
    assert 70 < sum(mirrored) < 130
    for is_mirrored, image, rows in zip(mirrored, changed, moved, strict=True):
        expected = images[0, :, ::-1] if is_mirrored else images[0]
        np.testing.assert_allclose(image, expected / 255, atol=1e-6)
        first = unpadded(rows, HEIGHT, WIDTH).edges[0]
        np.testing.assert_allclose(first, (140, 40, 180, 64) if is_mirrored else (20, 40, 60, 64), atol=1e-3)


def test_an_object_that_leaves_the_view_is_no_object_any_more_and_one_that_partly_does_is_cut() -> None:
    images, truth = blocks((0, 40, 40, 64), (90, 50, 110, 70))
    narrow = Augmentation(zoom=(2.0, 2.0), shift=0.0, colour=0.0)
    _, moved = augment(images, truth, narrow, np.random.default_rng(0))
    assert moved[0, 0, 0] == PADDING
    np.testing.assert_allclose(unpadded(moved[0], HEIGHT, WIDTH).edges, [[80, 40, 120, 80]], atol=1e-3)
    # At 1.25 times the size, the block of 50 pixels begins 25 pixels outside: half of it is left.
    images, truth = blocks((0, 40, 40, 64))
    _, moved = augment(images, truth, Augmentation((1.25, 1.25), 0.0, 0.0), np.random.default_rng(1))
    sizes = unpadded(moved[0], HEIGHT, WIDTH).edges[0]
    assert sizes[2] - sizes[0] == pytest.approx(25, abs=1e-3)


def test_padding_stays_padding() -> None:
    images, truth = blocks()
    _, moved = augment(images, truth, LIVELY, np.random.default_rng(0))
    np.testing.assert_array_equal(moved, truth)


def test_images_stay_in_range_and_the_arguments_as_they_were() -> None:
    images, truth = blocks((60, 40, 100, 64))
    before = images.copy(), truth.copy()
    changed, _ = augment(images, truth, LIVELY, np.random.default_rng(3))
    assert changed.dtype == np.float32
    assert 0 <= changed.min() < changed.max() <= 1
    np.testing.assert_array_equal(images, before[0])
    np.testing.assert_array_equal(truth, before[1])
