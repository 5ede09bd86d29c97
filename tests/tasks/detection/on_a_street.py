"""Ground truths and predictions in pixels, for the tests of what compares them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.detection.decode import Decoding
from tasks.detection.detections import Detections, Objects
from tasks.detection.ground_truth import padded
from tasks.detection.metrics import Rules
from tests.tasks.detection.conftest import Image, objects
from vision.boxes import Boxes

HEIGHT, WIDTH = 60, 100
LABELS = ("car", "pedestrian", "cyclist")
RULES = Rules(LABELS, Decoding(least_score=0.25, suppression_iou=0.7, most=100), 0.5, HEIGHT, WIDTH)
CAR, PEDESTRIAN, CYCLIST = range(3)

Found = tuple[float, float, float, float, int, float]


def truth(*rows: Sequence[float], crowds: Sequence[Sequence[float]] = ()) -> NDArray[np.float32]:
    """[1, 6, 5] of (x1, y1, x2, y2, class) each."""
    return padded(objects(*rows), 6, HEIGHT, WIDTH, objects(*crowds))[np.newaxis]


def prediction(*found: Sequence[float], rows: int = 12) -> NDArray[np.float32]:
    """[1, rows, 8] of (x1, y1, x2, y2, class, score) each; the other rows say nothing."""
    output = np.zeros((1, rows, 8), np.float32)
    output[..., 2:4] = 1
    for row, (x1, y1, x2, y2, label, score) in enumerate(found):
        output[0, row, :4] = Boxes(np.array([[x1, y1, x2, y2]], np.float64)).centre_and_size()[0]
        output[0, row, 4] = score
        output[0, row, 5 + int(label)] = 1
    return output


def of_crowd(
    images: Sequence[Image], crowds: Sequence[Objects] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Random images as a batch; their boxes reach up to 100 pixels each way."""
    most = max(len(detections) for _, detections in images) + 1
    groups = crowds or [objects()] * len(images)
    truths = [padded(there, 16, 100, 100, some)[np.newaxis] for (there, _), some in zip(images, groups, strict=True)]
    predictions = [
        prediction(
            *(
                (*box, label, score)
                for box, label, score in zip(found.edges.tolist(), found.classes, found.scores, strict=True)
            ),
            rows=most,
        )
        for _, found in images
    ]
    return np.concatenate(truths), np.concatenate(predictions)


def within(side: float, image: Image) -> Image:
    """The same with boxes cut off at the border, and without predictions of which nothing is left."""
    there, found = image
    inside = Boxes(found.edges).clipped(side, side)
    left = (inside.sizes > 1e-3).all(axis=1)
    return (
        Objects(Boxes(there.edges).clipped(side, side).edges, there.classes),
        Detections(inside.edges[left], found.classes[left], found.scores[left]),
    )
