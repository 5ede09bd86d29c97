import contextlib
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.detection.detections import Detections, Objects
from vision.boxes import Boxes

Image = tuple[Objects, Detections]


def objects(*rows: Sequence[float]) -> Objects:
    """(x1, y1, x2, y2, class) each."""
    table = np.array(rows, np.float64).reshape(-1, 5)
    return Objects(table[:, :4], table[:, 4].astype(int))


def detections(*rows: Sequence[float]) -> Detections:
    """(x1, y1, x2, y2, class, score) each."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4].astype(int), table[:, 5])


def random_image(rng: np.random.Generator, classes: int = 3, most: int = 12) -> Image:
    """Objects in a crowd, and predictions: near ones, duplicates, wrong classes, phantoms, and tied scores."""
    count = int(rng.integers(0, most))
    corners, sizes = rng.uniform(0, 60, (count, 2)), rng.uniform(5, 40, (count, 2))
    truth = Objects(np.concatenate([corners, corners + sizes], axis=1), rng.integers(0, classes, count))
    copies = rng.integers(0, 3, count)
    rows = np.repeat(np.arange(count), copies)
    near = truth.edges[rows] + rng.normal(0, 3, (len(rows), 4))
    labels = np.where(rng.random(len(rows)) < 0.15, rng.integers(0, classes, len(rows)), truth.classes[rows])
    phantoms = int(rng.integers(0, 4))
    corners = rng.uniform(0, 60, (phantoms, 2))
    edges = np.concatenate([near, np.concatenate([corners, corners + rng.uniform(5, 40, (phantoms, 2))], axis=1)])
    edges[:, 2:] = np.maximum(edges[:, 2:], edges[:, :2] + 1)
    labels = np.concatenate([labels, rng.integers(0, classes, phantoms)])
    scores = rng.integers(1, 30, len(labels)) / 30
    return truth, Detections(edges, labels, scores)


def random_crowds(rng: np.random.Generator, image: Image, classes: int = 3) -> Objects:
    """Around what the image has: some hold a prediction whole, some a part of it, some are of another class."""
    things = np.concatenate([image[0].edges, image[1].edges])
    labels = np.concatenate([image[0].classes, image[1].classes])
    rows = rng.permutation(len(things))[: int(rng.integers(0, 4))]
    edges = things[rows] + rng.normal(0, 6, (len(rows), 4)) + [-4, -4, 4, 4]
    edges[:, 2:] = np.maximum(edges[:, 2:], edges[:, :2] + 1)
    other = rng.integers(0, classes, len(rows))
    return Objects(edges, np.where(rng.random(len(rows)) < 0.2, other, labels[rows]))


def coco_evaluation(
    images: Sequence[Image], classes: int, thresholds: Sequence[float], crowds: Sequence[Objects] = ()
) -> Any:
    """What pycocotools makes of them, evaluated and accumulated; `crowds` of each image, if there are any."""
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for number, (truth, predicted) in enumerate(images, start=1):
        # Crowds first, as a file may have them: pycocotools is to sort them behind the objects.
        for is_crowd, some in ((1, crowds[number - 1] if crowds else objects()), (0, truth)):
            for box, label in zip(Boxes(some.edges).corner_and_size().tolist(), some.classes.tolist(), strict=True):
                entry = {"bbox": box, "area": box[2] * box[3], "iscrowd": is_crowd}
                about = {"image_id": number, "category_id": label, "id": len(annotations) + 1}
                annotations.append({**entry, **about})
        for box, label, score in zip(
            Boxes(predicted.edges).corner_and_size().tolist(),
            predicted.classes.tolist(),
            predicted.scores.tolist(),
            strict=True,
        ):
            results.append({"bbox": box, "image_id": number, "category_id": label, "score": score})
    with contextlib.redirect_stdout(io.StringIO()):
        truth_of_all = COCO()
        truth_of_all.dataset = {
            "images": [{"id": number} for number in range(1, len(images) + 1)],
            "categories": [{"id": label} for label in range(classes)],
            "annotations": annotations,
        }
        truth_of_all.createIndex()
        evaluation = COCOeval(truth_of_all, truth_of_all.loadRes(results), "bbox")
        evaluation.params.iouThrs = np.array(thresholds)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def evaluated(evaluation: Any) -> list[dict[str, Any]]:
    """Of an evaluation by pycocotools, what it says of each image and class, whatever the size of the objects."""
    return [one for one in evaluation.evalImgs if one is not None and one["aRng"] == evaluation.params.areaRng[0]]


@pytest.fixture(scope="session")
def crowded() -> Callable[[int], list[Image]]:
    """`crowded(seed)`: 25 seeded images."""
    return lambda seed: [random_image(np.random.default_rng((seed, number))) for number in range(25)]
