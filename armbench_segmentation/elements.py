"""The objects of a tote as samples of their own: element instances, by which single objects can be explored.

They are those of the ground truth, in its order: the objects that a model is to find, as many as it has rows.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from code_loader.contract.datasetclasses import ElementInstance
from numpy.typing import NDArray

from armbench_segmentation.data.coco import Instances
from armbench_segmentation.encoders import masks, taught
from tasks.detection.encoders import Layout
from tasks.segmentation.occlusion import occluded_shares

METADATA_TYPES = {"category": str, "area_share": float, "occluded_share": float, "touches_border": bool}
"""The keys of an element's metadata, and the types of their values."""


def element(
    instances: Instances, number: int, labels: Sequence[str], container: int | None, size: int, layout: Layout
) -> ElementInstance:
    """One object: named by its label, with its mask in the shape of the model's input.

    Args:
        instances: of the image.
        number: of the object, a row of the ground truth.
        container: class index of totes.
        size: of the model's input.

    Returns:
        The mask is [size, size, 3] float32, 0 or 1, or [3, size, size] where the layout is NCHW. Metadata: `category`;
        `area_share`, of the image; `occluded_share`, see `tasks.segmentation.occlusion`, None for a tote, which is
        there to be covered; `touches_border`, whether it has a pixel at the image's border.
    """
    found = taught(instances)
    one = found.chosen(np.arange(len(found)) == number)
    (mask,) = masks(one, size, 1, 1)
    width, height = found.size
    left, top, right, bottom = one.edges[0]
    label = labels[int(one.classes[0])]
    occluded = float(_occluded(instances, container, size)[number])
    metadata = {
        "category": label,
        "area_share": float(one.areas[0] / (width * height)),
        "occluded_share": None if np.isnan(occluded) else occluded,
        "touches_border": bool(left == 0 or top == 0 or right == width or bottom == height),
    }
    axis = -1 if layout == "NHWC" else 0
    return ElementInstance(label, np.repeat(np.expand_dims(mask, axis), 3, axis=axis), metadata)


# The elements of an image are asked for one after the other, and each share takes the masks of all.
@lru_cache(maxsize=1)
def _occluded(instances: Instances, container: int | None, size: int) -> NDArray[np.float64]:
    """[N] of those of the ground truth; NaN for a tote."""
    found = taught(instances)
    is_content = np.ones(len(found), bool) if container is None else found.classes != container
    content = found.chosen(is_content)
    shares = np.full(len(found), np.nan)
    shares[is_content] = occluded_shares(masks(content, size, 1, len(content)).astype(bool))
    return shares
