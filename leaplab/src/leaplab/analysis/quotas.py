"""How many of each group: equal shares, and orders whose every beginning has the groups in proportion."""

import numpy as np
from numpy.typing import NDArray


def equal_shares(available: NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """[g] how many to take of each of g groups: equally many, of a group that has fewer all that it has.

    Args:
        available: [g] samples of each.
        total: to take, at most all of them. What does not divide goes to the groups that have the most.
    """
    assert 0 <= total <= available.sum(), (total, available)
    shares = np.zeros(len(available), np.int64)
    left = total
    while left:
        open_ = np.flatnonzero(shares < available)
        each = left // len(open_)
        if each:
            taken = np.minimum(each, available[open_] - shares[open_])
        else:
            most = np.argsort(-available[open_], kind="stable")[:left]
            taken = np.bincount(most, minlength=len(open_))
        shares[open_] += taken
        left -= int(taken.sum())
    return shares


def interleaved(
    groups: NDArray[np.integer], order: NDArray[np.int64], starts: NDArray[np.float64] | None = None
) -> NDArray[np.int64]:
    """An order in which every beginning has of each group about its share.

    The place of the i-th of k samples of a group is (i + 1/2) / k, so that the first n of all are shared out as by
    Webster's method ("Fair representation": Balinski and Young, 1982).

    Args:
        groups: [n] the group of each sample.
        order: [n] samples, in which those of one group follow each other; this decides between equal places, too.
        starts: [g] in [0, 1), in the place of the 1/2, one for each group in the order of their numbers. Drawn at
            random, they give each sample the same chance to be among the first n, however small its group is
            (systematic sampling: Madow and Madow, Ann. Math. Stat. 15, 1944).

    Returns:
        [n] the samples.
    """
    ordered = groups[order]
    by_group = np.argsort(ordered, kind="stable")
    sizes = np.unique(ordered, return_counts=True)[1]
    inside = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = np.full(len(sizes), 0.5) if starts is None else starts
    places = np.empty(len(order))
    places[by_group] = (inside + np.repeat(first, sizes)) / np.repeat(sizes, sizes)
    return order[np.argsort(places, kind="stable")]
