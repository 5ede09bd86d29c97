"""What a report's page is given; its types are made of this, as the explorer's are of `leaplab.explorer.model`."""

from pydantic import Field

from leaplab.analysis.charting.chart import Chart
from leaplab.explorer.model import Column, Headline, Insight, Model, Scale, Silent, State
from leaplab.population.boards import BoardChart


class Picture(Model):
    """A sample and a small picture of it as a data address; null where none could be drawn."""

    sample_id: str
    state: str
    picture: str | None
    told: str = ""


class Extreme(Model):
    """A sample that stands out: its place on the map in shares of the sides, from the left and from the top."""

    x: float
    y: float
    value: float
    shown: Picture


class DrawnMap(Model):
    """All samples on a plane, as a grey picture: 0 where there is none, else its place in the colour column, from 1.

    Of a column of categories these are the places of the categories, and one behind them for those without a value; of
    a number its steps from 1 to 254, and 255 for those without. Where there are more than 253 categories, `column` is
    null, and all are 1.
    """

    picture: str
    width: int
    height: int
    column: Column | None
    counts: list[int] = Field(default=[])
    absent: int = 0
    scale: Scale | None = None
    told: str
    extremes: list[Extreme] = Field(default=[])


class ShownInsight(Insight):
    """An insight with some of its samples."""

    pictures: list[Picture] = Field(default=[])


class AskedChart(Model):
    """A chart of a board, as it was asked for; null and a sentence where it cannot be drawn."""

    asked: BoardChart
    chart: Chart | None
    sentence: str | None = None


class ShownBoard(Model):
    """A board: the one that is proposed, or one that a person made."""

    name: str
    charts: list[AskedChart]


class GapColumn(Model):
    """How two populations differ in a column; `source` and `target` say what they have there."""

    column: str
    effect: float
    p: float
    source: str
    target: str


class ToldGap(Model):
    """Whether two populations differ, and in what."""

    title: str
    headline: str
    told: list[str]
    columns: list[GapColumn]


class SampleList(Model):
    """A list of samples, such as those to label next."""

    title: str
    told: list[str]
    samples: list[Picture]


class Report(Model):
    """All that a report shows."""

    name: str
    integration: str
    model: str
    made: str = Field(description="Day on which it was made, ISO 8601.")
    evaluated: str = Field(description="Time of the evaluation, ISO 8601.")
    version: str = Field(description="Of leaplab.")
    samples: int
    states: list[State]
    notices: list[str]
    headline: Headline | None
    map: DrawnMap | None
    insights: list[ShownInsight]
    silent: list[Silent]
    boards: list[ShownBoard]
    gap: ToldGap | None
    lists: list[SampleList]
    left_out: list[str] = Field(description="What the report lacks, and why: a sentence each.")
