from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from tests.tasks.detection.test_keras_model import ANCHORS, GRID, IMAGES


@pytest.fixture(scope="module")
def model() -> Any:
    from tasks.segmentation.keras_model import yolo_segmenter

    return yolo_segmenter(GRID, 2, width=0.125)


def test_there_are_detections_with_coefficients_and_prototypes_of_a_quarter_of_the_size(model: Any) -> None:
    detections, prototypes = (np.asarray(output) for output in model(IMAGES))
    assert detections.shape == (2, GRID.rows, 5 + 2 + 32)
    assert prototypes.shape == (2, 32, GRID.height // 4, GRID.width // 4)


def test_the_detections_are_a_detectors_with_coefficients_of_any_size(model: Any) -> None:
    detections = np.asarray(model(IMAGES)[0])
    assert ((detections[..., 4:7] >= 0) & (detections[..., 4:7] <= 1)).all()
    widest = np.array(ANCHORS).max()
    assert (detections[..., 2:4] <= 4 * widest).all()
    assert (detections[..., 7:] < 0).any()


def test_a_net_that_gives_probabilities_takes_the_weights_of_one_in_training(model: Any) -> None:
    from tasks.segmentation.keras_loss import SegmenterInTraining
    from tasks.segmentation.keras_model import yolo_segmenter

    net = yolo_segmenter(GRID, 2, width=0.125, logits=True)
    in_training = SegmenterInTraining(net, GRID, 2, (1, 1, 1, 1))
    (logits, prototypes), decoded = (
        [np.asarray(output) for output in in_training(IMAGES)],
        yolo_segmenter(GRID, 2, width=0.125),
    )
    decoded.set_weights(in_training.get_weights())
    found = [np.asarray(output) for output in decoded(IMAGES)]
    np.testing.assert_allclose(found[0][..., 4:7], 1 / (1 + np.exp(-logits[..., 4:7])), atol=1e-5)
    np.testing.assert_allclose(found[0][..., 7:], logits[..., 7:], atol=1e-5)
    np.testing.assert_allclose(found[1], prototypes, atol=1e-5)


def test_there_may_be_another_number_of_prototypes() -> None:
    from tasks.segmentation.keras_model import yolo_segmenter

    detections, prototypes = yolo_segmenter(GRID, 2, width=0.125, prototypes=8)(IMAGES)
    assert (detections.shape[-1], prototypes.shape[1]) == (5 + 2 + 8, 8)


def test_an_export_has_both_outputs_in_the_layout_of_the_official_one(model: Any, tmp_path: Path) -> None:
    from tasks.training.export import write_onnx
    from tasks.training.keras2_file import save_for_keras_2

    save_for_keras_2(model, tmp_path / "segmenter.h5")
    write_onnx(tmp_path / "segmenter", IMAGES)
    session = onnxruntime.InferenceSession(str(tmp_path / "segmenter.onnx"))
    outputs = session.run(None, {session.get_inputs()[0].name: IMAGES})
    for found, expected in zip(outputs, model(IMAGES), strict=True):
        np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-3, atol=1e-3)
