"""Heat-maps that leaplab computes: what raises a target in red, what lowers it in blue, over the sample in grey."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leaplab.render.canvas import MARGIN, ROW, blank, cut, grid, write
from leaplab.render.colours import LINE, MUTED, Heat, warmed, warmth
from leaplab.render.heatmap import stretched
from leaplab.render.image import picture_of, resized, shown_size
from leaplab.render.legend import below, heat_bar

Sign = Literal["raises", "lowers", "overlay"]
SIGNS: tuple[Sign, ...] = ("raises", "lowers", "overlay")
PANEL_WIDTH, STRIP_WIDTH, STRIP_HEIGHT = 160, 720, 120
ONE, MANY = 640, 196
"""Pixels of the longer side of a map that stands alone, and of one of many."""
COLUMNS = 5


@dataclass(frozen=True)
class Map:
    """One heat-map.

    Attributes:
        title: of its panel.
        values: [H, W], in the target's units; NaN has no colour.
    """

    title: str
    values: NDArray[np.float64]


def draw_overlay(
    picture: NDArray[np.float32] | None, maps: Sequence[Map], sign: Sign, notes: Sequence[str] = ()
) -> Image.Image:
    """Maps over a sample, all on one scale, which is that of the largest change of any.

    Args:
        picture: [H, W, 1, 3 or 4] of any range, of which the smallest value is drawn black and the largest white; None
            draws each map as bars, one an entry, of what has one row.
        maps: at least one.
        sign: what is drawn: what raises, what lowers, or both.
        notes: to stand below.
    """
    scale = max((float(np.nanmax(np.abs(each.values), initial=0.0)) for each in maps), default=0.0)
    panels = [_panel(picture, each, sign, scale, len(maps) > 1) for each in maps]
    return below(grid(panels, COLUMNS), notes=notes)


def draw_layer(values: NDArray[np.float64], size: tuple[int, int]) -> Image.Image:
    """A map alone, to lie over a picture: RGBA of (width, height), clear where nothing changes and where it is NaN.

    Args:
        values: [H, W], in the target's units; the largest change has the strongest colour.
    """
    shown = np.nan_to_num(values)
    scale = float(np.abs(shown).max(initial=0.0))
    heat = Heat(np.clip(shown / (scale or 1.0), -1, 1), -scale, scale, True, int(np.isnan(values).sum()))
    return Image.fromarray(warmth(stretched(heat, size)), "RGBA")


def _panel(picture: NDArray[np.float32] | None, each: Map, sign: Sign, scale: float, is_small: bool) -> Image.Image:
    shown = np.nan_to_num(each.values)
    shown = np.maximum(shown, 0) if sign == "raises" else np.minimum(shown, 0) if sign == "lowers" else shown
    heat = Heat(np.clip(shown / (scale or 1.0), -1, 1), -scale, scale, True, int(np.isnan(each.values).sum()))
    if picture is not None:
        drawn = _over(picture, heat, MANY if is_small else ONE)
    elif shown.shape[0] == 1:
        drawn = _bars(heat.share[0])
    else:
        drawn = _over(np.ones((*shown.shape, 1), np.float32), heat, MANY if is_small else ONE)
    sheet, draw = blank(max(drawn.width, PANEL_WIDTH), drawn.height + ROW + 4 + 22)
    write(draw, (MARGIN, 2 + ROW / 2), cut(each.title, sheet.width - 2 * MARGIN))
    sheet.paste(drawn, (0, ROW + 4))
    sheet.paste(heat_bar(heat, sheet.width), (0, drawn.height + ROW + 4))
    return sheet


def _over(picture: NDArray[np.float32], heat: Heat, most: int) -> Image.Image:
    low, high = float(picture.min()), float(picture.max())
    shares = (picture[..., :3] - low) / (high - low) if high > low else np.ones(picture[..., :3].shape)
    pixels = (shares * 255).round().astype(np.uint8)
    size = shown_size(pixels.shape[0], pixels.shape[1], most, most)
    grey = np.asarray(resized(picture_of(pixels, most), size).convert("L"), np.float64)[..., None]
    return Image.fromarray(warmed(grey, stretched(heat, size)))


def _bars(share: NDArray[np.float64]) -> Image.Image:
    """A bar an entry, up in red where it raises and down in blue where it lowers."""
    width = max(STRIP_WIDTH, len(share))
    sheet, draw = blank(width, STRIP_HEIGHT)
    middle, step = STRIP_HEIGHT / 2, width / len(share)
    colours = warmed(np.full((1, 1, 3), 255.0), share[None])[0]
    for place, (value, colour) in enumerate(zip(share.tolist(), colours.tolist(), strict=True)):
        ends = sorted((middle, middle - value * (middle - 4)))
        draw.rectangle((place * step, ends[0], max((place + 1) * step - 1, place * step), ends[1]), fill=tuple(colour))
    draw.line((0, middle, width, middle), fill=LINE)
    write(draw, (MARGIN, STRIP_HEIGHT - 8), "entry 1", MUTED)
    write(draw, (width - MARGIN, STRIP_HEIGHT - 8), f"entry {len(share):,}", MUTED, align="r")
    return sheet
