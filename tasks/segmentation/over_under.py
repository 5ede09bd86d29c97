"""Several objects taken for one, and one object taken for several: the errors that matter to a picking robot.

One mask is contained in another if more than `CONTAINMENT` of its area lies in it (IoA) and both are of one class: what
lies in a tote is no part of the tote. A mask that contains several which lie apart is a whole, and those are its parts.
Two masks lie apart if they share no more than `APART` of the area of the smaller one. Of masks that do not lie apart
the larger one is the part and the other is none: neither a duplicate, nor a fragment of what was found whole too, nor a
small object whose mask lies inside another's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from vision.masks import Overlaps, intersection

CONTAINMENT = 0.8
"""Share of its area of which more must lie in another mask."""

APART = 0.2
"""Share of the smaller one's area that two parts may have in common: masks of neighbours overlap a little."""


@dataclass(frozen=True, eq=False)
class Divided:
    """Wholes that have several parts.

    Attributes:
        wholes: [K] row numbers of the wholes, rising.
        parts: [K, M] bool, which of the M masks of the other kind are the parts of each; two or more in each row.
    """

    wholes: NDArray[np.intp]
    parts: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.wholes)

    @property
    def mean_parts(self) -> float:
        """Parts of a whole, on average; 0 where there is no such whole."""
        return float(self.parts.sum() / max(len(self), 1))

    @property
    def is_part(self) -> NDArray[np.bool_]:
        """[M]: whether a mask is a part of any whole."""
        return np.asarray(self.parts.any(axis=0))


def over_segmented(
    objects: MaskedObjects,
    detections: MaskedDetections,
    overlaps: Overlaps | None = None,
    containment: float = CONTAINMENT,
) -> Divided:
    """Objects that were taken for several: the wholes are objects, their parts detections.

    A detection that lies in several objects, one of which then lies in another, is a part of the smallest alone: what
    is found of an object inside another does not divide the outer one.

    Args:
        overlaps: of the detections' masks with the objects', where the caller has them already.
    """
    overlaps = overlaps or Overlaps.between(detections.masks, objects.masks)
    contained = (overlaps.ioa > containment) & (detections.classes[:, np.newaxis] == objects.classes)
    if len(objects):
        smallest = np.where(contained, overlaps.other_areas, np.inf).argmin(axis=1)
        contained &= smallest[:, np.newaxis] == np.arange(len(objects))
    # Of equally large ones, the more confident.
    order = np.lexsort((-detections.scores, -overlaps.areas))
    return _divided(contained, detections.masks, overlaps.areas, order)


def under_segmented(
    objects: MaskedObjects,
    detections: MaskedDetections,
    overlaps: Overlaps | None = None,
    containment: float = CONTAINMENT,
) -> Divided:
    """Detections that take several objects for one: the wholes are detections, their parts objects.

    Each detection is judged by itself: that another one found one of its objects alone, or the same objects together
    once more, does not make it right.

    Args:
        overlaps: of the detections' masks with the objects', where the caller has them already.
    """
    overlaps = overlaps or Overlaps.between(detections.masks, objects.masks)
    contained = (overlaps.other_ioa > containment) & (detections.classes[:, np.newaxis] == objects.classes)
    order = np.argsort(-overlaps.other_areas, kind="stable")
    return _divided(contained.T, objects.masks, overlaps.other_areas, order)


def _divided(
    contained: NDArray[np.bool_], masks: NDArray[np.bool_], areas: NDArray[np.int64], order: NDArray[np.intp]
) -> Divided:
    """Parts in wholes [M, K], the parts' masks and areas, and the order in which they are tried, the largest first."""
    # Most wholes have one part or none, and then nothing needs to be compared.
    wholes = np.flatnonzero(contained.sum(axis=0) >= 2)
    contained = contained[:, wholes]
    tried = order[contained[order].any(axis=1)]
    candidates = masks[tried]
    shared = intersection(candidates, candidates)
    smaller = np.minimum(areas[tried][:, np.newaxis], areas[tried])
    meets = shared > APART * smaller
    taken = np.zeros((len(tried), len(wholes)), bool)
    for place, part in enumerate(tried):
        taken[place] = contained[part] & ~taken[meets[place]].any(axis=0)
    is_divided = taken.sum(axis=0) >= 2
    parts = np.zeros((np.count_nonzero(is_divided), len(masks)), bool)
    parts[:, tried] = taken[:, is_divided].T
    return Divided(wholes[is_divided], parts)
