from typing import Any

import numpy as np
import pytest

from leaplab.render.canvas import blank
from leaplab.render.names import HEIGHT, Name, confidence_text, write_names

RED, GREEN = (200, 40, 40), (40, 120, 40)


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (1.0, "1"),
        (0.87, "0.87"),
        (0.999, ">0.99"),
        (0.99, "0.99"),
        (0.0, "0.00"),
        (1.004, "1.00"),
        (-2.0, "-2.00"),
        (float("nan"), "nan"),
    ],
)
def test_only_ground_truth_s_confidence_reads_as_1(confidence, text):
    assert confidence_text(confidence) == text


def written(names, width=300, height=200) -> Any:
    picture, draw = blank(width, height)
    unnamed = write_names(draw, names, (0, 0, width, height))
    return np.asarray(picture), unnamed


def test_name_stands_on_its_box_in_its_colour():
    pixels, unnamed = written([Name("car", 0.5, (100, 80, 200, 150), RED)])
    rows, columns = np.nonzero((pixels == RED).all(axis=2))

    assert unnamed == 0
    assert (rows.min(), rows.max(), columns.min()) == (80 - HEIGHT, 79, 100)


def test_names_never_cover_each_other():
    pixels, unnamed = written([Name("car", 0.5, (100, 80, 200, 150), colour) for colour in (RED, GREEN)])
    areas = [np.nonzero((pixels == colour).all(axis=2)) for colour in (RED, GREEN)]
    (top, bottom), (other_top, other_bottom) = [(rows.min(), rows.max()) for rows, _ in areas]

    assert unnamed == 0
    assert bottom < other_top or other_bottom < top


def test_names_without_room_are_counted():
    names = [Name("car", 0.5, (10, 10, 40, 30), RED)] * 50
    _, unnamed = written(names)

    assert 40 < unnamed < 50


@pytest.mark.parametrize("of", [(-50, -50, 5, 5), (290, 190, 400, 300), (0, 0, 300, 200)])
def test_name_stays_within_the_picture(of):
    pixels, _ = written([Name("a very long label " * 20, 0.123, of, RED)])
    rows, columns = np.nonzero((pixels == RED).all(axis=2))

    assert rows.max() - rows.min() == HEIGHT - 1
    assert columns.max() - columns.min() > 150
