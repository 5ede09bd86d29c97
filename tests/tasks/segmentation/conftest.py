import contextlib
import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tasks.detection.decode import Decoding
from tasks.detection.ground_truth import padded
from tasks.detection.metrics import Rules
from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from vision.boxes import Boxes
from vision.masks import edges

STRIDE = 4
SIZE = (96, 128)
"""Height and width of the input, so that none can be taken for the other."""
ROWS, COLUMNS = SIZE[0] // STRIDE, SIZE[1] // STRIDE
"""Of the masks."""
LABELS = ("Object", "Tote")
MOST = 12
PROTOTYPES = 32
ROWS_OF_OUTPUT = 40
RULES = Rules(LABELS, Decoding(least_score=0.25, suppression_iou=1.0, most=20), 0.5, *SIZE)

Mask = NDArray[np.bool_]


def area(x1: int, y1: int, x2: int, y2: int) -> Mask:
    """A rectangle, in pixels of the masks."""
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[y1:y2, x1:x2] = True
    return mask


def objects(*masks: Mask, classes: Sequence[int] | None = None) -> MaskedObjects:
    """All of class 0 where none is named."""
    stack = np.array(masks, bool).reshape(-1, ROWS, COLUMNS)
    labels = np.array(classes if classes is not None else [0] * len(masks), np.int64)
    return MaskedObjects(edges(stack) * STRIDE, labels, stack)


def detections(
    *masks: Mask, classes: Sequence[int] | None = None, scores: Sequence[float] | None = None
) -> MaskedDetections:
    """All of class 0 and of falling confidence where none is named."""
    found = objects(*masks, classes=classes)
    confidence = np.array(scores if scores is not None else 0.9 - 0.05 * np.arange(len(masks)), np.float64)
    return MaskedDetections(found.edges, found.classes, confidence, found.masks)


class Arrays(NamedTuple):
    """What handlers are given of a batch."""

    ground_truth: NDArray[np.float32]
    masks: NDArray[np.float32]
    prediction: NDArray[np.float32]
    prototypes: NDArray[np.float32]


def arrays(*images: tuple[MaskedObjects, MaskedDetections], crowds: Sequence[MaskedObjects] | None = None) -> Arrays:
    """The arrays that hold these objects, and from which these detections are decoded: each has a prototype.

    Crowds are of each image, if there are any.
    """
    groups = crowds or [objects()] * len(images)
    batch = Arrays(
        np.stack(
            [padded(truth, MOST, *SIZE, some) for (truth, _), some in zip(images, groups, strict=True)],
        ),
        np.zeros((len(images), MOST, ROWS, COLUMNS), np.float32),
        np.zeros((len(images), ROWS_OF_OUTPUT, 5 + len(LABELS) + PROTOTYPES), np.float32),
        np.full((len(images), PROTOTYPES, ROWS, COLUMNS), -6.0, np.float32),
    )
    for number, (truth, predicted) in enumerate(images):
        shown = np.concatenate([truth.masks, groups[number].masks])[:MOST]
        batch.masks[number, : len(shown)] = shown
        # From the last row on, so that the rows of the output are not those of the detections.
        for row, (box, label, score, mask) in enumerate(
            zip(
                Boxes(predicted.edges).centre_and_size(),
                predicted.classes,
                predicted.scores,
                predicted.masks,
                strict=True,
            )
        ):
            output = batch.prediction[number, ROWS_OF_OUTPUT - 1 - row]
            output[:5] = (*box, score)
            output[5 + label] = 1.0
            output[5 + len(LABELS) + row] = 1.0
            batch.prototypes[number, row, mask] = 6.0
    return batch


