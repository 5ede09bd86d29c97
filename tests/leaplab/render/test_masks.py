from typing import Any

import numpy as np
import pytest
from code_loader.contract.visualizer_classes import LeapImageMask
from code_loader.utils import rescale_min_max

from leaplab.errors import LeaplabError
from leaplab.render import masks
from leaplab.render.canvas import MARGIN, ROW
from leaplab.render.colours import index_colour

LABELS = ["background", "car", "road"]
# 40 x 20 pixels are shown 16 times as large.
HEIGHT = 320


def halves(left, right) -> Any:
    mask = np.full((20, 40), left, np.uint8)
    mask[:, 20:] = right
    return mask


def image(low=0.0, high=1.0) -> Any:
    """Dark, but for its first and second column."""
    picture = np.full((20, 40, 3), low, np.float32)
    picture[:, 0] = high
    picture[:, 1] = (low + high) / 2
    return picture


def swatch(pixels, place=0) -> Any:
    return tuple(pixels[HEIGHT + MARGIN + ROW // 2, MARGIN + 5 + place])


def test_region_is_tinted_by_its_label_s_colour_and_edged_in_it(draw):
    pixels, _ = draw(LeapImageMask(halves(1, 2), image(), LABELS))

    for column, edge, label in ((300, 319, 1), (340, 320, 2)):
        np.testing.assert_allclose(pixels[160, column], np.array(index_colour(label)) / 2, atol=1)
        assert tuple(pixels[160, edge]) == index_colour(label)
    assert swatch(pixels) == index_colour(1)


def test_background_leaves_the_image_clear(draw):
    pixels, _ = draw(LeapImageMask(halves(0, 1), image(), LABELS))

    np.testing.assert_array_equal(pixels[160, 300], 0)
    assert pixels[160, 8, 0] >= 254
    assert swatch(pixels) == (255, 255, 255)


@pytest.mark.parametrize("ends", [(0, 1), (-3, 5), (100, 200), (0, 255), (7, 7), (0, 1e-3)])
def test_image_of_any_range_is_stretched_as_the_platform_does(draw, ends):
    source = image(*ends)
    pixels, _ = draw(LeapImageMask(halves(0, 0), source, LABELS))

    shown = pixels[8:HEIGHT:16, 8::16].astype(int)
    np.testing.assert_allclose(shown, rescale_min_max(source).astype(int), atol=1)


def test_nan_and_infinity_stretch_nothing(draw):
    source = image(0, 1)
    source[0, 5], source[0, 6], source[0, 7] = np.nan, np.inf, -np.inf
    pixels, _ = draw(LeapImageMask(halves(0, 0), source, LABELS))

    assert [int(pixels[8, 16 * column + 8, 0]) for column in (5, 6, 7)] == [0, 254, 0]
    assert pixels[160, 8, 0] >= 254


def test_legend_names_what_occurs_with_its_share(draw, told):
    names, _ = told(masks)
    mask = halves(1, 9)
    mask[0, 0] = 2
    pixels, _ = draw(LeapImageMask(mask, image(), LABELS))

    assert tuple(pixels[160, 320]) == index_colour(9)
    assert names == ["car (50%)", "road (<1%)", "value 9, no label (50%)"]


def test_each_label_keeps_its_colour_whatever_else_occurs(draw):
    alone, _ = draw(LeapImageMask(halves(2, 2), image(), LABELS))
    beside, _ = draw(LeapImageMask(halves(1, 2), image(), LABELS))

    np.testing.assert_array_equal(alone[160, 600], beside[160, 600])


def test_grey_image_is_tinted_in_colour(draw):
    pixels, _ = draw(LeapImageMask(halves(1, 1), image()[..., :1], LABELS))

    np.testing.assert_allclose(pixels[160, 600], np.array(index_colour(1)) / 2, atol=1)


def test_mask_and_image_of_different_sizes_are_told(draw):
    with pytest.raises(LeaplabError, match=r"mask has shape \(20, 40\) and its image \(20, 20, 3\)"):
        draw(LeapImageMask(halves(0, 1), np.zeros((20, 20, 3), np.float32), LABELS))


def test_huge_mask_is_shrunk_to_values_that_occur(draw):
    mask = np.zeros((100, 5000), np.uint8)
    mask[:, 2500:] = 1
    pixels, _ = draw(LeapImageMask(mask, np.zeros((100, 5000, 1), np.uint8), LABELS))

    assert pixels.shape[1] == 1800
    assert tuple(pixels[18, 890]) == (0, 0, 0)
    assert tuple(pixels[18, 900]) == index_colour(1)


def test_a_page_is_told_the_legend_and_where_the_image_lies(draw):
    pixels, data = draw(LeapImageMask(halves(0, 2), image(), LABELS))

    assert (data["size"], data["area"]) == ([40, 20], [640, HEIGHT])
    assert pixels.shape[0] > HEIGHT
    assert data["legend"] == [
        {"text": "background (50%)", "colour": None},
        {"text": "road (50%)", "colour": "#{:02x}{:02x}{:02x}".format(*index_colour(2))},
    ]
