"""The commands that ask a run a question: one thin function each."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaplab.analysis.differences import Difference
    from leaplab.population.population import Population

RunArgument = Annotated[Path | None, typer.Argument(metavar="RUN", help="Name or folder; by default the newest run.")]
Where = Annotated[str | None, typer.Option(help="Only samples that meet this condition, as SQL writes it.")]
States = Annotated[list[str] | None, typer.Option("--state", help="Only samples of this state; may be repeated.")]
Space = Annotated[str | None, typer.Option(help="Latent space; by default the model's own.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write the table: .csv, .json or .parquet.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the file of -o.")]


SHOWN = 3
"""Differences of a cluster that a person is shown; JSON has all."""


class Metric(StrEnum):
    """How far apart two vectors are."""

    cosine = "cosine"
    euclidean = "euclidean"


@app.command()
def similar(
    run: RunArgument = None,
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="Sample to look from, or STATE/ID; several: from their centre.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 20,
    metric: Annotated[Metric, typer.Option(help="Distance between vectors.")] = Metric.cosine,
    space: Space = None,
    where: Where = None,
    state: States = None,
    out: Out = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Which samples look like this one to the model: the nearest in its latent space."""
    from leaplab.cli.answers import write_answer
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    population = open_population(find_run(runs, run))
    rows = [population.row_of(each) for each in ids or ()]
    answer = population.similar(rows, count, metric.value, space, _among(population, where, state))
    table = answer.table()
    if out is not None:
        write_answer(out, table, overwrite)
    if as_json:
        print_json(
            {
                "run": population.store.path.name,
                "space": answer.space,
                "metric": answer.metric,
                "query": answer.query,
                "similar": answer.similar,
            }
        )
        return
    shown = Table("sample", "state", "distance", box=None, pad_edge=False)
    for each in answer.similar:
        shown.add_row(escape(each.sample_id), escape(each.state), f"{each.distance:.4g}")
    Console().print(shown)
    if out is not None:
        console.print(f"{out} holds {len(answer.similar)} rows.", markup=False, soft_wrap=True)


@app.command()
def clusters(
    run: RunArgument = None,
    number: Annotated[
        int | None, typer.Option("--clusters", min=1, help="How many; by default as many as the silhouette says.")
    ] = None,
    space: Space = None,
    where: Where = None,
    state: States = None,
    out: Out = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Groups of samples that look alike to the model, and what sets each apart from the rest."""
    from leaplab.cli.answers import write_answer
    from leaplab.population.clusters import clusters_of
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    population = open_population(find_run(runs, run))
    with console.status("Looking for clusters"):
        answer = clusters_of(population, number, space, _among(population, where, state))
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if as_json:
        print_json(
            {
                "run": population.store.path.name,
                "space": answer.space,
                "clusters": answer.clusters,
                "chosen_by": answer.chosen_by,
                "silhouette": answer.silhouette,
                "stability": answer.stability,
            }
        )
        return
    shown = Table("cluster", "samples", "what sets it apart", box=None, pad_edge=False)
    whole = [each for each in answer.clusters if each.parent is None]
    for each in whole:
        for one in (each, *(inner for inner in answer.clusters if inner.parent == each.number)):
            name = str(one.number) if one.parent is None else f"  {one.number}"
            shown.add_row(name, f"{one.size:,}", escape("; ".join(map(told_difference, one.differences[:SHOWN]))))
    Console().print(shown)
    sure = "" if answer.silhouette is None else f", silhouette {answer.silhouette:.2f}"
    sure += "" if answer.stability is None else f", two halves agree by {answer.stability:.2f}"
    console.print(f"{len(whole)} clusters of {len(answer.rows):,} samples, by {answer.chosen_by}{sure}.", markup=False)
    if out is not None:
        console.print(f"{out} holds {len(answer.rows):,} rows.", markup=False, soft_wrap=True)


def told_difference(difference: "Difference") -> str:
    """What sets a group apart in one column, in a few words."""
    inside, outside = difference.inside, difference.outside
    if isinstance(inside, dict) and isinstance(outside, dict):
        ((category, share),), (other,) = inside.items(), outside.values()
        return f"{difference.column} {category}: {share:.0%} (else {other:.0%})"
    return f"{difference.column} {inside:.3g} (else {outside:.3g})"


def _among(population: "Population", where: str | None, states: list[str] | None) -> "NDArray[np.int64] | None":
    """The rows that --where and --state leave; None where neither is given."""
    import numpy as np

    if where is None and not states:
        return None
    rows = np.arange(population.samples) if where is None else population.where(where)
    if states:
        for each in states:
            population.require_state(each)
        rows = rows[np.isin(np.array(population.states, object)[rows], states)]
    return rows
