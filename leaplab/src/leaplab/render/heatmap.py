"""LeapImageWithHeatmap."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.render.canvas import MARGIN, ROW, blank, cut, grid, numbers, plural, write
from leaplab.render.colours import Heat, heat_of, warmed
from leaplab.render.image import displayable, picture_of, resized, shown_size
from leaplab.render.legend import below, heat_bar

MOST_PANELS = 12
PANEL_WIDTH = 160  # the least that a label and a scale need


def draw_heatmap(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """One panel for each of `heatmaps` [N, H, W] over `image` [H, W, 1 or 3] in grey, with its label and scale.

    A map with both signs is red where it raises and blue where it lowers, scaled by its largest magnitude; others go
    from their smallest value, clear, to their largest, dark red. A map of another size is stretched over the image.

    Raises:
        LeaplabError: no image, or no heat-map of at least one pixel.
    """
    pixels = displayable(fields["image"])
    heatmaps = numbers(fields["heatmaps"], "The heat-maps")
    if heatmaps.ndim != 3 or 0 in heatmaps.shape:
        raise LeaplabError(f"Heat-maps of shape {heatmaps.shape} cannot be drawn; return [N, H, W], N at least 1.")
    shown = min(len(heatmaps), MOST_PANELS)
    most, readable = (1800, 512) if shown == 1 else (480, 320)
    size = shown_size(pixels.shape[0], pixels.shape[1], most, readable)
    grey = np.asarray(resized(picture_of(pixels, most), size).convert("L"), np.float64)[..., None]

    panels, unknown = [], 0
    for values, label in zip(heatmaps[:shown], fields["labels"], strict=False):
        heat = heat_of(values)
        unknown += heat.unknown
        panels.append(_panel(warmed(grey, stretched(heat, size)), heat, label))
    columns = next(count for count in (1, 2, 3, 4) if count == 4 or count * count >= shown)
    notes = []
    if shown < len(heatmaps):
        notes.append(f"The first {shown} of {plural(len(heatmaps), 'heat-map')} are drawn.")
    if unknown:
        notes.append(f"{plural(unknown, 'value')} NaN, without colour.")
    return below(grid(panels, columns), notes=notes), {}


def stretched(heat: Heat, size: tuple[int, int]) -> NDArray[np.float64]:
    """A heat-map's shares at another (width, height)."""
    fine = Image.fromarray(heat.share.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return np.asarray(fine, np.float64).clip(-1, 1)


def _panel(picture: NDArray[np.uint8], heat: Heat, label: Any) -> Image.Image:
    height, width = picture.shape[:2]
    sheet, draw = blank(max(width, PANEL_WIDTH), height + ROW + 4 + 22)
    write(draw, (MARGIN, 2 + ROW / 2), cut(label, sheet.width - 2 * MARGIN))
    sheet.paste(Image.fromarray(picture), (0, ROW + 4))
    if heat.low == heat.high:
        write(draw, (MARGIN, height + ROW + 15), f"everywhere {heat.low:.3g}")
    else:
        sheet.paste(heat_bar(heat, sheet.width), (0, height + ROW + 4))
    return sheet
