"""What the server is asked of charts; what it answers is `leaplab.analysis.charting.chart` and
`leaplab.population.boards`."""

from typing import Literal

from pydantic import Field

from leaplab.explorer.model import Filter, Model

COLUMN = Field(default=None, max_length=1_000)


class ChartAsked(Model):
    """A question as `leaplab.population.chart_question` has it, and of which samples: as `Selecting` says, without
    those of the `hidden` states."""

    kind: str = Field(max_length=100)
    x: str | None = COLUMN
    y: str | None = COLUMN
    split: str | None = COLUMN
    value: str | None = COLUMN
    aggregate: str | None = Field(default=None, max_length=100)
    bins: int | None = Field(default=None, ge=1, le=1_000)
    label: str | None = COLUMN
    threshold: float | None = None
    of: Literal["samples", "objects"] = "samples"
    within: str | None = Field(default=None, max_length=4_000_000)
    where: str | None = Field(default=None, max_length=10_000)
    filters: list[Filter] = Field(default=[], max_length=100)
    hidden: list[str] = Field(default=[], max_length=1_000)


class Mark(Model):
    """A mark of a chart: its place along the axes, a category or the ends of a range, both included."""

    name: str = Field(default="", max_length=10_000)
    series: str | None = None
    x: str | None = None
    x_low: float | None = None
    x_high: float | None = None
    y: str | None = None
    y_low: float | None = None
    y_high: float | None = None


class ChartRowsAsked(ChartAsked):
    """Which samples are behind a mark of a chart."""

    mark: Mark


class ChartRows(Model):
    """Samples as `Selected` has them."""

    count: int
    mask: str
