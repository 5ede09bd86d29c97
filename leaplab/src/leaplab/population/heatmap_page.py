"""A heat-map as a notebook shows it."""

import html
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.population.notebook import Picture

if TYPE_CHECKING:
    from leaplab.population.heatmap import Heatmap

SIDE, SMALL_SIDE = 280, 120
"""Pixels that one map, and one of many, is wide."""
RAISES, LOWERS = np.array((189.0, 31.0, 1.0)), np.array((31.0, 119.0, 180.0))
OPACITY = 0.75


def page_of_heatmap(answer: "Heatmap") -> str:
    """The map over the sample, one a class, and what it is of."""
    notices = "".join(f"<p>{html.escape(notice)}</p>" for notice in answer.notices)
    side = SIDE if len(answer.names) == 1 else SMALL_SIDE
    scale = float(np.nanmax(np.abs(answer.values), initial=0.0))
    pictures = ""
    shown = answer.values if answer.drawing is None else answer.drawing.values.astype(np.float64)
    for name, target, values in zip(answer.names, answer.targets, shown, strict=True):
        says = f"{name}: red raises it, blue lowers it"
        picture = Picture(_drawn(answer, values, scale, side), side, says).shown
        pictures += f"<figure>{picture}<figcaption>{html.escape(name)} {target:.3g}</figcaption></figure>"
    told = f"{answer.method}, {answer.baseline} for what is absent{f', at {answer.layer}' if answer.layer else ''}"
    head = f"<b>{html.escape(answer.of)}</b> of {html.escape(answer.state)}/{html.escape(answer.id)}"
    below = f"Red raises it, blue lowers it, by at most {scale:.3g} ({html.escape(told)})."
    return f'{head}<div style="display:flex;flex-wrap:wrap">{pictures}</div><p>{below}</p>{notices}'


def _drawn(answer: "Heatmap", values: NDArray[np.float64], scale: float, side: int) -> bytes:
    from PIL import Image

    share = np.nan_to_num(values) / (scale or 1.0)
    under = answer.drawing.picture if answer.drawing is not None else answer.picture if answer.is_image else None
    rows, columns = under.shape[:2] if under is not None else (max(1, side // 8), side)
    height = max(1, round(side * rows / columns))
    fine = Image.fromarray(share.astype(np.float32)).resize((side, height), Image.Resampling.BILINEAR)
    strength = np.asarray(fine, np.float64).clip(-1, 1)[..., None]
    base = np.full((height, side, 1), 255.0)
    if under is not None:
        low, high = float(under.min()), float(under.max())
        grey = (under.mean(axis=2) - low) / ((high - low) or 1.0) * 255
        base = np.asarray(Image.fromarray(grey.astype(np.uint8)).resize((side, height)), np.float64)[..., None]
    opacity = OPACITY * np.abs(strength)
    pixels = (1 - opacity) * base + opacity * np.where(strength >= 0, RAISES, LOWERS)
    file = BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(file, format="PNG")
    return file.getvalue()
