"""Heat-maps of many samples: their mean, and how much of each lies where the ground truth is."""

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from leaplab.errors import DeadIntegrationError, LeaplabError, QuestionError
from leaplab.population.cached import cached
from leaplab.population.computed import ComputedColumn
from leaplab.population.heatmap import SEED, VERSION, Heatmap, HeatmapQuestion, HeatMaps
from leaplab.population.heatmap_kept import arrays_packed, arrays_unpacked
from leaplab.population.heatmap_page import page_of_heatmap
from leaplab.population.heatmap_truth import covered
from leaplab.protocol.explaining import Explanation

if TYPE_CHECKING:
    from leaplab.population.population import Population

SAMPLES = 200
"""Samples that are looked at where nobody says how many."""
INSIDE = "heat_inside_truth"
"""The column `analysis.*` of the share inside."""


@dataclass(frozen=True)
class PopulationHeatmap:
    """Heat-maps of n samples.

    Attributes:
        of, method, layer, baseline, input: as of one heat-map.
        rows: [n] int64, of the run.
        ids, states: of these.
        targets: [n] float64, what the target is for each sample as it is.
        values: [H, W] float64, the mean of the maps, in the target's own units.
        inside: [n] float64, the share of a map's absolute change that lies inside the ground truth's boxes or masks;
            NaN where there are none, or nothing changes.
        chance: [n] float64, the share of the picture's area that they take, which a map without any sense has inside;
            NaN where `inside` is.
        truth: name of the visualizer that says where they lie; empty where there is none.
        picture: [H, W, C] float32, the mean of the inputs; of any shape where they are no images.
        is_image: whether they are.
        notices: what to know of it, a sentence each.
    """

    of: str
    method: str
    layer: str
    baseline: str
    input: str
    rows: NDArray[np.int64]
    ids: list[str]
    states: list[str]
    targets: NDArray[np.float64]
    values: NDArray[np.float64]
    inside: NDArray[np.float64]
    chance: NDArray[np.float64]
    truth: str
    picture: NDArray[np.float32] = field(repr=False)
    is_image: bool
    notices: tuple[str, ...] = ()
    population: "Population | None" = field(default=None, repr=False, compare=False)

    @property
    def samples(self) -> int:
        """How many samples have a map."""
        return len(self.rows)

    @property
    def inside_truth(self) -> dict[str, float] | None:
        """`mean` share inside, and `chance`, over the samples that have something there; None where none has."""
        known = np.isfinite(self.inside)
        if not known.any():
            return None
        return {"mean": float(self.inside[known].mean()), "chance": float(self.chance[known].mean())}

    @property
    def is_flat(self) -> bool:
        """Whether nothing changes anything in any sample."""
        return not np.any(np.nan_to_num(self.values))

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample: `id`, `state`, `target`, `inside_truth` and `chance`, None where unknown."""
        shares = ([None if np.isnan(each) else each for each in array.tolist()] for array in (self.inside, self.chance))
        return {
            "id": self.ids,
            "state": self.states,
            "target": self.targets.tolist(),
            **dict(zip(("inside_truth", "chance"), shares, strict=True)),
        }

    def _repr_html_(self) -> str:
        shown = page_of_heatmap(self.as_heatmap())
        share = self.inside_truth
        if share is None:
            return shown
        return f"{shown}<p>{html.escape(told(self, share))}</p>"

    def as_heatmap(self) -> Heatmap:
        """The mean as a heat-map, to be drawn like any."""
        return Heatmap(
            f"{self.samples:,} samples",
            ", ".join(sorted(set(self.states))),
            self.of,
            self.method,
            self.layer,
            self.baseline,
            self.input,
            (f"{self.of}, mean of {self.samples:,}",),
            np.array([self.targets.mean()]),
            self.values[None],
            self.picture,
            self.is_image,
            self.notices,
            population=self.population,
        )


def told(answer: PopulationHeatmap, share: dict[str, float]) -> str:
    """The shares in a sentence."""
    return (
        f"Of what changes {answer.of}, {share['mean']:.3g} lies inside what '{answer.truth}' shows of the ground truth,"
        f" which takes {share['chance']:.3g} of the picture."
    )


def heatmap_of_samples(
    maps: HeatMaps, population: "Population", rows: NDArray[np.int64], question: HeatmapQuestion, count: int = SAMPLES
) -> PopulationHeatmap:
    """The mean of the heat-maps of some samples, and how much of them lies where the ground truth is.

    The share inside is kept as the column `analysis.heat_inside_truth` where a visualizer says where the truth lies.

    Args:
        maps: of the run.
        rows: among which samples are chosen, the same whatever their order.
        question: whose row counts for nothing.
        count: the most samples that are looked at.

    Raises:
        LeaplabError: there is no sample, the question makes no sense for many, or no sample has a map.
    """
    if question.of == "class:all":
        raise QuestionError("A mean heat-map is of one target; name one class by --of class:NAME.")
    if count < 1:
        raise QuestionError(f"A mean is of one sample or more, not of {count}; give --count a number from 1 on.")
    if not len(rows):
        raise QuestionError("No sample meets the condition, so that there is no mean heat-map.")
    chosen = _seeded(population, rows, count)
    keys = [[population.states[row], population.ids[row]] for row in chosen]
    asked = {**vars(question), "row": None, "samples": keys}
    found = _unpacked(
        cached(
            population.store, "heatmap of samples", VERSION, asked, lambda: _packed(_measured(maps, question, chosen))
        )
    )
    taken = np.array(chosen, np.int64)[found.places]
    notices = found.kept.notices
    if not found.kept.truth:
        notices = (
            *notices,
            "No visualizer of the integration shows boxes or masks of the ground truth without a prediction"
            " (ImageWithBBox, ImageMask), so that nothing says how much lies inside; write one.",
        )
    elif not np.isfinite(found.inside).any():
        notices = (*notices, f"'{found.kept.truth}' marks nothing in any of them, so that nothing lies inside.")
    else:
        column = np.full(population.samples, np.nan)
        column[taken] = found.inside
        label = f"Share of what changes {question.of} that lies inside the ground truth"
        population.keep(INSIDE, ComputedColumn(label, column))
    return PopulationHeatmap(
        question.of,
        found.kept.method,
        found.kept.layer,
        found.kept.baseline,
        found.kept.input,
        taken,
        [population.ids[row] for row in taken],
        [population.states[row] for row in taken],
        found.targets,
        found.values,
        found.inside,
        found.chance,
        found.kept.truth,
        found.picture,
        found.kept.is_image,
        notices,
        population,
    )


def _seeded(population: "Population", rows: NDArray[np.int64], count: int) -> list[int]:
    states, ids = population.states, population.ids
    ordered = sorted(rows.tolist(), key=lambda row: (states[row], ids[row]))
    if len(ordered) <= count:
        return ordered
    places = np.random.default_rng(SEED).choice(len(ordered), count, replace=False)
    return [ordered[place] for place in sorted(places)]


class _Kept(msgspec.Struct):
    """What is cached beside the arrays, as JSON."""

    method: str
    layer: str
    baseline: str
    input: str
    is_image: bool
    truth: str
    notices: tuple[str, ...]


@dataclass
class _Found:
    """What is cached of an answer; `places` are those of the samples that have a map, among those asked for."""

    kept: _Kept
    places: NDArray[np.int64]
    targets: NDArray[np.float64]
    values: NDArray[np.float64]
    inside: NDArray[np.float64]
    chance: NDArray[np.float64]
    picture: NDArray[np.float32]


def _measured(maps: HeatMaps, question: HeatmapQuestion, chosen: list[int]) -> _Found:
    truth = maps.truth_visualizer
    mean = _Means()
    places, targets, shares, failures = [], [], [], []
    unshown: list[str] = []
    last: Explanation | None = None
    notices: tuple[str, ...] = ()
    for place, row in enumerate(chosen):
        try:
            found = maps.explained(_of_row(question, row), asks_truth=True)
        except DeadIntegrationError:
            raise
        except LeaplabError as error:
            failures.append(error)
            continue
        places.append(place)
        targets.append(float(found.targets[0]))
        mean.add(found)
        try:
            shares.append(_share(found))
        except LeaplabError as error:
            unshown.append(str(error))
            shares.append((np.nan, np.nan))
        notices = tuple(each for each in notices if each in found.notices) if last else tuple(found.notices)
        last = found
    if last is None:
        raise failures[0]
    if failures:
        many = f"{len(failures)} of the {len(chosen)} samples have" if len(failures) > 1 else "One sample has"
        notices += (f"{many} no map and are left out; the first: {failures[0]}",)
    if unshown:
        notices += (f"The ground truth of {len(unshown)} samples cannot be shown; the first: {unshown[0]}",)
    kept = _Kept(last.method, last.layer, last.baseline, last.input, last.is_image, truth, notices)
    inside, chance = np.array(shares, np.float64).T
    return _Found(kept, np.array(places), np.array(targets), mean.values, inside, chance, mean.picture)


def _of_row(question: HeatmapQuestion, row: int) -> HeatmapQuestion:
    return HeatmapQuestion(**{**vars(question), "row": row})


def _share(found: Explanation) -> tuple[float, float]:
    """The share of a map's absolute change inside the ground truth, and of the area; NaN where there is none."""
    change = np.abs(np.nan_to_num(found.values[0]))
    if found.truth is None or not change.any():
        return np.nan, np.nan
    inside = covered(found.truth, (change.shape[0], change.shape[1]))
    if not inside.any():
        return np.nan, np.nan
    return float((change * inside).sum() / change.sum()), float(inside.mean())


class _Means:
    """The mean of maps and of pictures that come one after another; where a map has no number, it counts not."""

    def __init__(self) -> None:
        self._total: Any = 0.0
        self._known: Any = 0
        self._picture: Any = 0.0
        self._count = 0

    def add(self, found: Explanation) -> None:
        known = np.isfinite(found.values[0])
        self._total = self._total + np.where(known, found.values[0], 0.0)
        self._known = self._known + known
        self._picture = self._picture + found.picture.astype(np.float64)
        self._count += 1

    @property
    def values(self) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self._total / self._known)

    @property
    def picture(self) -> NDArray[np.float32]:
        return np.asarray(self._picture / self._count, np.float32)


def _packed(found: _Found) -> NDArray[np.uint8]:
    kept = np.frombuffer(msgspec.json.encode(found.kept), np.uint8)
    return arrays_packed([kept, found.places, found.targets, found.values, found.inside, found.chance, found.picture])


def _unpacked(content: NDArray[np.uint8]) -> _Found:
    kept, *arrays = arrays_unpacked(content)
    return _Found(msgspec.json.decode(kept.tobytes(), type=_Kept), *arrays)
