"""`leaplab tune`: fits a simulation to a target."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.analyses import Figure, Out, Space
from leaplab.cli.commands import AsJson, Python, RunsFolder, app, run_place
from leaplab.cli.printing import console, print_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawn

    from leaplab.population.population import Population
    from leaplab.tune.rendering import Bind
    from leaplab.tune.result import Tuning
    from leaplab.tune.search import Trial


@app.command()
def tune(
    simulation: Annotated[str, typer.Argument(help="Name of the integration's simulation.")],
    target: Annotated[
        str, typer.Option(metavar="EXPR", help="Condition on the run's columns: the samples to be like.")
    ],
    path: Annotated[
        Path | None, typer.Argument(help="Folder of the integration; by default that which the run is of.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="RUN", parser=run_place, help="Name, folder or URL; by default the newest run."),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Where a parameter starts, else in the middle; may be repeated."),
    ] = None,
    trials: Annotated[int, typer.Option(help="The most parameters that are tried.")] = 60,
    samples: Annotated[int, typer.Option(help="Samples that each trial makes.")] = 64,
    seed: Annotated[int, typer.Option(help="Of the search, of the simulation, and of the halves of the target.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that simulate at the same time.")] = 1,
    write: Annotated[Path | None, typer.Option(help="Write the best population into this folder.")] = None,
    space: Space = None,
    out: Out = None,
    figure: Figure = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of -o and --figure, and the folder of --write.")
    ] = False,
    python: Python = None,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Fit the parameters of a simulation, until what it makes is like a target population."""
    from leaplab.cli.answers import require_figure, require_free, write_answer
    from leaplab.population.population import open_population
    from leaplab.store.catalog import find_run
    from leaplab.tune.tuning import Question
    from leaplab.tune.tuning import tune as fit

    if figure is not None:
        require_figure(figure, overwrite)
    if out is not None:
        require_free(out, overwrite)
    population = open_population(find_run(runs, run))
    question = Question(simulation, target, tuple(start or ()), trials, samples, seed, workers, space)
    with _searching(trials) as progress:
        answer = fit(population, question, _bind(population, path, python), write, overwrite, _warn, progress)
    if out is not None:
        write_answer(out, answer.table(), overwrite)
    if figure is not None:
        from leaplab.cli.figures import write_figure

        write_figure(figure, figure_of_tuning(answer))
    if as_json:
        print_json(answer.as_json())
        return
    _print(answer)
    if out is not None:
        console.print(f"{out} holds {len(answer.trials)} trials.", markup=False, soft_wrap=True)
    if figure is not None:
        console.print(f"{figure} shows them.", markup=False, soft_wrap=True)


def figure_of_tuning(answer: "Tuning") -> "Drawn":
    """The distance of each trial, and a strip for each parameter."""
    from leaplab.render.canvas import plural
    from leaplab.render.tuning_chart import Strip, tuning_chart
    from leaplab.tune.parameters import value_told

    strips = []
    for each in answer.parameters:
        values = [trial.parameters[each.name] for trial in answer.trials]
        if each.low is None or each.high is None:
            steps = max(len(each.values) - 1, 1)
            places = [each.values.index(value) / steps for value in values]
            ends = each.values[0], each.values[-1]
        else:
            places = [(value - each.low) / (each.high - each.low) for value in values]
            ends = f"{each.low:g}", f"{each.high:g}"
        first, last = (value_told(of.parameters[each.name]) for of in (answer.start, answer.best))
        strips.append(Strip(each.name, places, ends, first, last))
    count = len(answer.trials)
    return tuning_chart(
        [each.distance for each in answer.trials],
        [each.value for each in answer.trials],
        answer.noise,
        strips,
        f"{answer.simulation}, tuned to {answer.target} of {answer.run}",
        f"{plural(count, 'trial')}. To the half of the target that none of them has seen: {_gap(answer)}.",
    )


def _gap(answer: "Tuning") -> str:
    """From where to where, in words."""
    first, last = answer.start, answer.best
    reduced = answer.reduced
    change = "" if reduced is None else f" ({-reduced:+.0%})"
    return f"distance {first.distance:.3g} → {last.distance:.3g}{change}, p {first.p:.3g} → {last.p:.3g}"


def _print(answer: "Tuning") -> None:
    from leaplab.tune.parameters import value_told

    shown = Table("parameter", "bounds", "start", "best", box=None, pad_edge=False)
    for each in answer.parameters:
        numbers = each.low is not None and each.high is not None
        bounds = f"{each.low:g} to {each.high:g}" if numbers else ", ".join(each.values)
        first, last = (value_told(of.parameters[each.name]) for of in (answer.start, answer.best))
        shown.add_row(escape(each.name), escape(bounds), escape(first), escape(last))
    Console().print(shown)
    Console(highlight=False).print(
        f"To the {answer.held_out:,} samples of the target that no trial has seen: {_gap(answer)}.",
        markup=False,
        soft_wrap=True,
    )
    count = len(answer.trials)
    console.print(
        f"Trial {answer.best_number} of {count} is the best. {answer.ended} Two halves of the target lie up to"
        f" {answer.noise:.2g} apart.",
        markup=False,
        soft_wrap=True,
    )
    if answer.population is not None:
        console.print(f"{answer.population} holds the best population.", markup=False, soft_wrap=True)


@contextmanager
def _searching(total: int) -> "Iterator[Callable[[list[Trial]], None]]":
    """A bar of the trials, with the best so far; says how to go on when it is interrupted."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    best = TextColumn("{task.fields[best]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), best)
    made = 0
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Binding the integration", total=total, best="")

        def advance(trials: "list[Trial]") -> None:
            nonlocal made
            made = len(trials)
            best = min(trials, key=lambda trial: trial.value)
            told = f"distance {trials[0].distance:.3g} → {best.distance:.3g}"
            progress.update(task, description="Trials", completed=made, best=told)

        try:
            yield advance
        except KeyboardInterrupt:
            progress.stop()
            if made:
                console.print(f"Stopped after {made} of {total} trials; the same command goes on from there.")
            raise


def _bind(population: "Population", path: Path | None, python: Path | None) -> "Bind":
    """Binds the integration that a person named, else that which the run is of, with the run's model and wiring."""
    from leaplab.environments.choosing import choose_interpreter
    from leaplab.project.locate import Project, find_project
    from leaplab.session.opening import open_session

    manifest = population.store.manifest
    if path is not None:
        project = find_project(path)
    else:
        project = Project(Path(manifest.integration), manifest.entry_file)
        if not (project.root / project.entry_file).exists():
            from leaplab.errors import MissingError

            raise MissingError(
                f"The integration of {population.store.path.name} is no longer at {project.root}; name its folder as"
                " PATH."
            )
    known = manifest.interpreter
    if python is None and path is None and known is not None and Path(known.executable).exists():
        python = Path(known.executable)
    interpreter = choose_interpreter(project.root, python)
    model = None if manifest.model_option is None else Path(manifest.model_option)
    wiring = None if manifest.wiring_option is None else Path(manifest.wiring_option)
    return lambda: open_session(project, model, False, wiring, interpreter)


def _warn(sentence: str) -> None:
    console.print(f"  {sentence}", style="yellow", markup=False, soft_wrap=True)
