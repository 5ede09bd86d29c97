"""What is measured of a domain gap, and cached."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from leaplab.analysis.gap import ColumnGap, centroid_distance, column_gaps, drawn, gap_test, separation
from leaplab.analysis.gap_power import detectable_auc
from leaplab.analysis.nearness import density_ratios
from leaplab.analysis.parted import PartedVectors
from leaplab.analysis.whitening import fit_whitening
from leaplab.population.columns import is_told_in, values_of
from leaplab.population.samples import HASH_COLUMN, TOLD_GROUPS

if TYPE_CHECKING:
    from leaplab.population.population import Population

FEW = 100
"""Samples of a target below which nearness is that of neighbours, and not of a fitted model."""
LEVEL = 0.05


@dataclass(frozen=True)
class Side:
    """A population that is compared.

    Attributes:
        where: the condition that it meets.
        count: its samples.
        rows: [count] of the run, ascending.
    """

    where: str
    count: int
    rows: NDArray[np.int64] = field(repr=False, compare=False)


class Measured(Struct, frozen=True):
    """What is computed of a question, and cached.

    Attributes:
        p: of both statistics together, see `leaplab.analysis.gap.gap_test`.
        energy: energy distance, in whitened components.
        moments: squared difference of second moments, likewise.
        auc: of telling both apart, with its interval of 95 %.
        centroid_distance: of the means, in the latent space as it is stored.
        radius: the mean distance of the target's samples to their own mean.
        detectable: AUC of the least gap that such populations show in 80 % of the cases; None where they show none.
        columns: in which they differ, the largest effect first.
        nearness: of the ranked samples.
        distances: of these to the target's mean.
    """

    p: float
    energy: float
    moments: float
    auc: float
    low: float
    high: float
    centroid_distance: float
    radius: float
    detectable: float | None
    columns: tuple[ColumnGap, ...]
    nearness: list[float]
    distances: list[float]


def measured_gap(
    population: "Population",
    vectors: NDArray[np.float32] | PartedVectors,
    places: Sequence[NDArray[np.int64]],
    wanted: NDArray[np.int64],
    sides: Sequence[Side],
    unexplaining: Sequence[str],
) -> Measured:
    """Compare two populations, and lay further samples beside them.

    Args:
        vectors: [n, W] of the run that are finite.
        places: of the source's and the target's samples among these.
        wanted: [k] places of the samples that are ranked.
        sides: source and target.
        unexplaining: columns that are not compared.
    """
    source, target = (each[drawn(vectors[each])] for each in places)
    whitening = fit_whitening(vectors[np.concatenate([source, target])])
    one, other = whitening.of(vectors[source]), whitening.of(vectors[target])
    test = gap_test(one, other)
    ranked = whitening.of(vectors[wanted])
    apart = separation(one, other, others=ranked)
    of_source, of_target = (_places_among(wanted, each) for each in (source, target))
    if len(places[1]) < FEW:
        nearness = density_ratios(ranked, one, other, of_source, of_target)
    else:
        # A sample that is compared is judged by the fold that has not seen it.
        nearness = np.where(of_source >= 0, apart.nearness[of_source], apart.others)
        nearness = np.where(of_target >= 0, apart.nearness[len(source) + of_target], nearness)
    centre = vectors[places[1]].mean(axis=0, dtype=np.float64)
    return Measured(
        test.p,
        test.energy,
        test.moments,
        apart.auc,
        apart.low,
        apart.high,
        centroid_distance(vectors[places[0]].astype(np.float64), vectors[places[1]].astype(np.float64)),
        float(_distances(vectors[places[1]], centre).mean()),
        detectable_auc(vectors[source], vectors[target]),
        _columns(population, sides, unexplaining),
        nearness.tolist(),
        _distances(vectors[wanted], centre).tolist(),
    )


def _places_among(wanted: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of the places each wanted one is; -1 for none."""
    order = np.argsort(places)
    found = np.minimum(np.searchsorted(places, wanted, sorter=order), len(places) - 1)
    return np.where(places[order[found]] == wanted, order[found], -1)


def _distances(vectors: NDArray[np.float32], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(vectors - centre, axis=1))


def _columns(population: "Population", sides: Sequence[Side], unexplaining: Sequence[str]) -> tuple[ColumnGap, ...]:
    rows = np.concatenate([side.rows for side in sides])
    told = {
        name: values_of(column, population.values(name)).of(rows)
        for name, column in population.columns.items()
        if is_told_in(column) and column.group in TOLD_GROUPS and name != HASH_COLUMN and name not in unexplaining
    }
    of_source = np.arange(len(rows)) < sides[0].count
    return tuple(column_gaps(told, of_source, ~of_source, LEVEL))
