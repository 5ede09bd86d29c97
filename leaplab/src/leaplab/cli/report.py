"""`leaplab report`: a run as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from leaplab.cli.analyses import Overwrite, RunArgument
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, looking, print_json

PATIENCE = 60.0
"""Seconds to wait for a process that begins while all pictures are there: what runs on as Python ends makes noise."""


@app.command()
def report(
    run: RunArgument = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Write the report here: .html.")] = Path("report.html"),
    board: Annotated[
        list[str] | None,
        typer.Option(
            help="Board of charts to show; may be repeated. By default all that were made, or a proposed one."
        ),
    ] = None,
    overwrite: Overwrite = False,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """One HTML file for a colleague: how good the model is, the map, what is wrong, charts; it needs no network."""
    from leaplab.cli.answers import require_free, writing
    from leaplab.explorer.pictures import Pictures
    from leaplab.files import write_text
    from leaplab.population.insights import Question, insights_of
    from leaplab.population.population import open_population
    from leaplab.report.boards import chosen_boards
    from leaplab.report.content import content_of
    from leaplab.report.writing import page_of
    from leaplab.store.catalog import find_run

    require_free(out, overwrite)
    population = open_population(find_run(runs, run))
    boards = chosen_boards(population, board or ())
    with looking() as progress:
        insights = insights_of(population, Question(members=None), progress)
    pictures = Pictures(population)
    try:
        with console.status("Drawing the map") as status:
            content = content_of(population, boards, insights, pictures, status.update)
    finally:
        pictures.close(PATIENCE)
    page = page_of(content)
    with writing(out, "-o"):
        write_text(out, page)
    if as_json:
        print_json({"report": str(out)})
        return
    for sentence in content.left_out:
        console.print(f"Left out: {sentence}", markup=False, soft_wrap=True)
    console.print(f"{out} holds the report ({len(page.encode()) / 1e6:.1f} MB).", markup=False, soft_wrap=True)
