"""What the server is asked of populations and lists, and what it answers; see `leaplab.explorer.model`."""

from pydantic import Field

from leaplab.explorer.model import Filter, Model

MOST_LISTED = 100_000
"""Samples that an answer lists."""


class Side(Model):
    """A population: what meets a condition, or all filters, or what a mask marks, or all that is not in the other one.

    `told` says what the samples of a mask are called, and `columns` what they were picked by.
    """

    where: str | None = Field(default=None, max_length=10_000)
    filters: list[Filter] | None = Field(default=None, min_length=1, max_length=100)
    mask: str | None = Field(default=None, max_length=4_000_000)
    rest: bool = False
    told: str = Field(default="what is chosen", max_length=200)
    columns: list[str] = Field(default=[], max_length=100)


class Asked(Model):
    """How much of an answer is wanted.

    `limit` says how many samples are listed, of as many as there are.
    """

    space: str | None = None
    limit: int = Field(default=200, ge=0, le=MOST_LISTED)


class GapAsked(Asked):
    """Two populations, and one that is ranked by its nearness to the target."""

    source: Side
    target: Side
    rank: Side | None = None


class GapsAsked(Model):
    """All values of a column, each with each."""

    by: str = Field(max_length=1000)
    space: str | None = None


class LabellingAsked(Asked):
    """Which samples to label first."""

    budget: int = Field(ge=1, le=MOST_LISTED)
    state: str = "unlabeled"
    balance: str | None = None
    apart: str | None = None


class PruningAsked(Asked):
    """Which samples to keep: a share of them, or so many."""

    share: float | None = Field(default=None, gt=0, le=1)
    count: int | None = Field(default=None, ge=1)
    state: str = "training"
    balance: str | None = None
    first: str | None = None


class PredictionAsked(Asked):
    """The loss that samples of a state are expected to have."""

    state: str = "unlabeled"
    score: str | None = None


class SimilarAsked(Model):
    """What is nearest to the centre of some samples, each named by its row."""

    rows: list[int] = Field(min_length=1, max_length=MOST_LISTED)
    count: int = Field(default=20, ge=1, le=1000)
    space: str | None = None


class SideTold(Model):
    """A population, as it was asked for, and its samples."""

    where: str
    count: int


class GapStatistics(Model):
    """What the test of a gap is of."""

    energy: float
    moments: float


class ColumnGap(Model):
    """A column in which two populations differ: effect in [0, 1], and means, or the share of each category."""

    column: str
    type: str
    effect: float
    p: float
    source: float | dict[str, float] | None
    target: float | dict[str, float] | None
    shift: float | None


class RankedTold(Model):
    """A sample, and how near it is to the target."""

    sample_id: str
    state: str
    nearness: float | None
    centroid_distance: float | None


class Gap(Model):
    """Whether two populations differ, by how much and in what; the command's answer, and what the page needs beside.

    `rows` are those of `ranked`; `told` says for each column what stands for either population, in a few words.
    `made` names the columns that the run has now.
    """

    source: SideTold
    target: SideTold
    p: float
    statistics: GapStatistics
    auc: float
    auc_interval: list[float]
    centroid_distance: float
    power: str
    columns: list[ColumnGap]
    warnings: list[str]
    ranked: list[RankedTold]
    space: str
    headline: str
    unexplaining: list[str]
    told: list[list[str]]
    rows: list[int]
    count: int
    made: list[str]


class Matrices(Model):
    """Three numbers of each pair; null of a value with itself."""

    auc: list[list[float | None]]
    p: list[list[float | None]]
    energy: list[list[float | None]]


class Gaps(Model):
    """The gaps between all values of a column."""

    populations: list[str]
    matrix: Matrices
    counts: list[int]
    warnings: list[str]


class ToLabel(Model):
    """A sample to label, and why."""

    sample_id: str
    rank: int
    predicted_loss: float | None
    cluster: int
    reason: str


class LabellingList(Model):
    """The samples to label, the first to label first."""

    budget: int
    samples: list[ToLabel]
    told: str
    notices: list[str]
    rows: list[int]
    made: list[str]


class KeptSample(Model):
    """A sample that is kept; to keep fewer, keep the first by priority."""

    sample_id: str
    cluster: int
    distance: float
    subgroup: int | None
    priority: int | None


class PrunedList(Model):
    """What is kept of a state, by priority; `rows` are those of `kept`, and the masks mark all that are kept and all
    that go."""

    kept: list[KeptSample]
    dropped: int
    told: str
    notices: list[str]
    rows: list[int]
    count: int
    kept_mask: str
    dropped_mask: str
    made: list[str]


class Skill(Model):
    """How good predictions are, on samples whose loss is known and was not used."""

    top_tenth_share: float | None
    top_tenth_best: float | None
    spearman: float | None
    auroc_wrong: float | None
    coverage: float | None


class PredictedTold(Model):
    """The loss that a sample is expected to have; the interval is null where it is withheld."""

    sample_id: str
    state: str
    predicted: float | None
    low: float | None
    high: float | None


class PredictedLoss(Model):
    """The samples with their predicted loss, the greatest first."""

    fitted_on: list[str]
    recipe: str
    skill: Skill
    withheld_share: float
    samples: list[PredictedTold]
    quantity: str
    told: list[str]
    rows: list[int]
    count: int
    made: list[str]


class SimilarTold(Model):
    """A sample near to others."""

    sample_id: str
    state: str
    row: int
    distance: float


class SimilarSamples(Model):
    """What is near to some samples, the nearest first."""

    run: str
    space: str
    metric: str
    query: list[str]
    similar: list[SimilarTold]


class Values(Model):
    """Samples whose value in a column is one of these."""

    column: str
    keep: list[str]


class Suggestion(Model):
    """Two populations that are worth comparing."""

    title: str
    source: Values
    target: Values


class Suggestions(Model):
    """What to begin with; `by` is a column whose values are worth comparing each with each."""

    gaps: list[Suggestion]
    by: str | None
