"""What the server is asked and what it answers: its OpenAPI document, and the page's types, are made of it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A JSON object without other keys than those that are named."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Why there is no answer (RFC 9457).

    `detail` is a sentence for a person.
    """

    title: str
    status: int
    detail: str


class State(Model):
    """A state and its number of samples."""

    name: str
    count: int


class Column(Model):
    """A column of the samples. Categorical ones have `categories`, continuous ones a range; text has neither."""

    name: str
    label: str
    group: str
    type: str
    kind: Literal["categorical", "continuous", "text"]
    categories: list[str] | None = None
    min: float | None = None
    max: float | None = None
    direction: str | None = None
    insights: bool | None = None
    meaning: str | None = None


class Objects(Model):
    """The element instances of a run: how many, their columns, and the one that they are coloured by first."""

    count: int
    columns: list[Column]
    colour: str


class LatentSpace(Model):
    """A latent space and its width."""

    name: str
    width: int


class Defaults(Model):
    """What the page opens with."""

    colour: str | None
    size: str | None
    space: str | None
    projection: str


class Run(Model):
    """The run. `key` changes with what it holds, and stands in the address of all that may be kept for ever."""

    key: str
    name: str
    integration: str
    model: str
    samples: int
    notice: str | None
    states: list[State]
    columns: list[Column]
    objects: Objects | None
    latent_spaces: list[LatentSpace]
    projections: list[str]
    defaults: Defaults


class Scale(Model):
    """How a continuous column's codes are read: 0 is `low`, 65,534 is `high`; what lies beyond is at its end."""

    low: float
    high: float
    median: float
    min: float
    max: float
    crowd: Literal["low", "high"] | None
    absent: int


class Summary(Model):
    """A column's values in short: of a continuous one its scale and a histogram between the scale's ends, of a
    categorical one how many samples each category has, in the order of the categories, and how many have none."""

    scale: Scale | None = None
    histogram: list[int] | None = None
    counts: list[int] | None = None
    absent: int


class Filter(Model):
    """Samples whose value is one of `keep` (null: absent), or lies between `low` and `high`, both included."""

    column: str
    keep: list[str | None] | None = None
    low: float | None = None
    high: float | None = None


class Selecting(Model):
    """Which samples: all that meet a condition and every filter, of those `within` a mask where there is one; and the
    histograms that are wanted of them."""

    within: str | None = None
    where: str | None = Field(default=None, max_length=10_000)
    filters: list[Filter] = Field(default=[], max_length=100)
    histograms: list[str] = Field(default=[], max_length=200)


class Histogram(Model):
    """How many of the samples that meet all *other* filters have each category, or lie in each of equal bins."""

    column: str
    counts: list[int]
    absent: int


class Selected(Model):
    """Samples: `mask` holds a bit a row, the first row in the lowest bit of the first byte, in base64."""

    count: int
    mask: str
    histograms: list[Histogram]


class Rank(Model):
    """Of `of` samples of a state that have a finite value, `least` have at most this one and `most` at least."""

    of: int
    least: int
    most: int


class Value(Model):
    """A sample's value in a column; of losses and metrics with its rank among the samples of its state."""

    column: str
    value: Any
    rank: Rank | None


class Verdict(Model):
    """What the model makes of a sample, and whether that is right.

    Of a `class` the label that is predicted, with its `share` where the prediction is a distribution, and the true one;
    of a `number` likewise; of `objects` how many were missed, are false and were found; a `score` is told by its
    column. What is not known is null.
    """

    kind: Literal["class", "number", "objects", "score"]
    truth: str | float | None = None
    predicted: str | float | None = None
    share: float | None = None
    missed: float | None = None
    false: float | None = None
    found: float | None = None
    right: bool | None = None
    column: str | None = None


class Prediction(Model):
    """What the model says; null for NaN and infinity."""

    name: str
    labels: list[str]
    values: list[float | None]


class Sample(Model):
    """What the run holds of a sample."""

    row: int
    sample_id: str
    state: str
    verdict: Verdict | None
    values: list[Value]
    predictions: list[Prediction]
    instances: list[dict[str, Any]]


class Visual(BaseModel):
    """A visualizer's picture as a data address, or the sentence why there is none."""

    name: str
    type: str
    png: str | None = None
    width: int | None = None
    height: int | None = None
    data: dict[str, Any] | None = None
    error: str | None = None


class Panel(Model):
    """What the integration's visualizers make of a sample, and a sentence where its data have changed."""

    visuals: list[Visual]
    changed: str | None


class Outline(Model):
    """Where an object lies: its box (left, top, right, bottom) in shares of the picture's sides, and the edge of its
    mask as an SVG path in a view box of 0 0 `width` `height`."""

    number: int
    box: tuple[float, float, float, float]
    path: str
    width: int
    height: int
    size: tuple[int, int]


class Ids(Model):
    """Ids of the rows from `start` on."""

    start: int
    ids: list[str]


class Heatmap(Model):
    """What raises and what lowers something of a sample: a picture as a data address, and sentences.

    `value` is what it is for the sample as it is; without a picture nothing that was taken away changes it. `overlay`
    is the map alone, half transparent, for a picture whose image has the `size`; there is one where there is one map.
    """

    of: str
    value: float | None
    png: str | None
    told: list[str]
    overlay: str | None = None
    size: tuple[int, int] | None = None


class Near(Model):
    """A sample near to another."""

    row: int
    sample_id: str
    state: str
    distance: float


class Exporting(Model):
    """Which samples are wanted as a table: a bit a row, the first in the lowest bit of the first byte, in base64."""

    mask: str
    format: Literal["csv", "json"] = "csv"


class Found(Model):
    """The row of a sample."""

    row: int


class StateScore(Model):
    """The mean score of a state's `count` samples that have one, and how many of these are wrong where it says so."""

    state: str
    value: float
    count: int
    wrong: int | None


class ClassScore(Model):
    """The mean score of a class, a category of a column."""

    column: str
    name: str
    value: float


class Headline(Model):
    """How good the model is: a score by state, and the classes with the best and the worst of the state `judged`."""

    column: str
    label: str
    upward: bool
    binary: bool
    states: list[StateScore]
    judged: str
    best: ClassScore | None
    worst: ClassScore | None


class Difference(Model):
    """A column that sets samples apart from the rest: of each a number's median, or the share of one category."""

    column: str
    inside: float | dict[str, float]
    outside: float | dict[str, float]
    effect: float
    p: float


class Insight(Model):
    """What is wrong with some samples, and what to do about it; `differences` are the strongest few."""

    id: str
    kind: str
    severity: float
    title: str
    explanation: str
    state: str | None
    parent: str | None
    stable_id: str
    count: int
    to_do: str
    differences: list[Difference]


class Silent(Model):
    """A kind of insight of which there is none, and why."""

    kind: str
    reason: str


class Insights(Model):
    """The insights of the run, the most severe first."""

    insights: list[Insight]
    silent: list[Silent]


class Progress(Model):
    """What the server computes: sent as events named `progress` until nothing is being computed.

    `of` is the kind of insight that is looked for now; `done` of `total` steps are behind it, where that is known.
    """

    what: Literal["map", "insights", "cells"]
    space: str | None = None
    projection: str | None = None
    state: Literal["computing", "ready", "failed"]
    detail: str | None = None
    of: str | None = None
    done: int | None = None
    total: int | None = None
