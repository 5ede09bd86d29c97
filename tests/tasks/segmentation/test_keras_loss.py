"""The loss of masks in Keras against the one in numpy."""

from typing import Any

import numpy as np
import pytest

from tasks.segmentation.losses import mask_loss as reference
from tasks.segmentation.losses import segmentation_losses
from tests.tasks.segmentation.test_losses import CLASSES, GRID, crowd


def in_keras(*arrays: Any) -> Any:
    from tasks.detection.keras_loss import assign_rows
    from tasks.segmentation.keras_loss import mask_loss

    truth, masks, prediction, prototypes = arrays
    logits = prediction.copy()
    chances = prediction[..., 4 : 5 + CLASSES]
    logits[..., 4 : 5 + CLASSES] = np.log(chances) - np.log1p(-chances)
    assigned = assign_rows(truth, logits, GRID, CLASSES)
    return np.asarray(mask_loss(truth, masks, logits, prototypes, GRID, assigned))


@pytest.mark.parametrize("seed", range(5))
def test_both_definitions_agree_on_crowds_and_on_an_empty_image(seed: int) -> None:
    arrays = crowd(seed)
    np.testing.assert_allclose(in_keras(*arrays), reference(*arrays, GRID, CLASSES), rtol=1e-4, atol=1e-4)


def test_both_definitions_agree_on_huge_values() -> None:
    truth, masks, prediction, prototypes = crowd(1)
    arrays = truth, masks, prediction, prototypes * np.float32(1e4)
    found = in_keras(*arrays)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, reference(*arrays, GRID, CLASSES), rtol=1e-4)


def test_a_training_minimises_the_mean_of_all_four_losses() -> None:
    import keras

    from tasks.segmentation.keras_loss import SegmenterInTraining

    truth, masks, prediction, prototypes = crowd(2)
    weights = (0.1, 2.0, 0.5, 3.0)
    expected = segmentation_losses(truth, masks, prediction, prototypes, GRID, CLASSES).total(weights).mean()
    logits = prediction.copy()
    chances = prediction[..., 4 : 5 + CLASSES]
    logits[..., 4 : 5 + CLASSES] = np.log(chances) - np.log1p(-chances)
    model = SegmenterInTraining(keras.Sequential(), GRID, CLASSES, weights)
    found = model.compute_loss(y=(truth, masks), y_pred=[logits, prototypes])
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-4)
