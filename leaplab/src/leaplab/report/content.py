"""What a report shows of a run, gathered of what the analyses say."""

import datetime
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaplab.analysis.projection import METHODS
from leaplab.errors import LeaplabError
from leaplab.explorer import model
from leaplab.explorer.answers import column_told
from leaplab.explorer.findings import card
from leaplab.explorer.headline import headline
from leaplab.explorer.painting import quantised, scale_of
from leaplab.explorer.pictures import Pictures
from leaplab.explorer.planning import suggestions
from leaplab.explorer.planning_model import Side
from leaplab.explorer.sides import both_chosen
from leaplab.population.boards import Board
from leaplab.population.charts import chart_of
from leaplab.population.columns import Column, default_colour
from leaplab.population.computed import CLUSTER_COLUMN
from leaplab.population.gap import gap_of
from leaplab.population.insights import Insights
from leaplab.population.labelling import Wishes, labelling_list_of
from leaplab.population.members import MemberRows
from leaplab.population.population import Population
from leaplab.population.score import score_of
from leaplab.population.tables import category_codes, numbers_of
from leaplab.report.map_picture import STEPS, WIDTH, as_address, drawn, places_of
from leaplab.report.model import (
    AskedChart,
    DrawnMap,
    Extreme,
    GapColumn,
    Report,
    SampleList,
    ShownBoard,
    ShownInsight,
    ToldGap,
)
from leaplab.report.pictures import Album
from leaplab.store.columns import LOSS, STATE_COLUMN

Tell = Callable[[str], None]
"""Is told what is being done."""
PICTURES_OF_INSIGHT, MOST_INSIGHTS, MOST_EXTREMES, LISTED = 8, 12, 24, 16
MOST_CATEGORIES = STEPS - 1
UNLABELED = "unlabeled"
MOST_COLUMNS = 8


def content_of(
    population: Population, boards: Sequence[Board], insights: Insights, pictures: Pictures, tell: Tell
) -> Report:
    """All that a report of a run shows.

    Args:
        boards: that it shows, in their order.
        insights: with all members.
        pictures: draw the samples.
        tell: is told what is being done.

    Raises:
        LeaplabError: the run cannot be read.
    """
    left_out: list[str] = []
    album = Album(population, pictures)
    members = MemberRows(population)
    shown = insights.insights[:MOST_INSIGHTS]
    rows_of = {each.id: members.of(each) for each in shown}
    badness = _badness(population)
    first = {name: _first(rows, badness) for name, rows in rows_of.items()}
    for rows in first.values():
        album.ask(rows)
    tell("Drawing the map")
    extremes = _extremes(population)
    album.ask(extremes)
    map_ = _map(population, album, extremes, left_out)
    tell("Drawing the charts")
    shown_boards = [_board(population, board) for board in boards]
    tell("Comparing populations")
    gap = _gap(population, left_out)
    lists = _lists(population, album, left_out)
    tell("Drawing the samples")
    manifest = population.store.manifest
    told = headline(population)
    report = Report(
        name=population.store.path.name,
        integration=manifest.integration.rstrip("/").rpartition("/")[2],
        model=manifest.model,
        made=datetime.datetime.now(datetime.UTC).date().isoformat(),
        evaluated=manifest.created,
        version=version("leaplab"),
        samples=population.samples,
        states=[model.State(name=name, count=count) for name, count in population.store.states.items()],
        notices=list(population.notices),
        headline=None if told is None else model.Headline.model_validate(told),
        map=map_,
        insights=[
            ShownInsight.model_validate({**card(each), "pictures": [album.of(row) for row in first[each.id]]})
            for each in shown
        ],
        silent=[model.Silent(kind=each.kind, reason=each.reason) for each in insights.silent],
        boards=shown_boards,
        gap=gap,
        lists=lists,
        left_out=left_out,
    )
    more = len(insights.insights) - len(shown)
    if more > 0:
        left_out.append(f"{more:,} further insights, less severe than these.")
    if album.failure is not None:
        left_out.append(f"Some pictures of samples. {album.failure}")
    return report.model_copy(update={"left_out": left_out})


def _board(population: Population, board: Board) -> ShownBoard:
    charts = []
    for asked in board.charts:
        try:
            charts.append(AskedChart(asked=asked, chart=chart_of(population, asked)))
        except LeaplabError as error:
            charts.append(AskedChart(asked=asked, chart=None, sentence=str(error)))
    return ShownBoard(name=board.name, charts=charts)


def _badness(population: Population) -> NDArray[np.float64] | None:
    """[N] the loss of each sample, else how far the score that the run is judged by is from good; None without both."""
    losses = _losses(population)
    scored = score_of(population) if losses is None else None
    if scored is None:
        return losses
    column, values, _ = scored
    return -values if column.direction == "upward" else values


