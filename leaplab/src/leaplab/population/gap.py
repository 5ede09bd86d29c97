"""The gap between two populations of a run, and how near the samples of a third are to the second."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.gap import FOLDS, MOST
from leaplab.analysis.insight.wording import counted
from leaplab.analysis.numerals import numeral
from leaplab.errors import QuestionError
from leaplab.population.cached import cached
from leaplab.population.computed import ComputedColumn
from leaplab.population.gap_measured import FEW, LEVEL, Measured, Side, measured_gap
from leaplab.population.notebook import page_of_gap
from leaplab.population.samples import TOLD_GROUPS

if TYPE_CHECKING:
    from leaplab.population.population import Population

VERSION = 1
SMALLEST = FOLDS
"""Samples of a population that can be compared: one a fold."""
SMALL = 30
"""Samples of a population that numbers are hardly sure of."""
BARELY = 0.6
"""AUC below which a linear model hardly tells two populations apart."""
NEARNESS, CENTROID_DISTANCE = "nearness", "centroid_distance"


@dataclass(frozen=True)
class Picked:
    """Samples that a person picked, where no condition says which.

    Attributes:
        told: what they are called.
        rows: [n] of the run, ascending.
        columns: that they were picked by, if any.
    """

    told: str
    rows: NDArray[np.int64] = field(repr=False, compare=False)
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ranked:
    """A sample, and how near it is to the target.

    Attributes:
        row: in the run.
        nearness: log-odds of being of the target and not of the source.
        centroid_distance: Euclidean distance to the target's mean, in the latent space as it is stored.
    """

    sample_id: str
    state: str
    row: int
    nearness: float
    centroid_distance: float


@dataclass(frozen=True)
class DomainGap:
    """Whether two populations differ, by how much, and in what.

    Attributes:
        space: the latent space.
        source: the first population.
        target: the second, that others are brought near to.
        measured: p, AUC, distances and columns.
        power: what the sizes of the populations can show, in a sentence.
        warnings: what to know before trusting a number of it.
        rank: the condition of the ranked samples; None where none was given.
        ranked: the nearest to the target first, equal ones by state and id.
        unexplaining: columns that the conditions name: they explain nothing.
        population: that a notebook draws the map of.
    """

    space: str
    source: Side
    target: Side
    measured: Measured
    power: str
    warnings: tuple[str, ...]
    rank: str | None
    ranked: tuple[Ranked, ...]
    unexplaining: tuple[str, ...]
    population: "Population | None" = field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a ranked sample, the nearest first; without any, a value a column that differs."""
        if self.rank is not None:
            names = ("sample_id", "state", "nearness", "centroid_distance")
            return {name: [getattr(each, name) for each in self.ranked] for name in names}
        columns = self.measured.columns
        return {
            "column": [each.column for each in columns],
            "type": [each.type for each in columns],
            "effect": [each.effect for each in columns],
            "p": [each.p for each in columns],
            "source": [_cell(each.source) for each in columns],
            "target": [_cell(each.target) for each in columns],
            "shift": [each.shift for each in columns],
        }

    def answer(self) -> dict[str, Any]:
        """What was found, for JSON."""
        found = self.measured
        names = ("sample_id", "state", "nearness", "centroid_distance")
        return {
            "source": {"where": self.source.where, "count": self.source.count},
            "target": {"where": self.target.where, "count": self.target.count},
            "p": found.p,
            "statistics": {"energy": found.energy, "moments": found.moments},
            "auc": found.auc,
            "auc_interval": [found.low, found.high],
            "centroid_distance": found.centroid_distance,
            "power": self.power,
            "columns": found.columns,
            "warnings": self.warnings,
            "ranked": [{name: getattr(each, name) for name in names} for each in self.ranked],
        }

    def headline(self) -> str:
        """Whether they differ, in a sentence."""
        found = self.measured
        p, auc = numeral(found.p), f"AUC {found.auc:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}"
        if found.p > LEVEL:
            return f"No gap is seen between source and target (p {p}; {auc}, where 0.5 is chance)."
        if found.low <= 0.5:
            return (
                f"Source and target differ (p {p}), though a linear model cannot tell them apart ({auc}, where 0.5 is"
                " chance): it is their spread that differs."
            )
        if found.auc < BARELY:
            return (
                f"Source and target differ (p {p}), though a linear model hardly tells them apart ({auc}, where 0.5 is"
                " chance)."
            )
        return f"Source and target differ (p {p}), and a linear model tells them apart ({auc}, where 0.5 is chance)."

    def _repr_html_(self) -> str:
        return page_of_gap(self)


