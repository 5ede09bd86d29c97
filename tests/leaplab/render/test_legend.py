from typing import Any

import numpy as np
from PIL import Image

from leaplab.render.canvas import MARGIN, ROW
from leaplab.render.colours import heat_of, index_colour
from leaplab.render.legend import LEGEND_ROWS, MIN_WIDTH, NOTE_ROWS, Entry, below, heat_bar

PICTURE = Image.new("RGB", (400, 50), (1, 2, 3))


def swatches(sheet, top=PICTURE.height) -> Any:
    """Numbers of the labels whose colour lies under the picture."""
    colours = {tuple(colour) for colour in np.asarray(sheet)[top:].reshape(-1, 3).tolist()}
    return {index for index in range(200) if index_colour(index) in colours}


def test_picture_without_legend_is_as_it_is():
    assert below(PICTURE) is PICTURE


def test_legend_has_every_swatch_under_the_picture():
    entries = [Entry(f"label {index}", index_colour(index)) for index in range(12)]
    sheet = below(PICTURE, entries)

    np.testing.assert_array_equal(np.asarray(sheet)[:50], np.asarray(PICTURE))
    assert swatches(sheet) == set(range(12))


def test_legend_of_too_many_names_ends():
    entries = [Entry("a label of some length " * 9, index_colour(index)) for index in range(200)]
    sheet = below(PICTURE, entries, ["a note"] * 50)

    assert sheet.height == 50 + 2 * MARGIN + ROW * (LEGEND_ROWS + NOTE_ROWS)
    shown = swatches(sheet)
    assert shown == set(range(len(shown)))
    assert 3 <= len(shown) <= LEGEND_ROWS


def test_narrow_picture_gets_a_sheet_that_the_legend_fits_on():
    sheet = below(Image.new("RGB", (3, 5)), [Entry("label", index_colour(0))])

    assert sheet.width == MIN_WIDTH
    assert swatches(sheet, 5) == {0}


def test_scale_runs_from_the_lowest_to_the_highest():
    both = np.asarray(heat_bar(heat_of(np.array([-1.0, 3.0])), 300)).astype(int)[11]
    one = np.asarray(heat_bar(heat_of(np.array([1.0, 3.0])), 300)).astype(int)[11]
    red, blue = both[:, 0] - both[:, 2] > 60, both[:, 2] - both[:, 0] > 60

    assert np.flatnonzero(blue).max() < np.flatnonzero(red).min()
    assert not (one[:, 2] - one[:, 0] > 60).any()
