"""What a chart is: its axes, and its marks with their numbers."""

from dataclasses import dataclass, field
from typing import Any, Literal

AxisType = Literal["category", "number"]
Box = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Axis:
    """What lies along a side of a chart.

    Attributes:
        label: as a person reads it.
        type: categories stand side by side, numbers on a scale.
        column: whose values they are; None for what is no column, such as a count.
        categories: in their order; None for numbers.
        low, high: ends of the numbers; None for categories, and where there is no number. The outermost bin of an axis
            may reach further where it gathers what lies far: it is drawn as far as the end.
    """

    label: str
    type: AxisType
    column: str | None = None
    categories: list[str] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Group:
    """A mark: samples that share a place in the chart.

    Attributes:
        name: of the place, in words.
        count: how many samples the value is of.
        value: what is drawn; None where no sample has one.
        low, high: its 95 % interval; None for a value of which there is none, such as a count.
        series: the category of the column that the chart is split by.
        x: place on the first axis: a category, or a number (of a bin its middle).
        x_low, x_high: of a bin its edges; the last bin of an axis holds its upper edge, the others do not. Of group
            means the 95 % interval of `x`.
        y: place on the second axis where `value` is none of its numbers: of a cell, or a pair of columns.
        y_low, y_high: edges of its bin.
        box: whisker, quartile, median, quartile, whisker. A whisker ends at the last value within one and a half times
            the quartiles' distance from its quartile (Tukey).
    """

    name: str
    count: int
    value: float | None
    low: float | None = None
    high: float | None = None
    series: str | None = None
    x: float | str | None = None
    x_low: float | None = None
    x_high: float | None = None
    y: float | str | None = None
    y_low: float | None = None
    y_high: float | None = None
    box: Box | None = None


@dataclass(frozen=True)
class Points:
    """Single samples, or single objects, of a scatter.

    Attributes:
        rows: [k] of the run's samples, or of its objects.
        x, y: [k] finite.
        series: [k] places among the chart's series; None where it is not split.
        count: how many there are; more than k where only some are drawn.
    """

    rows: list[int]
    x: list[float]
    y: list[float]
    series: list[int] | None
    count: int


@dataclass(frozen=True)
class Curve:
    """A line of single places.

    Attributes:
        name: of it.
        x, y: [k] of its places, in the order of the line; None in `y` leaves a gap.
        threshold: [k] the least confidence that counts as a claim, of curves that are made by moving it.
        series: what it is of.
    """

    name: str
    x: list[float]
    y: list[float | None]
    threshold: list[float] | None = None
    series: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What claims of at least some confidence come to.

    Attributes:
        name: of the label, or `all`.
        threshold: the least confidence.
        true_negatives: None where what is rightly not claimed cannot be counted, as of objects.
        precision, recall, f1: None where they divide by nothing.
    """

    name: str
    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Chart:
    """A chart, as numbers.

    Attributes:
        kind: of the chart.
        x, y, split: columns; None where none is asked for.
        aggregate: what `value` is of the samples of a group.
        of: what is counted, `samples` or `objects`.
        x_axis, y_axis: what lies along its sides.
        count: how many have all values that the chart needs, of those that were asked for.
        absent: how many have not.
        series: the categories that it is split into, in their order; empty where it is not split.
        groups: the marks.
        correlation: Pearson's r of the points, or of the groups' places; None where there is none.
        correlation_low, correlation_high: its 95 % interval (Fisher's z).
        rank_correlation: Spearman's.
        points, curves: of kinds that have some.
        outcomes: of kinds with a confidence: at the threshold, one a label and one of all.
        best: the same at the threshold where F1 is highest.
        threshold: the one of `outcomes`.
        measures: further numbers of the whole chart, by name.
        told: what it shows, in a sentence.
        notices: what to know before trusting it.
    """

    kind: str
    x: str | None
    y: str | None
    split: str | None
    aggregate: str
    of: str
    x_axis: Axis
    y_axis: Axis
    count: int
    absent: int
    series: list[str] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    correlation: float | None = None
    correlation_low: float | None = None
    correlation_high: float | None = None
    rank_correlation: float | None = None
    points: Points | None = None
    curves: list[Curve] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    best: list[Outcome] = field(default_factory=list)
    threshold: float | None = None
    measures: dict[str, float] = field(default_factory=dict)
    told: str = ""
    notices: list[str] = field(default_factory=list)

    def table(self) -> dict[str, list[Any]]:
        """Column -> values: a row a mark; of a scatter a row a point, of curves a row a place."""
        if self.points is not None:
            names = None if self.points.series is None else [self.series[place] for place in self.points.series]
            table: dict[str, list[Any]] = {"row": self.points.rows, "x": self.points.x, "y": self.points.y}
            return table if names is None else {**table, "series": names}
        if self.curves:
            return _table_of_curves(self.curves)
        rows = [_told(group) for group in self.groups]
        used = [name for name in _GROUP_FIELDS if any(row[name] is not None for row in rows)] or ["name"]
        return {name: [row[name] for row in rows] for name in used}


_BOX = ("whisker_low", "quartile_low", "median", "quartile_high", "whisker_high")
_GROUP_FIELDS = (
    *("name", "series", "x", "x_low", "x_high", "y", "y_low", "y_high", "count", "value", "low", "high"),
    *_BOX,
)


def _told(group: Group) -> dict[str, Any]:
    box = dict(zip(_BOX, group.box, strict=True)) if group.box is not None else dict.fromkeys(_BOX)
    return {**vars(group), **box}


def _table_of_curves(curves: list[Curve]) -> dict[str, list[Any]]:
    places = [
        (curve.name, curve.series, x, y, None if curve.threshold is None else curve.threshold[place])
        for curve in curves
        for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True))
    ]
    table = {
        name: [place[number] for place in places]
        for number, name in enumerate(("curve", "series", "x", "y", "threshold"))
    }
    return {name: values for name, values in table.items() if any(value is not None for value in values)}
