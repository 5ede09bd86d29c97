"""Samples in which some place looks to the model like a region of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.neighbours import METRICS, Metric
from leaplab.analysis.regions import Region, best_windows, box_of, mean_vector, window_of
from leaplab.errors import QuestionError
from leaplab.population.cell_vectors import MOST_BYTES, Progress, cell_vectors
from leaplab.population.model_cuts import ModelCuts
from leaplab.population.notebook import page_of_similar_regions
from leaplab.population.similar import Similar

if TYPE_CHECKING:
    from leaplab.population.population import Population


@dataclass(frozen=True)
class SimilarRegion(Similar):
    """A sample in which a place is near to a region of another.

    Attributes:
        cell: row and column of the first cell of that place, in the map.
        box: left, top, right and bottom of the place, in pixels of the input.
    """

    cell: tuple[int, int]
    box: Region


@dataclass(frozen=True)
class SimilarRegions:
    """What is near to a region of a sample.

    Attributes:
        space: the layer whose cells are compared.
        metric: `cosine` or `euclidean`.
        query: the id of the sample, alone.
        region: left, top, right and bottom of the cells that stand for the region, in pixels of the input.
        cells: rows and columns of these.
        grid: rows and columns of the map.
        size: height and width of the input, in pixels.
        input: its name.
        similar: nearest first.
        searched: how many samples were compared.
        looked_from: the row of the sample, alone.
        notices: what to know of it, a sentence each.
    """

    space: str
    metric: str
    query: tuple[str]
    region: Region
    cells: tuple[int, int]
    grid: tuple[int, int]
    size: tuple[int, int]
    input: str
    similar: tuple[SimilarRegion, ...]
    searched: int
    looked_from: tuple[int]
    notices: tuple[str, ...] = ()
    population: "Population | None" = field(default=None, repr=False, compare=False)

    def table(self) -> dict[str, list[Any]]:
        """Column -> one value a sample that was found, nearest first."""
        names = ("sample_id", "state", "row", "distance")
        told = {name: [getattr(each, name) for each in self.similar] for name in names}
        for place, name in enumerate(("cell_row", "cell_column")):
            told[name] = [each.cell[place] for each in self.similar]
        for place, name in enumerate(("x0", "y0", "x1", "y1")):
            told[name] = [each.box[place] for each in self.similar]
        return told

    def _repr_html_(self) -> str:
        return page_of_similar_regions(self)


def region_of(text: str) -> Region:
    """A region as a person writes it.

    Raises:
        QuestionError: it is no four numbers.
    """
    try:
        left, top, right, bottom = map(float, text.split(","))
    except ValueError:
        raise QuestionError(
            f"A region is four numbers X0,Y0,X1,Y1, in pixels of the input, and not '{text}'."
        ) from None
    return left, top, right, bottom


def similar_to_region(
    population: "Population",
    cuts: ModelCuts,
    row: int,
    region: Sequence[float],
    count: int = 20,
    metric: Metric = "cosine",
    input_name: str | None = None,
    layer: str | None = None,
    among: NDArray[np.int64] | None = None,
    progress: Progress = lambda *_: None,
    in_shares: bool = False,
) -> SimilarRegions:
    """The samples of which a place looks to the model like a region of one, which is not among them.

    What stands for a region is the mean of the vectors of its cells; each other sample has the place of as many rows
    and columns whose mean is nearest.

    Args:
        cuts: of the run.
        row: of the sample.
        region: left, top, right and bottom, in pixels of the input.
        count: the most that are wanted.
        input_name: the input that the region lies on; None takes the first that is an image.
        layer: whose cells are compared; None takes the last map that all ways lead through.
        among: rows that may be found; None takes all.
        progress: see `leaplab.population.cell_vectors.cell_vectors`.
        in_shares: whether the region is told in shares of the input's sides instead.

    Returns:
        Nearest first, equal distances by row.

    Raises:
        LeaplabError: there is no such row, metric, input or layer, the region is none of the input, the model has no
            map, or the run's integration cannot be bound.
    """
    if metric not in METRICS:
        raise QuestionError(f"There is no metric '{metric}'; there are {', '.join(METRICS)}.")
    if len(region) != 4:
        raise QuestionError(f"A region is four numbers, left, top, right and bottom, and not {len(region)}.")
    row = population.require_row(row)
    known, own = cell_vectors(population, cuts, row, input_name or "", layer or "", progress)
    height, width = known.size if in_shares else (1, 1)
    left, top, right, bottom = region[0] * width, region[1] * height, region[2] * width, region[3] * height
    window = window_of((left, top, right, bottom), known.size, known.grid)
    query = mean_vector(own, window)
    allowed = known.rows != row
    if among is not None:
        allowed &= np.isin(known.rows, among)
    places = np.flatnonzero(allowed)
    distances, cells = best_windows(known.values, query, window, metric, places)
    rows = known.rows[places]
    tall, wide = window.bottom - window.top, window.right - window.left
    similar = []
    for place in np.lexsort((rows, distances))[:count].tolist():
        first, second = cells[place].tolist()
        box = box_of(
            window._replace(top=first, left=second, bottom=first + tall, right=second + wide), known.size, known.grid
        )
        found = int(rows[place])
        similar.append(
            SimilarRegion(
                population.ids[found], population.states[found], found, float(distances[place]), (first, second), box
            )
        )
    return SimilarRegions(
        known.layer,
        metric,
        (population.ids[row],),
        box_of(window, known.size, known.grid),
        (tall, wide),
        known.grid,
        known.size,
        known.input,
        tuple(similar),
        len(places),
        (row,),
        _notices(population, len(known.rows) + known.left_out, known.whole, known.left_out),
        population,
    )


def _notices(population: "Population", asked: int, whole: bool, left_out: int) -> tuple[str, ...]:
    notices = []
    if not whole:
        notices.append(
            f"The cells of all {population.samples:,} samples would take more than {MOST_BYTES / 2**30:g} GiB: those of"
            f" {asked:,}, chosen at random, are looked at."
        )
    if left_out:
        many = f"{left_out:,} samples have" if left_out > 1 else "One sample has"
        notices.append(f"{many} no cells and cannot be found: not to be encoded, or not finite as float16.")
    return tuple(notices)
