"""Several objects taken for one, and one object taken for several: the errors that matter to a picking robot.

A *whole* is divided by its *parts*: an object by detections (over-segmentation), a detection by objects
(under-segmentation). What a person would say of a picture, in numbers:

1.  **Contained.** A mask is contained in another if more than `CONTAINMENT` of its area lies in it (IoA) and both are
    of one class: what lies in a tote is no part of the tote. A detection that is contained in several objects counts
    for the smallest alone: what is found of an object that lies on another does not divide the other.
2.  **Parts.** The masks that a whole contains are tried, the largest first; of equal detections the more confident
    one, else the first row. One is a part if it lies apart from all parts so far, that is, shares no more than `APART`
    of the area of the smaller of the two, and if it has at least `LEAST_SHARE` of the area of the largest part so far.
    So no duplicate is one, no fragment of what was found too, no object inside another's mask, and no speck.
3.  **Divided.** A whole is divided if it has two parts or more and they together cover enough of it, counted in pixels
    of their union: at least `LEAST_COVERAGE` of an object, and all but at most `MOST_OUTSIDE` of a detection. Else the
    object was missed, fragments or not, and the detection is false, whatever it lies over.
4.  **Over-segmented: confidence.** Detections are read from the most confident one down, as a robot takes them, and
    what comes first decides. A detection *finds an object whole* if its IoU with it is at least `FOUND_IOU` and it
    contains it. An object that is found whole is not over-segmented, whatever fragments come later or are as
    confident. An object that the detections of some confidence and more divide, before it is found whole, is
    over-segmented, whatever comes later; of that, pieces that pass rule 2 beside the parts are parts too.
5.  **Under-segmenting: found singly.** An object is found singly by a detection of its class whose IoU with it is at
    least `FOUND_IOU` and which several objects do not divide (rules 1 to 3). A divided detection is under-segmenting
    unless each of its parts is found singly with at least its own confidence: then it says nothing new, and is a false
    positive like any other. One part that is found only together with others, or less confidently, is enough.

Rules 1 to 3 follow Hoover et al., "An experimental comparison of range image segmentation algorithms", PAMI 18(7),
1996, where a region is over- or under-segmented by shares of the overlap of its parts and of their union. Which masks
are confident, lie apart or are specks is not asked there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.segmentation.instances import MaskedDetections, MaskedObjects
from vision.masks import Overlaps, intersection

CONTAINMENT = 0.8
"""Share of its area of which more must lie in another mask."""

APART = 0.2
"""Share of the smaller one's area that two parts may have in common: masks of neighbours overlap a little."""

LEAST_SHARE = 0.1
"""Share of the area of the whole's largest part that a part has at least: a person calls a mask with a corner of a
neighbour in it a mask of the one, and a grip of the one is right. Not a share of the whole, of which none of a dozen
equal parts would have a tenth."""

LEAST_COVERAGE = 0.5
"""Share of an object that its parts cover at least: as one mask they would find it, at the usual IoU."""

MOST_OUTSIDE = 0.5
"""Share of a detection that may lie outside its parts. Much does where it merges the rims of rings, or takes along what
lies between two objects; where most does, they are not what it shows."""

FOUND_IOU = 0.5
"""IoU from which a detection finds an object: the usual one of matching."""


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
    *,
    apart: float = APART,
    least_share: float = LEAST_SHARE,
    least_coverage: float = LEAST_COVERAGE,
    found_iou: float = FOUND_IOU,
) -> Divided:
    """Objects that were taken for several: the wholes are objects, their parts detections; rules 1 to 4.

    Args:
        overlaps: of the detections' masks with the objects', where the caller has them already.
    """
    overlaps = overlaps or Overlaps.between(detections.masks, objects.masks)
    scores = detections.scores
    is_of_class = detections.classes[:, np.newaxis] == objects.classes
    contained = (overlaps.ioa > containment) & is_of_class
    if len(objects):
        smallest = np.where(contained, overlaps.other_areas, np.inf).argmin(axis=1)
        contained &= smallest[:, np.newaxis] == np.arange(len(objects))
    finds_whole = (overlaps.other_ioa > containment) & (overlaps.iou >= found_iou) & is_of_class
    # Only what is surer than that can divide an object.
    surer = contained & (scores[:, np.newaxis] > _surest(finds_whole, scores))
    # Of equally large ones, the more confident.
    order = np.lexsort((-scores, -overlaps.areas))
    several = np.flatnonzero(surer.sum(axis=0) >= 2)
    pieces = _Pieces(detections.masks, overlaps.areas, order, contained[:, several], apart, least_share)
    divided = {}
    for whole in several.tolist():
        confidences = scores[surer[:, whole]]
        for least in sorted(set(confidences.tolist()), reverse=True):
            parts = pieces.parts(surer[:, whole] & (scores >= least))
            if len(parts) >= 2 and pieces.coverage(parts, objects.masks[whole]) >= least_coverage:
                divided[whole] = pieces.parts(contained[:, whole], parts)
                break
    return _divided(divided, len(detections))