def random_image(rng: np.random.Generator) -> tuple[MaskedObjects, MaskedDetections]:
    """Objects that overlap, and detections: near ones, duplicates, halves, merges, wrong classes and phantoms."""

    def somewhere() -> Mask:
        x, y = int(rng.integers(0, COLUMNS - 4)), int(rng.integers(0, ROWS - 4))
        return area(x, y, x + int(rng.integers(3, 12)), y + int(rng.integers(3, 12)))

    truth = [somewhere() for _ in range(int(rng.integers(0, 8)))]
    found = []
    for number, mask in enumerate(truth):
        near = np.roll(mask, tuple(rng.integers(-1, 2, 2)), (0, 1))
        halves = [mask.copy(), mask.copy()]
        middle = int(np.argwhere(mask)[:, 1].mean()) + 1
        halves[0][:, middle:] = False
        halves[1][:, :middle] = False
        merged = mask | truth[(number + 1) % len(truth)]
        found += [[near], [mask, near], halves, [merged], []][int(rng.integers(0, 5))]
    found += [somewhere() for _ in range(int(rng.integers(0, 3)))]
    found = [mask for mask in found if mask.any()]
    labels, claimed = ((rng.random(len(each)) < 0.15).astype(int).tolist() for each in (truth, found))
    # Few scores, so that some are tied.
    scores = rng.integers(6, 20, len(found)) / 20
    return objects(*truth, classes=labels), detections(*found, classes=claimed, scores=scores.tolist())


def random_crowds(rng: np.random.Generator, image: tuple[MaskedObjects, MaskedDetections]) -> MaskedObjects:
    """Around what the image has: some hold a detection whole, some a part of it, some are of another class."""
    things = np.concatenate([image[0].masks, image[1].masks])
    labels = np.concatenate([image[0].classes, image[1].classes])
    rows = rng.permutation(len(things))[: int(rng.integers(0, 4))].tolist()
    crowds = [np.roll(things[row], tuple(rng.integers(-3, 4, 2)), (0, 1)) | things[row - 1] for row in rows]
    return objects(*crowds, classes=[int(label) ^ int(rng.random() < 0.15) for label in labels[rows]])


def coco_evaluation(
    images: Sequence[tuple[MaskedObjects, MaskedDetections]], classes: int, crowds: Sequence[MaskedObjects] = ()
) -> Any:
    """What pycocotools makes of them, evaluated and accumulated; `crowds` of each image, if there are any."""
    rows_of_masks, columns_of_masks = images[0][0].masks.shape[1:]
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for number, (truth, predicted) in enumerate(images, start=1):
        # Crowds first, as a file may have them: pycocotools is to sort them behind the objects.
        some = crowds[number - 1] if crowds else objects()
        for found, rows, is_crowd in ((some, annotations, 1), (truth, annotations, 0), (predicted, results, 0)):
            for mask, label in zip(found.masks, found.classes.tolist(), strict=True):
                code = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
                entry = {"image_id": number, "category_id": label, "segmentation": code}
                rows.append(entry if rows is results else {**entry, "iscrowd": is_crowd})
        for entry, score in zip(results[len(results) - len(predicted) :], predicted.scores.tolist(), strict=True):
            entry["score"] = score
    for number, entry in enumerate(annotations, start=1):
        entry |= {"id": number, "area": float(coco_mask.area(entry["segmentation"]))}
    with contextlib.redirect_stdout(io.StringIO()):
        truth_of_all = COCO()
        truth_of_all.dataset = {
            "images": [
                {"id": number, "height": rows_of_masks, "width": columns_of_masks}
                for number in range(1, len(images) + 1)
            ],
            "categories": [{"id": label} for label in range(classes)],
            "annotations": annotations,
        }
        truth_of_all.createIndex()
        evaluation = COCOeval(truth_of_all, truth_of_all.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def coco_precision(
    images: Sequence[tuple[MaskedObjects, MaskedDetections]], classes: int, crowds: Sequence[MaskedObjects] = ()
) -> Any:
    """[thresholds, recalls, classes] by pycocotools."""
    return coco_evaluation(images, classes, crowds).eval["precision"][:, :, :, 0, -1]
