"""The command that compares two populations of a run, or all that a column tells apart."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.analyses import (
    Figure,
    Out,
    Overwrite,
    RunArgument,
    Space,
    States,
    Where,
    among,
    say_written,
)
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json
from leaplab.errors import QuestionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaplab.population.gap import DomainGap
    from leaplab.population.gap_matrix import DomainGaps
    from leaplab.population.population import Population

SHOWN_COLUMNS = 12
SHOWN_RANKED = 10
"""What a person is shown; JSON has all."""


@app.command("domain-gap")
def domain_gap(
    run: RunArgument = None,
    source: Annotated[str | None, typer.Option(help="Condition of the first population, as SQL writes it.")] = None,
    target: Annotated[str | None, typer.Option(help="Condition of the second.")] = None,
    rank: Annotated[
        str | None, typer.Option(help="Rank the samples that meet this condition by their nearness to the target.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Compare all values of a column instead, each with each.")
    ] = None,
    space: Space = None,
    where: Where = None,
    state: States = None,
    out: Out = None,
    figure: Figure = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Whether two populations differ to the model, by how much and in what, and what lies near to the second."""
    from leaplab.cli.answers import require_figure
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if by is not None and (source, target, rank) != (None, None, None):
        raise QuestionError("--by compares all values of a column; leave out --source, --target and --rank.")
    if by is None and (source is None or target is None):
        raise QuestionError("Name two populations by --source and --target, or a column of several by --by.")
    if figure is not None:
        require_figure(figure, overwrite)
    population = open_population(find_run(runs, run))
    rows = among(population, where, state)
    if by is not None:
        _tell_matrix(population, by, space, rows, out, figure, overwrite, as_json)
        return
    assert source is not None
    assert target is not None
    _tell_gap(population, (source, target, rank), space, rows, out, figure, overwrite, as_json)


def _tell_gap(
    population: "Population",
    conditions: tuple[str, str, str | None],
    space: str | None,
    rows: "NDArray[np.int64] | None",
    out: Path | None,
    figure: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    from leaplab.cli.answers import write_answer
    from leaplab.population.gap import gap_of

    source, target, rank = conditions
    with console.status("Comparing the populations"):
        answer = gap_of(population, source, target, rank, space, rows)
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import write_figure
        from leaplab.cli.gap_figures import figure_of_gap

        with console.status("Drawing the map"):
            write_figure(figure, figure_of_gap(population, answer))
    if as_json:
        print_json(answer.answer())
        return
    _print_gap(answer)
    what = "columns in which they differ" if rank is None else "ranked samples"
    say_written(out, f"holds the {what}.", figure)


def _print_gap(answer: "DomainGap") -> None:
    found, output = answer.measured, Console(highlight=False)
    for what, side in (("source", answer.source), ("target", answer.target)):
        output.print(f"{what}: {side.where} ({side.count:,} samples)", markup=False, soft_wrap=True)
    output.print(f"[bold]{escape(answer.headline())}[/]", soft_wrap=True)
    output.print(
        f"Energy distance {found.energy:.3g}, second moments {found.moments:.3g}. The centres lie"
        f" {found.centroid_distance:.3g} apart; the target's samples lie {found.radius:.3g} from theirs on average.",
        soft_wrap=True,
    )
    output.print(answer.power, soft_wrap=True)
    if found.columns:
        shown = Table("column", "effect", "source", "target", "shift", box=None, pad_edge=False)
        for each in found.columns[:SHOWN_COLUMNS]:
            shift = "" if each.shift is None else f"{each.shift:+.2f}"
            shown.add_row(escape(each.column), f"{each.effect:.2f}", *map(escape, each.told()), shift)
        output.print()
        output.print(shown)
        left = len(found.columns) - SHOWN_COLUMNS
        if left > 0:
            output.print(f"and {left} more columns with less effect; --json has them all.")
    else:
        output.print("They differ in no column.")
    if answer.unexplaining:
        named = ", ".join(answer.unexplaining)
        output.print(f"Not compared, as the conditions name them: {named}.", style="dim", markup=False, soft_wrap=True)
    if answer.ranked:
        shown = Table("nearest to the target", "state", "nearness", "distance", box=None, pad_edge=False)
        for one in answer.ranked[:SHOWN_RANKED]:
            values = f"{one.nearness:+.2f}", f"{one.centroid_distance:.4g}"
            shown.add_row(escape(one.sample_id), escape(one.state), *values)
        output.print()
        output.print(shown)
        output.print(
            f"{len(answer.ranked):,} samples are ranked; analysis.nearness and analysis.centroid_distance are columns"
            " of the run now.",
            soft_wrap=True,
        )
    _print_warnings(answer.warnings)


def _tell_matrix(
    population: "Population",
    by: str,
    space: str | None,
    rows: "NDArray[np.int64] | None",
    out: Path | None,
    figure: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    from leaplab.cli.answers import write_answer
    from leaplab.population.gap_matrix import gaps_of

    with console.status("Comparing each pair of populations"):
        answer = gaps_of(population, by, space, rows)
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import write_figure
        from leaplab.cli.gap_figures import figure_of_gaps

        write_figure(figure, figure_of_gaps(population, answer))
    if as_json:
        print_json({"populations": answer.populations, "matrix": answer.matrix})
    else:
        _print_matrix(answer)
        say_written(out, "holds a row a pair.", figure)
    _print_warnings(answer.warnings)


def _print_matrix(answer: "DomainGaps") -> None:
    shown = Table("AUC", *map(escape, answer.populations), "samples", box=None, pad_edge=False)
    for row, (name, count) in enumerate(zip(answer.populations, answer.counts, strict=True)):
        shown.add_row(escape(name), *answer.told(row), f"{count:,}")
    output = Console(highlight=False)
    output.print(shown)
    told = "* the two differ: p at most 0.05, corrected for all pairs (Holm). An AUC of 0.5 is chance."
    output.print(told, soft_wrap=True)


def _print_warnings(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        console.print(warning, style="yellow", markup=False, soft_wrap=True)
