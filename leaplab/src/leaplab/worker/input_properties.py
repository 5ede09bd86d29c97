"""What leaplab itself says of the inputs of any integration, so that analyses know what a sample looks like."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.protocol.description import InputSpec
from leaplab.worker.area_means import area_means

Array = NDArray[Any]
IMAGE_PROPERTIES = ("brightness", "contrast", "saturation", "sharpness", "entropy", "border_share")
OTHER_PROPERTIES = ("mean", "spread", "zero_share", "length")
HASH = "hash"
THUMBNAIL_SIDE = 16
SMALLEST_IMAGE = 8
"""Pixels of an image's shorter side; what is smaller is no picture to look at."""
CHANNELS = (1, 3, 4)
BINS = 256
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue: ITU-R BT.601."""
WHOLE_SCALES = ((0.0, 1.0), (0.0, 255.0), (-1.0, 1.0), (0.0, 65535.0))
HASH_DIGITS = 32


@dataclass
class InputFacts:
    """Of B samples.

    Attributes:
        columns: property -> B values, None where there is none.
        thumbnails: input that is an image -> [B, 16, 16, C] uint8.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    thumbnails: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def only(self, rows: Sequence[int]) -> InputFacts:
        """Of some of the samples."""
        columns = {name: [values[row] for row in rows] for name, values in self.columns.items()}
        return InputFacts(columns, {name: small[list(rows)] for name, small in self.thumbnails.items()})


def input_facts(
    inputs: Mapping[str, Array], specs: Sequence[InputSpec], scales: Mapping[str, tuple[float, float]]
) -> InputFacts:
    """Properties of the inputs of a batch; each sample's are the same in any batch.

    Of an image, in shares of its scale: `brightness` and `contrast`, mean and standard deviation of its luma;
    `saturation`, the mean of (max - min) / max over red, green and blue, None where it has no colours; `sharpness`, the
    variance of the luma's Laplacian (the four neighbours less four times the pixel). `entropy`, in bits, of its luma in
    256 bins; `border_share`, the share of its area in outer rows and columns that have the colour of its upper left
    pixel throughout. Of another input: `mean` and `spread`, the standard deviation, of its values; `zero_share`, of
    those that are 0; `length`, up to the last entry along its first axis that is not all 0. Of all inputs together
    `hash`, equal where all their values are.

    Args:
        inputs: name -> [B, ...] float32, finite.
        specs: of these.
        scales: name -> the least and the greatest value of its scale, see `scale_of`.

    Returns:
        A property goes by its own name where there is one input, else by `INPUT_PROPERTY`.
    """
    facts = InputFacts()
    if not specs or not len(inputs[specs[0].name]):
        return facts
    for spec in specs:
        array = inputs[spec.name]
        prefix = f"{spec.name}_" if len(specs) > 1 else ""
        axis = channel_axis(spec)
        if axis is None:
            found = _other_properties(array)
        else:
            low, high = scales.get(spec.name, WHOLE_SCALES[0])
            planes = array if axis == 0 else np.ascontiguousarray(np.moveaxis(array, -1, 1))
            found, facts.thumbnails[spec.name] = _image_properties(planes, low, high)
        facts.columns.update({f"{prefix}{name}": values for name, values in found.items()})
    facts.columns[HASH] = input_hashes([inputs[spec.name] for spec in specs])
    return facts


def property_names(specs: Sequence[InputSpec]) -> dict[str, str]:
    """Property -> its type, of each that `input_facts` gives."""
    names: dict[str, str] = {}
    for spec in specs:
        prefix = f"{spec.name}_" if len(specs) > 1 else ""
        properties = OTHER_PROPERTIES if channel_axis(spec) is None else IMAGE_PROPERTIES
        names.update({f"{prefix}{name}": "int" if name == "length" else "float" for name in properties})
    return {**names, HASH: "string"} if names else {}


def channel_axis(spec: InputSpec) -> int | None:
    """Where a sample of an input has its channels, 0 or -1, if it is an image: two sides and 1, 3 or 4 channels."""
    if len(spec.shape) != 3:
        return None
    first = spec.channel_dim == 1
    for axis in (0, -1) if first else (-1, 0):
        sides = spec.shape[1:] if axis == 0 else spec.shape[:2]
        if spec.shape[axis] in CHANNELS and min(sides) >= SMALLEST_IMAGE:
            return axis
    return None


def scale_of(low: float, high: float) -> tuple[float, float]:
    """The scale that an input's values are on, told from the least and the greatest of some: [0, 1], [0, 255], [-1, 1],
    [0, 65535], or else as far from 0 either way as a power of two reaches.
    """
    for least, greatest in WHOLE_SCALES:
        if least <= low and high <= greatest:
            return least, greatest
    reach = float(2.0 ** np.ceil(np.log2(max(abs(low), abs(high)))))
    return -reach, reach


