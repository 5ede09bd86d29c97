"""Answers of analyses as figures: a .png or .svg file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from leaplab.analysis.charting.chart import Chart
from leaplab.analysis.charting.titles import title_of
from leaplab.analysis.projection import METHODS
from leaplab.cli.answers import writing
from leaplab.cli.printing import console
from leaplab.errors import LeaplabError
from leaplab.evaluate.reopen import reopen
from leaplab.files import written_aside
from leaplab.population.clusters import Clusters
from leaplab.population.columns import MEANINGS_BY_COLOUR, texts_of
from leaplab.population.insights import FoundInsight, Insights
from leaplab.population.members import MemberRows
from leaplab.population.population import Population
from leaplab.population.similar import SimilarSamples
from leaplab.population.similar_region import SimilarRegions
from leaplab.protocol.inspection import SampleOrder, Visual
from leaplab.protocol.operations import PICTURE
from leaplab.render.canvas import plural
from leaplab.render.chart_figures import chart_figure
from leaplab.render.charts import (
    PANELS,
    SHOWN_BARS,
    Finding,
    Group,
    finding_chart,
    group_chart,
    near_chart,
    severity_chart,
)
from leaplab.render.contact_sheet import Shown, contact_sheet
from leaplab.render.figure import encoded
from leaplab.render.rendered import render

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PICTURES = 42
MOST_QUERIES = 7


def write_figure(path: Path, figure: "Figure") -> None:
    """Write a figure, see `require_figure`.

    Raises:
        LeaplabError: it cannot be written.
    """
    content = encoded(figure, "svg" if path.suffix.lower() == ".svg" else "png")
    with writing(path, "--figure"), written_aside(path) as aside:
        aside.write_bytes(content)


def figure_of_clusters(population: Population, answer: Clusters) -> "Figure":
    """The map coloured by cluster, and what sets each apart first."""
    groups = [
        Group(
            str(each.number),
            answer.rows[answer.numbers == each.number],
            [one.told() for one in each.differences] or ["nothing sets it apart"],
        )
        for each in answer.clusters
        if each.parent is None
    ]
    sure = "" if answer.silhouette is None else f"; silhouette {answer.silhouette:.2f}"
    sure += "" if answer.stability is None else f", two halves of the samples agree by {answer.stability:.2f}"
    chosen = "given" if answer.chosen_by == "given" else f"chosen by the {answer.chosen_by}"
    return group_chart(
        population.map(answer.space, METHODS[0]),
        groups,
        f"{plural(len(groups), 'cluster')} of {plural(len(answer.rows), 'sample')} of {population.store.path.name}",
        f"Latent space '{answer.space}', their number {chosen}{sure}.",
    )


def figure_of_insights(population: Population, answer: Insights, limit: int | None, space: str | None) -> "Figure":
    """The first insights on the map, or as bars where the run has none.

    Args:
        answer: with all members of each insight.
        limit: the most insights that are told, with parts of others; None tells all.
        space: latent space of the map; None takes the first.
    """
    told = [each for each in answer.insights[:limit] if each.parent is None]
    rows = MemberRows(population)
    kinds = ["element instance" if each.of_instances else "sample" for each in told]
    findings = [
        Finding(each.title, each.severity, rows.of(each), _counted(each, kind))
        for each, kind in zip(told, kinds, strict=True)
    ]
    title = f"{plural(len(told), 'insight')} of {population.store.path.name}"
    try:
        points = population.map(space, METHODS[0]) if population.spaces else None
    except LeaplabError:  # no vector is finite: there is no map, and still what the columns tell
        points = None
    if points is None:
        return severity_chart(findings, title, f"{_first(len(told), SHOWN_BARS)}Severity goes from 0 to 1.")
    return finding_chart(points, findings, title, f"{_first(len(told), PANELS)}Each point is a sample.")


def _first(count: int, most: int) -> str:
    if count <= most:
        return "The most severe first. " if count > 1 else ""
    return f"The {most} most severe. "


def figure_of_chart(population: Population, answer: Chart, value: str | None = None) -> "Figure":
    """A chart, under what it is of.

    Args:
        value: the column that the cells of a heat-map aggregate.
    """
    return chart_figure(answer, f"{title_of(answer, value)}, {population.store.path.name}")


def draw_similar(population: Population, answer: SimilarSamples | SimilarRegions, path: Path) -> None:
    """Draw what is near to some samples, or to a region of one, into a file.

    Raises:
        LeaplabError: it cannot be written, or no picture of a region can be drawn.
    """
    with console.status("Drawing the samples"):
        drawn, instead = figure_of_similar(population, answer)
        write_figure(path, drawn)
    if instead is not None:
        console.print(instead, markup=False, soft_wrap=True)


def figure_of_similar(population: Population, answer: SimilarSamples | SimilarRegions) -> tuple["Figure", str | None]:
    """Pictures of what was looked from and of what is near to it, drawn by the integration; else both on the map.

    Of a region, a frame in each picture shows where it is, as far as the pictures show the whole input.

    Returns:
        The figure, and why it is the map where it is.
    """
    queries, near = answer.looked_from, [each.row for each in answer.similar]
    distances = dict(zip(near, (f"{each.distance:.3g} away" for each in answer.similar), strict=True))
    labels = _labels(population)
    looked_from = answer.query[0] if len(answer.query) == 1 else f"the centre of {len(answer.query)} samples"
    below = f"Latent space '{answer.space}' of {population.store.path.name}, {answer.metric} distance."
    if isinstance(answer, SimilarRegions):
        looked_from = f"the framed region of {looked_from}"
        below = f"Cells of '{answer.space}' of {population.store.path.name}, {answer.metric} distance."
    title = f"{plural(len(near), 'sample')} nearest to {looked_from}"
    first = queries[:MOST_QUERIES]
    shown = [*first, *near[: MOST_PICTURES - len(first)]]
    try:
        pictures = _pictures(population, shown)
    except LeaplabError as error:
        if isinstance(answer, SimilarRegions):
            raise
        texts = [", ".join([population.ids[row], *([labels[row]] if labels else []), distances[row]]) for row in near]
        below += " The star is what was looked from." if len(queries) == 1 else " The stars are what was looked from."
        points = population.map(answer.space, METHODS[0])
        figure = near_chart(points, np.array(queries), np.array(near, np.int64), texts, title, below)
        return figure, f"{error} The figure shows them on the map instead."
    frames = _frames(answer) if isinstance(answer, SimilarRegions) else {}
    samples = []
    for row, png in zip(shown, pictures, strict=True):
        lines = (population.ids[row], *([labels[row]] if labels else []), distances.get(row, "looked from"))
        samples.append(Shown(png, lines, row in queries, frames.get(row)))
    if len(near) > len(shown) - len(first):
        below += f" The first {len(shown) - len(first)} are shown."
    return contact_sheet(samples, title, below), None


def _frames(answer: SimilarRegions) -> dict[int, tuple[float, float, float, float]]:
    """Row -> left, top, right and bottom of the place that is meant, as shares of the input."""
    height, width = answer.size
    boxes = {answer.looked_from[0]: answer.region} | {each.row: each.box for each in answer.similar}
    return {row: (x0 / width, y0 / height, x1 / width, y1 / height) for row, (x0, y0, x1, y1) in boxes.items()}


def _counted(insight: FoundInsight, what: str) -> str:
    of = "" if insight.state is None else f" of {insight.state}"
    return f"{plural(insight.member_count, what)}{of}"


def _labels(population: Population) -> list[str] | None:
    """The class of each sample in words, where a column says it."""
    columns = [column for column in population.columns.values() if isinstance(column.categories, list)]
    telling = [column for meaning in MEANINGS_BY_COLOUR for column in columns if column.meaning == meaning]
    if not telling:
        return None
    before = "" if telling[0].meaning == MEANINGS_BY_COLOUR[0] else f"{telling[0].label} "
    texts = texts_of(population.values(telling[0].name))
    return ["no label" if text is None else f"{before}{text}" for text in texts]


def _pictures(population: Population, rows: Sequence[int]) -> list[bytes | None]:
    """A PNG of each sample by the integration's own visualizers; None where it has none.

    Raises:
        LeaplabError: the integration cannot be bound any more, or no sample has a picture.
    """
    pictures: list[bytes | None] = []
    reasons: list[str] = []
    with reopen(population.store.manifest) as session:
        for row in rows:
            try:
                visual = session.call(PICTURE, SampleOrder(population.states[row], population.ids[row]))
                pictures.append(_drawn(visual, population.ids[row]))
            except LeaplabError as error:
                pictures.append(None)
                reasons.append(str(error))
    if all(picture is None for picture in pictures):
        raise LeaplabError(reasons[0])
    return pictures


def _drawn(visual: Visual | None, sample_id: str) -> bytes:
    if visual is None:
        raise LeaplabError(f"No visualizer of the integration draws a picture of '{sample_id}'.")
    if visual.error is not None:
        raise LeaplabError(visual.error)
    return render(visual).png
