"""What `leaplab similar --region` tells."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.analyses import say_written
from leaplab.cli.answers import write_answer
from leaplab.cli.printing import console, print_json

if TYPE_CHECKING:
    from leaplab.population.population import Population
    from leaplab.population.similar_region import SimilarRegions


def tell_similar_regions(
    population: "Population",
    answer: "SimilarRegions",
    out: Path | None,
    figure: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write and print the samples that have a place like a region, and where it is.

    Raises:
        LeaplabError: a file cannot be written, or there are no pictures to draw.
    """
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import draw_similar

        draw_similar(population, answer, figure)
    for notice in answer.notices:
        console.print(notice, markup=False, soft_wrap=True)
    if as_json:
        print_json(
            {
                "run": population.store.path.name,
                "space": answer.space,
                "metric": answer.metric,
                "query": answer.query,
                "region": answer.region,
                "input": answer.input,
                "similar": answer.similar,
            }
        )
        return
    shown = Table(
        "sample", "state", "distance", f"where, in pixels of {escape(answer.input)}", box=None, pad_edge=False
    )
    for each in answer.similar:
        where = ", ".join(f"{edge:g}" for edge in each.box)
        shown.add_row(escape(each.sample_id), escape(each.state), f"{each.distance:.4g}", where)
    output = Console(highlight=False)
    output.print(shown)
    edges = ", ".join(f"{edge:g}" for edge in answer.region)
    cells = f"{answer.cells[0]} x {answer.cells[1]}"
    output.print(
        f"The region is the {cells} cells of '{answer.space}' at {edges}; {answer.searched:,} samples were compared.",
        style="dim",
        markup=False,
        soft_wrap=True,
    )
    say_written(out, f"holds {len(answer.similar)} rows.", figure)