def _image_properties(planes: Array, low: float, high: float) -> tuple[dict[str, list[Any]], NDArray[np.uint8]]:
    """Of [B, C, H, W]."""
    # Every pass over all pixels costs as much as the next, so only what is small is brought to the scale.
    count, channels = planes.shape[:2]
    origin, span = np.float32(low), np.float32(high - low)
    saturation: list[Any] = [None] * count
    if channels == 1:
        luma = planes[:, 0] if origin == 0 else planes[:, 0] - origin
    else:
        red, green, blue = planes[:, 0], planes[:, 1], planes[:, 2]
        luma = np.float32(LUMA[0]) * red
        luma += np.float32(LUMA[1]) * green
        luma += np.float32(LUMA[2]) * blue
        if origin:
            luma -= origin
        greatest = np.maximum(np.maximum(red, green), blue)
        chroma = greatest - np.minimum(np.minimum(red, green), blue)
        if origin:
            greatest -= origin
        share = np.divide(chroma, greatest, out=np.zeros_like(chroma), where=greatest > 0)
        saturation = _means(share)
    if span != 1:
        luma = luma / span
    columns = {
        "brightness": _means(luma),
        "contrast": np.sqrt(_variances(luma)).tolist(),
        "saturation": saturation,
        "sharpness": _variances(_laplacian(luma)).tolist(),
        "entropy": _entropies(luma),
        "border_share": _border_shares(planes),
    }
    return columns, _thumbnails(planes, origin, span)


def _thumbnails(planes: Array, origin: Any, span: Any) -> NDArray[np.uint8]:
    rows = area_means(planes, 2, THUMBNAIL_SIDE)
    # Sums are fastest over values that lie side by side: the axis that is summed along must not be the last.
    small = area_means(np.ascontiguousarray(rows.transpose(3, 0, 2, 1)), 0, THUMBNAIL_SIDE)
    small -= origin
    small *= np.float32(255) / span
    np.rint(np.clip(small, 0, 255, out=small), out=small)
    return np.ascontiguousarray(small.transpose(1, 2, 0, 3).astype(np.uint8))


def _means(values: Array) -> list[Any]:
    return _listed(values.reshape(len(values), -1).mean(axis=1).astype(np.float64))


def _variances(values: Array) -> Array:
    flat = values.reshape(len(values), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat *= flat
    found: Array = flat.mean(axis=1).astype(np.float64)
    return found


def _laplacian(luma: Array) -> Array:
    found = np.float32(-4) * luma[:, 1:-1, 1:-1]
    for neighbour in (luma[:, :-2, 1:-1], luma[:, 2:, 1:-1], luma[:, 1:-1, :-2], luma[:, 1:-1, 2:]):
        found += neighbour
    return found


def _entropies(luma: Array) -> list[Any]:
    scaled = luma.reshape(len(luma), -1) * np.float32(BINS)
    levels = np.clip(scaled, 0, BINS - 1, out=scaled).astype(np.uint8)
    # One by one: numpy counts integers of 64 bits, and memory that is taken for a whole batch of these costs most.
    counts = np.array([np.bincount(row, minlength=BINS) for row in levels])
    shares = counts / levels.shape[1]
    return _listed(-(shares * np.log2(shares, out=np.zeros_like(shares), where=counts > 0)).sum(axis=1) + 0.0)


def _border_shares(planes: Array) -> list[Any]:
    height, width = planes.shape[2:]
    corner = planes[:, :, :1, :1]
    sides = (planes[:, :, :1], planes[:, :, -1:], planes[..., :1], planes[..., -1:])
    bordered = np.any([(side == corner).all(axis=(1, 2, 3)) for side in sides], axis=0)
    shares = np.zeros(len(planes))
    if bordered.any():
        differs: Array = (planes[bordered] != corner[bordered]).any(axis=1)
        inner = np.ones(len(differs))
        for axis in (2, 1):
            varied: Array = np.logical_or.reduce(
                differs, axis=axis
            )  # rows, then columns, that are not of the corner's colour throughout
            first, last = varied.argmax(axis=1), varied.shape[1] - varied[:, ::-1].argmax(axis=1)
            inner *= np.where(varied.any(axis=1), last - first, 0)
        shares[bordered] = 1 - inner / (height * width)
    return _listed(shares)


def _other_properties(array: Array) -> dict[str, list[Any]]:
    flat = array.reshape(len(array), -1)
    if not flat.shape[1]:
        return {name: [None] * len(array) for name in OTHER_PROPERTIES}
    entries: Array = flat != 0
    if array.ndim > 2:
        entries = np.bitwise_or.reduce(entries.reshape(len(array), array.shape[1], -1), axis=2)
    lengths = np.where(entries.any(axis=1), entries.shape[1] - entries[:, ::-1].argmax(axis=1), 0)
    return {
        "mean": _listed(flat.mean(axis=1, dtype=np.float64)),
        "spread": _listed(flat.std(axis=1, dtype=np.float64)),
        "zero_share": _listed(1 - np.count_nonzero(flat, axis=1) / flat.shape[1]),
        "length": lengths.tolist(),
    }


def input_hashes(arrays: Sequence[Array]) -> list[Any]:
    """[B] SHA-256 of all inputs of each sample, cut to 32 digits.

    Args:
        arrays: [B, ...] float32 of each input, in the order of their description.
    """
    digests = []
    for row in range(len(arrays[0]) if arrays else 0):
        digest = hashlib.sha256()
        for array in arrays:
            digest.update(np.ascontiguousarray(array[row]).data)
        digests.append(digest.hexdigest()[:HASH_DIGITS])
    return digests


def _listed(values: Array) -> list[Any]:
    found: list[Any] = values.tolist()
    return found
