"""What a notebook shows of a run and its analyses: HTML with small maps in it."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.projection import METHODS
from leaplab.errors import LeaplabError
from leaplab.population.members import MemberRows

if TYPE_CHECKING:
    from leaplab.analysis.charting.chart import Chart
    from leaplab.population.clusters import Clusters
    from leaplab.population.gap import DomainGap
    from leaplab.population.gap_matrix import DomainGaps
    from leaplab.population.insights import Insights
    from leaplab.population.labelling import LabellingList
    from leaplab.population.predicted_loss import PredictedLoss
    from leaplab.population.pruning import PrunedList
    from leaplab.population.similar import SimilarSamples
    from leaplab.population.similar_region import SimilarRegions

MAP_SIDE, SMALL_SIDE = 360, 120
"""Pixels of a map."""
Colour = tuple[int, int, int]
INK: Colour = (31, 119, 180)
GREY: Colour = (196, 201, 208)
MARK: Colour = (189, 31, 1)
PAPER = 255
SHOWN_DIFFERENCES = 3
SHOWN_ROWS = 20
"""Of a table; `.table()` has all."""


@dataclass(frozen=True)
class Picture:
    """A cell that is a picture.

    Attributes:
        png: its file.
        side: pixels that it is wide.
        says: what it shows, for those who do not see it.
    """

    png: bytes
    side: int
    says: str

    @property
    def shown(self) -> str:
        """As HTML."""
        content = base64.b64encode(self.png).decode("ascii")
        return f'<img alt="{html.escape(self.says)}" width="{self.side}" src="data:image/png;base64,{content}">'


def drawn(
    points: NDArray[np.float32],
    marked: Sequence[tuple[NDArray[np.integer], Colour, int]] | None = None,
    side: int = MAP_SIDE,
) -> bytes:
    """A PNG of a map: the more points lie in a pixel, the darker it is.

    Args:
        points: [N, 2] within [-1, 1], NaN where a sample has no place.
        marked: places of points, the colour that they are drawn in over grey ones, and how many pixels wide; None has
            all in one colour.
        side: pixels.
    """
    from PIL import Image

    pixels = np.full((side, side, 3), PAPER, np.float64)
    _blot(pixels, points, INK if marked is None else GREY, 2)
    for places, colour, width in marked or ():
        _blot(pixels, points[places], colour, width)
    file = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, format="PNG")
    return file.getvalue()


def page_of_similar(answer: "SimilarSamples") -> str:
    """A table, beside the map with what was looked from in red and what is near to it in blue."""
    rows = [[each.sample_id, each.state, f"{each.distance:.4g}"] for each in answer.similar[:SHOWN_ROWS]]
    below = f"Latent space '{answer.space}', {answer.metric} distance."
    title, head = f"Nearest to {', '.join(answer.query)}", ("sample", "state", "distance")
    table = _page(title, below, head, rows, len(answer.similar), "samples")
    if answer.population is None:
        return table
    near = np.array([each.row for each in answer.similar], np.int64)
    marked = [(near, INK, 4), (np.array(answer.looked_from, np.int64), MARK, 8)]
    says = "The map: what was looked from in red, what is near to it in blue"
    picture = Picture(drawn(answer.population.map(answer.space, METHODS[0]), marked), MAP_SIDE, says)
    return f'<div style="display:flex;gap:2em">{picture.shown}<div>{table}</div></div>'


def page_of_similar_regions(answer: "SimilarRegions") -> str:
    """A table, with the place of each in pixels."""
    rows: list[list[str | Picture]] = [
        [each.sample_id, each.state, f"{each.distance:.4g}", ", ".join(f"{edge:g}" for edge in each.box)]
        for each in answer.similar[:SHOWN_ROWS]
    ]
    looked_from = ", ".join(f"{edge:g}" for edge in answer.region)
    below = f"Cells of '{answer.space}', {answer.metric} distance. {' '.join(answer.notices)}"
    head = ("sample", "state", "distance", f"where, in pixels of {answer.input}")
    title = f"Nearest to {looked_from} of {answer.query[0]}"
    return _page(title, below, head, rows, len(answer.similar), "samples")


def page_of_clusters(answer: "Clusters") -> str:
    """A table with a small map in each row."""
    points = None if answer.population is None else answer.population.map(answer.space, METHODS[0])
    whole = [each for each in answer.clusters if each.parent is None]
    rows: list[list[str | Picture]] = []
    for each in whole[:SHOWN_ROWS]:
        apart = "; ".join(one.told() for one in each.differences[:SHOWN_DIFFERENCES])
        members = answer.rows[answer.numbers == each.number]
        rows.append([str(each.number), f"{each.size:,}", apart, *_small_map(points, members, "cluster")])
    head = ("cluster", "samples", "what sets it apart", *([] if points is None else ["on the map"]))
    chosen = "given" if answer.chosen_by == "given" else f"chosen by the {answer.chosen_by}"
    sure = "" if answer.silhouette is None else f"; silhouette {answer.silhouette:.2f}"
    sure += "" if answer.stability is None else f", two halves agree by {answer.stability:.2f}"
    below = f"{len(answer.rows):,} samples, latent space '{answer.space}', their number {chosen}{sure}."
    return _page("Clusters", below, head, rows, len(whole), "clusters")


def page_of_insights(answer: "Insights") -> str:
    """A table with a small map in each row, then why there is none of the other kinds."""
    population, points = answer.population, None
    known = None if population is None else MemberRows(population)
    if population is not None and population.spaces:
        try:
            points = population.map(None, METHODS[0])
        except LeaplabError:  # no vector is finite: there is no map, and still what the columns tell
            points = None
    whole = [each for each in answer.insights if each.parent is None]
    rows: list[list[str | Picture]] = []
    for each in whole[:SHOWN_ROWS]:
        members = np.zeros(0, np.int64) if known is None else known.of(each)
        told = f"{each.explanation} {each.action.do}"
        row = (f"{each.severity:.2f}", each.title, told, f"{each.member_count:,}")
        rows.append([*row, *_small_map(points, members, "insight")])
    head = ("severity", "insight", "what, and what to do", "members", *([] if points is None else ["first of them"]))
    silent = "".join(f"<li>{html.escape(f'{none.kind}: {none.reason}')}</li>" for none in answer.silent)
    below = "The most severe first." if rows else "There is none."
    return _page("Insights", below, head, rows, len(whole), "insights") + (f"<ul>{silent}</ul>" if silent else "")


def page_of_predicted_loss(answer: "PredictedLoss") -> str:
    """A table of the samples with the greatest predictions, beside the map with the first tenth of them in red."""
    rows = []
    for place, sample_id in enumerate(answer.ids[:SHOWN_ROWS]):
        ends = (answer.low[place], answer.high[place])
        interval = "withheld" if np.isnan(ends).any() else f"{ends[0]:.4g} to {ends[1]:.4g}"
        rows.append([sample_id, answer.states[place], f"{answer.predicted[place]:.4g}", interval])
    title, head = f"Predicted {answer.quantity} of {answer.state}", ("sample", "state", "predicted", "90 %")
    table = _page(title, " ".join(answer.told()), head, rows, len(answer.ids), "samples")
    if answer.population is None or not answer.population.spaces:
        return table
    try:
        points = answer.population.map(None, METHODS[0])
    except LeaplabError:  # no vector is finite: there is no map, and still what the predictions tell
        return table
    first = answer.rows[: max(1, len(answer.rows) // 10)]
    says = f"The map: {answer.state} in blue, the tenth of it with the greatest predictions in red"
    picture = Picture(drawn(points, [(answer.rows, INK, 2), (first, MARK, 4)]), MAP_SIDE, says)
    return f'<div style="display:flex;gap:2em">{picture.shown}<div>{table}</div></div>'


def page_of_gap(answer: "DomainGap") -> str:
    """Whether they differ and in which columns, beside the map with the source in blue and the target in red."""
    columns = answer.measured.columns
    rows = [[each.column, f"{each.effect:.2f}", *each.told()] for each in columns[:SHOWN_ROWS]]
    below = " ".join([answer.headline(), answer.power, *answer.warnings])
    title = f"From {answer.source.where} to {answer.target.where}"
    table = _page(title, below, ("column", "effect", "source", "target"), rows, len(columns), "columns")
    if answer.population is None:
        return table
    marked = [(answer.source.rows, INK, 3), (answer.target.rows, MARK, 3)]
    says = "The map: the source in blue, the target in red"
    picture = Picture(drawn(answer.population.map(answer.space, METHODS[0]), marked), MAP_SIDE, says)
    return f'<div style="display:flex;gap:2em">{picture.shown}<div>{table}</div></div>'


def page_of_gaps(answer: "DomainGaps") -> str:
    """A table of the AUC between the values of a column, with a star where p is at most .05."""
    rows = [[name, *answer.told(row)] for row, name in enumerate(answer.populations)]
    below = " ".join(["AUC of each pair, a star where they differ (p at most 0.05, Holm).", *answer.warnings])
    return _page(f"Gaps by {answer.by}", below, ("", *answer.populations), rows, len(rows), "values")


def page_of_labelling(answer: "LabellingList") -> str:
    """The first of the list with their reasons, beside the map with what could be chosen in blue, the list in red."""
    rows = []
    for each in answer.samples[:SHOWN_ROWS]:
        loss = "" if each.predicted_loss is None else f"{each.predicted_loss:.4g}"
        rows.append([str(each.rank), each.sample_id, loss, each.reason])
    head, below = ("", "sample", "predicted loss", "why"), " ".join([answer.told(), *answer.notices])
    table = _page(f"{answer.budget:,} of {answer.state} to label", below, head, rows, len(answer.samples), "samples")
    if answer.population is None:
        return table
    marked = [(answer.pool, INK, 2), (answer.rows, MARK, 4)]
    says = "The map: what could be chosen in blue, what is chosen in red"
    picture = Picture(drawn(answer.population.map(answer.space, METHODS[0]), marked), MAP_SIDE, says)
    return f'<div style="display:flex;gap:2em">{picture.shown}<div>{table}</div></div>'


def page_of_pruning(answer: "PrunedList") -> str:
    """What became of each cluster, beside the map with what is dropped in blue, what is kept in red."""
    rows = [[str(each.number), f"{each.size:,}", f"{each.kept:,}"] for each in answer.clusters[:SHOWN_ROWS]]
    below, head = " ".join([answer.told(), *answer.notices]), ("cluster", "samples", "kept")
    table = _page(f"Pruning of {answer.state}", below, head, rows, len(answer.clusters), "clusters")
    if answer.population is None:
        return table
    marked = [(answer.dropped, INK, 2), (answer.rows, MARK, 2)]
    says = "The map: what is dropped in blue, what is kept in red"
    picture = Picture(drawn(answer.population.map(answer.space, METHODS[0]), marked), MAP_SIDE, says)
    return f'<div style="display:flex;gap:2em">{picture.shown}<div>{table}</div></div>'


def page_of_chart(answer: "Chart") -> str:
    """What it shows in a sentence, and its marks as a table."""
    rows = []
    for group in answer.groups[:SHOWN_ROWS]:
        sure = "" if group.low is None or group.high is None else f"{group.low:.4g} to {group.high:.4g}"
        value = "" if group.value is None else f"{group.value:.4g}"
        rows.append([group.name, group.series or "", f"{group.count:,}", value, sure])
    sides = " and ".join(label for label in (answer.x_axis.label, answer.y_axis.label) if label)
    title = f"{answer.kind[:1].upper()}{answer.kind[1:]}{f': {sides}' if sides else ''}"
    head, below = ("", "series", answer.of, answer.aggregate, "95 %"), " ".join([answer.told, *answer.notices])
    return _page(title, below, head, rows, len(answer.groups), "marks")


def _small_map(points: NDArray[np.float32] | None, members: NDArray[np.int64], what: str) -> list[Picture]:
    if points is None:
        return []
    return [Picture(drawn(points, [(members, MARK, 3)], SMALL_SIDE), SMALL_SIDE, f"The {what}'s samples on the map")]


def _page(
    title: str, below: str, head: Sequence[str], rows: Sequence[Sequence[str | Picture]], count: int, what: str
) -> str:
    """A heading and a table, and how many of `count` things are not in it."""
    cells = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row)}</tr>" for row in rows)
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    rest = f"<p>and {count - len(rows):,} more {html.escape(what)}</p>" if count > len(rows) else ""
    return f"<b>{html.escape(title)}</b><p>{html.escape(below)}</p><table><tr>{heads}</tr>{cells}</table>{rest}"


def _cell(value: str | Picture) -> str:
    return html.escape(value) if isinstance(value, str) else value.shown


def _blot(pixels: NDArray[np.float64], points: NDArray[np.floating], colour: Colour, width: int) -> None:
    side = len(pixels)
    finite = points[np.isfinite(points).all(axis=1)]
    places = np.clip((finite + 1) / 2 * (side - 9) + 4, 0, side - 1).astype(int)
    counts = np.zeros((side, side))
    for x in range(width):
        for y in range(width):
            np.add.at(counts, (np.maximum(side - 1 - places[:, 1] - y, 0), np.minimum(places[:, 0] + x, side - 1)), 1)
    share = np.where(counts > 0, 0.35 + 0.65 * np.log1p(counts) / max(np.log1p(counts.max()), 1), 0)[..., None]
    pixels[:] = pixels * (1 - share) + np.array(colour) * share
