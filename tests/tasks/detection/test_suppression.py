from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tasks.detection.detections import Detections
from tasks.detection.suppression import suppress
from tests.tasks.detection.conftest import Image, detections
from vision.boxes import iou


def _by_hand(found: Detections, iou_threshold: float) -> NDArray[np.intp]:
    """Rows that are kept, by a loop over pairs."""
    kept: list[int] = []
    for row in found.by_score().tolist():
        same = [other for other in kept if found.classes[other] == found.classes[row]]
        if all(iou(found.edges[other], found.edges[row]) <= iou_threshold for other in same):
            kept.append(row)
    return np.array(kept, np.intp)


@pytest.mark.parametrize("iou_threshold", [0.0, 0.3, 0.5, 0.9])
def test_the_same_boxes_are_kept_as_by_a_loop_over_pairs(
    iou_threshold: float, crowded: Callable[[int], list[Image]]
) -> None:
    for _, found in crowded(1):
        kept = found[suppress(found, iou_threshold)]
        expected = found[_by_hand(found, iou_threshold)]
        order = np.lexsort((*kept.edges.T, kept.classes, -kept.scores))
        expected_order = np.lexsort((*expected.edges.T, expected.classes, -expected.scores))
        np.testing.assert_array_equal(kept.edges[order], expected.edges[expected_order])
        np.testing.assert_array_equal(kept.classes[order], expected.classes[expected_order])
        assert (np.diff(kept.scores) <= 0).all()


def test_a_box_is_never_suppressed_by_another_class() -> None:
    found = detections((0, 0, 10, 10, 0, 0.9), (0, 0, 10, 10, 1, 0.8), (0, 0, 10, 10, 0, 0.7))
    assert suppress(found, 0.5).tolist() == [0, 1]


def test_negative_and_large_coordinates_do_not_mix_the_classes() -> None:
    far = [(-500, -500, -400, -400, label, 0.9) for label in range(4)]
    far += [(5000, 5000, 5100, 5100, label, 0.9) for label in range(4)]
    assert len(suppress(detections(*far), 0.1)) == 8


def test_a_chain_loses_its_middle_alone() -> None:
    # Each overlaps the next by a third; the first and the last are apart.
    chain = detections((0, 0, 10, 10, 0, 0.9), (5, 0, 15, 10, 0, 0.8), (10, 0, 20, 10, 0, 0.7))
    assert suppress(chain, 0.3).tolist() == [0, 2]
    assert suppress(chain, 0.34).tolist() == [0, 1, 2]


def test_a_limit_keeps_the_most_confident() -> None:
    apart = detections(*((20 * row, 0, 20 * row + 9, 9, 0, score) for row, score in enumerate((0.2, 0.9, 0.5, 0.05))))
    assert suppress(apart, 0.5, most=2).tolist() == [1, 2]
    assert suppress(apart, 0.5).tolist() == [1, 2, 0, 3]


def test_nothing_in_nothing_out() -> None:
    assert len(suppress(detections(), 0.5)) == 0


def test_a_confidence_of_nothing_counts_like_any_other() -> None:
    found = detections((0, 0, 10, 10, 0, 0.0), (0, 0, 10, 10, 0, 0.5), (40, 0, 50, 10, 1, 0.0))
    assert suppress(found, 0.5).tolist() == [1, 2]


def test_of_equal_confidences_the_first_row_is_kept() -> None:
    same = detections(*[(0, 0, 10, 10, label, 0.5) for label in (1, 0, 1, 0)])
    assert suppress(same, 0.5).tolist() == [0, 1]
