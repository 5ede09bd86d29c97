"""Visualizers of object detection: a batch of one in, a Leap* object out."""

import numpy as np
from code_loader.contract.responsedataclasses import BoundingBox
from code_loader.contract.visualizer_classes import LeapImage, LeapImageWithBBox
from numpy.typing import NDArray

from tasks.detection.detections import Detections, Objects
from tasks.detection.ground_truth import unpadded, unpadded_crowds
from tasks.detection.metrics import Rules, detections_of, matched
from vision.boxes import Boxes
from vision.pixels import to_display_range

Batch = NDArray[np.floating]


def frame(image: Batch) -> LeapImage:
    """[1, H, W, 3] or [1, 3, H, W] float in [0, 1] -> the image."""
    return LeapImage(data=_pixels(image))


def frame_heatmap(image: Batch) -> NDArray[np.float32]:
    """The heat-map function of visualizers of the image, which are given the heat-map of the input in its place.

    Args:
        image: heat-map values [1, H, W, 3], [1, 3, H, W], or the same without the batch; named as the visualizers name
            their argument, because code-loader insists on it.

    Returns:
        [H, W] float32, the mean over the channels.
    """
    values = image[0] if image.ndim == 4 else image
    return np.asarray(values.mean(axis=0 if _has_channels_first(values.shape) else -1), np.float32)


def true_boxes(image: Batch, ground_truth: Batch, rules: Rules) -> LeapImageWithBBox:
    """The objects that are there, [1, MAX, 5], on the image, and crowds as `car (crowd)`."""
    objects = unpadded(ground_truth[0], rules.height, rules.width)
    names = [rules.labels[label] for label in objects.classes.tolist()]
    boxes = _crowd_boxes(ground_truth, rules) + _boxes(objects, names, rules)
    return LeapImageWithBBox(data=_pixels(image), bounding_boxes=boxes)


def predicted_boxes(image: Batch, prediction: Batch, rules: Rules) -> LeapImageWithBBox:
    """The detections of a prediction, [1, N, 5 + classes or more], with their confidence."""
    (detections,) = detections_of(prediction, rules)
    names = [rules.labels[label] for label in detections.classes.tolist()]
    return LeapImageWithBBox(data=_pixels(image), bounding_boxes=_boxes(detections, names, rules))


def judged_boxes(image: Batch, ground_truth: Batch, prediction: Batch, rules: Rules) -> LeapImageWithBBox:
    """What was found, what was missed, and what is not there: each box says which, and of which class.

    A detection that is right is drawn as predicted, `found car`; an object that nothing found as it is, `missed car`;
    a crowd as `car (crowd)`, and a detection that is ignored for it as `ignored car`; any other is a `false car`.
    """
    ((objects, detections, matching),) = matched(ground_truth, prediction, rules)
    missed = np.flatnonzero(~matching.is_found)
    verdicts = np.select([matching.is_true_positive, matching.is_ignored], ["found", "ignored"], "false").tolist()
    names = [
        f"{verdict} {rules.labels[label]}" for verdict, label in zip(verdicts, detections.classes.tolist(), strict=True)
    ]
    unseen = Objects(objects.edges[missed], objects.classes[missed])
    unseen_names = [f"missed {rules.labels[label]}" for label in unseen.classes.tolist()]
    boxes = _crowd_boxes(ground_truth, rules) + _boxes(unseen, unseen_names, rules) + _boxes(detections, names, rules)
    return LeapImageWithBBox(data=_pixels(image), bounding_boxes=boxes)


def crowd_name(label: str) -> str:
    """What a crowd is called."""
    return f"{label} (crowd)"


def _crowd_boxes(ground_truth: Batch, rules: Rules) -> list[BoundingBox]:
    """Drawn first, so that what lies in a crowd is drawn over it."""
    crowds = unpadded_crowds(ground_truth[0], rules.height, rules.width)
    return _boxes(crowds, [crowd_name(rules.labels[label]) for label in crowds.classes.tolist()], rules)


def _boxes(objects: Objects, names: list[str], rules: Rules) -> list[BoundingBox]:
    scores = objects.scores.tolist() if isinstance(objects, Detections) else [1.0] * len(objects)
    inside = Boxes(objects.edges.astype(np.float64)).clipped(rules.width, rules.height)
    return [
        BoundingBox(x=x, y=y, width=width, height=height, confidence=score, label=name)
        for (x, y, width, height), score, name in zip(
            inside.normalised(rules.width, rules.height).tolist(), scores, names, strict=True
        )
    ]


def _pixels(image: Batch) -> NDArray[np.uint8]:
    values = image[0].transpose(1, 2, 0) if _has_channels_first(image.shape[1:]) else image[0]
    return np.ascontiguousarray(to_display_range(values))


def _has_channels_first(shape: tuple[int, ...]) -> bool:
    return shape[0] == 3 and shape[-1] != 3
