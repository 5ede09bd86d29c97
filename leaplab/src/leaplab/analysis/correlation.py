"""How far a score goes with columns, and which columns go with each other."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.corrections import holm
from leaplab.analysis.differences import Values

LEVEL = 0.01
"""Of significance, of all columns together (Holm)."""
LEAST_STRENGTH = 0.2
LEAST_SAMPLES = 20
"""With a value in a column and of the score."""
LEAST_OF_A_CATEGORY = 5
RESAMPLES = 199
DRAWN = 10_000
"""Rows of a resample at most."""
TOGETHER = 0.9
"""Strength beyond which two columns say the same."""
MOST_OF_IT = 0.8
WHOLE = re.compile(r"-?\d+")
COMPARED = 2000
"""Rows on which two columns are compared with each other."""


@dataclass(frozen=True)
class Correlation:
    """How far a score goes with a column.

    Attributes:
        column: its name.
        effect: Spearman's rho in [-1, 1] of numbers; of categories eta squared in [0, 1], the share of the variance of
            the score's ranks that lies between them, less what chance gives.
        interval: of the effect, 95 %, by the bootstrap.
        strength: in [0, 1], what both are compared by: the magnitude of rho, the root of eta squared.
        p: corrected for all columns.
        samples: how many have a value of both.
        of_categories: whether the effect is eta squared.
    """

    column: str
    effect: float
    interval: tuple[float, float]
    strength: float
    p: float
    samples: int
    of_categories: bool


def correlations(columns: Mapping[str, Values], score: NDArray[np.float64], seed: int = 0) -> list[Correlation]:
    """The columns with which a score goes.

    Numbers by Spearman's rank correlation (Am. J. Psychol. 15, 1904; p by Student's t), categories by the test of
    Kruskal and Wallis (J. Am. Stat. Assoc. 47, 1952) and its eta squared, (H - k + 1) / (n - k) for k categories
    (Tomczak and Tomczak, Trends in Sport Sciences 21, 2014). Samples without a value, and those of categories with
    fewer than 5, do not count. Categories that are whole numbers are tested both ways; they count as numbers where
    their order tells at least four fifths of what they tell.

    Args:
        columns: name -> [n] values.
        score: [n] NaN where absent.
        seed: of the bootstrap (Efron, Ann. Stat. 7, 1979), by which ranks are drawn, moved to the estimate.

    Returns:
        Those with p < .01 after Holm's correction (Scand. J. Stat. 6, 1979) and a strength of at least .2; the
        strongest first, equal ones by name.
    """
    tried: list[tuple[str, _Ranked, float, float]] = []
    for name, values in columns.items():
        for reading in (values, numbers_of(values)):
            ranked = None if reading is None else _rank(reading, score)
            if ranked is not None:
                tried.append((name, ranked, *_effect(ranked)))
    corrected = holm([p for *_, p in tried])
    read: dict[str, list[tuple[_Ranked, float, float]]] = {}
    for (name, ranked, effect, _), p in zip(tried, corrected, strict=True):
        read.setdefault(name, []).append((ranked, effect, p))
    found = []
    for name, readings in read.items():
        ranked, effect, p = _telling(readings)
        strength = _strength(effect, ranked.of_categories)
        if p < LEVEL and strength >= LEAST_STRENGTH:
            interval = _interval(ranked, effect, np.random.default_rng(seed))
            found.append(Correlation(name, effect, interval, strength, p, len(ranked.score), ranked.of_categories))
    return sorted(found, key=lambda each: (-each.strength, each.column))


def numbers_of(values: Values) -> Values | None:
    """Categories that are whole numbers, as numbers; None for what is none."""
    if values.categories is None or not all(WHOLE.fullmatch(text) for text in values.categories):
        return None
    by_code = np.array([float(text) for text in values.categories] or [0.0])
    present = np.isfinite(values.numbers)
    codes = np.where(present, values.numbers, 0).astype(np.int64)
    return Values(np.where(present, by_code[codes], np.nan))


def together(columns: Mapping[str, Values], seed: int = 0) -> list[list[str]]:
    """Groups of columns that say nearly the same: each goes with another of its group by more than .9.

    Numbers by the magnitude of Spearman's rho, a number and categories by the root of eta squared, categories by
    Cramer's V less what chance gives (Bergsma, J. Korean Stat. Soc. 42, 2013); on 2,000 rows at most.

    Returns:
        Every column in one group, in the order of the columns.
    """
    names = list(columns)
    if not names:
        return []
    from scipy.sparse.csgraph import connected_components

    count = len(next(iter(columns.values())).numbers)
    rows = np.random.default_rng(seed).permutation(count)[:COMPARED]
    parts = [columns[name].of(rows) for name in names]
    joined = np.zeros((len(names), len(names)), np.bool_)
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            joined[first, second] = _association(parts[first], parts[second]) > TOGETHER
    _, numbers = connected_components(joined, directed=False)
    groups: dict[int, list[str]] = {}
    for name, number in zip(names, numbers.tolist(), strict=True):
        groups.setdefault(number, []).append(name)
    return list(groups.values())


@dataclass(frozen=True)
class _Ranked:
    """Ranks of a score in [-1, 1], and what is told of the same samples: ranks likewise, or codes of categories."""

    score: NDArray[np.float64]
    told: NDArray[np.float64]
    codes: NDArray[np.int64]
    of_categories: bool


def _rank(values: Values, score: NDArray[np.float64]) -> _Ranked | None:
    # None where nothing can be said: too few samples, or all alike
    from scipy.stats import rankdata

    present = np.isfinite(values.numbers) & np.isfinite(score)
    codes = np.zeros(0, np.int64)
    if values.categories is not None:
        codes = values.numbers[present].astype(np.int64)
        sizes = np.bincount(codes, minlength=len(values.categories))
        present[present] = sizes[codes] >= LEAST_OF_A_CATEGORY
        codes = np.unique(values.numbers[present], return_inverse=True)[1]
    count = int(present.sum())
    numbers, scores = values.numbers[present], score[present]
    if count < LEAST_SAMPLES or (numbers == numbers[0]).all() or (scores == scores[0]).all():
        return None
    scale = 2 / (count + 1)
    told = codes.astype(np.float64) if values.categories is not None else rankdata(numbers) * scale - 1
    return _Ranked(rankdata(scores) * scale - 1, told, codes, values.categories is not None)


def _effect(ranked: _Ranked) -> tuple[float, float]:
    # The effect and its uncorrected p
    from scipy.stats import chi2
    from scipy.stats import t as student

    count = len(ranked.score)
    share = _explained(ranked, np.arange(count))
    if ranked.of_categories:
        categories = int(ranked.codes.max()) + 1
        p = float(chi2.sf(share * (count - 1), categories - 1))
        adjusted = (share * (count - 1) - categories + 1) / max(count - categories, 1)
        return min(max(adjusted, 0.0), 1.0), p
    freedom = count - 2
    t = share * np.sqrt(freedom / max((1 + share) * (1 - share), np.finfo(np.float64).eps))
    return share, float(2 * student.sf(abs(t), freedom))


def _telling(readings: Sequence[tuple[_Ranked, float, float]]) -> tuple[_Ranked, float, float]:
    # The column as it is, or the order of its categories where that tells most of it
    first, *others = readings
    for each in others:
        if each[1] ** 2 >= MOST_OF_IT * first[1]:
            return each
    return first


def _strength(effect: float, of_categories: bool) -> float:
    return float(np.sqrt(effect)) if of_categories else abs(effect)


def _explained(ranked: _Ranked, rows: NDArray[np.int64]) -> float:
    # Of some rows: the correlation of the ranks, or the share of the score's variance between categories
    score = ranked.score[rows] - ranked.score[rows].mean()
    whole = float(score @ score)
    if not ranked.of_categories:
        told = ranked.told[rows] - ranked.told[rows].mean()
        spread = np.sqrt(whole * float(told @ told))
        return float(np.clip(told @ score / spread, -1, 1)) if spread > 0 else 0.0
    sizes = np.bincount(ranked.codes[rows])
    sums = np.bincount(ranked.codes[rows], weights=score)
    between = float((sums**2 / np.maximum(sizes, 1)).sum())
    return min(between / whole, 1.0) if whole > 0 else 0.0


def _interval(ranked: _Ranked, effect: float, generator: np.random.Generator) -> tuple[float, float]:
    count = len(ranked.score)
    taken = min(count, DRAWN)
    drawn = np.array([_explained(ranked, generator.integers(0, count, taken)) for _ in range(RESAMPLES)])
    # What fewer rows give is wider by the root of how much fewer they are.
    low, high = np.quantile(drawn - drawn.mean(), [0.025, 0.975]) * np.sqrt(taken / count) + effect
    least = 0.0 if ranked.of_categories else -1.0
    return float(max(low, least)), float(min(high, 1.0))


def _association(first: Values, second: Values) -> float:
    if first.categories is not None and second.categories is not None:
        return _cramers_v(first.numbers, second.numbers)
    if second.categories is not None:
        first, second = second, first
    ranked = _rank(first, second.numbers)
    if ranked is None:
        return 0.0
    return _strength(_effect(ranked)[0], ranked.of_categories)


def _cramers_v(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    present = np.isfinite(first) & np.isfinite(second)
    count = int(present.sum())
    if count < LEAST_SAMPLES:
        return 0.0
    from scipy.stats.contingency import crosstab

    table = np.asarray(crosstab(first[present], second[present]).count, np.float64)
    if min(table.shape) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / count
    squared = float(((table - expected) ** 2 / expected).sum()) / count
    rows, columns = table.shape
    squared = max(0.0, squared - (rows - 1) * (columns - 1) / (count - 1))
    rows_adjusted = rows - (rows - 1) ** 2 / (count - 1)
    columns_adjusted = columns - (columns - 1) ** 2 / (count - 1)
    return float(np.sqrt(squared / max(min(rows_adjusted, columns_adjusted) - 1, np.finfo(np.float64).eps)))
