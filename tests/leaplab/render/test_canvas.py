from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.render.canvas import MAX_SIDE, blank, cut, fitting, grid, numbers, printable, width_of, wrapped, write


def ink(text, align="l") -> Any:
    """Columns and rows that a text at (100, 20) darkens."""
    picture, draw = blank(300, 40)
    write(draw, (100, 20), text, align=align)
    rows, columns = np.nonzero(np.asarray(picture.convert("L")) < 160)
    return columns, rows


@pytest.mark.parametrize("text", ["plain text", "größe", "中文字", "Ωж →", "שלום"])
def test_text_of_any_script_lies_where_it_is_put(text):
    for align, ends in (
        ("l", (100, 100 + width_of(text))),
        ("r", (100 - width_of(text), 100)),
        ("m", (100 - width_of(text) / 2, 100 + width_of(text) / 2)),
    ):
        columns, rows = ink(text, align)
        assert len(columns) > 20
        np.testing.assert_allclose((columns.min(), columns.max()), ends, atol=3)
        assert 12 <= rows.min() < 20 < rows.max() <= 28


def test_right_to_left_letters_stand_from_right_to_left():
    """Final mem, closed below, ends the word: it is its leftmost letter."""
    whole, _ = blank(80, 40)
    picture, draw = blank(80, 40)
    write(draw, (10, 20), "שם")
    last, draw = blank(80, 40)
    write(draw, (10, 20), "ם")
    end = 10 + width_of("ם") - 1

    np.testing.assert_array_equal(np.asarray(picture)[:, :end], np.asarray(last)[:, :end])
    assert (np.asarray(picture)[:, end + 2 :] != np.asarray(whole)[:, end + 2 :]).any()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("bell\x07", "bell\\x07"),
        ("turned\u202eround", "turned\\u202eround"),
        ("half \ud800", "half \\ud800"),
        ("wide\u3000space", "wide space"),
        ("ש\u200dל", "ש\u200dל"),
        (3, "3"),
        ("", ""),
    ],
)
def test_text_becomes_one_line_that_hides_nothing(text, line):
    assert printable(text) == line


@pytest.mark.parametrize("text", ["a" * 10_000, "größe " * 300, "short", "", "中" * 500])
def test_cut_text_fits_and_says_that_it_is_cut(text):
    shown = cut(text, 100)

    assert width_of(shown) <= 100
    assert shown == text or shown.endswith("...")
    assert shown == text or width_of(shown) > 70
    assert text.startswith(shown.removesuffix("..."))


def test_fitting_is_the_most_that_fits():
    text = "mixed WIDTHS ill"
    count = fitting(text, 60)

    assert width_of(text[:count]) <= 60 < width_of(text[: count + 1])


def test_wrapped_text_keeps_every_word():
    lines = wrapped("one two three four five six seven", 80)

    assert " ".join(lines) == "one two three four five six seven"
    assert max(width_of(line) for line in lines) <= 80 < width_of(f"{lines[0]} {lines[1].split()[0]}")


def test_grid_stays_within_the_largest_picture():
    panels = [Image.new("RGB", (300, 10), (number, 0, 0)) for number in range(20)]
    sheet = np.asarray(grid(panels))

    assert sheet.shape[1] <= MAX_SIDE
    assert set(sheet[..., 0][(sheet[..., 1:] == 0).all(axis=2)].tolist()) == set(range(20))


@pytest.mark.parametrize("values", [["a"], [None], [1j], np.array([object()])])
def test_values_that_are_no_numbers_are_told(values):
    with pytest.raises(LeaplabError, match="The curve has values of type .*; return integers or floats"):
        numbers(np.array(values), "The curve")
