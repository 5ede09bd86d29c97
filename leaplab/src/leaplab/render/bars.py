"""LeapHorizontalBar."""

from typing import Any

import numpy as np
from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.render.canvas import MARGIN, blank, cut, numbers, write
from leaplab.render.colours import INK, MUTED

ROW, LABEL, BAR, VALUE = 22, 130, 240, 60
# The page's own bars have these colours.
FILL, TRUTH = (76, 120, 168), (245, 133, 24)
MAX_ROWS = 50


def draw_bars(fields: dict[str, Any]) -> tuple[Image.Image, dict[str, Any]]:
    """`body` [C] as bars beside `labels`, with a frame where the ground truth `gt` [C] is.

    More than 50 bars: the largest, in their order. Bars start at zero: a negative value or NaN has none, infinity
    fills its row.

    Raises:
        LeaplabError: there are not as many labels as values.
    """
    values = numbers(fields["body"], "The bar chart").reshape(-1)
    labels = [str(label) for label in fields["labels"]]
    truth = None if fields.get("gt") is None else numbers(fields["gt"], "The bar chart's ground truth").reshape(-1)
    if len(labels) != len(values) or (truth is not None and len(truth) != len(values)):
        raise LeaplabError(
            f"A bar chart has {len(values)} values and {len(labels)} labels"
            + ("" if truth is None else f" and {len(truth)} ground-truth values")
            + "; return as many of each."
        )
    data = {
        # What UTF-8 cannot say no page can show.
        "labels": [label.encode("utf-8", "replace").decode("utf-8") for label in labels],
        "values": _json_numbers(values),
        "ground_truth": None if truth is None else _json_numbers(truth),
    }
    rows = np.arange(len(values))
    if len(rows) > MAX_ROWS:
        shown = np.argsort(-np.nan_to_num(values), kind="stable")[:MAX_ROWS]
        rows = np.sort(shown)
    finite = values[np.isfinite(values)]
    scale = max(1.0, float(finite.max())) if finite.size else 1.0

    picture, draw = blank(LABEL + BAR + VALUE + 2 * MARGIN, ROW * len(rows) + 2 * MARGIN)
    for place, row in enumerate(rows):
        top = MARGIN + place * ROW
        left = MARGIN + LABEL
        is_truth = truth is not None and truth[row] > 0
        write(draw, (left - 8, top + ROW / 2), cut(labels[row], LABEL - 8), INK if is_truth else MUTED, align="r")
        length = BAR * min(max(np.nan_to_num(values[row], posinf=scale), 0.0) / scale, 1.0)
        if length >= 1:
            draw.rectangle((left, top + 4, left + length, top + ROW - 5), fill=FILL)
        if is_truth:
            draw.rectangle((left, top + 2, left + BAR, top + ROW - 3), outline=TRUTH, width=2)
        write(draw, (left + BAR + 8, top + ROW / 2), f"{values[row]:.3g}")
    return picture, data


def _json_numbers(values: Any) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
