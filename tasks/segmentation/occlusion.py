"""How much the objects of an image hide each other, as far as labels of what is visible can tell.

An object is occluded by another that covers at least a share of it. What there is of an object is not known where it is
hidden; it is taken to fill its box, or the convex hull of its mask. The hull is the better guess: boxes of slanting
objects that lie side by side overlap. Neither sees a whole end that is cut off straight.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vision.boxes import ioa
from vision.masks import Overlaps, areas, hulls

LEAST_SHARE = 0.05
"""Of an object's box or hull that another one covers to be said to occlude it: the outlines of neighbours overlap."""


class Occlusions(NamedTuple):
    """Occlusions in one image.

    Attributes:
        pairs: of an object and one that occludes it; two objects that occlude each other are two.
        mean: of an object; None where there is no object.
    """

    pairs: int
    mean: float | None


def occlusions_by_box(edges: NDArray[np.floating], least_share: float = LEAST_SHARE) -> Occlusions:
    """[N, 4] boxes: of an object's box, that of another covers at least this share."""
    return _counted(ioa(edges[:, np.newaxis], edges), least_share)


def occlusions_by_mask(masks: NDArray[np.bool_], least_share: float = LEAST_SHARE) -> Occlusions:
    """[N, H, W] masks: of the convex hull of an object's mask, the mask of another covers at least this share."""
    return _counted(Overlaps.between(hulls(masks), masks).ioa, least_share)


def occluded_shares(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[N, H, W] masks -> [N] in [0, 1]: of the convex hull of each, what all others cover; 0 for an empty mask."""
    whole = hulls(masks)
    covering = masks.sum(axis=0, dtype=np.int32)
    hidden = whole & (covering > masks)  # by another than itself
    return np.asarray(areas(hidden) / np.maximum(areas(whole), 1))


def _counted(shares: NDArray[np.floating], least_share: float) -> Occlusions:
    """[N, N] shares of each object that each other one covers; none occludes itself."""
    occludes = (shares >= least_share) & (shares > 0) & ~np.eye(len(shares), dtype=bool)
    pairs = int(occludes.sum())
    return Occlusions(pairs, pairs / len(shares) if len(shares) else None)
