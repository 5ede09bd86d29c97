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


def test_what_comes_into_view_around_an_image_is_the_grey_of_the_letterbox() -> None:
    images = np.full((1, HEIGHT, WIDTH, 3), 255, np.uint8)
    smaller = Augmentation(zoom=(0.5, 0.5), shift=0.0, colour=0.0)
    changed, _ = augment(images, blocks()[1], smaller, np.random.default_rng(0))
    np.testing.assert_allclose(changed[0, :25], 114 / 255, atol=1e-6)
    np.testing.assert_allclose(changed[0, :, -45:], 114 / 255, atol=1e-6)
    np.testing.assert_allclose(changed[0, 35:85, 55:145], 1.0, atol=1e-6)


def test_an_image_is_shifted_either_way_by_at_most_the_share_of_each_side() -> None:
    images, truth = blocks((90, 50, 110, 70))
    shifting = Augmentation(zoom=(1.0, 1.0), shift=0.2, colour=0.0)
    rng = np.random.default_rng(0)
    centres = []
    for _ in range(300):
        edges = unpadded(augment(images, truth, shifting, rng)[1][0], HEIGHT, WIDTH).edges[0]
        centres.append((edges[:2] + edges[2:]) / 2 - (100, 60))
    least, most = np.min(centres, axis=0), np.max(centres, axis=0)
    np.testing.assert_allclose(least, (-40, -24), rtol=0.05)
    np.testing.assert_allclose(most, (40, 24), rtol=0.05)
    # Uniform, so half of them are within half of the range.
    assert 0.4 < (np.abs(centres) < (20, 12)).mean() < 0.6


def test_colours_become_brighter_or_darker_and_each_channel_a_little_by_itself() -> None:
    images = np.full((1, HEIGHT, WIDTH, 3), 100, np.uint8)
    recoloured = Augmentation(zoom=(1.0, 1.0), shift=0.0, colour=0.4)
    rng = np.random.default_rng(0)
    gains = np.array([augment(images, blocks()[1], recoloured, rng)[0][0, 0, 0] for _ in range(400)]) / (100 / 255)
    apart = gains - gains.mean(axis=1, keepdims=True)
    assert 0.5 < gains.min() < 0.58
    assert 1.42 < gains.max() < 1.5
    assert abs(gains.mean() - 1) < 0.03
    # Of three uniform values within .1, the extreme ones lie up to .133 from their mean.
    assert 0.12 < np.abs(apart).max() < 0.2 * 2 / 3
    white = np.full_like(images, 255)
    assert max(augment(white, blocks()[1], recoloured, rng)[0].max() for _ in range(20)) == 1


def test_a_box_of_more_than_a_pixel_stays_and_a_narrower_one_goes() -> None:
    images, truth = blocks((30, 30, 31, 50), (60, 30, 80, 31), (100, 30, 101, 50))
    truth[0, 0, 3] *= 1.1  # widths
    truth[0, 2, 3] *= 0.9
    truth[0, 1, 4] *= 1.1  # a height
    _, moved = augment(images, truth, STILL, np.random.default_rng(1))
    assert (moved[0, :, 0] >= 0).tolist() == [True, True, False, False]


def test_the_class_of_an_object_stays_its_own() -> None:
    images, truth = blocks((20, 40, 60, 64), (150, 10, 190, 30), (80, 80, 120, 100))
    _, moved = augment(images, truth, STILL, np.random.default_rng(1))
    assert moved[0, :3, 0].tolist() == [0, 1, 2]
