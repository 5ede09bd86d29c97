from typing import Any

import numpy as np
import pytest
from code_loader.contract.visualizer_classes import LeapText, LeapTextMask

from leaplab.errors import LeaplabError
from leaplab.render import text
from leaplab.render.canvas import MARGIN, width_of
from leaplab.render.colours import PAPER, blended, index_colour
from leaplab.render.text import LINE_HEIGHT, PADDING, PALE, SPACE, WIDTH

NAN, INF = float("nan"), float("inf")


def behind(pixels, tokens, row=0) -> Any:
    """The colour behind each token of a line, taken left of its first letter."""
    colours, x = [], MARGIN
    for token in tokens:
        colours.append(pixels[MARGIN + row * LINE_HEIGHT + LINE_HEIGHT // 2, x + 1].astype(int))
        x += width_of(token) + 2 * PADDING + SPACE
    return colours


def rows_of_ink(pixels) -> Any:
    dark = (pixels.astype(int).sum(axis=2) < 380).any(axis=1)
    return int((np.diff(dark.astype(int), prepend=0) == 1).sum())


def test_tokens_are_written_in_lines_within_the_page(draw):
    few, _ = draw(LeapText(["word"] * 4))
    many, _ = draw(LeapText(["word"] * 60))

    assert rows_of_ink(few) == 1
    assert many.shape[1] == few.shape[1] == WIDTH
    lines = -(-60 // ((WIDTH - 2 * MARGIN + SPACE) // (width_of("word") + 2 * PADDING + SPACE)))
    assert rows_of_ink(many) == lines
    assert (many[:, WIDTH - MARGIN :] == 255).all()


def test_padding_takes_no_room_and_is_told(draw, told):
    _, notes = told(text)
    padded, _ = draw(LeapText(["I", "", "ate", "", ""]))
    bare, _ = draw(LeapText(["I", "ate"]))

    np.testing.assert_array_equal(padded[: bare.shape[0]], bare)
    assert notes == ["3 of 5 tokens empty."]


def test_heat_behind_tokens_tells_its_sign(draw):
    tokens = ["good", "film", "awful", "plot"]
    pixels, _ = draw(LeapText(tokens, heatmap=[2.0, 0.0, -2.0, NAN]))
    raised, clear, lowered, unknown = behind(pixels, tokens)

    assert raised[0] > raised[2] + 60
    assert lowered[2] > lowered[0] + 60
    np.testing.assert_array_equal([clear, unknown], 255)


def test_heat_of_one_sign_grows_from_white_to_red(draw):
    tokens = ["a", "b", "c"]
    pixels, _ = draw(LeapText(tokens, heatmap=[1.0, 2.0, 3.0]))
    brightness = [int(colour.sum()) for colour in behind(pixels, tokens)]

    assert brightness[0] == 3 * 255
    assert brightness == sorted(brightness, reverse=True)


def test_heat_of_padding_does_not_pale_the_words(draw):
    tokens = ["a", "b"]
    padded, _ = draw(LeapText([*tokens, ""], heatmap=[1.0, 2.0, 99.0]))
    bare, _ = draw(LeapText(tokens, heatmap=[1.0, 2.0]))

    np.testing.assert_array_equal(behind(padded, tokens), behind(bare, tokens))


def test_line_breaks_of_a_token_break_the_line(draw):
    assert rows_of_ink(draw(LeapText(["one\ntwo", "three"]))[0]) == 2


def test_raw_array_as_one_token_is_written_whole(draw, told):
    _, notes = told(text)
    pixels, _ = draw(LeapText([str(np.arange(36.0).reshape(6, 6))]))

    assert rows_of_ink(pixels) == 6
    assert notes == []


@pytest.mark.parametrize("token", ["a" * 5000, "中" * 2000, "word " * 1000])
def test_token_longer_than_a_line_goes_on_in_the_next(draw, token):
    pixels, _ = draw(LeapText([token]))

    assert rows_of_ink(pixels) > 8
    assert (pixels[:, WIDTH - MARGIN :] == 255).all()


@pytest.mark.parametrize("tokens", [["word"] * 100_000, ["a" * 5_000_000, "b"]])
def test_endless_text_ends_and_is_told(draw, told, tokens):
    _, notes = told(text)
    pixels, _ = draw(LeapText(tokens))

    assert pixels.shape[0] <= 2048
    assert "not drawn or cut off: the text is too long" in notes[0]


def test_tokens_have_the_colours_of_the_legend(draw):
    tokens = ["I", "met", "Ann", "in", "Paris"]
    mask = np.array([0, 0, 1, 0, 2], np.uint8)
    pixels, _ = draw(LeapTextMask(mask, tokens, ["O", "person", "place"]))
    person, place = (blended(index_colour(index), PAPER, PALE) for index in (1, 2))

    assert [tuple(colour) for colour in behind(pixels, tokens)] == [PAPER, PAPER, person, PAPER, place]
    legend = {tuple(colour) for colour in pixels[2 * MARGIN + LINE_HEIGHT :].reshape(-1, 3).tolist()}
    assert {person, place} <= legend


def test_legend_counts_labels_and_names_those_that_have_none(draw, told):
    names, _ = told(text)
    draw(LeapTextMask(np.array([0, 1, 1, 7], np.uint8), ["a", "b", "c", "d"], ["O", "person"]))

    assert names == ["O (1)", "person (2)", "value 7, no label (1)"]


def test_text_without_tokens_is_told_on_the_picture(draw, told):
    _, notes = told(text)
    for leap in (
        LeapText([]),
        LeapText(["", ""]),
        LeapText([], heatmap=[]),
        LeapTextMask(np.zeros(0, np.uint8), [], []),
    ):
        draw(leap)

    assert notes == ["No text."] * 4


def test_mask_of_another_length_is_told(draw):
    with pytest.raises(LeaplabError, match="3 tokens and 2 mask values; return as many of each"):
        draw(LeapTextMask(np.zeros(2, np.uint8), ["a", "b", "c"], ["O"]))
