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


def test_an_export_has_both_outputs_in_the_layout_of_the_official_one(model: Any, tmp_path: Path) -> None:
    from tasks.training.export import export

    export(model, tmp_path / "segmenter", IMAGES)
    session = onnxruntime.InferenceSession(str(tmp_path / "segmenter.onnx"))
    outputs = session.run(None, {session.get_inputs()[0].name: IMAGES})
    for found, expected in zip(outputs, model(IMAGES), strict=True):
        np.testing.assert_allclose(found, np.asarray(expected), rtol=1e-3, atol=1e-3)
