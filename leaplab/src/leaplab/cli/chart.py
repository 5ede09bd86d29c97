"""`leaplab chart`: a chart of a run's columns, as a table, as JSON, or as a figure."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from leaplab.cli.analyses import Figure, Out, Overwrite, RunArgument, States, Where, among, say_written
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json

if TYPE_CHECKING:
    from leaplab.analysis.charting.chart import Chart

SHOWN = 40
"""Marks that a person is shown; JSON and -o have all."""


class ChartKind(StrEnum):
    """Which chart."""

    bar = "bar"
    line = "line"
    scatter = "scatter"
    histogram = "histogram"
    box = "box"
    heatmap = "heatmap"
    group_means = "group-means"
    correlation = "correlation"
    confusion = "confusion"
    roc = "roc"
    precision_recall = "precision-recall"
    calibration = "calibration"
    curves = "curves"


class Of(StrEnum):
    """What is counted."""

    samples = "samples"
    objects = "objects"


@app.command()
def chart(
    kind: Annotated[ChartKind, typer.Argument(help="Which chart.")],
    run: RunArgument = None,
    x: Annotated[str | None, typer.Option("--x", metavar="COLUMN", help="Column along the first axis.")] = None,
    y: Annotated[
        str | None, typer.Option("--y", metavar="COLUMN", help="Column along the second axis, or that is aggregated.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of categories, each of which becomes a series.")
    ] = None,
    value: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column that the cells of a heat-map aggregate.")
    ] = None,
    aggregate: Annotated[
        str | None, typer.Option(help="mean, median, count, share, sum, min, max or quantile:Q.")
    ] = None,
    bins: Annotated[int | None, typer.Option(help="Into how many a number is divided.")] = None,
    label: Annotated[str | None, typer.Option(help="Class that a curve or a threshold is of; by default all.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least confidence that counts as a claim; by default that of the highest F1.")
    ] = None,
    of: Annotated[Of, typer.Option(help="What is counted.")] = Of.samples,
    where: Where = None,
    state: States = None,
    out: Out = None,
    figure: Figure = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Bars, lines, scatters and the other charts of a run's columns, with how sure each number is."""
    from leaplab.cli.answers import require_figure, require_free, write_answer
    from leaplab.population.chart_question import ChartQuestion
    from leaplab.population.charts import chart_of
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if out is not None:
        require_free(out, overwrite)
    if figure is not None:
        require_figure(figure, overwrite)
    population = open_population(find_run(runs, run))
    question = ChartQuestion(kind.value, x, y, split, value, aggregate, bins, label, threshold, of.value)
    answer = chart_of(population, question, among(population, where, state))
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import figure_of_chart, write_figure

        write_figure(figure, figure_of_chart(population, answer, value))
    if as_json:
        print_json({"run": population.store.path.name, **vars(answer)})
    else:
        _print(answer)
    for notice in answer.notices:
        console.print(notice, markup=False, soft_wrap=True)
    if not as_json:
        say_written(out, "holds the chart's numbers.", figure)


def _print(answer: "Chart") -> None:
    """The marks, and what they show."""
    if answer.groups:
        split = any(group.series not in (None, group.name) for group in answer.groups)
        # Where a mark stands is told by its name, but where it stands at a mean.
        means = answer.kind in ("line", "group-means")
        heads = (answer.of, *(["mean x"] if means else []), answer.aggregate)
        right = [Column(head, justify="right") for head in heads]
        shown = Table(
            Column("", overflow="fold"), *(["series"] if split else []), *right, "95 %", box=None, pad_edge=False
        )
        for group in answer.groups[:SHOWN]:
            sure = "" if group.low is None or group.high is None else f"{group.low:.4g} to {group.high:.4g}"
            number = "-" if group.value is None else f"{group.value:.6g}"
            series = [escape(group.series or "")] if split else []
            along = [f"{group.x:.6g}" if isinstance(group.x, float) else ""] if means else []
            shown.add_row(escape(group.name), *series, f"{group.count:,}", *along, number, sure)
        Console(highlight=False).print(shown)
    left = len(answer.groups) - SHOWN
    if left > 0:
        console.print(f"and {left:,} more; --json or -o FILE has all.", soft_wrap=True)
    console.print(answer.told, markup=False, soft_wrap=True)
