"""`leaplab chart`: a chart of a run's columns, as a table, as JSON, or as a figure."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leaplab.cli.analyses import Out, Overwrite, RunArgument, States, Where, among, say_written
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json


class ChartKind(StrEnum):
    """Which chart."""

    bar = "bar"
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
    x: Annotated[str | None, typer.Option("--x", help="Column along the first axis.")] = None,
    y: Annotated[str | None, typer.Option("--y", help="Column along the second axis, or that is aggregated.")] = None,
    split: Annotated[str | None, typer.Option(help="Column of categories, each of which becomes a series.")] = None,
    of: Annotated[Of, typer.Option(help="What is counted.")] = Of.samples,
    where: Where = None,
    state: States = None,
    out: Out = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Bars, lines, scatters and the other charts of a run's columns, with how sure each number is."""
    from leaplab.cli.answers import write_answer
    from leaplab.population.chart_question import ChartQuestion
    from leaplab.population.charts import chart_of
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    population = open_population(find_run(runs, run))
    question = ChartQuestion(kind.value, x, y, split, of=of.value)
    answer = chart_of(population, question, among(population, where, state))
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if as_json:
        print_json(answer)
        return
    console.print(answer.told, markup=False, soft_wrap=True)
    say_written(out, "holds the chart's numbers.", None)
