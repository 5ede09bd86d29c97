"""A crowd is not to be found: a training sees nothing of its row, nor of its mask."""

import numpy as np
import pytest

from tasks.detection.augmentation import Augmentation
from tasks.detection.detections import Objects
from tasks.detection.ground_truth import PADDING, padded
from tasks.segmentation.augmentation import augment
from tasks.segmentation.losses import segmentation_losses
from tests.tasks.segmentation.test_losses import CLASSES, GRID, MOST, Arrays, crowd

WEIGHTS = (0.1, 2.0, 0.5, 3.0)


def with_crowds(arrays: Arrays) -> Arrays:
    """The same with a crowd of either class, all over the input, in the last rows that were padding."""
    truth, masks, prediction, prototypes = arrays
    truth, masks = truth.copy(), masks.copy()
    everything = Objects(np.array([[0.0, 0.0, 96.0, 64.0]] * 2), np.arange(2))
    marked = padded(Objects(np.zeros((0, 4)), np.zeros(0, int)), 2, GRID.height, GRID.width, everything)
    for rows, shown in zip(truth, masks, strict=True):
        free = np.flatnonzero(rows[:, 0] == PADDING)[-2:]
        rows[free], shown[free] = marked[: len(free)], 1.0
    assert (truth[..., 0] < PADDING).sum() > 3
    return truth, masks, prediction, prototypes


@pytest.mark.parametrize("seed", range(3))
def test_the_losses_are_those_without_crowds(seed: int) -> None:
    without = crowd(seed)
    for found, expected in zip(
        segmentation_losses(*with_crowds(without), GRID, CLASSES),
        segmentation_losses(*without, GRID, CLASSES),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_trained_on_is_that_without_crowds(seed: int) -> None:
    import keras

    from tasks.segmentation.keras_loss import SegmenterInTraining

    model = SegmenterInTraining(keras.Sequential(), GRID, CLASSES, WEIGHTS)
    found, expected = (
        np.asarray(model.compute_loss(y=(truth, masks), y_pred=[prediction, prototypes]))
        for truth, masks, prediction, prototypes in (with_crowds(crowd(seed)), crowd(seed))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_an_augmented_image_has_no_crowd() -> None:
    settings = Augmentation(zoom=(0.9, 1.1), shift=0.1, colour=0.1)
    images = np.zeros((4, GRID.height, GRID.width, 3), np.uint8)
    both = []
    for arrays in (with_crowds(crowd(0)), crowd(0)):
        truth, masks = arrays[0], arrays[1] > 0
        _, targets = augment(images, truth, masks, masks.shape[2:], settings, np.random.default_rng(5))
        both.append(targets)
    for found, expected in zip(*both, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert both[0][0].shape == (4, MOST, 5)
