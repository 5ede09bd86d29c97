from typing import Any

import numpy as np
import pytest
from code_loader.contract.visualizer_classes import LeapImageWithHeatmap

from leaplab.errors import LeaplabError
from leaplab.render import heatmap
from leaplab.render.canvas import ROW

TOP = ROW + 4  # of the picture, under its label


def grey(height=100, width=100) -> Any:
    return np.full((height, width, 3), 128, np.float32)


def thirds(*values, height=100, width=99) -> Any:
    return np.repeat(np.array(values, np.float32), width // 3)[None].repeat(height, axis=0)


def shades(pixels, left=0, side=500) -> Any:
    """Colours in the middle of the three thirds of a panel."""
    return [pixels[TOP + side // 2, left + round(side * place)].astype(int) for place in (1 / 6, 1 / 2, 5 / 6)]


def single(draw, values) -> Any:
    # 100 pixels are shown five times as large.
    return draw(LeapImageWithHeatmap(grey(), np.asarray(values, np.float32)[None], ["heat"]))[0]


def test_both_signs_are_red_and_blue_around_the_clear_zero(draw):
    raised, clear, lowered = shades(single(draw, thirds(2, 0, -2)))

    assert raised[0] > raised[2] + 80
    assert lowered[2] > lowered[0] + 60
    np.testing.assert_array_equal(clear, 128)


def test_signs_share_one_scale(draw):
    strong, _, weak = shades(single(draw, thirds(4, 0, -1)))
    alone = shades(single(draw, thirds(4, 0, -4)))[2]

    assert abs(weak - 128).sum() < abs(alone - 128).sum()
    assert strong[0] > strong[2] + 80


@pytest.mark.parametrize("values", [(0, 1, 2), (5, 6, 7), (-3, -2, -1)])
def test_one_sign_goes_from_clear_to_red(draw, values):
    low, middle, high = shades(single(draw, thirds(*values)))

    np.testing.assert_array_equal(low, 128)
    assert middle[0] - middle[2] > 20
    assert high[0] > high[2] + 80
    assert high.sum() < middle.sum()


def test_map_of_another_size_is_stretched_over_the_image(draw):
    pixels = single(draw, np.array([[1, -1], [0, 0]]))

    assert pixels[TOP + 60, 60].astype(int)[0] > pixels[TOP + 60, 60].astype(int)[2] + 60
    assert pixels[TOP + 60, 440].astype(int)[2] > pixels[TOP + 60, 440].astype(int)[0] + 60
    np.testing.assert_array_equal(pixels[TOP + 480, 60], 128)


def test_every_map_has_its_panel_in_order(draw):
    maps = np.stack([thirds(1, 0, 0), thirds(0, 1, 0), thirds(0, 0, 1)])
    pixels, _ = draw(LeapImageWithHeatmap(grey(), maps, ["a", "b", "c"]))
    # 100 pixels are shown three times as large; two panels a row, 12 pixels apart, 44 for label and scale.
    places = [(0, 0), (0, 312), (356, 0)]

    for number, (top, left) in enumerate(places):
        warm = [int(np.ptp(shade)) > 60 for shade in shades(pixels[top:], left, 300)]
        assert warm == [place == number for place in range(3)]


def test_nan_is_clear_and_told_and_infinity_is_the_end(draw, told):
    _, notes = told(heatmap)
    raised, clear, lowered = shades(single(draw, thirds(np.inf, np.nan, -np.inf)))
    np.testing.assert_array_equal([raised, clear, lowered], 128)
    values = thirds(np.inf, np.nan, -np.inf)
    values[0, 0], values[0, 1] = 1, -1
    raised, clear, lowered = shades(single(draw, values))

    assert raised[0] > raised[2] + 80
    assert lowered[2] > lowered[0] + 60
    np.testing.assert_array_equal(clear, 128)
    assert notes == ["3,300 values NaN, without colour."] * 2


def test_more_than_twelve_maps_are_told(draw, told):
    _, notes = told(heatmap)
    pixels, _ = draw(LeapImageWithHeatmap(grey(), np.ones((40, 3, 3), np.float32), ["x"] * 40))

    assert notes == ["The first 12 of 40 heat-maps are drawn."]
    assert max(pixels.shape) <= 2048


@pytest.mark.parametrize("shape", [(0, 4, 4), (1, 0, 4), (2, 4), (1, 4, 4, 1)])
def test_maps_that_are_none_are_told(draw, shape):
    with pytest.raises(LeaplabError, match=r"cannot be drawn; return \[N, H, W\]"):
        draw(LeapImageWithHeatmap(grey(), np.zeros(shape, np.float32), ["x"] * shape[0]))


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_image_that_is_none_is_told(draw, shape):
    with pytest.raises(LeaplabError, match=r"An image of shape .* cannot be drawn"):
        draw(LeapImageWithHeatmap(np.zeros(shape, np.float32), np.ones((1, 2, 2), np.float32), ["x"]))
