"""The command that says on which samples a model probably does badly."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from leaplab.cli.analyses import Figure, Out, Overwrite, RunArgument, Space, Where, among, say_written
from leaplab.cli.commands import AsJson, RunsFolder, app
from leaplab.cli.printing import console, print_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

    from leaplab.population.population import Population
    from leaplab.population.predicted_loss import PredictedLoss

SHOWN = 12
"""Samples that a person is shown; -o and JSON have all."""


@app.command("predict-loss")
def predict_loss(
    run: RunArgument = None,
    state: Annotated[
        str, typer.Option(help="State to predict for; one whose losses are known checks the prediction.")
    ] = "unlabeled",
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
    """Where the model probably fails, without a label: the loss that each sample is expected to have."""
    from leaplab.cli.answers import require_figure, write_answer
    from leaplab.population.population import open_population
    from leaplab.population.predicted_loss import predicted_loss_of
    from leaplab.store.catalog import find_run

    if figure is not None:
        require_figure(figure, overwrite)
    population = open_population(find_run(runs, run))
    rows = among(population, where, None)
    with console.status("Predicting the loss"):
        answer = predicted_loss_of(population, state, score, space, rows)
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import write_figure

        with console.status("Drawing the map"):
            write_figure(figure, _drawn(population, answer, space))
    if as_json:
        print_json(answer.answer())
        for sentence in answer.warnings:
            console.print(sentence, markup=False, soft_wrap=True)
        return
    _print(answer)
    say_written(out, f"holds {len(answer.rows):,} rows.", figure)


def _print(answer: "PredictedLoss") -> None:
    """The samples with the greatest predictions, then how good these are."""
    import numpy as np

    known = bool(np.isfinite(answer.real).any())
    heads = ["state", "predicted", "90 % within", *(["real"] if known else [])]
    shown = Table(Column("sample", overflow="fold"), *heads, box=None, pad_edge=False)
    for place in range(min(SHOWN, len(answer.rows))):
        row = [escape(answer.ids[place]), answer.states[place], f"{answer.predicted[place]:.4g}"]
        low, high = answer.low[place], answer.high[place]
        row.append("withheld" if np.isnan(low) else f"{low:.4g} to {high:.4g}")
        shown.add_row(*row, *([f"{answer.real[place]:.4g}"] if known else []))
    Console().print(shown)
    first = min(SHOWN, len(answer.rows))
    mean = f"mean {answer.predicted.mean():.4g}"
    real = answer.real[np.isfinite(answer.real)]
    mean += f" (real {real.mean():.4g})" if len(real) else ""
    lines = [
        f"The first {first:,} of {len(answer.rows):,} samples of {answer.state}, {answer.quantity} predicted: {mean}.",
        f"Fitted on {' and '.join(answer.fitted_on)}: {answer.recipe}.",
        *answer.told(),
        "Kept as analysis.predicted_loss, analysis.predicted_loss_low and analysis.predicted_loss_high.",
    ]
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def _drawn(population: "Population", answer: "PredictedLoss", space: str | None) -> "Drawn":
    """The map coloured by predicted loss, and by the real one where that is known, and both by tenths."""
    import numpy as np

    from leaplab.analysis.projection import METHODS
    from leaplab.errors import LeaplabError
    from leaplab.render.predicted_loss_chart import Coloured, predicted_loss_chart

    maps = [Coloured(f"Predicted {answer.quantity}", answer.rows, answer.predicted)]
    known = np.isfinite(answer.real)
    if known.any():
        maps.append(Coloured(f"Real {answer.quantity}", answer.rows[known], answer.real[known]))
    try:
        points = population.map(space, METHODS[0]) if population.spaces else None
    except LeaplabError:  # no vector is finite: there is no map, and still what came of the predictions
        points = None
    where = f"{answer.measured_on[:1].upper()}{answer.measured_on[1:]}"
    return predicted_loss_chart(
        points,
        maps,
        [each.predicted for each in answer.calibration],
        [each.real for each in answer.calibration],
        where,
        [f"{answer.recipe[:1].upper()}{answer.recipe[1:]}.", *answer.told()],
        f"Predicted loss of {len(answer.rows):,} {answer.state} samples of {population.store.path.name}",
        f"Fitted on {' and '.join(answer.fitted_on)}. The darker, the greater the loss.",
    )
