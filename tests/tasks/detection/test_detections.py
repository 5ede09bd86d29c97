import numpy as np
import pytest

from tasks.detection.detections import Detections, Objects
from tests.tasks.detection.conftest import detections


def test_rows_are_taken_by_number_and_by_mask() -> None:
    found = detections((0, 0, 1, 1, 0, 0.3), (0, 0, 2, 2, 1, 0.9), (0, 0, 3, 3, 2, 0.3))
    assert found.by_score().tolist() == [1, 0, 2], "of equal scores the first row comes first"
    assert found[found.by_score()].classes.tolist() == [1, 0, 2]
    assert found[found.scores > 0.5].edges.tolist() == [[0, 0, 2, 2]]
    assert len(found[np.zeros(3, bool)]) == 0


def test_what_does_not_fit_together_is_an_error() -> None:
    with pytest.raises(ValueError, match="do not fit classes"):
        Objects(np.zeros((2, 4)), np.zeros(3, int))
    with pytest.raises(ValueError, match="do not fit 2 boxes"):
        Detections(np.zeros((2, 4)), np.zeros(2, int), np.zeros(3))
    with pytest.raises(ValueError, match="do not fit classes"):
        Objects(np.zeros((2, 5)), np.zeros(2, int))