def gap_of(
    population: "Population",
    source: str | Picked,
    target: str | Picked,
    rank: str | Picked | None = None,
    space: str | None = None,
    among: NDArray[np.int64] | None = None,
) -> DomainGap:
    """Compare two populations, and rank a third by its nearness to the second.

    The ranked samples' nearness and distance become the columns `analysis.nearness` and `analysis.centroid_distance`.

    Args:
        source: condition of the first, or its samples.
        target: the same of the second.
        rank: the same of the third; None ranks none.
        among: rows that any of them may have; None takes all.

    Raises:
        LeaplabError: there is no such space, a condition is none, a population has fewer than five samples with a
            finite vector, or both share samples.
    """
    space = population.space(space)
    sides = [_side(population, what, each, among) for what, each in (("source", source), ("target", target))]
    _require_apart(population, *sides, can_say=isinstance(source, str) and isinstance(target, str))
    vectors = population.vectors(space)
    warnings: list[str] = []
    places = [
        _places(what, side, vectors.rows, warnings) for what, side in zip(("source", "target"), sides, strict=True)
    ]
    wanted = np.zeros(0, np.int64)
    if rank is not None:
        ranked_side = _side(population, "population to rank", rank, among)
        wanted = _in_order(
            population, vectors.rows[_places("population to rank", ranked_side, vectors.rows, warnings, 1)]
        )
    named = {*columns_named(population, source), *columns_named(population, target)}
    unexplaining = tuple(
        name for name, column in population.columns.items() if column.group in TOLD_GROUPS and name in named
    )
    parameters = {
        "space": space,
        "rows": [_digest(side.rows) for side in sides],
        "rank": None if rank is None else _digest(wanted),
        "unexplaining": unexplaining,
    }

    def computed() -> NDArray[np.uint8]:
        rank_places = np.searchsorted(vectors.rows, wanted)
        measured = measured_gap(population, vectors.values, places, rank_places, sides, unexplaining)
        return np.frombuffer(msgspec.json.encode(measured), np.uint8)

    content = cached(population.store, "domain gap", VERSION, parameters, computed).tobytes()
    measured = msgspec.json.decode(content, type=Measured)
    ranked = _ranked(population, wanted, measured)
    if rank is not None:
        _keep(population, wanted, measured, sides[1].where)
        if len(places[1]) < FEW:
            warnings.append(
                f"The target has fewer than {FEW} samples, so nearness is told by its nearest samples, and not by a"
                " fitted model."
            )
    power = _power(measured.detectable, *(len(each) for each in places))
    return DomainGap(
        space,
        sides[0],
        sides[1],
        measured,
        power,
        tuple(warnings),
        rank.told if isinstance(rank, Picked) else rank,
        ranked,
        unexplaining,
        population,
    )


def columns_named(population: "Population", asked: str | Picked) -> list[str]:
    """The columns by which samples were chosen."""
    if isinstance(asked, Picked):
        return [name for name in asked.columns if name in population.columns]
    return [name for name in population.columns if _names(asked, name)]


def _side(population: "Population", what: str, asked: str | Picked, among: NDArray[np.int64] | None) -> Side:
    where, rows = (asked.told, asked.rows) if isinstance(asked, Picked) else (asked, population.where(asked))
    if among is not None:
        rows = rows[np.isin(rows, among)]
    if not len(rows):
        within = "" if among is None else " within --where and --state"
        raise QuestionError(f"The {what} is empty: no sample meets `{where}`{within}.")
    return Side(where, len(rows), rows)


