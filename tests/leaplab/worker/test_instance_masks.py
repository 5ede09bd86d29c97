"""Where the element instances of the integration `instances` lie, by hand, and how a mask is made small."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.protocol.inspection import SampleOrder
from leaplab.protocol.operations import MASKS
from leaplab.session.opening import open_session
from leaplab.worker import instance_masks as made


@pytest.fixture(scope="module")
def session(make_project: Any) -> Any:
    root: Path = make_project("instances", inputs=("image",))
    with open_session(find_project(root)) as opened:
        yield opened


def test_masks_cross_with_their_boxes_and_empty_ones_do_not(session: Any) -> None:
    # Rows 0, 1 to 2 and 3 to 5 of six.
    masks = session.call(MASKS, SampleOrder("training", "a"))
    assert [(mask.number, mask.box, mask.size) for mask in masks] == [
        (0, (0.0, 0.0, 1.0, 1 / 6), (6, 6)),
        (1, (0.0, 1 / 6, 1.0, 3 / 6), (6, 6)),
        (2, (0.0, 3 / 6, 1.0, 1.0), (6, 6)),
    ]
    expected = np.zeros((6, 6), bool)
    expected[1:3] = True
    np.testing.assert_array_equal(masks[1].inside, expected)
    assert session.call(MASKS, SampleOrder("training", "c_c")) == [], "its only mask has no rows"
    # The encoder has nothing for the first of these.
    assert [mask.number for mask in session.call(MASKS, SampleOrder("training", "d"))] == [1]
    assert session.call(MASKS, SampleOrder("training", "b")) == []
    with pytest.raises(LeaplabError, match="sample 'training-99'"):
        session.call(MASKS, SampleOrder("training", "training-99"))


def test_a_large_mask_is_made_small_by_halves_and_keeps_its_exact_box() -> None:
    inside = np.zeros((480, 960), bool)
    inside[30:90, 101:701] = True
    small = made._made_small(3, inside)
    assert small.inside.shape == (160, 320)
    assert small.box == (101 / 960, 30 / 480, 701 / 960, 90 / 480)
    # Cells of three by three pixels: 101 is in the third of its cell, 701 likewise.
    expected = np.zeros((160, 320), bool)
    for row in range(160):
        for column in range(320):
            expected[row, column] = inside[3 * row : 3 * row + 3, 3 * column : 3 * column + 3].mean() >= 0.5
    np.testing.assert_array_equal(small.inside, expected)


def test_what_is_thinner_than_half_a_cell_is_still_there() -> None:
    inside = np.zeros((1600, 1600), bool)
    inside[:, 800] = True
    small = made._made_small(0, inside)
    assert small.inside.shape == (320, 320)
    assert np.flatnonzero(small.inside.any(axis=0)).tolist() == [160]
