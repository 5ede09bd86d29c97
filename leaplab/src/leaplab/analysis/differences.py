"""What sets a group of samples apart from the rest, column by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.numerals import numeral

LEVEL = 0.01
"""Of significance, of all that is tried together (Bonferroni)."""
LEAST_EFFECT = 0.2


@dataclass(frozen=True)
class Difference:
    """A column that sets a group apart.

    Attributes:
        column: its name.
        inside: of the group the median of a number, or {category: share}.
        outside: the same of the rest.
        effect: rank-biserial correlation of a number in [-1, 1], positive where the group has more; or the difference
            of the category's shares.
        p: corrected for all that was tried.
    """

    column: str
    inside: float | dict[str, float]
    outside: float | dict[str, float]
    effect: float
    p: float

    def told(self) -> str:
        """In a few words."""
        if isinstance(self.inside, dict) and isinstance(self.outside, dict):
            ((category, share),), (other,) = self.inside.items(), self.outside.values()
            return f"{self.column} {category}: {share:.0%} (else {other:.0%})"
        assert not isinstance(self.inside, dict)
        assert not isinstance(self.outside, dict)
        return f"{self.column} {numeral(self.inside)} (else {numeral(self.outside)})"


@dataclass(frozen=True)
class Values:
    """One column.

    Attributes:
        numbers: [n] float64, NaN where absent; of a column of categories, codes from 0, NaN where absent.
        categories: their texts by code; None for numbers.
    """

    numbers: NDArray[np.float64]
    categories: Sequence[str] | None = None

    def of(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Values":
        """Those of some samples."""
        return Values(self.numbers[rows], self.categories)


def differences(
    columns: Mapping[str, Values], groups: NDArray[np.integer], wanted: Sequence[int] | None = None
) -> dict[int, list[Difference]]:
    """Compare each group with the rest, in each column.

    Numbers by the Mann-Whitney test (Ann. Math. Stat. 18, 1947; normal approximation with ties) and the rank-biserial
    correlation (Cureton, Psychometrika 21, 1956), categories by the hypergeometric distribution and the difference of
    shares. Samples without a value in a column do not count in it.

    Args:
        columns: name -> [n] values.
        groups: [n] the group of each sample; a negative one is in the rest of all.
        wanted: the groups to describe; None takes all.

    Returns:
        Group -> the differences with p < .01, corrected for all columns, categories and groups, and an effect of at
        least .2; the largest effect first, equal ones by column.
    """
    described = sorted({int(group) for group in groups if group >= 0} if wanted is None else wanted)
    tried: list[tuple[int, Difference]] = []
    for name, values in columns.items():
        present = np.isfinite(values.numbers)
        if not present.any():
            continue
        compare = _numbers if values.categories is None else _categories
        tried += compare(name, values, present, groups, described)
    found: dict[int, list[Difference]] = {group: [] for group in described}
    for group, each in tried:
        corrected = min(1.0, each.p * len(tried))
        if corrected < LEVEL and abs(each.effect) >= LEAST_EFFECT:
            found[group].append(Difference(each.column, each.inside, each.outside, each.effect, corrected))
    for group in found:
        found[group].sort(key=lambda each: (-abs(each.effect), each.column, str(each.inside)))
    return found


def _numbers(
    name: str, values: Values, present: NDArray[np.bool_], groups: NDArray[np.integer], described: Sequence[int]
) -> list[tuple[int, Difference]]:
    from scipy.stats import norm, rankdata

    numbers, members = values.numbers[present], groups[present]
    ranks, total = rankdata(numbers), len(numbers)
    _, counts = np.unique(numbers, return_counts=True)
    ties = float((counts.astype(np.float64) ** 3 - counts).sum())
    found = []
    for group in described:
        inside = members == group
        count = int(inside.sum())
        rest = total - count
        if not count or not rest:
            continue
        wins = float(ranks[inside].sum()) - count * (count + 1) / 2
        effect = 2 * wins / (count * rest) - 1
        variance = count * rest / 12 * (total + 1 - ties / (total * (total - 1)))
        # The correction for continuity, as SciPy has it.
        away = max(abs(wins - count * rest / 2) - 0.5, 0)
        p = 1.0 if variance <= 0 else float(2 * norm.sf(away / np.sqrt(variance)))
        middles = float(np.median(numbers[inside])), float(np.median(numbers[~inside]))
        found.append((group, Difference(name, *middles, effect, min(p, 1.0))))
    return found


def _categories(
    name: str, values: Values, present: NDArray[np.bool_], groups: NDArray[np.integer], described: Sequence[int]
) -> list[tuple[int, Difference]]:
    from scipy.stats import hypergeom

    assert values.categories is not None
    codes, members = values.numbers[present].astype(np.int64), groups[present]
    total = len(codes)
    of_all = np.bincount(codes, minlength=len(values.categories))
    occurring = np.flatnonzero(of_all)
    found = []
    for group in described:
        inside = members == group
        count = int(inside.sum())
        if not count or count == total:
            continue
        of_group = np.bincount(codes[inside], minlength=len(of_all))[occurring]
        shares, others = of_group / count, (of_all[occurring] - of_group) / (total - count)
        chances = hypergeom(total, of_all[occurring], count)
        p = np.where(shares > others, chances.sf(of_group - 1), chances.cdf(of_group))
        for place, code in enumerate(occurring.tolist()):
            text, share, other = values.categories[code], float(shares[place]), float(others[place])
            effect, twice = share - other, min(2 * float(p[place]), 1.0)
            found.append((group, Difference(name, {text: share}, {text: other}, effect, twice)))
    return found
