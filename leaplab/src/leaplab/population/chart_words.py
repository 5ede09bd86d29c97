"""What charts say in a sentence."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.charting.chart import Group
from leaplab.analysis.numerals import numeral
from leaplab.population.chart_question import Charted
from leaplab.store.columns import label_of

FEW = 10
"""Samples of which a mean says little."""


def nothing_told(asked: Charted, columns: Mapping[str, NDArray[np.bool_]]) -> str:
    """Why a chart has no mark.

    Args:
        columns: name -> [n] whether each row has a value of it.
    """
    of = asked.question.of
    if not len(asked.rows):
        return f"There are no {of} to draw: none meets the condition."
    for name, present in columns.items():
        if not present.any():
            return f"None of these {len(asked.rows):,} {of} has a finite value of '{name}'."
    states = "; ".join(f"'{name}' {_in_states(asked, present)}" for name, present in columns.items())
    return f"None of these {of} has a value of all that is to be drawn: {states}."


def _in_states(asked: Charted, present: NDArray[np.bool_]) -> str:
    states = np.array(asked.population.states, object)
    of_row = states if asked.question.of == "samples" else states[asked.population.objects.rows]
    return f"is of {', '.join(sorted(set(of_row[asked.rows[present]].tolist())))}"


def absent_notice(asked: Charted, columns: Mapping[str, NDArray[np.bool_]], absent: int) -> list[str]:
    """How many are left out, and for want of what."""
    if not absent:
        return []
    wanting = " or ".join(f"'{name}'" for name, present in columns.items() if not present.all())
    has, is_ = ("has", "is") if absent == 1 else ("have", "are")
    return [
        f"{absent:,} of {len(asked.rows):,} {asked.question.of} {has} no finite value of {wanting} and {is_} left out."
    ]


def extremes_told(groups: Sequence[Group], what: str, of: str, share: bool, sampled: bool) -> str:
    """Which mark is highest and which is lowest, each with its interval.

    Args:
        what: the value is, such as `mean loss`.
        of: what is counted.
        share: whether the value is a share.
        sampled: whether the value of few says little, as a mean does, and a number of samples does not.
    """
    drawn = [(group.value, group) for group in groups if group.value is not None]
    head = what[:1].upper() + what[1:]
    # What few samples have is high or low by chance.
    judged = [one for one in drawn if not sampled or one[1].count >= FEW]
    judged = judged if len(judged) > 1 else drawn
    (_, most), (_, least) = max(judged, key=lambda one: one[0]), min(judged, key=lambda one: one[0])
    if len(drawn) == 1:
        return f"{head} is {_with_interval(most, share)} for {_place(most)}, of {most.count:,} {of}; there is no other."
    if most.value == least.value:
        return f"{head} is {_with_interval(most, share)} for all {len(judged):,}."
    head = f"Where there are {FEW} {of} or more, {what}" if len(judged) < len(drawn) else head
    return (
        f"{head} is highest for {_place(most)}, {_with_interval(most, share)}, and lowest for {_place(least)},"
        f" {_with_interval(least, share)}."
    )


def correlation_told(x: str, y: str, r: float, interval: tuple[float, float], count: int, of: str) -> str:
    """A correlation in words and numbers."""
    x, y = label_of(x), label_of(y)
    if not np.isfinite(r):
        return f"{x} and {y} do not correlate over {count:,} {of}: one of both has a single value."
    low, high = interval
    ends = f", {low:.2f} to {high:.2f}" if np.isfinite(low) else ""
    sure = np.isfinite(low) and not low <= 0 <= high
    if abs(r) < 0.1 or not sure:
        said = f"{y} hardly changes with {x}" if abs(r) < 0.1 else f"Whether {y} changes with {x} is not sure"
    else:
        strength = "strongly" if abs(r) >= 0.7 else "clearly" if abs(r) >= 0.3 else "a little"
        said = f"{y} {'rises' if r > 0 else 'falls'} {strength} with {x}"
    return f"{said[:1].upper()}{said[1:]}: r = {r:.2f}{ends}, over {count:,} {of}."


def value_told(value: float, share: bool = False) -> str:
    """A number as a person reads it."""
    return f"{value:.1%}" if share else numeral(value)


def _with_interval(group: Group, share: bool) -> str:
    assert group.value is not None
    said = value_told(group.value, share)
    if group.low is None or group.high is None:
        return said
    return f"{said} ({value_told(group.low, share)} to {value_told(group.high, share)})"


def _place(group: Group) -> str:
    where = f"'{group.name}'" if isinstance(group.x, str) else group.name
    return where if group.series is None or group.series == group.name else f"{where} of '{group.series}'"
