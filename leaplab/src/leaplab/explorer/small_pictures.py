"""Small pictures for a gallery, as WebP: of a whole sample, or of the objects that are cut out of it."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from leaplab.errors import MissingError
from leaplab.protocol.inspection import Mask, Visual
from leaplab.render.rendered import render

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 144
"""Pixels of the longer side."""
QUALITY = 80
AROUND = 0.08
"""What is shown around an object, as a share of its longer side."""
SAME_SHAPE = 0.01
"""How far the ratios of the sides of a mask and of an image may lie apart."""


def thumbnail_of(visual: Visual) -> bytes:
    """What a visualizer shows.

    Raises:
        LeaplabError: it cannot be drawn.
    """
    from PIL import Image

    return _small(Image.open(BytesIO(render(visual).png)).convert("RGB"))


def crops_of(visual: Visual, masks: Sequence[Mask]) -> dict[int, bytes]:
    """Each object cut out of the image that a visualizer shows, by its number.

    Raises:
        LeaplabError: the visualizer shows no image, or one of another shape than the masks.
    """
    from PIL import Image

    rendered = render(visual)
    if "area" not in rendered.data:
        raise MissingError(f"The visualizer '{visual.name}' shows no image, so that no object can be cut out of it.")
    width, height = rendered.data["area"]
    of_image = rendered.data["size"][0] / rendered.data["size"][1]
    image = Image.open(BytesIO(rendered.png)).convert("RGB")
    crops = {}
    for mask in masks:
        if abs(mask.size[0] / mask.size[1] / of_image - 1) > SAME_SHAPE:
            raise MissingError(
                f"The visualizer '{visual.name}' shows an image of another shape than the masks have, so that no object"
                " can be cut out of it."
            )
        left, top, right, bottom = (share * side for share, side in zip(mask.box, (width, height) * 2, strict=True))
        around = max(1.0, AROUND * max(right - left, bottom - top))
        upper_left = max(0, round(left - around)), max(0, round(top - around))
        lower_right = min(width, round(right + around)), min(height, round(bottom + around))
        crops[mask.number] = _small(image.crop((*upper_left, *lower_right)))
    return crops


def _small(image: "Image") -> bytes:
    from PIL.Image import Resampling

    scale = SIDE / max(image.size)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Resampling.BOX if scale < 0.5 else Resampling.BILINEAR)
    written = BytesIO()
    # Small pictures are magnified by the page, which shows what a lossy code does to single pixels.
    image.save(written, "WEBP", quality=QUALITY, lossless=max(image.size) <= SIDE // 2)
    return written.getvalue()
