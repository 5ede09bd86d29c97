"""The commands that make lists of samples: what to label, and what to keep."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from leaplab.cli.analyses import Figure, Out, Overwrite, RunArgument, Space, Where, among, say_written
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json
from leaplab.errors import LeaplabError

if TYPE_CHECKING:
    from leaplab.population.labelling import LabellingList
    from leaplab.population.pruning import PrunedList

SHOWN = 12
"""Samples that a person is shown; -o and JSON have all."""
COMPARED = {
    "mean_distance": "distance of all to the nearest chosen",
    "where_loss_is": "the same, weighted by predicted loss",
    "mean_predicted_loss": "mean predicted loss of the chosen",
    "clusters_touched": "clusters of the list touched",
    "near_duplicate_pairs": "pairs of near-duplicates",
    "shared": "samples shared with this list",
}


@app.command()
def prioritize(
    run: RunArgument = None,
    budget: Annotated[int, typer.Option(help="How many samples to label.")] = ...,  # type: ignore[assignment]
    state: Annotated[str, typer.Option(help="State to choose from.")] = "unlabeled",
    balance: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Equally many of each value of this column.")
    ] = None,
    apart: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="No value of this column twice before all are used: a video.")
    ] = None,
    after: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A former list, from -o: it is left out, and counts as covered.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Beside random samples and those of the highest predicted loss.")
    ] = False,
    focus: Annotated[
        float | None,
        typer.Option(help="From 0, what covers all samples, to 1, where the predicted loss is high; by default 1/3."),
    ] = None,
    score: Annotated[
        str | None, typer.Option(help="Loss or metric that is predicted; by default the first loss.")
    ] = None,
    space: Space = None,
    where: Where = None,
    out: Out = None,
    figure: Figure = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """What to label first: samples that stand for many others, above all where the model probably fails."""
    from leaplab.analysis.labelling import FOCUS
    from leaplab.cli.answers import require_figure, require_free, write_answer
    from leaplab.population.labelling import Wishes, labelling_list_of
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run

    if figure is not None:
        require_figure(figure, overwrite)
    if out is not None:
        require_free(out, overwrite)
    population = open_population(find_run(runs, run))
    wishes = Wishes(state, balance, apart, after, score, FOCUS if focus is None else focus, space)
    rows = among(population, where, None)
    with console.status("Choosing samples"):
        answer = labelling_list_of(
            population, budget, wishes, rows, compare=compare or (figure is not None and balance is None)
        )
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import write_figure
        from leaplab.cli.list_figures import figure_of_labelling

        with console.status("Drawing the map"):
            write_figure(figure, figure_of_labelling(population, answer, balance))
    if as_json:
        comparison = {"comparison": answer.comparison} if compare else {}
        print_json({"budget": answer.budget, "samples": answer.samples, **comparison})
    else:
        _print_labelling(answer, compare)
    for notice in answer.notices:
        console.print(notice, markup=False, soft_wrap=True)
    if not as_json:
        say_written(out, f"holds {len(answer.samples):,} rows.", figure)


@app.command()
def prune(
    run: RunArgument = None,
    keep: Annotated[
        str, typer.Option(metavar="SHARE|N", help="A share, such as 0.5, or how many samples, such as 2000.")
    ] = ...,  # type: ignore[assignment]
    state: Annotated[str, typer.Option(help="State to prune.")] = "training",
    cluster: Annotated[
        int | None, typer.Option(help="Prune this cluster only and keep the others whole; numbers as in `clusters`.")
    ] = None,
    min_distance: Annotated[
        float, typer.Option("--min-distance", help="Drop first what is nearer than this to its cluster's centre.")
    ] = 0.0,
    balance: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Keep equally many of each value of this column.")
    ] = None,
    first: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Keep the greatest values of this first in each subgroup.")
    ] = None,
    clusters: Annotated[
        int | None, typer.Option(min=1, help="How many clusters; by default as many as the silhouette says.")
    ] = None,
    strata: Annotated[
        int | None, typer.Option(min=1, help="Into how many each cluster is divided by distance; by default 4.")
    ] = None,
    subgroups: Annotated[
        int | None, typer.Option(min=1, help="Into how many each of these is divided; by default by its size.")
    ] = None,
    space: Space = None,
    where: Where = None,
    out: Out = None,
    figure: Figure = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """What to keep where there is more than is needed: of every kind, near and far from its centre, its share."""
    from leaplab.analysis.pruning import STRATA
    from leaplab.cli.answers import require_figure, require_free, write_answer
    from leaplab.population.population import open_population
    from leaplab.population.pruning import Terms, pruned_of
    from leaplab.store.catalog import find_run

    if figure is not None:
        require_figure(figure, overwrite)
    if out is not None:
        require_free(out, overwrite)
    wanted = _share_or_count(keep)
    population = open_population(find_run(runs, run))
    divided = STRATA if strata is None else strata
    terms = Terms(state, cluster, min_distance, balance, first, clusters, divided, subgroups, space)
    rows = among(population, where, None)
    with console.status("Looking for clusters"):
        answer = pruned_of(population, wanted, terms, rows)
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import write_figure
        from leaplab.cli.list_figures import figure_of_pruning

        with console.status("Drawing the map"):
            write_figure(figure, figure_of_pruning(population, answer, balance))
    if as_json:
        print_json({"kept": answer.kept, "dropped": len(answer.dropped)})
    else:
        _print_pruning(answer)
    for notice in answer.notices:
        console.print(notice, markup=False, soft_wrap=True)
    if not as_json:
        say_written(out, f"holds {len(answer.kept):,} rows.", figure)


def _share_or_count(keep: str) -> int | float:
    """What --keep says: 0.5 is a share, 500 a number of samples."""
    try:
        return float(keep) if "." in keep else int(keep)
    except ValueError:
        raise LeaplabError(
            f"--keep takes a share, such as 0.5, or a number of samples, such as 2000, not '{keep}'."
        ) from None


def _print_labelling(answer: "LabellingList", compare: bool) -> None:
    """The first of the list with their reasons, then how it compares."""
    shown = Table("rank", Column("sample", overflow="fold"), "predicted loss", "why", box=None, pad_edge=False)
    for each in answer.samples[:SHOWN]:
        loss = "" if each.predicted_loss is None else f"{each.predicted_loss:.4g}"
        shown.add_row(str(each.rank), escape(each.sample_id), loss, each.reason)
    output = Console()
    output.print(shown)
    if compare:
        table = Table("", *(Column(one.choice, justify="right") for one in answer.comparison), box=None, pad_edge=False)
        for what, told in COMPARED.items():
            values = [getattr(one, what) for one in answer.comparison]
            table.add_row(told, *("-" if value is None else _figure(what, value) for value in values))
        output.print()
        output.print(table)
    first = min(SHOWN, len(answer.samples))
    head = f"The first {first:,} are shown. " if len(answer.samples) > first else ""
    console.print(f"{head}{answer.told()} Kept as analysis.labelling_rank.", markup=False, soft_wrap=True)


def _figure(what: str, value: float) -> str:
    return f"{value:.0%}" if what == "clusters_touched" else f"{value:.4g}"


def _print_pruning(answer: "PrunedList") -> None:
    """The steps, a line a cluster."""
    central = any(each.central for each in answer.clusters)
    heads = ["samples", *(["too central"] if central else []), "strata by distance", "of each", "subgroups", "kept"]
    columns = [Column(head, justify="left" if head.startswith("strata") else "right") for head in heads]
    shown = Table("cluster", *columns, box=None, pad_edge=False)
    for each in answer.clusters:
        whole = not each.bounds and each.kept == each.size
        bounds = "kept whole" if whole else " ".join(f"{bound:.3g}" for bound in each.bounds)
        sizes = sorted(set(each.strata))
        of_each = f"{sizes[0]:,}-{sizes[-1]:,}" if len(sizes) > 1 else "".join(f"{size:,}" for size in sizes)
        row = [f"{each.size:,}", *([f"{each.central:,}"] if central else []), bounds, of_each]
        shown.add_row(str(each.number), *row, f"{each.subgroups:,}" if each.subgroups else "", f"{each.kept:,}")
    Console().print(shown)
    console.print(f"{answer.told()} Kept as analysis.pruning_kept.", markup=False, soft_wrap=True)
