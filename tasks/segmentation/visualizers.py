"""Visualizers of instance segmentation: a batch of one in, a Leap* object out.

Boxes are shown by `tasks.detection.visualizers`. Here each instance has a value of its own, so that neighbours can be
told apart, and `labels[value]` is its name; value 0 is `BACKGROUND`. Where masks overlap, the smaller one is on top.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from code_loader.contract.visualizer_classes import LeapImageMask
from numpy.typing import NDArray

from tasks.detection.detections import Objects
from tasks.detection.metrics import Rules
from tasks.detection.visualizers import crowd_name, frame
from tasks.segmentation.instances import (
    MaskedDetections,
    MaskedObjects,
    unpadded_instances,
    unpadded_masked_crowds,
)
from tasks.segmentation.metrics import Segmented, instances_of, segmented
from tasks.segmentation.over_under import Divided, over_segmented, under_segmented
from vision.masks import areas, resized

Batch = NDArray[np.floating]
BACKGROUND = "background"
MOST = 255
"""Masks that can be shown: values are uint8. Beyond it the last rows are left out: the least confident ones."""


def true_masks(image: Batch, ground_truth: Batch, masks: Batch, rules: Rules) -> LeapImageMask:
    """The objects that are there, numbered by label in the order of the ground truth; crowds as `Object (crowd) 1`.

    Args:
        image: [1, H, W, 3] or [1, 3, H, W] float in [0, 1].
        ground_truth: [1, MAX, 5].
        masks: [1, MAX, h, w].
    """
    objects, crowds = (
        each(ground_truth[0], masks[0], rules.height, rules.width)
        for each in (unpadded_instances, unpadded_masked_crowds)
    )
    names = [*_object_names(objects, rules), *_numbered([crowd_name(label) for label in _labels(crowds, rules)])]
    both = np.concatenate([objects.masks, crowds.masks])
    return _shown(image, both, names, _by_area(both))


def predicted_masks(image: Batch, prediction: Batch, prototypes: Batch, rules: Rules) -> LeapImageMask:
    """The detections with their confidence, numbered by label, the most confident first.

    Args:
        image: [1, H, W, 3] or [1, 3, H, W] float in [0, 1].
        prediction: [1, N, 5 + classes + K].
        prototypes: [1, K, h, w].
    """
    (detections,) = instances_of(prediction, prototypes, rules)
    return _shown(image, detections.masks, _detection_names(detections, rules), _by_area(detections.masks))


def over_segmented_view(
    image: Batch, ground_truth: Batch, masks: Batch, prediction: Batch, prototypes: Batch, rules: Rules
) -> LeapImageMask:
    """The objects that were taken for several, and on them the detections that they were taken for; nothing else.

    A detection has the name that `predicted_masks` gives it, an object that of `true_masks` and what it was taken for.
    The arguments are those of `tasks.segmentation.metrics`, with `image` as in `true_masks`.
    """
    (sample,) = segmented(ground_truth, masks, prediction, prototypes, rules)
    objects, detections, overlaps = sample.judged()
    divided = over_segmented(objects, detections, overlaps)
    wholes, parts = _object_names(objects, rules), _judged_names(sample, rules)
    names = [f"{wholes[row]} taken for {' + '.join(parts[is_part])}" for row, is_part in _pairs(divided)]
    return _shown_pairs(image, divided, objects.masks, names, detections.masks, parts)


def under_segmented_view(
    image: Batch, ground_truth: Batch, masks: Batch, prediction: Batch, prototypes: Batch, rules: Rules
) -> LeapImageMask:
    """The detections that take several objects for one, and on them the objects that they take; nothing else.

    An object has the name that `true_masks` gives it, a detection that of `predicted_masks` and what it takes for one.
    The arguments are those of `tasks.segmentation.metrics`, with `image` as in `true_masks`.
    """
    (sample,) = segmented(ground_truth, masks, prediction, prototypes, rules)
    objects, detections, overlaps = sample.judged()
    divided = under_segmented(objects, detections, overlaps)
    wholes, parts = _judged_names(sample, rules), _object_names(objects, rules)
    names = [f"{' + '.join(parts[is_part])} taken for {wholes[row]}" for row, is_part in _pairs(divided)]
    return _shown_pairs(image, divided, detections.masks, names, objects.masks, parts)


def _pairs(divided: Divided) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    return zip(divided.wholes.tolist(), divided.parts, strict=True)


def _shown_pairs(
    image: Batch,
    divided: Divided,
    whole_masks: NDArray[np.bool_],
    whole_names: Sequence[str],
    part_masks: NDArray[np.bool_],
    part_names: NDArray[np.str_],
) -> LeapImageMask:
    """Wholes below, whatever their size, so that none hides a part."""
    wholes, parts = _by_area(whole_masks[divided.wholes]), _by_area(part_masks[divided.is_part])
    masks = np.concatenate([whole_masks[divided.wholes], part_masks[divided.is_part]])
    order = np.concatenate([wholes, len(wholes) + parts])
    return _shown(image, masks, [*whole_names, *part_names[divided.is_part]], order)


def _by_area(masks: NDArray[np.bool_]) -> NDArray[np.intp]:
    """[N] row numbers, the largest first."""
    return np.argsort(-areas(masks), kind="stable")


def _shown(image: Batch, masks: NDArray[np.bool_], names: Iterable[str], order: NDArray[np.intp]) -> LeapImageMask:
    """Masks [N, h, w] with N names, laid over each other in an order, on the image."""
    pixels = frame(image).data
    values = np.zeros(masks.shape[1:], np.uint8)
    for row in order[order < MOST].tolist():
        values[masks[row]] = row + 1
    mask = resized(values[np.newaxis], *pixels.shape[:2])[0]
    return LeapImageMask(mask=mask, image=pixels, labels=[BACKGROUND, *islice(map(str, names), MOST)])


def _object_names(objects: MaskedObjects, rules: Rules) -> NDArray[np.str_]:
    return np.array(_numbered(_labels(objects, rules)), str)


def _detection_names(detections: MaskedDetections, rules: Rules) -> NDArray[np.str_]:
    names = _numbered(_labels(detections, rules))
    scores = detections.scores.tolist()
    return np.array([f"{name} ({score:.0%})" for name, score in zip(names, scores, strict=True)], str)


def _judged_names(sample: Segmented, rules: Rules) -> NDArray[np.str_]:
    """Of the detections that are not ignored, their names among all."""
    return np.asarray(_detection_names(sample.detections, rules)[~sample.matching.is_ignored])


def _labels(objects: Objects, rules: Rules) -> list[str]:
    return [rules.labels[label] for label in objects.classes.tolist()]


def _numbered(labels: Sequence[str]) -> list[str]:
    """`Object 1`, `Object 2`, `Tote 1`: each label counted by itself."""
    counted: Counter[str] = Counter()
    names = []
    for label in labels:
        counted[label] += 1
        names.append(f"{label} {counted[label]}")
    return names
