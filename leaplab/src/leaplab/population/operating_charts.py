"""Charts of a threshold that moves: ROC and precision-recall, of each label and of all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from leaplab.analysis.charting.chart import Axis, Chart, Curve, Group
from leaplab.analysis.charting.operating import Area, Places, Sweep
from leaplab.errors import QuestionError
from leaplab.population.chart_question import Charted
from leaplab.population.judged import ALL, Judged, Operating, place_of_label
from leaplab.population.judged_charts import MOST_LABELS, NOTHING_TO_JUDGE, empty_chart, judged_for, rounded_down


@dataclass(frozen=True)
class _Kind:
    """One of the two charts: what is along its sides, its curve as x, y and threshold, and the area under it."""

    x: str
    y: str
    area: str
    places: Callable[[Sweep], Places]
    area_of: Callable[[Operating], Area]


def roc(asked: Charted) -> Chart:
    """How many positives are found for how many false alarms, at every threshold, one label against the others.

    Raises:
        LeaplabError: there is no such metric or label, or the claims are of objects.
    """
    return _operating_chart(
        asked,
        _Kind(
            "false positive rate", "true positive rate", "AUC", lambda found: found.roc, lambda found: found.roc_area
        ),
    )


def precision_recall(asked: Charted) -> Chart:
    """How many claims are right for how many positives that are found, at every threshold.

    Raises:
        LeaplabError: there is no such metric or label, or the question makes no sense.
    """
    return _operating_chart(
        asked,
        _Kind(
            "recall",
            "precision",
            "average precision",
            lambda found: found.precision_recall,
            lambda found: found.average_precision,
        ),
    )


def _operating_chart(asked: Charted, kind: _Kind) -> Chart:
    judged, kept = judged_for(asked)
    sides = Axis(kind.x, "number", None, None, 0.0, 1.0), Axis(kind.y, "number", None, None, 0.0, 1.0)
    if judged is None:
        return empty_chart(asked, *sides, NOTHING_TO_JUDGE, kind.area)
    if judged.of == "objects" and asked.question.kind == "roc":
        raise QuestionError(
            "A ROC curve needs what is rightly left alone, and where there is no object nothing counts that; draw"
            " precision-recall."
        )
    count = judged.count(kept)
    places = range(len(judged.labels))
    by_label = {place: judged.operating(kept, place) for place in places}
    telling = [place for place in places if _tells(by_label[place].sweep)]
    if not telling or (judged.of == "samples" and len(judged.labels) > 1 and len(telling) < 2):
        return empty_chart(asked, *sides, _why_nothing(judged, by_label, count), kind.area)
    label = place_of_label(judged, asked.question.label)
    together = judged.operating(kept, label)
    threshold = asked.question.threshold
    if threshold is None:
        threshold = together.sweep.best_threshold
    named: list[tuple[str, Operating]] = [(judged.labels[place], by_label[place]) for place in places]
    named = [*named, (ALL, together)] if label is None else [named[label]]
    drawn = _drawn(named, kind)
    groups = [_group(name, found, kind) for name, found in named]
    bests = [(name, found.sweep, found.sweep.best_threshold) for name, found in named]
    notices = list(judged.notices)
    if len(drawn) < len([name for name, found in named if _tells(found.sweep)]):
        notices.append(f"The curves of the {MOST_LABELS} labels with the least {kind.area} are drawn, and that of all.")
    if silent := [judged.labels[place] for place in places if place not in telling and label in (None, place)]:
        notices.append(f"There is nothing to find of {_some(silent)} here, or nothing else.")
    areas = np.array([kind.area_of(by_label[place]).value for place in telling])
    return Chart(
        asked.question.kind,
        judged.column,
        None,
        None,
        kind.area,
        judged.of,
        *sides,
        count,
        len(asked.rows) - count if judged.of == "samples" else 0,
        groups=groups,
        curves=[_curve(name, found.sweep, kind) for name, found in drawn],
        outcomes=[] if threshold is None else [found.sweep.outcome(name, threshold) for name, found in named],
        best=[swept.outcome(name, best) for name, swept, best in bests if best is not None],
        threshold=threshold,
        measures={"mean": float(areas.mean())},
        told=_told(judged, named, by_label, telling, label, kind, together),
        notices=notices,
    )


def _tells(swept: Sweep) -> bool:
    return swept.positives > 0 and swept.negatives != 0


def _curve(name: str, swept: Sweep, kind: _Kind) -> Curve:
    x, y, threshold = kind.places(swept)
    return Curve(name, x.tolist(), y.tolist(), threshold.tolist(), series=name)


def _drawn(named: Sequence[tuple[str, Operating]], kind: _Kind) -> list[tuple[str, Operating]]:
    """The labels whose curves have room, and all together."""
    told = [(name, found) for name, found in named if _tells(found.sweep) and len(found.sweep.threshold)]
    labels = [each for each in told if each[0] != ALL]
    if len(labels) <= MOST_LABELS:
        return told
    least = sorted(labels, key=lambda each: kind.area_of(each[1]).value)[:MOST_LABELS]
    names = {name for name, _ in least} | {ALL}
    return [each for each in told if each[0] in names]


def _group(name: str, found: Operating, kind: _Kind) -> Group:
    area = kind.area_of(found)
    value, low, high = (float(each) if np.isfinite(each) else None for each in (area.value, area.low, area.high))
    return Group(name, found.sweep.positives, value, low, high, series=name)


def _why_nothing(judged: Judged, by_label: dict[int, Operating], count: int) -> str:
    if judged.of == "objects":
        return "There is no object to be found in these samples."
    if not count:
        return "None of these samples has a known label and scores to judge by."
    present = [judged.labels[place] for place, found in by_label.items() if found.sweep.positives]
    if not present:
        return "None of these samples has one of the labels, so there is nothing to find."
    return f"All of these {count:,} samples are {present[0]}; a curve needs some that are not."


def _told(
    judged: Judged,
    named: Sequence[tuple[str, Operating]],
    by_label: dict[int, Operating],
    telling: Sequence[int],
    label: int | None,
    kind: _Kind,
    together: Operating,
) -> str:
    if label is not None:
        area = kind.area_of(by_label[label]).value
        told = f"The {kind.area} of {judged.labels[label]} is {rounded_down(area)}." if np.isfinite(area) else ""
    else:
        worst = min(telling, key=lambda place: kind.area_of(by_label[place]).value)
        mean = float(np.mean([kind.area_of(by_label[place]).value for place in telling]))
        told = f"The {kind.area} is {rounded_down(mean)} on average over the labels, least for {judged.labels[worst]}"
        told += f" ({rounded_down(kind.area_of(by_label[worst]).value)})."
    best = together.sweep.best_threshold
    if best is None:
        return told
    outcome = together.sweep.outcome(named[-1][0], best)
    whose = "F1 over all labels" if label is None else "Its F1"
    return (
        f"{told} {whose} is best at a confidence of {best:.3g}: {rounded_down(outcome.f1)}, with a precision of"
        f" {rounded_down(outcome.precision)} and a recall of {rounded_down(outcome.recall)}."
    ).strip()


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
