"""Over- and under-segmentation once more, from the written definition alone: loops over boolean masks, one pair after
another, one confidence after another. Nothing of the product is used but the numbers that the definition names.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.segmentation.instances import MaskedDetections, MaskedObjects

Parts = dict[int, list[int]]
"""Row of each divided whole: rows of its parts."""


@dataclass(frozen=True, eq=False)
class Thing:
    """A mask of a class; of a detection also how confident it is."""

    mask: NDArray[np.bool_]
    label: int
    score: float = 0.0

    @cached_property
    def size(self) -> int:
        return int(self.mask.sum())


@dataclass(frozen=True)
class Thresholds:
    """As the page has them."""

    containment: float = 0.8
    apart: float = 0.2
    least_share: float = 0.1
    least_coverage: float = 0.5
    most_outside: float = 0.5
    found_iou: float = 0.5


PAGE = Thresholds()


def things(instances: MaskedObjects | MaskedDetections) -> list[Thing]:
    scores = instances.scores.tolist() if isinstance(instances, MaskedDetections) else [0.0] * len(instances)
    return [
        Thing(mask, int(label), float(score))
        for mask, label, score in zip(instances.masks, instances.classes, scores, strict=True)
    ]


def over(truth: Sequence[Thing], found: Sequence[Thing], by: Thresholds = PAGE) -> Parts:
    """The objects that are over-segmented."""
    divided = {}
    for row, whole in enumerate(truth):
        pieces = [number for number, piece in enumerate(found) if _home(piece, truth, by) == row]
        parts = _read_down(whole, pieces, found, by)
        if parts:
            divided[row] = sorted(parts)
    return divided


def under(truth: Sequence[Thing], found: Sequence[Thing], by: Thresholds = PAGE) -> Parts:
    """The detections that are under-segmenting."""
    merges = {}
    for number, whole in enumerate(found):
        candidates = [row for row, part in enumerate(truth) if _lies_in(part, whole, by)]
        parts = _parts(sorted(candidates, key=lambda row: -truth[row].size), truth, by)
        if len(parts) > 1 and 1 - _covered(whole, [truth[row] for row in parts]) <= by.most_outside:
            merges[number] = sorted(parts)

    def is_found_as_surely(row: int, merge: int) -> bool:
        for number, thing in enumerate(found):
            if number not in merges and _finds(thing, truth[row], by) and thing.score >= found[merge].score:
                return True
        return False

    return {
        number: parts for number, parts in merges.items() if not all(is_found_as_surely(row, number) for row in parts)
    }


def _read_down(whole: Thing, pieces: Iterable[int], found: Sequence[Thing], by: Thresholds) -> list[int]:
    """The parts of an object, as soon as it is divided; none if it is found whole first or nothing settles it."""
    pieces = sorted(pieces, key=lambda number: (-found[number].size, -found[number].score, number))
    for score in sorted({thing.score for thing in found}, reverse=True):
        read = [thing for thing in found if thing.score >= score]
        if any(_finds(thing, whole, by) and _lies_in(whole, thing, by) for thing in read):
            return []
        parts = _parts([number for number in pieces if found[number].score >= score], found, by)
        if len(parts) > 1 and _covered(whole, [found[number] for number in parts]) >= by.least_coverage:
            return _parts([number for number in pieces if found[number].score < score], found, by, parts)
    return []


def _parts(candidates: Sequence[int], masks: Sequence[Thing], by: Thresholds, known: Sequence[int] = ()) -> list[int]:
    parts = list(known)
    for number in candidates:
        piece, before = masks[number], [masks[part] for part in parts]
        is_apart = all(_shared(piece, part) / min(piece.size, part.size) <= by.apart for part in before)
        is_speck = any(piece.size / part.size < by.least_share for part in before)
        if is_apart and not is_speck:
            parts.append(number)
    return parts


def _home(piece: Thing, truth: Sequence[Thing], by: Thresholds) -> int | None:
    """The smallest object that the piece lies in, of equal ones the first."""
    homes = [(whole.size, row) for row, whole in enumerate(truth) if _lies_in(piece, whole, by)]
    return min(homes)[1] if homes else None


def _shared(one: Thing, other: Thing) -> int:
    return int(np.count_nonzero(one.mask & other.mask))


def _lies_in(piece: Thing, whole: Thing, by: Thresholds) -> bool:
    return piece.label == whole.label and piece.size > 0 and _shared(piece, whole) / piece.size > by.containment


def _finds(detection: Thing, thing: Thing, by: Thresholds) -> bool:
    shared = _shared(detection, thing)
    return (
        detection.label == thing.label and shared > 0 and shared / (detection.mask | thing.mask).sum() >= by.found_iou
    )


def _covered(whole: Thing, parts: Iterable[Thing]) -> float:
    """Share of its pixels that lie in any of the parts."""
    left = whole.mask.copy()
    for part in parts:
        left[part.mask] = False
    return (whole.size - int(left.sum())) / whole.size
