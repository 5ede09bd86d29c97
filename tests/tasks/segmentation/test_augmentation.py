import numpy as np
from numpy.typing import NDArray

from tasks.detection.augmentation import Augmentation
from tasks.detection.augmentation import augment as augment_boxes
from tasks.detection.detections import Objects
from tasks.detection.ground_truth import padded, unpadded
from tasks.segmentation.augmentation import augment
from vision.masks import edges

HEIGHT, WIDTH = 120, 200
LIVELY = Augmentation(zoom=(0.6, 1.6), shift=0.2, colour=0.1)


def blocks(*corners: tuple[int, int, int, int]) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]:
    """A black image with a white block an object, and its masks at half the size."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    masks = np.zeros((4, HEIGHT // 2, WIDTH // 2), bool)
    for row, (x1, y1, x2, y2) in enumerate(corners):
        image[y1:y2, x1:x2] = 255
        masks[row, y1 // 2 : y2 // 2, x1 // 2 : x2 // 2] = True
    objects = Objects(np.array(corners, np.float64).reshape(-1, 4), np.arange(len(corners)))
    return image[np.newaxis], padded(objects, 4, HEIGHT, WIDTH)[np.newaxis], masks[np.newaxis]


def test_a_mask_goes_where_its_object_and_its_box_go() -> None:
    images, truth, masks = blocks((60, 40, 100, 64))
    rng = np.random.default_rng(0)
    for _ in range(40):
        changed, (rows, moved) = augment(images, truth, masks, (HEIGHT, WIDTH), LIVELY, rng)
        bright = changed[0].max(axis=-1) > 0.55  # the border is darker
        # The block's edge may lie within a pixel; its mask has pixels of two.
        assert (bright != (moved[0, 0] > 0)).sum() < 0.12 * bright.sum()
        np.testing.assert_allclose(edges(moved[0, :1] > 0)[0], unpadded(rows[0], HEIGHT, WIDTH).edges[0], atol=2.0)


def test_images_and_boxes_are_those_of_the_detector() -> None:
    images, truth, masks = blocks((60, 40, 100, 64), (0, 10, 30, 50))
    changed, (rows, _) = augment(images, truth, masks, (30, 50), LIVELY, np.random.default_rng(5))
    expected, expected_rows = augment_boxes(images, truth, LIVELY, np.random.default_rng(5))
    np.testing.assert_array_equal(changed, expected)
    np.testing.assert_array_equal(rows, expected_rows)


def test_where_nothing_moves_a_mask_is_what_lies_under_the_middles_of_its_pixels() -> None:
    still = Augmentation(zoom=(1.0, 1.0), shift=0.0, colour=0.0)
    images, truth, masks = blocks((20, 40, 60, 64))
    mirrored = set()
    for seed in range(8):
        changed, (_, moved) = augment(images, truth, masks, (30, 50), still, np.random.default_rng(seed))
        assert moved.dtype == np.float32
        assert moved.shape == (1, 4, 30, 50)
        assert set(np.unique(moved)) == {0.0, 1.0}
        is_mirrored = not np.array_equal(changed[0], images[0] / np.float32(255))
        mirrored.add(is_mirrored)
        expected = np.zeros((30, 50), bool)
        expected[10:16, 35:45] = is_mirrored
        expected[10:16, 5:15] |= not is_mirrored
        np.testing.assert_array_equal(moved[0, 0] > 0, expected)
    assert mirrored == {False, True}


def test_an_object_that_leaves_the_view_leaves_no_mask() -> None:
    images, truth, masks = blocks((0, 40, 40, 64), (90, 50, 110, 70))
    narrow = Augmentation(zoom=(2.0, 2.0), shift=0.0, colour=0.0)
    _, (rows, moved) = augment(images, truth, masks, (HEIGHT, WIDTH), narrow, np.random.default_rng(0))
    assert rows[0, 0, 0] == -1
    assert not moved[0, 0].any()
    np.testing.assert_array_equal(edges(moved[0, 1:2] > 0), [[80, 40, 120, 80]])
    assert not moved[0, 2:].any()


def test_the_arguments_stay_as_they_were() -> None:
    arrays = blocks((60, 40, 100, 64))
    before = [array.copy() for array in arrays]
    augment(*arrays, (30, 50), LIVELY, np.random.default_rng(3))
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_a_mask_that_fills_the_image_is_where_the_image_is_and_nowhere_around_it() -> None:
    images, truth, masks = blocks((0, 0, WIDTH, HEIGHT))
    rng = np.random.default_rng(0)
    for _ in range(20):
        changed, (_, moved) = augment(images, truth, masks, (HEIGHT, WIDTH), LIVELY, rng)
        # White becomes .87 at the darkest, and the grey around it stays as it is or becomes .5 at the brightest.
        np.testing.assert_array_equal(moved[0, 0][2:-2, 2:-2] > 0, _eroded_where(changed[0], moved[0, 0]))


def _eroded_where(image: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where the image is bright; at its edge, where both colours mix in a pixel, what the mask says."""
    bright, dark = image.min(axis=-1) > 0.8, image.max(axis=-1) < 0.55
    return np.asarray(np.where(bright | dark, bright, mask > 0)[2:-2, 2:-2])