def _require_apart(population: "Population", source: Side, target: Side, *, can_say: bool) -> None:
    """Accept populations that share no sample.

    Args:
        can_say: whether both are conditions, so that one can be written that leaves out what they share.
    """
    for side, what, other in ((source, "source", "target"), (target, "target", "source")):
        if side.count == population.samples:
            raise QuestionError(
                f"The {what} `{side.where}` takes all {side.count:,} samples of the run, so that none is left for the"
                f" {other}; narrow it."
            )
    both = len(np.intersect1d(source.rows, target.rows))
    if both == source.count == target.count:
        raise QuestionError(f"Source and target are the same {both:,} samples; let one of the conditions say others.")
    if both:
        inner, outer, option = (target, source, "source") if both == target.count else (source, target, "target")
        example = f', as by --{option} "({outer.where}) and not ({inner.where})"' if can_say else ""
        raise QuestionError(
            f"{counted(both, 'sample')} {'is' if both == 1 else 'are'} in both populations, of {source.count:,} in the"
            f" source and {target.count:,} in the target; leave them out of one{example}."
        )


def _places(
    what: str, side: Side, with_vectors: NDArray[np.int64], warnings: list[str], least: int = SMALLEST
) -> NDArray[np.int64]:
    """Where the samples of a population lie among those with a finite vector."""
    places = np.flatnonzero(np.isin(with_vectors, side.rows))
    missing = side.count - len(places)
    if len(places) < least:
        finite = " with a finite vector" if missing else ""
        raise QuestionError(
            f"The {what} `{side.where}` has {counted(len(places), 'sample')}{finite}, and it takes {least} at least;"
            " widen the condition."
        )
    if missing:
        warnings.append(
            f"{missing:,} of {side.count:,} samples of the {what} {'has' if missing == 1 else 'have'} a vector with NaN"
            " or infinity, and count in the columns alone."
        )
    if least == SMALLEST and len(places) < SMALL:
        warnings.append(
            f"The {what} has {len(places)} samples, so that only a large gap shows, and its numbers are hardly sure."
        )
    if least == SMALLEST and len(places) > MOST:
        warnings.append(
            f"{MOST:,} of {len(places):,} samples of the {what} are compared in the latent space, drawn at random; the"
            " columns are of all."
        )
    return places


def _in_order(population: "Population", rows: NDArray[np.int64]) -> NDArray[np.int64]:
    keys = [(population.states[row], population.ids[row]) for row in rows]
    return rows[sorted(range(len(rows)), key=keys.__getitem__)]


def _ranked(population: "Population", rows: NDArray[np.int64], measured: Measured) -> tuple[Ranked, ...]:
    order = np.argsort(-np.array(measured.nearness), kind="stable").tolist()
    return tuple(
        Ranked(
            population.ids[rows[place]],
            population.states[rows[place]],
            int(rows[place]),
            measured.nearness[place],
            measured.distances[place],
        )
        for place in order
    )


def _keep(population: "Population", rows: NDArray[np.int64], measured: Measured, target: str) -> None:
    """Make what was found of each ranked sample columns of the run."""
    labels = {NEARNESS: f"nearness to {target}", CENTROID_DISTANCE: f"distance to the centre of {target}"}
    for name, found in ((NEARNESS, measured.nearness), (CENTROID_DISTANCE, measured.distances)):
        values = np.full(population.samples, np.nan)
        values[rows] = found
        population.keep(name, ComputedColumn(labels[name], values))


def _power(detectable: float | None, source: int, target: int) -> str:
    sizes = f"{source:,} and {target:,} samples"
    if detectable is None:
        return f"{sizes} would show no shift of any size; take more."
    return (
        f"{sizes} would not show a shift that a linear model sees with an AUC under {detectable:.2f}; one of that size"
        " they show in 80 of 100 cases."
    )


def _names(condition: str, column: str) -> bool:
    """Whether a condition names a column."""
    return re.search(rf"(?<![\w.]){re.escape(column)}(?![\w.])", condition) is not None


def _digest(rows: NDArray[np.int64]) -> str:
    return hashlib.sha256(rows.astype(np.int64).tobytes()).hexdigest()[:16]


def _cell(value: float | dict[str, float]) -> float | str:
    """A mean, or the shares of categories as one text."""
    return value if isinstance(value, float) else msgspec.json.encode(value).decode()
