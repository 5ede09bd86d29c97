"""How heat-maps are drawn: red raises, blue lowers, one scale for all, and no colour where nothing is known."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaplab.render.colours import warmed
from leaplab.render.heatmap_overlay import Map, Sign, draw_layer, draw_overlay

GREY = np.full((8, 8, 3), 0.5, np.float32)
GREY[0, 0], GREY[7, 7] = 0, 1
"""A picture whose smallest value is black and whose largest is white."""
VALUES = np.array([[4.0, 0.0], [-2.0, np.nan]])
HEAD = 22
"""Pixels above the picture."""


def drawn(picture: Any, maps: list[Map], sign: Sign) -> Any:
    return np.asarray(draw_overlay(picture, maps, sign).convert("RGB"), int)


def tint(colour: Any) -> int:
    """How much redder than blue."""
    return int(colour[0] - colour[2])


@pytest.mark.parametrize(
    ("sign", "raising", "lowering"), [("overlay", True, True), ("raises", True, False), ("lowers", False, True)]
)
def test_red_raises_and_blue_lowers(sign: Sign, raising: bool, lowering: bool) -> None:
    pixels = drawn(GREY, [Map("loss", np.repeat(np.repeat(VALUES, 4, axis=0), 4, axis=1))], sign)
    side = 640
    cell = {(row, column): pixels[HEAD + side // 4 + row * side // 2, side // 4 + column * side // 2] for row in (0, 1)
            for column in (0, 1)}  # fmt: skip
    assert (tint(cell[0, 0]) > 60) == raising
    assert (tint(cell[1, 0]) < -30) == lowering
    for clear in (cell[0, 1], cell[1, 1]):
        assert np.ptp(clear) <= 2
        assert abs(int(clear[0]) - 128) <= 2


def test_maps_of_several_classes_share_their_scale() -> None:
    strong, weak = (np.full((4, 4), value) for value in (8.0, 1.0))
    pixels = drawn(GREY, [Map("one", strong), Map("other", weak)], "overlay")
    panel = 192
    colours = [pixels[HEAD + panel // 2, place] for place in (panel // 2, panel + 12 + panel // 2)]
    assert tint(colours[0]) > 2 * tint(colours[1]) > 0


def test_entries_are_bars_up_and_down() -> None:
    pixels = drawn(None, [Map("price", np.array([[1.0, -1.0, 0.0]]))], "overlay")
    coloured = np.abs(pixels[HEAD : HEAD + 120, :, 0] - pixels[HEAD : HEAD + 120, :, 2]) > 60
    third = coloured.shape[1] // 3
    first, second, last = (coloured[:, place * third + 20 : (place + 1) * third - 20] for place in range(3))
    assert first[:60].any()
    assert not first[62:].any()
    assert second[62:].any()
    assert not second[:58].any()
    assert not last.any()


def test_a_map_that_is_flat_everywhere_leaves_the_picture_grey() -> None:
    picture = draw_overlay(GREY, [Map("loss", np.zeros((2, 2)))], "overlay", ["What it is of."])
    assert isinstance(picture, Image.Image)
    pixels = np.asarray(picture.convert("RGB"), int)[HEAD : HEAD + 640, :640]
    assert np.ptp(pixels, axis=2).max() <= 2


def test_a_layer_is_clear_where_nothing_changes_and_over_grey_it_is_the_overlay() -> None:
    values = np.array([[2.0, 0.0, -1.0, np.nan]])
    layer = np.asarray(draw_layer(values, (4, 1)), np.float64)
    assert layer.shape == (1, 4, 4)
    assert layer[0, :, 3].tolist()[1] == layer[0, :, 3].tolist()[3] == 0
    assert layer[0, 0, 0] > layer[0, 0, 2], "what raises is red"
    assert layer[0, 2, 2] > layer[0, 2, 0], "what lowers is blue"
    assert layer[0, 0, 3] > layer[0, 2, 3] > 0, "more is denser"
    grey = np.full((1, 4, 1), 100.0)
    share = layer[..., 3:] / 255
    over = grey * (1 - share) + layer[..., :3] * share
    np.testing.assert_allclose(over, warmed(grey, np.nan_to_num(values) / 2), atol=1)
