"""Samples that are there more than once: exact copies, and the same picture encoded anew or moved a little."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOVED = (0.15, 0.2)
"""The most that two pictures may differ in form, and after the best shift, where one may be moved against the other."""
ENCODED = (0.3, 0.05)
"""The same where one is as good as the other but for the noise of an encoder."""
FREQUENCIES = 4
"""Cycles along a side, at most: what a shift of a pixel and JPEG leave as it is."""
SHIFTS = np.arange(-1.5, 1.51, 0.125)
"""That are tried, in sixteenths of a side."""
STEPS = np.array([*range(FREQUENCIES + 1), *range(-FREQUENCIES, 0)])
"""Frequencies down a picture, as the transform has them; along it there are those from 0 on."""
WEIGHTS = np.outer(np.ones(len(STEPS), np.float32), [1, *[2] * FREQUENCIES]).astype(np.float32)
"""How often a coefficient stands in the whole spectrum; the mean does not count."""
WEIGHTS[0, 0] = 0
BLOCK = 500
"""Rows or pairs at once: what lies in the processor's cache."""


@dataclass(frozen=True)
class Duplicates:
    """Which of n samples are there more than once.

    Attributes:
        copies: [n] int64, equal where all inputs are equal, and only there.
        first: [p] of pairs that are near-duplicates, without those that are exact.
        second: [p] each above its `first`.
        similarity: [p] cosine of the two latent vectors.
    """

    copies: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float64]


@dataclass(frozen=True)
class Grouped:
    """Duplicates among some of the samples.

    Attributes:
        rows: [k] samples that have one among them, ascending.
        groups: [k] the group of each, from 0; what is linked by any chain of pairs is one.
        similarity: [k] to the nearest duplicate; 1 where one is exact.
        exact_pairs: how many pairs of equal inputs there are.
        near_pairs: how many others.
    """

    rows: NDArray[np.int64]
    groups: NDArray[np.int64]
    similarity: NDArray[np.float64]
    exact_pairs: int
    near_pairs: int


def find_duplicates(
    count: int,
    hashes: NDArray[np.object_] | None = None,
    rows: NDArray[np.int64] | None = None,
    vectors: NDArray[np.floating] | None = None,
    neighbours: NDArray[np.int64] | None = None,
    thumbnails: Mapping[str, NDArray[np.uint8]] | None = None,
) -> Duplicates:
    """Exact copies by the hash of their inputs, near ones among the nearest in latent space, judged on the pictures.

    A pair of neighbours is a near-duplicate where their pictures differ in form by far less than those of their other
    neighbours: the distance of the magnitudes of the pictures' low spatial frequencies, which a shift leaves alone, is
    below a share of its median over the neighbours of either; and where what is left after the best shift (found from
    the phases: Kuglin and Hines, "The phase correlation image alignment method", 1975) is small against the contrast.
    So digits that merely look alike, as their many neighbours do, are none.
    What it cannot tell: near copies of a picture of which more than ten lie among its neighbours, and, in pictures that
    differ in two or three properties alone (simple renders, frames of a camera at rest), copies from their like.

    Args:
        count: n.
        hashes: [n] texts, equal where all inputs are; what is no text is equal to none. None: exact ones are not found.
        rows: [m] samples with a latent vector. None, or no thumbnails: near ones are not found.
        vectors: [m, W] their vectors.
        neighbours: [m, k] the nearest others of each, as places from 0 to m - 1.
        thumbnails: input -> [n, 16, 16, C] uint8.
    """
    copies = _copies(count, hashes)
    none = np.zeros(0, np.int64)
    if rows is None or vectors is None or neighbours is None or not thumbnails or not neighbours.shape[1]:
        return Duplicates(copies, none, none, np.zeros(0))
    pictures = [_Spectra.of(thumbnails[name][rows]) for name in sorted(thumbnails)]
    signatures = np.concatenate([picture.signatures for picture in pictures], axis=1)
    distances = _distances(signatures, neighbours)
    distances[copies[rows][neighbours] == copies[rows][:, None]] = np.inf
    middles = _middles(distances)
    limits = max(MOVED[0], ENCODED[0]) * np.minimum(middles[:, None], middles[neighbours])
    here, place = np.nonzero((distances <= limits) & (limits > 0))
    there = neighbours[here, place]
    pairs = np.unique(np.stack([np.minimum(here, there), np.maximum(here, there)], axis=1), axis=0)
    blocks = [pairs[at : at + BLOCK] for at in range(0, len(pairs), BLOCK)]
    pairs = np.concatenate([pairs[:0], *(block[_is_same(pictures, signatures, middles, block)] for block in blocks)])
    first, second = pairs[:, 0], pairs[:, 1]
    return Duplicates(copies, rows[first], rows[second], _cosines(vectors, first, second))


