"""One entry: `render(visual)` for whatever a visualizer returned."""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from PIL import Image

from leaplab.errors import LeaplabError
from leaplab.protocol.inspection import Visual
from leaplab.render.audio import draw_audio
from leaplab.render.bars import draw_bars
from leaplab.render.boxes import draw_boxes
from leaplab.render.graph import draw_graph
from leaplab.render.heatmap import draw_heatmap
from leaplab.render.image import draw_image
from leaplab.render.masks import draw_mask
from leaplab.render.point_cloud import draw_point_cloud
from leaplab.render.text import draw_text, draw_text_mask
from leaplab.render.video import draw_video


@dataclass(frozen=True)
class Rendered:
    """A picture of a visualizer's object.

    Attributes:
        png: the encoded file.
        width, height: in pixels; neither is above 2048.
        data: what a page shows besides or instead: a bar chart's values, a video's `gif` and an audio's `wav` as data
            URIs, where in the picture an image lies, and the boxes on it; empty where the picture says all.
    """

    png: bytes
    width: int
    height: int
    data: dict[str, Any] = field(default_factory=dict)


Draw = Callable[[dict[str, Any]], tuple[Image.Image, dict[str, Any]]]
RENDERERS: dict[str, Draw] = {
    "Image": draw_image,
    "Text": draw_text,
    "Graph": draw_graph,
    "HorizontalBar": draw_bars,
    "ImageMask": draw_mask,
    "TextMask": draw_text_mask,
    "ImageWithBBox": draw_boxes,
    "ImageWithHeatmap": draw_heatmap,
    "Video": draw_video,
    "Audio": draw_audio,
    "PointCloud": draw_point_cloud,
}


def render(visual: Visual) -> Rendered:
    """Draw what a visualizer returned.

    Raises:
        LeaplabError: its type has no renderer, or its values cannot be drawn.
    """
    draw = RENDERERS.get(visual.type)
    if draw is None:
        raise LeaplabError(f"Visualizers of type {visual.type} are not drawn yet; {', '.join(RENDERERS)} are.")
    picture, data = draw(visual.fields)
    file = BytesIO()
    picture.save(file, format="PNG")
    return Rendered(file.getvalue(), picture.width, picture.height, data)
