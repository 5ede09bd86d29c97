"""How columns go together: correlations with Fisher's interval, and which points of many are drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.aggregates import LEAST, scaled
from leaplab.analysis.charting.proportions import LEVEL

BLOCK = 1 << 15
"""Rows that are multiplied at once."""
FEWEST = 4
"""Pairs that Fisher's interval takes at least."""
SEED = 0


@dataclass(frozen=True)
class Correlations:
    """[a, b] each.

    Attributes:
        r: Pearson's; NaN where one of both is constant, or fewer than two rows have both.
        count: rows that have both.
    """

    r: NDArray[np.float64]
    count: NDArray[np.int64]


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's r of [n] finite pairs; NaN where one of both is constant."""
    if len(x) < 2 or (x == x[0]).all() or (y == y[0]).all():
        return float("nan")
    x, y = _centred(x), _centred(y)
    size = np.sqrt(x @ x) * np.sqrt(y @ y)
    return float(np.clip((x @ y) / size, -1, 1)) if size > 0 else float("nan")


def rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Spearman's correlation of [n] finite pairs; equal values share their ranks. NaN where one of both is constant."""
    return correlation(_ranks(x), _ranks(y))


def fisher_interval(r: float, count: int) -> tuple[float, float]:
    """The 95 % interval of Pearson's r of so many pairs by Fisher's z (1921); NaN for fewer than 4."""
    from scipy.special import ndtri

    if count < FEWEST or not np.isfinite(r):
        return float("nan"), float("nan")
    if abs(r) == 1:
        return r, r
    half = ndtri((1 + LEVEL) / 2) / np.sqrt(count - 3)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


def correlations(first: list[NDArray[np.float64]], second: list[NDArray[np.float64]] | None = None) -> Correlations:
    """Pearson's r of each column of the one with each of the other, of the rows that have both.

    Args:
        first: a columns of [n], not finite where absent.
        second: b columns; None takes `first`.
    """
    width = len(first)
    columns = [_centred(each) for each in [*first, *(second or ())]]
    left, right = slice(0, width), slice(0 if second is None else width, len(columns))
    shape = (width, width if second is None else len(second))
    count, product, sums, other_sums, squares, other_squares = np.zeros((6, *shape))
    for start in range(0, len(columns[0]) if columns else 0, BLOCK):
        block = np.stack([each[start : start + BLOCK] for each in columns])
        there = np.isfinite(block)
        if there.all():
            a, b = block[left], block[right]
            count += block.shape[1]
            product += a @ b.T
            sums += a.sum(axis=1)[:, None]
            other_sums += b.sum(axis=1)[None]
            squares += np.einsum("ij,ij->i", a, a)[:, None]
            other_squares += np.einsum("ij,ij->i", b, b)[None]
            continue
        filled, present = np.where(there, block, 0.0), there.astype(np.float64)
        a, b, has_a, has_b = filled[left], filled[right], present[left], present[right]
        count += has_a @ has_b.T
        product += a @ b.T
        sums += a @ has_b.T
        other_sums += has_a @ b.T
        squares += a**2 @ has_b.T
        other_squares += has_a @ (b**2).T
    some = np.maximum(count, 1)
    spread = np.maximum(squares - sums**2 / some, 0)
    other_spread = np.maximum(other_squares - other_sums**2 / some, 0)
    # What rounding leaves of a constant is no spread.
    known = (count > 1) & (spread > 1e-12 * squares) & (other_spread > 1e-12 * other_squares)
    size = np.sqrt(spread) * np.sqrt(other_spread)
    r = np.where(known, (product - sums * other_sums / some) / np.where(known, size, 1), np.nan)
    return Correlations(np.clip(r, -1, 1), count.astype(np.int64))


def drawn_of(series: NDArray[np.integer], most: int) -> NDArray[np.int64]:
    """Which of n points are drawn, ascending: all, or so many at random, of which each series has its share.

    Args:
        series: [n] of each point.
    """
    count = len(series)
    if count <= most:
        return np.arange(count)
    edges = np.arange(most + 1) * count // most
    # One of each of as many stretches: the rows of a series lie side by side.
    chosen = edges[:-1] + (np.random.default_rng(SEED).random(most) * np.diff(edges)).astype(np.int64)
    return np.sort(np.argsort(series.astype(np.int16), kind="stable")[chosen])


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less the mean of what is finite, and no further than 1 from it: products of far numbers lose their digits."""
    there = np.isfinite(values)
    present, _ = scaled(values if there.all() else values[there])
    if not len(present):
        return np.full(len(values), np.nan)
    present = np.asarray(present - present.mean())
    present /= max(float(np.abs(present).max()), LEAST)
    if len(present) == len(values):
        return present
    centred = np.full(len(values), np.nan)
    centred[there] = present
    return centred


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n] the mean rank of each value's equals."""
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(values)]]))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (sizes - 1) / 2, sizes)
    return ranks
