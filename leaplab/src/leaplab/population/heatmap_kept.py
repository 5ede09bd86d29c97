"""A heat-map as an array, which is how answers are kept beside a run."""

import io
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.explaining import Drawing, Explanation


class _Kept(msgspec.Struct):
    """What is cached of an answer beside its arrays, as JSON."""

    names: tuple[str, ...]
    method: str
    layer: str
    baseline: str
    input: str
    is_image: bool
    notices: tuple[str, ...]
    visualizer: str


def packed(found: Explanation) -> NDArray[np.uint8]:
    """A heat-map without its means and the ground truth."""
    kept = _Kept(
        tuple(found.names),
        found.method,
        found.layer,
        found.baseline,
        found.input,
        found.is_image,
        tuple(found.notices),
        "" if found.drawing is None else found.drawing.visualizer,
    )
    told = np.frombuffer(msgspec.json.encode(kept), np.uint8)
    drawn = [] if found.drawing is None else [found.drawing.picture, found.drawing.values]
    return arrays_packed([told, *map(np.asarray, (found.targets, found.values, found.picture, *drawn))])


def unpacked(content: NDArray[np.uint8]) -> Explanation:
    """What `packed` was given."""
    told, targets, values, picture, *drawn = arrays_unpacked(content)
    kept = msgspec.json.decode(told.tobytes(), type=_Kept)
    return Explanation(
        kept.names,
        targets,
        values,
        kept.method,
        kept.layer,
        kept.baseline,
        kept.input,
        picture,
        kept.is_image,
        (),
        kept.notices,
        Drawing(kept.visualizer, *drawn) if drawn else None,
    )


def arrays_packed(arrays: list[NDArray[Any]]) -> NDArray[np.uint8]:
    """Some arrays as one, to be cached."""
    file = io.BytesIO()
    np.savez(file, *arrays)
    return np.frombuffer(file.getvalue(), np.uint8)


def arrays_unpacked(content: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """The arrays that `arrays_packed` was given."""
    with np.load(io.BytesIO(content.tobytes()), allow_pickle=False) as read:
        return [read[f"arr_{place}"] for place in range(len(read.files))]
