"""How well the objects of each sample were found."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from code_loader.contract.enums import MetricDirection
from numpy.typing import NDArray

from tasks.detection.decode import Decoding, decode
from tasks.detection.detections import Detections, Objects
from tasks.detection.ground_truth import unpadded, unpadded_crowds
from tasks.detection.matching import Matching, crowd_shares, match

Batch = NDArray[np.floating]
SCORES = {
    "precision": MetricDirection.Upward,
    "recall": MetricDirection.Upward,
    "f1": MetricDirection.Upward,
    "mean_iou": MetricDirection.Upward,
    "false_positives": MetricDirection.Downward,
    "false_negatives": MetricDirection.Downward,
}
"""The keys of `detection_scores`, and which way each of them is better."""


class Rules(NamedTuple):
    """How an output is read and matched.

    Attributes:
        labels: names of the classes.
        decoding: which rows of the output count.
        matching_iou: a detection finds an object of its class that it overlaps by at least this much.
        height: of the input in pixels.
        width: of the input in pixels.
    """

    labels: tuple[str, ...]
    decoding: Decoding
    matching_iou: float
    height: int
    width: int


class Matched(NamedTuple):
    """What is there to find in one image, what was found, and which is which."""

    objects: Objects
    detections: Detections
    matching: Matching


def detections_of(prediction: Batch, rules: Rules) -> list[Detections]:
    """Of each image of a batch."""
    decoded = decode(prediction, len(rules.labels), rules.decoding, rules.height, rules.width)
    return [image.detections for image in decoded]


def matched(ground_truth: Batch, prediction: Batch, rules: Rules) -> list[Matched]:
    """Objects and detections of each sample, matched.

    Args:
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        prediction: [B, N, 5 + classes or more], see `tasks.detection.decode`.
    """
    samples = []
    for rows, detections in zip(ground_truth, detections_of(prediction, rules), strict=True):
        objects = unpadded(rows, rules.height, rules.width)
        in_crowd = crowd_shares(unpadded_crowds(rows, rules.height, rules.width), detections)
        matching = match(objects, detections, rules.matching_iou, in_crowd=in_crowd)
        samples.append(Matched(objects, detections, matching))
    return samples


def detection_scores(ground_truth: Batch, prediction: Batch, rules: Rules) -> dict[str, NDArray[np.float32]]:
    """Scores of each sample, [B] float32 a key of `SCORES`.

    A detection that `match` ignores, as it lies in a crowd, was not claimed.

    - precision: share of the detections that are right; 1 where nothing was claimed, which is then not wrong.
    - recall: share of the objects that were found; 1 where there was nothing to find.
    - f1: 2 TP / (2 TP + FP + FN); 1 where there was nothing to find and nothing was claimed.
    - mean_iou: of the detections that are right, with their objects; without any 0, but 1 where f1 is 1.
    - false_positives, false_negatives: counts.
    """
    return scores_of([sample.matching for sample in matched(ground_truth, prediction, rules)])


def scores_of(matchings: Sequence[Matching]) -> dict[str, NDArray[np.float32]]:
    """The same of samples that are matched already, by their boxes or by their masks."""
    hits = np.array([np.count_nonzero(each.is_found) for each in matchings], np.float64)
    claimed = np.array([np.count_nonzero(~each.is_ignored) for each in matchings], np.float64)
    present = np.array([len(each.prediction_of) for each in matchings], np.float64)
    overlap = np.array([each.ious.sum() for each in matchings], np.float64)
    nothing = (claimed == 0) & (present == 0)
    values = (
        _share(hits, claimed, claimed == 0),
        _share(hits, present, present == 0),
        _share(2 * hits, claimed + present, nothing),
        _share(overlap, hits, nothing),
        claimed - hits,
        present - hits,
    )
    return {name: value.astype(np.float32) for name, value in zip(SCORES, values, strict=True)}


def class_counts(prediction: Batch, rules: Rules) -> dict[str, NDArray[np.float32]]:
    """How many of each class were detected in each sample, [B] float32 a label."""
    found = [np.bincount(image.classes, minlength=len(rules.labels)) for image in detections_of(prediction, rules)]
    counts = np.array(found, np.float32).reshape(-1, len(rules.labels))
    return {label: counts[:, column] for column, label in enumerate(rules.labels)}


def highest_confidence(prediction: Batch, rules: Rules) -> NDArray[np.float32]:
    """[B] float32: of the detections; 0 where there is none."""
    return np.array([max(image.scores, default=0.0) for image in detections_of(prediction, rules)], np.float32)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64], is_perfect: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(is_perfect, 1.0, part / np.maximum(whole, 1))
