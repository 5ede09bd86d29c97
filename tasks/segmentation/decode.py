"""A segmenter's outputs -> the objects that it says are there, with their masks."""

import numpy as np
from numpy.typing import NDArray

from tasks.detection.decode import Decoding, decode
from tasks.segmentation.instances import MaskedDetections

MASK_THRESHOLD = 0.5
"""A pixel that is more probable than this belongs to the object: YOLACT's and YOLOv5's."""


def decode_instances(
    prediction: NDArray[np.floating],
    prototypes: NDArray[np.floating],
    classes: int,
    decoding: Decoding,
    height: int,
    width: int,
) -> list[MaskedDetections]:
    """The detections of each image of a batch, the most confident first, with their masks.

    Args:
        prediction: [B, N, 5 + classes + K] of any float type: as in `tasks.detection.decode`, and K coefficients.
        prototypes: [B, K, h, w] of any float type.
        height: of the input in pixels.
        width: of the input in pixels.
    """
    found = []
    decoded = decode(prediction, classes, decoding, height, width)
    for rows, sample_prototypes, (detections, kept) in zip(prediction, prototypes, decoded, strict=True):
        masks = assembled(rows[kept, 5 + classes :], sample_prototypes, detections.edges, height, width)
        found.append(MaskedDetections(detections.edges, detections.classes, detections.scores, masks))
    return found


def assembled(
    coefficients: NDArray[np.floating],
    prototypes: NDArray[np.floating],
    edges: NDArray[np.floating],
    height: int,
    width: int,
    threshold: float = MASK_THRESHOLD,
) -> NDArray[np.bool_]:
    """Masks from what they have in common: sigmoid(coefficients @ prototypes), cut at the box, above the threshold.

    Bolya et al., "YOLACT: real-time instance segmentation", ICCV 2019, equation 1 and section 3.3. A pixel lies in the
    box if its middle does.

    Args:
        coefficients: [P, K]; a row that is not finite makes an empty mask.
        prototypes: [K, h, w].
        edges: [P, 4] boxes in pixels of the input.
        height: of the input in pixels.
        width: of the input in pixels.
        threshold: in (0, 1).

    Returns:
        [P, h, w] bool.
    """
    rows, columns = prototypes.shape[1:]
    flat = prototypes.reshape(len(prototypes), -1).astype(np.float32)
    logits = np.zeros((len(coefficients), rows * columns), np.float32)
    # What the prototypes have that is not finite becomes NaN or stays infinite: outside, or as sure as can be.
    usable = np.isfinite(coefficients).all(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        logits[usable] = coefficients[usable].astype(np.float32) @ flat
    # Before the sigmoid, which keeps the order: it is the dear part.
    above = (logits > np.log(threshold / (1 - threshold))) & usable[:, np.newaxis]
    x, y = (np.arange(columns) + 0.5) * (width / columns), (np.arange(rows) + 0.5) * (height / rows)
    left, top, right, bottom = edges.T[:, :, np.newaxis]
    in_columns, in_rows = (left <= x) & (x < right), (top <= y) & (y < bottom)
    return np.asarray(above.reshape(-1, rows, columns) & in_rows[:, :, np.newaxis] & in_columns[:, np.newaxis])
