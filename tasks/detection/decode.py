"""A detector's output -> what it says is there."""

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from tasks.detection.detections import Detections
from tasks.detection.suppression import suppress
from vision.boxes import Boxes

Share = Annotated[float, Meta(ge=0, le=1)]


class Decoding(Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the rows count.

    Attributes:
        least_score: confidence below which a row says nothing.
        suppression_iou: of two boxes of a class that overlap by more, the less confident one goes.
        most: detections kept an image, the most confident ones.
    """

    least_score: Share
    suppression_iou: Share
    most: Annotated[int, Meta(ge=1)]


class Decoded(NamedTuple):
    """One image's detections, the most confident first, and the row of the output that each of them comes from, [K]."""

    detections: Detections
    rows: NDArray[np.intp]


def decode(
    prediction: NDArray[np.floating], classes: int, decoding: Decoding, height: int, width: int
) -> list[Decoded]:
    """The detections of each image of a batch.

    A row says one thing, its most probable class, with the confidence objectness times that class's probability. Boxes
    are clipped to the input. A row that holds anything but finite numbers, or a box without an area, says nothing.

    Args:
        prediction: [B, N, 5 + classes or more] of any float type: (centre x, centre y, width, height in pixels of the
            input, objectness, probabilities of the classes), the layout of YOLOv7's export.
        height: of the input in pixels.
        width: of the input in pixels.

    Raises:
        ValueError: the prediction has fewer columns.
    """
    if prediction.shape[-1] < 5 + classes:
        raise ValueError(
            f"The model gives {prediction.shape[-1]} columns a row, but a box, an objectness and {classes} classes "
            f"make {5 + classes}."
        )
    return [_decode_image(rows, classes, decoding, height, width) for rows in prediction[..., : 5 + classes]]


def _decode_image(
    prediction: NDArray[np.floating], classes: int, decoding: Decoding, height: int, width: int
) -> Decoded:
    # No class is more probable than 1, so what is unlikely to be anything needs no second look. NaN is not above it.
    rows = np.flatnonzero(prediction[:, 4] >= decoding.least_score)
    rows = rows[np.isfinite(prediction[rows]).all(axis=1)]
    chosen = prediction[rows].astype(np.float32)
    label = chosen[:, 5:].argmax(axis=1)
    score = chosen[:, 4] * np.take_along_axis(chosen[:, 5:], label[:, np.newaxis], axis=1)[:, 0]
    edges = Boxes.from_centre_and_size(chosen[:, :4].astype(np.float64)).clipped(width, height)
    # A negative size crosses the edges; clipping may leave nothing of a box.
    says = (score >= decoding.least_score) & (edges.sizes > 0).all(axis=1)
    candidates = Detections(edges.edges[says], label[says], score[says])
    kept = suppress(candidates, decoding.suppression_iou, decoding.most)
    return Decoded(candidates[kept], rows[says][kept])
