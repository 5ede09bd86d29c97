"""One number of each group of samples, with its 95 % interval."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.proportions import LEVEL, wilson
from leaplab.errors import QuestionError

LEAST, GREATEST = 1e-100, 1e100
"""Sizes of numbers whose squares are doubles, and so are sums of them."""
PLAIN = ("mean", "median", "count", "share", "sum", "min", "max")
_QUANTILE = re.compile(r"quantile:(0?\.\d+|0|1|1\.0*|0\.0*)")


@dataclass(frozen=True)
class Aggregated:
    """[g] each.

    Attributes:
        count: samples of the group that have a value.
        value: NaN where the group has none.
        low, high: of the interval; NaN where there is none.
    """

    count: NDArray[np.int64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def require_aggregate(name: str) -> str:
    """The aggregate itself.

    Raises:
        QuestionError: there is none of that name.
    """
    if name not in PLAIN and _QUANTILE.fullmatch(name) is None:
        raise QuestionError(
            f"There is no aggregate '{name}'; there are {', '.join(PLAIN)} and quantile:Q, Q of 0 to 1."
        )
    return name


def aggregated(name: str, codes: NDArray[np.integer], values: NDArray[np.float64], groups: int) -> Aggregated:
    """An aggregate of each group's values.

    Args:
        name: one of `PLAIN`, or `quantile:Q`. A share is that of ones.
        codes: [n] group of each sample, -1 for one in none.
        values: [n] not finite where absent.
        groups: number of groups, g.

    Raises:
        QuestionError: there is no such aggregate, or a share is asked for of other values than 0 and 1.
    """
    kept = (codes >= 0) & np.isfinite(values)
    if not kept.all():
        codes, values = codes[kept], values[kept]
    quantile = _QUANTILE.fullmatch(require_aggregate(name))
    if name == "median" or quantile is not None:
        return quantiles(codes, values, groups, 0.5 if quantile is None else float(quantile[1]))
    if name == "count":
        return counts(codes, groups)
    if name == "sum":
        return _without_interval(codes, groups, np.bincount(codes, values, minlength=groups).astype(np.float64))
    if name in ("min", "max"):
        extreme = np.full(groups, np.inf if name == "min" else -np.inf)
        (np.minimum if name == "min" else np.maximum).at(extreme, codes, values)
        return _without_interval(codes, groups, extreme)
    if is_truth(values):
        count = np.bincount(codes, minlength=groups).astype(np.int64)
        return Aggregated(count, *wilson(np.bincount(codes, values, minlength=groups), count))
    if name == "share":
        raise QuestionError("A share of a number is that of ones, and these are not 0 and 1; take another aggregate.")
    return means(codes, values, groups)


def is_truth(values: NDArray[np.float64]) -> bool:
    """Whether all values are 0 or 1."""
    return bool(((values == 0) | (values == 1)).all())


def counts(codes: NDArray[np.integer], groups: int) -> Aggregated:
    """How many samples each group has.

    Args:
        codes: [n] group of each sample, -1 for one in none.
        groups: number of groups, g.
    """
    count = np.bincount(codes[codes >= 0], minlength=groups).astype(np.int64)
    none = np.full(groups, np.nan)
    return Aggregated(count, count.astype(np.float64), none, none)


def means(codes: NDArray[np.integer], values: NDArray[np.float64], groups: int) -> Aggregated:
    """The mean of each group, with Student's interval.

    Args:
        codes: [n] group of each sample.
        values: [n] finite.
        groups: number of groups, g.
    """
    from scipy.special import stdtrit  # a tenth of the time that scipy.stats takes to import

    values, scale = scaled(values)
    count = np.bincount(codes, minlength=groups).astype(np.int64)
    some = np.maximum(count, 1)
    mean = np.bincount(codes, values, minlength=groups) / some
    spread = np.bincount(codes, (values - mean[codes]) ** 2, minlength=groups)
    known = count > 1
    free = np.where(known, count - 1, 1)
    half = stdtrit(free, (1 + LEVEL) / 2) * np.sqrt(spread / free / some)
    with np.errstate(over="ignore"):  # an end may lie beyond all doubles
        ends = [np.where(known, end * scale, np.nan) for end in (mean - half, mean + half)]
    return Aggregated(count, np.where(count > 0, mean * scale, np.nan), *ends)


def scaled(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The values divided by a number, and that number: where their squares are doubles it is 1.

    Args:
        values: [n] finite.
    """
    size = float(np.abs(values).max(initial=0))
    return (values, 1.0) if size == 0 or LEAST < size < GREATEST else (values / size, size)