def under_segmented(
    objects: MaskedObjects,
    detections: MaskedDetections,
    overlaps: Overlaps | None = None,
    containment: float = CONTAINMENT,
    *,
    apart: float = APART,
    least_share: float = LEAST_SHARE,
    most_outside: float = MOST_OUTSIDE,
    found_iou: float = FOUND_IOU,
) -> Divided:
    """Detections that take several objects for one: the wholes are detections, their parts objects; rules 1 to 3 and 5.

    Args:
        overlaps: of the detections' masks with the objects', where the caller has them already.
    """
    overlaps = overlaps or Overlaps.between(detections.masks, objects.masks)
    scores = detections.scores
    is_of_class = detections.classes[:, np.newaxis] == objects.classes
    contained = ((overlaps.other_ioa > containment) & is_of_class).T
    order = np.argsort(-overlaps.other_areas, kind="stable")
    several = np.flatnonzero(contained.sum(axis=0) >= 2)
    pieces = _Pieces(objects.masks, overlaps.other_areas, order, contained[:, several], apart, least_share)
    divided = {}
    for whole in several.tolist():
        parts = pieces.parts(contained[:, whole])
        if len(parts) >= 2 and 1 - pieces.coverage(parts, detections.masks[whole]) <= most_outside:
            divided[whole] = parts
    finds = (overlaps.iou >= found_iou) & is_of_class
    finds[list(divided)] = False
    singly = _surest(finds, scores)
    merged_only = {whole: parts for whole, parts in divided.items() if (singly[parts] < scores[whole]).any()}
    return _divided(merged_only, len(objects))


class _Pieces:
    """The masks that may divide a whole, and which of them are its parts."""

    def __init__(
        self,
        masks: NDArray[np.bool_],
        areas: NDArray[np.int64],
        order: NDArray[np.intp],
        contained: NDArray[np.bool_],
        apart: float,
        least_share: float,
    ) -> None:
        """Masks [M, h, w], their areas, their order of trial, and which of them each of K wholes contains [M, K]."""
        self._masks, self._areas, self._least_share = masks, areas.tolist(), least_share
        # Most wholes have one piece or none, and then nothing needs to be compared.
        self._tried = order[contained[order].any(axis=1)]
        candidates = masks[self._tried]
        smaller = np.minimum(areas[self._tried][:, np.newaxis], areas[self._tried])
        meets = intersection(candidates, candidates) > apart * smaller
        self._met_by = {
            row: set(self._tried[met].tolist()) for row, met in zip(self._tried.tolist(), meets, strict=True)
        }

    def parts(self, chosen: NDArray[np.bool_], known: Sequence[int] = ()) -> list[int]:
        """Row numbers of the parts among the `chosen` [M], after those that are `known` to be parts already."""
        parts = list(known)
        for row in self._tried[chosen[self._tried]].tolist():
            area = self._areas[row]
            largest = max((self._areas[part] for part in parts), default=area)
            if self._met_by[row].isdisjoint(parts) and area / largest >= self._least_share:
                parts.append(row)
        return parts

    def coverage(self, parts: Sequence[int], whole: NDArray[np.bool_]) -> float:
        """Share of the whole's pixels [h, w] that lie in any of the parts."""
        union = np.logical_or.reduce([self._masks[part] for part in parts])
        return np.count_nonzero(union & whole) / np.count_nonzero(whole)


def _surest(finds: NDArray[np.bool_], scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """[K] the greatest of scores [N] that each of K is found with, as [N, K] tells; -inf where nothing finds it."""
    return np.asarray(np.where(finds, scores[:, np.newaxis], -np.inf).max(axis=0, initial=-np.inf))


def _divided(parts_of: dict[int, list[int]], count: int) -> Divided:
    """Rising rows of wholes -> rows of their parts, of `count` masks."""
    parts = np.zeros((len(parts_of), count), bool)
    for place, rows in enumerate(parts_of.values()):
        parts[place, rows] = True
    return Divided(np.array(list(parts_of), np.intp), parts)
