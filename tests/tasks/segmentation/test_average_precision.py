import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.detection.average_precision import COCO_THRESHOLDS
from tasks.segmentation.average_precision import mask_average_precisions
from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from tests.tasks.segmentation.conftest import COLUMNS, ROWS, area, detections, objects, random_image

CLASSES = 3
"""One more than there are: it has no objects."""


def coco_precision(images: Sequence[tuple[MaskedObjects, MaskedDetections]]) -> Any:
    """[thresholds, recalls, classes] by pycocotools."""
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for number, (truth, predicted) in enumerate(images, start=1):
        for found, rows in ((truth, annotations), (predicted, results)):
            for mask, label in zip(found.masks, found.classes.tolist(), strict=True):
                code = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
                rows.append({"image_id": number, "category_id": label, "segmentation": code})
        for entry, score in zip(results[len(results) - len(predicted) :], predicted.scores.tolist(), strict=True):
            entry["score"] = score
    for number, entry in enumerate(annotations, start=1):
        entry |= {"id": number, "iscrowd": 0, "area": float(coco_mask.area(entry["segmentation"]))}
    with contextlib.redirect_stdout(io.StringIO()):
        truth_of_all = COCO()
        truth_of_all.dataset = {
            "images": [{"id": number, "height": ROWS, "width": COLUMNS} for number in range(1, len(images) + 1)],
            "categories": [{"id": label} for label in range(CLASSES)],
            "annotations": annotations,
        }
        truth_of_all.createIndex()
        evaluation = COCOeval(truth_of_all, truth_of_all.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, :, 0, -1]


@pytest.mark.parametrize("seed", range(3))
def test_average_precision_of_masks_is_that_of_pycocotools(seed: int) -> None:
    images = [random_image(np.random.default_rng((seed, number))) for number in range(25)]
    precision = coco_precision(images)
    expected = np.where((precision > -1).all(axis=1), precision.mean(axis=1), np.nan)
    found = mask_average_precisions(images, CLASSES)
    assert found.shape == (len(COCO_THRESHOLDS), CLASSES)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.isnan(found[:, 2]).all()
    assert 0.05 < found[:, 0].mean() < 0.95


def test_it_goes_by_masks_and_not_by_boxes() -> None:
    # Two triangles of a square have one box, and share their diagonal at most.
    square = area(4, 4, 14, 14)
    lower, upper = np.tril(np.ones_like(square)) > 0, np.triu(np.ones_like(square)) > 0
    images = [(objects(square & lower), detections(square & upper))]
    np.testing.assert_allclose(images[0][0].edges, images[0][1].edges)
    assert mask_average_precisions(images, 1, (0.5,))[0, 0] == 0
    assert mask_average_precisions([(images[0][0], detections(square & lower))], 1, (0.95,))[0, 0] == 1


def test_images_without_objects_or_detections_count() -> None:
    one = area(2, 2, 8, 8)
    images = [(objects(one), detections(one, scores=(0.5,))), (objects(), detections(one, scores=(0.9,)))]
    assert mask_average_precisions(images, 1, (0.5,))[0, 0] == pytest.approx(0.5)
    assert mask_average_precisions([(objects(one), detections())], 1, (0.5,))[0, 0] == 0
    assert np.isnan(mask_average_precisions([], 2)).all()
