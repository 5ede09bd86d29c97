"""How well the objects of each sample were segmented, and the objects of each sample one by one."""

from typing import NamedTuple

import numpy as np
from code_loader.contract.enums import MetricDirection
from numpy.typing import NDArray

from tasks.detection import metrics as detection_metrics
from tasks.detection.matching import Matching, crowd_shares, match
from tasks.detection.metrics import Rules
from tasks.segmentation.decode import decode_instances
from tasks.segmentation.instances import (
    MaskedDetections,
    MaskedObjects,
    unpadded_instances,
    unpadded_masked_crowds,
)
from tasks.segmentation.over_under import over_segmented, under_segmented
from vision.masks import Overlaps

Batch = NDArray[np.floating]
MASK_SCORES = {f"mask_{name}": direction for name, direction in detection_metrics.SCORES.items()}
"""Those of the detections' scores that go by masks, and which way each of them is better."""
DIVISION_SCORES = dict.fromkeys(
    (
        "mask_duplicates",
        "over_segmented",
        "over_segmented_objects",
        "over_segmentation_parts",
        "over_segmentation_confidence",
        "under_segmented",
        "under_segmenting_detections",
        "under_segmentation_parts",
        "under_segmentation_small_objects",
    ),
    MetricDirection.Downward,
)
"""Those that tell what was found twice, split or merged, and which way each of them is better."""
SCORES = MASK_SCORES | DIVISION_SCORES
"""The keys of `segmentation_scores`."""


class Segmented(NamedTuple):
    """What is there to find in one image, what was found, which is which by their masks, and how these overlap.

    Attributes:
        overlaps: of the detections with the objects.
    """

    objects: MaskedObjects
    detections: MaskedDetections
    matching: Matching
    overlaps: Overlaps

    def judged(self) -> tuple[MaskedObjects, MaskedDetections, Overlaps]:
        """The objects, the detections that are not ignored, and their overlaps: what can be split or merged."""
        rows = ~self.matching.is_ignored
        overlaps = Overlaps(self.overlaps.shared[rows], self.overlaps.areas[rows], self.overlaps.other_areas)
        return self.objects, self.detections[rows], overlaps


def instances_of(prediction: Batch, prototypes: Batch, rules: Rules) -> list[MaskedDetections]:
    """Of each image of a batch."""
    return decode_instances(prediction, prototypes, len(rules.labels), rules.decoding, rules.height, rules.width)


def segmented(ground_truth: Batch, masks: Batch, prediction: Batch, prototypes: Batch, rules: Rules) -> list[Segmented]:
    """Objects and detections of each sample, matched by the IoU of their masks.

    Args:
        ground_truth: [B, MAX, 5], see `tasks.detection.ground_truth`.
        masks: [B, MAX, h, w], 0 or 1, in the rows of the ground truth.
        prediction: [B, N, 5 + classes + K], see `tasks.segmentation.decode`.
        prototypes: [B, K, h, w].
    """
    samples = []
    found = instances_of(prediction, prototypes, rules)
    for rows, truth, detections in zip(ground_truth, masks, found, strict=True):
        objects = unpadded_instances(rows, truth, rules.height, rules.width)
        crowds = unpadded_masked_crowds(rows, truth, rules.height, rules.width)
        overlaps = Overlaps.between(detections.masks, objects.masks)
        in_crowd = crowd_shares(crowds, detections, Overlaps.between(detections.masks, crowds.masks).ioa)
        matching = match(objects, detections, rules.matching_iou, overlaps.iou, in_crowd)
        samples.append(Segmented(objects, detections, matching, overlaps))
    return samples


def segmentation_scores(
    ground_truth: Batch,
    masks: Batch,
    prediction: Batch,
    prototypes: Batch,
    rules: Rules,
    small_share: float,
) -> dict[str, NDArray[np.float32]]:
    """Scores of each sample, [B] float32 a key of `SCORES`; the arguments are those of `segmented`.

    A detection that is ignored, as its mask lies in that of a crowd, was not claimed, and is neither part nor whole.

    - mask_precision, mask_recall, mask_f1, mask_mean_iou, mask_false_positives, mask_false_negatives: as
      `tasks.detection.metrics.detection_scores` has them, of what is matched by the IoU of masks.
    - mask_duplicates: how many of the false positives found an object that another detection has found before.
    - over_segmented: 1 where an object was taken for several, else 0; see `tasks.segmentation.over_under`.
    - over_segmented_objects: how many; over_segmentation_parts: detections of such an object, on average;
      over_segmentation_confidence: of these detections, on average. All are 0 where there is none.
    - under_segmented: 1 where a detection takes several objects for one, else 0.
    - under_segmenting_detections: how many; under_segmentation_parts: objects of such a detection, on average;
      under_segmentation_small_objects: how many of these objects are small. All are 0 where there is none.

    Args:
        small_share: of the input's area; an object whose mask covers less is small.
    """
    samples = segmented(ground_truth, masks, prediction, prototypes, rules)
    by_masks = detection_metrics.scores_of([sample.matching for sample in samples])
    scores = {f"mask_{name}": values for name, values in by_masks.items()}
    rows = [_divisions(sample, rules.matching_iou, small_share) for sample in samples]
    columns = np.array(rows, np.float32).reshape(-1, len(DIVISION_SCORES)).T
    return scores | dict(zip(DIVISION_SCORES, columns, strict=True))


def best_mask_ious(
    ground_truth: Batch, masks: Batch, prediction: Batch, prototypes: Batch, rules: Rules
) -> dict[int, NDArray[np.float32]]:
    """How well each object was found: the greatest IoU of its mask with that of any detection of its class.

    Two objects may have the same best detection, and one that lies in a crowd may be it; a crowd is no object. The
    arguments are those of `segmented`.

    Returns:
        Number of an object in its sample, from 0 on -> [B] float32 in [0, 1]; NaN for a sample that has fewer objects.
    """
    samples = segmented(ground_truth, masks, prediction, prototypes, rules)
    most = max((len(sample.objects) for sample in samples), default=0)
    best = np.full((most, len(samples)), np.nan, np.float32)
    for column, (objects, detections, _, overlaps) in enumerate(samples):
        of_class = detections.classes[:, np.newaxis] == objects.classes
        best[: len(objects), column] = np.where(of_class, overlaps.iou, 0.0).max(axis=0, initial=0.0)
    return dict(enumerate(best))


def _divisions(sample: Segmented, matching_iou: float, small_share: float) -> tuple[float, ...]:
    """Of one sample, the scores that go by more than its matching."""
    of_class = sample.detections.classes[:, np.newaxis] == sample.objects.classes
    # Whatever it finds was taken before, or it would have taken it.
    finds_any = ((sample.overlaps.iou >= matching_iou) & of_class).any(axis=1)
    is_duplicate = finds_any & sample.matching.is_false_positive
    objects, detections, overlaps = sample.judged()
    over = over_segmented(objects, detections, overlaps)
    under = under_segmented(objects, detections, overlaps)
    confidences = detections.scores[over.is_part]
    is_small = overlaps.other_areas < small_share * objects.masks[:1].size
    return (
        int(is_duplicate.sum()),
        float(len(over) > 0),
        len(over),
        over.mean_parts,
        float(confidences.mean()) if len(confidences) else 0.0,
        float(len(under) > 0),
        len(under),
        under.mean_parts,
        int((under.is_part & is_small).sum()),
    )
