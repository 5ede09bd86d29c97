"""Columns with which the score goes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.correlation import (
    LEAST_OF_A_CATEGORY,
    LEAST_STRENGTH,
    Correlation,
    correlations,
    numbers_of,
    together,
)
from leaplab.analysis.differences import Values
from leaplab.analysis.insight.result import Action, Found, Insight, silence
from leaplab.analysis.insight.samples import TEST, TRAINING, VALIDATION, Samples, Score
from leaplab.analysis.insight.wording import counted, is_count, say_the_same, told_p
from leaplab.analysis.numerals import numeral

WORST = 0.8
"""Quantile of the state's badness from which on a sample is a member."""


def find(samples: Samples) -> Found:
    """With which metadata and image properties does the score get worse?

    On validation (else test, else training): the rank correlation of the badness with each number and its eta squared
    by each column of categories, tested, corrected by Holm, with a bootstrap interval (`leaplab.analysis.correlation`;
    Spearman 1904, Kruskal and Wallis 1952). Columns that go with each other by more than .9 are one insight, told by
    the strongest of them. Nothing is told below a strength of .2, however sure: that is 4 % of the ranks' variance. The
    same for any order of the samples, but for the bootstrap.

    Members are of the half of the samples (the category) in which the score is worse, and among the worst fifth of the
    state; the worst first.

    severity: the strength of the strongest column: |rho| of a number, the root of eta squared of categories.
    """
    score = samples.score
    if score is None:
        return silence(samples.absent.get("score", "There is no loss or metric that a column could go with."))
    state = next((each for each in (VALIDATION, TEST, TRAINING) if _rows(samples, score, each).any()), None)
    if state is None:
        return silence(f"No {samples.noun} of validation, test or training has a value of {score.column}.")
    rows = np.flatnonzero(_rows(samples, score, state))
    columns = {name: values.of(rows) for name, values in samples.columns.items()}
    found = correlations(columns, score.badness[rows])
    if not found:
        return silence(
            f"No column of {state} goes with {score.column} by a strength of {LEAST_STRENGTH:g} or more"
            f" ({counted(len(columns), 'column')} compared)."
        )
    by_name = {each.column: each for each in found}
    groups = together({each.column: columns[each.column] for each in found})
    insights = [_insight(samples, score, state, rows, [by_name[name] for name in group]) for group in groups]
    return Found(tuple(sorted(insights, key=lambda insight: -insight.severity)))


def _rows(samples: Samples, score: Score, state: str) -> NDArray[np.bool_]:
    return samples.in_state(state) & np.isfinite(score.badness)


@dataclass(frozen=True)
class _Part:
    """The samples of a state in which the score is worse, in words and by [n] flags; the others that have a value."""

    told: str
    inside: NDArray[np.bool_]
    rest: NDArray[np.bool_]


def _insight(samples: Samples, score: Score, state: str, rows: NDArray[np.int64], group: list[Correlation]) -> Insight:
    strongest = group[0]
    values = samples.columns[strongest.column].of(rows)
    badness = score.badness[rows]
    numbers = numbers_of(values) or values
    part = _category(strongest, values, badness) if strongest.of_categories else _half(strongest, numbers.numbers)
    count = not strongest.of_categories and is_count(strongest.column, values)
    bound = np.quantile(badness, WORST)
    members = np.flatnonzero(part.inside & (badness >= bound) & (badness > badness.min()))
    members = members[np.argsort(-badness[members], kind="stable")]
    own, others = float(score.values[rows[part.inside]].mean()), float(score.values[rows[part.rest]].mean())
    return Insight(
        title=f"{score.column} goes with {strongest.column}",
        explanation=_explanation(samples, score, state, group, count, part, own, others),
        severity=strongest.strength,
        action=Action(
            len(members),
            0,
            f"Look at the {len(members):,} worst where {part.told}; where they look right, training needs more of them"
            f" or the model needs an input that does not depend on {strongest.column}.",
        ),
        members=rows[members],
        scores=badness[members],
        population=int(part.inside.sum()),
        state=state,
        baseline={score.column: others},
        inside={score.column: own},
        statistics=_statistics(group),
        differences_from=rows[part.rest],
    )


def _statistics(group: list[Correlation]) -> Mapping[str, float | str]:
    strongest = group[0]
    return {
        "eta squared" if strongest.of_categories else "rho": strongest.effect,
        "low": strongest.interval[0],
        "high": strongest.interval[1],
        "p": strongest.p,
        "samples": float(strongest.samples),
        "columns": ", ".join(each.column for each in group),
    }


def _explanation(
    samples: Samples,
    score: Score,
    state: str,
    group: list[Correlation],
    count: bool,
    part: _Part,
    own: float,
    others: float,
) -> str:
    strongest = group[0]
    low, high = strongest.interval
    span = f"{strongest.effect:.2f} (95 % interval {low:.2f} to {high:.2f}, p {told_p(strongest.p)})"
    if not strongest.of_categories:
        way = "grows" if strongest.effect > 0 else "falls"
        how = f"gets worse as {strongest.column} {way}: Spearman's rho of the two is {span}"
    else:
        how = f"depends on {strongest.column}: eta squared of its ranks is {span}"
    sentences = [
        f"On {strongest.samples:,} {samples.noun}s of {state}, {score.column} {how}.",
        f"Its mean is {numeral(own)} where {part.told}, and {numeral(others)} elsewhere.",
    ]
    if len(group) > 1:
        sentences.append(say_the_same([each.column for each in group[1:]], strongest.column))
    if count and strongest.effect > 0:
        sentences.append("This is a count's effect: where there is more to get wrong, a score that adds up is worse.")
    if state == TRAINING:
        sentences.append("There is no validation and no test, so this is training's own, which the model has seen.")
    return " ".join(sentences)


def _half(correlation: Correlation, numbers: NDArray[np.float64]) -> _Part:
    column = correlation.column
    known = np.isfinite(numbers)
    middle = float(np.median(numbers[known]))
    # Where many samples lie on the median, they go to the side that leaves the parts more alike.
    share_above, share_from = float((numbers[known] > middle).mean()), float((numbers[known] >= middle).mean())
    strictly = share_above > 0 and abs(share_above - 0.5) <= abs(share_from - 0.5)
    upper = known & ((numbers > middle) if strictly else (numbers >= middle))
    if correlation.effect > 0:
        return _Part(f"{column} is {'above' if strictly else 'at least'} {numeral(middle)}", upper, known & ~upper)
    return _Part(f"{column} is {'at most' if strictly else 'below'} {numeral(middle)}", known & ~upper, upper)


def _category(correlation: Correlation, values: Values, badness: NDArray[np.float64]) -> _Part:
    from scipy.stats import rankdata

    assert values.categories is not None
    known = np.isfinite(values.numbers)
    codes = values.numbers[known].astype(np.int64)
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=rankdata(badness[known])) / np.maximum(sizes, 1)
    worst = int(np.where(sizes >= LEAST_OF_A_CATEGORY, means, -np.inf).argmax())
    inside = values.numbers == worst
    return _Part(f"{correlation.column} is {values.categories[worst]}", inside, known & ~inside)