def _first(rows: NDArray[np.int64], badness: NDArray[np.float64] | None) -> list[int]:
    """The members that do worst, else the first."""
    if badness is not None:
        rows = rows[np.argsort(-np.nan_to_num(badness[rows], nan=-np.inf), kind="stable")]
    return [int(row) for row in rows[:PICTURES_OF_INSIGHT]]


def _losses(population: Population) -> NDArray[np.float64] | None:
    column = next((each for each in population.columns.values() if each.group == LOSS), None)
    return None if column is None or column.kind != "continuous" else numbers_of(population, column)


def _extremes(population: Population) -> list[int]:
    """The samples of the highest losses."""
    losses = _losses(population)
    if losses is None:
        return []
    known = np.flatnonzero(np.isfinite(losses))
    return [int(row) for row in known[np.argsort(-losses[known], kind="stable")[:MOST_EXTREMES]]]


def _map(population: Population, album: Album, extremes: Sequence[int], left_out: list[str]) -> DrawnMap | None:
    if not population.spaces:
        left_out.append("The map: this run has no latent space.")
        return None
    try:
        points = population.map(None, METHODS[0])
    except LeaplabError as error:
        left_out.append(f"The map. {error}")
        return None
    places, tall = places_of(points)
    column = population.column(default_colour(list(population.columns.values()), (CLUSTER_COLUMN, STATE_COLUMN)))
    values, told = _values(population, column)
    losses = _losses(population)
    stand_out = [
        Extreme(x=float(places[row, 0]), y=float(places[row, 1]), value=float(losses[row]), shown=album.of(row))
        for row in extremes
        if losses is not None and np.isfinite(places[row]).all()
    ]
    placed = int(np.isfinite(places).all(axis=1).sum())
    words = f"{placed:,} samples by {METHODS[0]} of the latent space '{population.space()}'."
    height = round(WIDTH * tall)
    picture = drawn(places, values, WIDTH, height)
    return DrawnMap(picture=as_address(picture), width=WIDTH, height=height, told=words, extremes=stand_out, **told)


def _values(population: Population, column: Column) -> tuple[NDArray[np.int64], dict[str, Any]]:
    """[N] what each sample's dot is in the picture, and how the page reads it."""
    described = model.Column.model_validate(column_told(column))
    if isinstance(column.categories, list):
        categories = column.categories
        if len(categories) > MOST_CATEGORIES:
            return np.ones(population.samples, np.int64), {"column": None}
        codes = category_codes(population, column)
        counts = np.bincount(codes[codes >= 0], minlength=len(categories)).tolist()
        values = np.where(codes < 0, len(categories), codes).astype(np.int64) + 1
        return values, {"column": described, "counts": counts, "absent": int((codes < 0).sum())}
    numbers = numbers_of(population, column)
    scale = scale_of(numbers)
    steps = np.round(quantised(numbers, scale.low, scale.high).astype(np.float64) / 65_534 * (STEPS - 1)) + 1
    values = np.where(np.isfinite(numbers), steps, STEPS + 1).astype(np.int64)
    return values, {"column": described, "scale": vars(scale), "absent": scale.absent}


def _gap(population: Population, left_out: list[str]) -> ToldGap | None:
    proposed = suggestions(population)["gaps"]
    if not proposed:
        return None
    first = proposed[0]
    sides = [
        Side(filters=[model.Filter(column=first[side]["column"], keep=first[side]["keep"])], told="", columns=[])
        for side in ("source", "target")
    ]
    try:
        source, target = both_chosen(population, *sides)
        answer = gap_of(population, source, target)
    except LeaplabError as error:
        left_out.append(f"The gap between populations. {error}")
        return None
    columns = []
    for each in answer.measured.columns[:MOST_COLUMNS]:
        of_source, of_target = each.told()
        columns.append(GapColumn(column=each.column, effect=each.effect, p=each.p, source=of_source, target=of_target))
    told = [answer.power, *answer.warnings]
    return ToldGap(title=first["title"], headline=answer.headline(), told=told, columns=columns)


def _lists(population: Population, album: Album, left_out: list[str]) -> list[SampleList]:
    lists = []
    count = population.store.states.get(UNLABELED, 0)
    if count:
        try:
            answer = labelling_list_of(population, min(LISTED, count), Wishes())
            rows = answer.rows.tolist()
            album.ask(rows)
            reasons = [each.reason for each in answer.samples]
            samples = [album.of(row, reason) for row, reason in zip(rows, reasons, strict=True)]
            lists.append(SampleList(title="What to label next", told=[answer.told()], samples=samples))
        except LeaplabError as error:
            left_out.append(f"What to label next. {error}")
    for tag in population.tags.told():
        rows = population.tags.rows(tag.name)[:LISTED].tolist()
        album.ask(rows)
        counted = f"{tag.count:,} samples have this tag." + (" The first are shown." if tag.count > len(rows) else "")
        lists.append(SampleList(title=f"Tag: {tag.name}", told=[counted], samples=[album.of(row) for row in rows]))
    return lists
