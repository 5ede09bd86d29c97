"""The commands that ask a run a question: one thin function each."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.commands import AsJson, RunsFolder, app, run_place
from leaplab.cli.printing import console, looking, print_insights, print_json
from leaplab.errors import LeaplabError, QuestionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaplab.population.population import Population

RunArgument = Annotated[
    Path | None,
    typer.Argument(metavar="RUN", parser=run_place, help="Name, folder or URL; by default the newest run."),
]
Where = Annotated[str | None, typer.Option(help="Only samples that meet this condition, as SQL writes it.")]
States = Annotated[list[str] | None, typer.Option("--state", help="Only samples of this state; may be repeated.")]
Space = Annotated[str | None, typer.Option(help="Latent space; by default the model's own.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Write the table: .csv, .json or .parquet.")]
Figure = Annotated[Path | None, typer.Option("--figure", help="Draw it into this file: .png or .svg.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the files of -o and --figure.")]


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
    region: Annotated[
        str | None, typer.Option(help="X0,Y0,X1,Y1 of --id, in pixels of the input: who has such a place, and where.")
    ] = None,
    input_: Annotated[
        str | None, typer.Option("--input", help="Input that --region lies on; by default the first image.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option(help="Layer whose cells are compared with --region's; by default it is chosen.")
    ] = None,
    why: Annotated[
        Path | None, typer.Option(help="Folder for a heat-map of each: what in it makes it similar.")
    ] = None,
    out: Out = None,
    figure: Figure = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Which samples look like this one to the model: the nearest in its latent space."""
    from leaplab.cli.answers import require_figure, write_answer
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if figure is not None:
        require_figure(figure, overwrite)
    if region is None and (input_ is not None or layer is not None):
        raise QuestionError("--input and --layer are of a region; name it by --region, too.")
    population = open_population(find_run(runs, run))
    rows = [population.row_of(each) for each in ids or ()]
    if region is not None:
        if len(rows) != 1 or space is not None or why is not None:
            raise QuestionError(
                "--region is of one sample (--id), and compared by a layer's cells: leave out --space and --why."
            )
        from leaplab.cli.similar_region import tell_similar_regions
        from leaplab.population.heatmap import HeatMaps
        from leaplab.population.similar_region import region_of, similar_to_region

        with HeatMaps(population) as maps, looking() as progress:
            wanted = among(population, where, state)
            found = similar_to_region(
                population, maps.cuts, rows[0], region_of(region), count, metric.value, input_, layer, wanted, progress
            )
        tell_similar_regions(population, found, out, figure, overwrite, as_json)
        return
    answer = population.similar(rows, count, metric.value, space, among(population, where, state))
    table = answer.table()
    if out is not None:
        write_answer(out, table, overwrite)
    if figure is not None:
        from leaplab.cli.figures import draw_similar

        draw_similar(population, answer, figure)
    drawn_why: list[Path | None] = []
    if why is not None:
        from leaplab.cli.heatmap import draw_why

        with console.status("Looking what makes them similar"):
            drawn_why, said = draw_why(population, answer, why, overwrite)
        for sentence in said:
            console.print(sentence, markup=False, soft_wrap=True)
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
    shown = Table("sample", "state", "distance", *(["why"] if why else []), box=None, pad_edge=False)
    for place, each in enumerate(answer.similar):
        reason = [escape(str(drawn_why[place] or "no map"))] if why else []
        shown.add_row(escape(each.sample_id), escape(each.state), f"{each.distance:.4g}", *reason)
    Console().print(shown)
    say_written(out, f"holds {len(answer.similar)} rows.", figure)


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
    figure: Figure = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Groups of samples that look alike to the model, and what sets each apart from the rest."""
    from leaplab.cli.answers import require_figure, write_answer
    from leaplab.population.clusters import clusters_of
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if figure is not None:
        require_figure(figure, overwrite)
    population = open_population(find_run(runs, run))
    with console.status("Looking for clusters"):
        answer = clusters_of(population, number, space, among(population, where, state))
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import figure_of_clusters, write_figure

        with console.status("Drawing the map"):
            write_figure(figure, figure_of_clusters(population, answer))
    if as_json:
        print_json(
            {
                "run": population.store.path.name,
                "space": answer.space,
                "clusters": answer.clusters,
                "chosen_by": answer.chosen_by,
                "silhouette": answer.silhouette,
                "stability": answer.stability,
                **noticed(answer.notices),
            }
        )
        return
    shown = Table("cluster", "samples", "what sets it apart", box=None, pad_edge=False)
    whole = [each for each in answer.clusters if each.parent is None]
    for each in whole:
        for one in (each, *(inner for inner in answer.clusters if inner.parent == each.number)):
            name = str(one.number) if one.parent is None else f"  {one.number}"
            shown.add_row(name, f"{one.size:,}", escape("; ".join(each.told() for each in one.differences[:SHOWN])))
    Console().print(shown)
    sure = "" if answer.silhouette is None else f", silhouette {answer.silhouette:.2f}"
    sure += "" if answer.stability is None else f", two halves agree by {answer.stability:.2f}"
    for sentence in answer.notices:
        console.print(sentence, markup=False, soft_wrap=True)
    console.print(f"{len(whole)} clusters of {len(answer.rows):,} samples, by {answer.chosen_by}{sure}.", markup=False)
    say_written(out, f"holds {len(answer.rows):,} rows.", figure)


@app.command()
def insights(
    run: RunArgument = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind of insight; may be repeated.")] = None,
    score: Annotated[
        str | None, typer.Option(help="Loss or metric that says how bad a sample is; by default the first loss.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Column of the true classes; by default the ground truth says them.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Most insights that are told; by default all.")] = None,
    members: Annotated[str, typer.Option(help="Most members that are listed of each, or `all`.")] = "100",
    scores: Annotated[
        Path | None, typer.Option(help="Write every sample's score by each kind that has one: .csv, .json or .parquet.")
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
    """What is wrong: slices that do worse, wrong labels, leaks, gaps and shortcuts, each with its samples."""
    from dataclasses import replace

    from leaplab.cli.answers import require_figure, write_answer
    from leaplab.population.insights import Question, insights_of
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if figure is not None:
        require_figure(figure, overwrite)
    population = open_population(find_run(runs, run))
    question = Question(kind or (), score, label, space, among(population, where, state), _count_of(members))
    with looking() as progress:
        answer = insights_of(population, question, progress)
    told = answer.insights if limit is None else answer.insights[:limit]
    if out is not None:
        write_answer(out, replace(answer, insights=told).table(), overwrite)
    if scores is not None:
        write_answer(scores, answer.score_table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import figure_of_insights, write_figure

        with console.status("Drawing the map"):
            whole = insights_of(population, replace(question, members=None))
            write_figure(figure, figure_of_insights(population, whole, limit, space))
    if as_json:
        print_json(
            {
                "run": population.store.path.name,
                "insights": told,
                "silent": answer.silent,
                **noticed(answer.notices),
            }
        )
        return
    print_insights(told, answer.silent)
    for sentence in answer.notices:
        console.print(sentence, markup=False, soft_wrap=True)
    say_written(out, f"holds the members of {len(told):,} insights.", figure)


def noticed(notices: Sequence[str]) -> dict[str, list[str]]:
    """For the JSON of an answer that is not of all samples, or is not exact; nothing for any other."""
    return {"notices": list(notices)} if notices else {}


def say_written(out: Path | None, holds: str, figure: Path | None) -> None:
    """What lies in the files of -o and --figure."""
    if out is not None:
        console.print(f"{out} {holds}", markup=False, soft_wrap=True)
    if figure is not None:
        console.print(f"{figure} shows them.", markup=False, soft_wrap=True)


def _count_of(members: str) -> int | None:
    """What --members says."""
    if members == "all":
        return None
    if not members.isdigit():
        raise LeaplabError(f"--members takes a number or `all`, not '{members}'.")
    return int(members)


def among(population: "Population", where: str | None, states: list[str] | None) -> "NDArray[np.int64] | None":
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