def quantiles(codes: NDArray[np.integer], values: NDArray[np.float64], groups: int, share: float) -> Aggregated:
    """A quantile of each group, between two values by their distance; its interval lies between two order statistics.

    The interval holds whatever the distribution is (David and Nagaraja 2003, 7.1): as many values as are below the
    quantile are binomial. A group that is too small for it has none.

    Args:
        codes: [n] group of each sample.
        values: [n] finite.
        groups: number of groups, g.
        share: of the values that lie below, 0 to 1.
    """
    count = np.bincount(codes, minlength=groups).astype(np.int64)
    first = np.zeros(groups, np.int64)
    last = np.ones(groups, np.int64)
    if 0 < share < 1:
        some = np.maximum(count, 1)
        first = binomial_quantile((1 - LEVEL) / 2, some, share)
        last = binomial_quantile((1 + LEVEL) / 2, some, share) + 1
    known = (first >= 1) & (last <= count)
    value, low, high = np.full((3, groups), np.nan)
    for group, members in enumerate(grouped(codes, values, count)):
        if not len(members):
            continue
        ranks = [first[group] - 1, last[group] - 1] if known[group] else []
        ordered = in_part_ordered(members, [share], ranks)
        value[group] = quantile_of(ordered, share)
        if ranks:
            low[group], high[group] = ordered[ranks]
    return Aggregated(count, value, low, high)


def binomial_quantile(level: float, count: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """[g] the least number of successes in `count` trials that at most so many are with a probability of `level`.

    Args:
        level: 0 to 1, without the ends.
        share: the probability of a success, likewise.
    """
    from scipy.special import bdtr, bdtrik

    above = np.ceil(bdtrik(level, count, share))
    # The inverse is of real numbers, and may round to one too many.
    below = np.maximum(above - 1, 0)
    return np.asarray(np.where(bdtr(below, count, share) >= level, below, above), np.int64)


def grouped(
    codes: NDArray[np.integer], values: NDArray[np.float64], count: NDArray[np.int64]
) -> list[NDArray[np.float64]]:
    """The values of each group.

    Args:
        codes: [n] group of each value.
        count: [g] of each group.
    """
    narrow = codes.astype(np.int16) if len(count) <= np.iinfo(np.int16).max else codes
    # A stable sort of two bytes is by their digits: it does not compare.
    return np.split(values[np.argsort(narrow, kind="stable")], np.cumsum(count)[:-1])


def in_part_ordered(
    values: NDArray[np.float64], shares: Sequence[float], ranks: Sequence[int] | NDArray[np.int64] = ()
) -> NDArray[np.float64]:
    """The values, of which those that the quantiles lie between, and those at the ranks from 0 on, stand in order."""
    places = [(len(values) - 1) * share for share in shares]
    wanted = {int(rank) for rank in ranks}
    wanted |= {int(np.floor(place)) for place in places} | {int(np.ceil(place)) for place in places}
    return np.partition(values, sorted(wanted))


def quantile_of(ordered: NDArray[np.float64], share: float) -> float:
    """The quantile of values that `in_part_ordered` has put in order for it, between two of them by their distance."""
    place = (len(ordered) - 1) * share
    below = int(np.floor(place))
    above = min(below + 1, len(ordered) - 1) if place > below else below
    low, high, part = float(ordered[below]), float(ordered[above]), place - below
    return low + (high - low) * part if np.isfinite(high - low) else low * (1 - part) + high * part


def _without_interval(codes: NDArray[np.integer], groups: int, value: NDArray[np.float64]) -> Aggregated:
    count = np.bincount(codes, minlength=groups).astype(np.int64)
    none = np.full(groups, np.nan)
    return Aggregated(count, np.where(count > 0, value, np.nan), none, none)