def group(duplicates: Duplicates, among: NDArray[np.bool_], apart: NDArray[np.bool_] | None = None) -> Grouped:
    """The duplicates among some samples.

    Args:
        among: [n] which samples.
        apart: [n] others; only pairs of one of `among` and one of these count. None: pairs within `among` count.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n = len(among)
    first, second, copies = duplicates.first, duplicates.second, duplicates.copies
    if apart is None:
        linked = among[first] & among[second]
        sizes = np.bincount(copies[among], minlength=n)
        exact_pairs = int((sizes * (sizes - 1) // 2).sum())
        is_copy = among & (sizes[copies] > 1)
    else:
        linked = (among[first] & apart[second]) | (apart[first] & among[second])
        here, there = (np.bincount(copies[side], minlength=n) for side in (among, apart))
        exact_pairs = int((here * there).sum())
        is_copy = (among | apart) & (here[copies] * there[copies] > 0)
    similarity = np.where(is_copy, 1.0, -np.inf)
    for side in (first, second):
        np.maximum.at(similarity, side[linked], duplicates.similarity[linked])
    copied = np.flatnonzero(is_copy)
    # Copies hang on a node of their own each, behind the samples' n.
    left, right = np.concatenate([first[linked], copied]), np.concatenate([second[linked], n + copies[copied]])
    edges = coo_array((np.ones(len(left)), (left, right)), shape=(2 * n, 2 * n))
    components = connected_components(edges, directed=False)[1][:n]
    rows = np.flatnonzero(np.isfinite(similarity))
    groups = np.unique(components[rows], return_inverse=True)[1].astype(np.int64)
    return Grouped(rows, groups, similarity[rows], exact_pairs, int(linked.sum()))


def _copies(count: int, hashes: NDArray[np.object_] | None) -> NDArray[np.int64]:
    if hashes is None:
        return np.arange(count)
    texts = [value if isinstance(value, str) and value else row for row, value in enumerate(hashes.tolist())]
    codes: dict[str | int, int] = {}
    return np.array([codes.setdefault(text, len(codes)) for text in texts], np.int64).reshape(count)


@dataclass(frozen=True)
class _Spectra:
    """The low spatial frequencies of m pictures.

    Attributes:
        coefficients: [m, 9, 5] complex64, of their mean over the channels.
        signatures: [m, D] float32: their magnitudes, and what each channel's mean is beside that of all.
        contrasts: [m] the length of the coefficients, but for the mean.
    """

    coefficients: NDArray[np.complex64]
    signatures: NDArray[np.float32]
    contrasts: NDArray[np.float32]

    @classmethod
    def of(cls, pictures: NDArray[np.uint8]) -> "_Spectra":
        """Of [m, 16, 16, C]."""
        parts, colours = [], []
        for at in range(0, len(pictures), BLOCK):
            block = pictures[at : at + BLOCK].astype(np.float32)
            grey = block.mean(axis=3)
            spectrum = np.fft.rfft2(grey) / (grey.shape[1] * grey.shape[2])
            parts.append(spectrum[:, STEPS][:, :, : FREQUENCIES + 1].astype(np.complex64))
            colours.append(block.mean(axis=(1, 2)) - grey.mean(axis=(1, 2))[:, None])
        coefficients = np.concatenate(parts)
        flat = np.abs(coefficients).reshape(len(coefficients), -1)
        contrasts = np.sqrt((WEIGHTS * np.abs(coefficients) ** 2).sum(axis=(1, 2)))
        return cls(coefficients, np.concatenate([flat, np.concatenate(colours)], axis=1), contrasts)

    def residuals(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """[p] of pairs, what is left between them after the best shift, as a share of their contrast."""
        down = np.exp(-2j * np.pi * STEPS[:, None] * SHIFTS / 16).astype(np.complex64)
        along = down[: FREQUENCIES + 1]
        crossed = self.coefficients[first].conj() * self.coefficients[second] * WEIGHTS
        matched = ((crossed.transpose(0, 2, 1) @ down).transpose(0, 2, 1) @ along).real
        best = matched.reshape(len(first), -1).max(axis=1)
        one, other = self.contrasts[first].astype(np.float64), self.contrasts[second].astype(np.float64)
        left = np.sqrt(np.maximum(one**2 + other**2 - 2 * best, 0))
        scale = np.sqrt(one * other)
        # Pictures without contrast are told apart by their means, which the signatures hold.
        return np.asarray(np.divide(left, scale, out=np.where(left > 0, np.inf, 0.0), where=scale > 0))


def _distances(signatures: NDArray[np.float32], neighbours: NDArray[np.int64]) -> NDArray[np.float64]:
    """[m, k] of each to its neighbours."""
    found = np.empty(neighbours.shape)
    for at in range(0, len(signatures), BLOCK):
        part = slice(at, at + BLOCK)
        found[part] = np.linalg.norm(signatures[part, None] - signatures[neighbours[part]], axis=2)
    return found


def _middles(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """[m] the median of each row's finite values, the lower one of two; 0 where there is none."""
    finite = np.isfinite(distances).sum(axis=1)
    middles = np.sort(distances, axis=1)[np.arange(len(distances)), np.maximum(finite - 1, 0) // 2]
    return np.where(finite > 0, middles, 0)


def _is_same(
    pictures: list[_Spectra], signatures: NDArray[np.float32], middles: NDArray[np.float64], pairs: NDArray[np.int64]
) -> NDArray[np.bool_]:
    first, second = pairs[:, 0], pairs[:, 1]
    apart = np.linalg.norm(signatures[first] - signatures[second], axis=1)
    forms = apart / np.minimum(middles[first], middles[second])
    residuals = np.max([picture.residuals(first, second) for picture in pictures], axis=0)
    found = [(forms <= form) & (residuals <= residual) for form, residual in (MOVED, ENCODED)]
    return np.asarray(found[0] | found[1])


def _cosines(vectors: NDArray[np.floating], first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    one, other = vectors[first].astype(np.float64), vectors[second].astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    products = np.einsum("pw,pw->p", one, other)
    return np.asarray(np.clip(np.divide(products, lengths, out=np.zeros(len(one)), where=lengths > 0), -1, 1))
