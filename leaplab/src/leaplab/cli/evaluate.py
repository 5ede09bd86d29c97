"""`leaplab evaluate`: samples through the integration and its model, into a run."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from leaplab.cli.commands import (
    AsJson,
    InProcess,
    Integration,
    Model,
    Python,
    RunsFolder,
    Wiring,
    app,
    interpreter_for,
    say,
    warn,
)
from leaplab.cli.printing import console, print_json, progress_bar, summary_table
from leaplab.errors import LeaplabError
from leaplab.protocol.plan import BATCH_SIZE, LARGEST_PART
from leaplab.store.columns import LOSS, METADATA, METRIC

AGAIN = {"metadata": METADATA, "losses": LOSS, "metrics": METRIC}
"""What `--only` takes, and the group of columns that it means."""


class OnError(StrEnum):
    """What an evaluation does where a handler fails on a sample."""

    fail = "fail"
    skip = "skip"


class Where(StrEnum):
    """What evaluates the parts of a run."""

    local = "local"
    ray = "ray"


@app.command()
def evaluate(
    path: Integration = Path(),
    name: Annotated[str | None, typer.Option(help="Name of the run; by default the model file's.")] = None,
    model: Model = None,
    state: Annotated[list[str] | None, typer.Option(help="Evaluate this state only; may be repeated.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many samples of each state, chosen at random.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples in a batch.")] = BATCH_SIZE,
    part_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Samples in a part, which is written, and done again after a loss, as a whole; by default a sixteenth"
            f" of all, {LARGEST_PART:,} at most.",
        ),
    ] = None,
    latent: Annotated[str | None, typer.Option(help="Tensor or layer to take the latent space from.")] = None,
    float16: Annotated[bool, typer.Option("--float16", help="Score at the precision of the platform.")] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Replace the run where code, model or options changed.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in any case: data changed.")] = False,
    on_error: Annotated[
        OnError, typer.Option(help="What to do where a handler fails on a sample: end, or leave that sample out.")
    ] = OnError.fail,
    time_limit: Annotated[
        float | None, typer.Option(min=0.1, help="Seconds that a handler may take for a sample.")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(min=0.1, help="GiB that each process of the integration may take (Linux).")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMNS",
            help="Compute just these columns of the run again, of metadata,losses,metrics; all else of it stays.",
        ),
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="CSV of the training's curves; by default MODEL.history.csv beside the model.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that evaluate at a time; by default as many as the first part shows to pay."
        ),
    ] = None,
    runner: Annotated[
        Where, typer.Option(help="Processes of this machine, or actors of a Ray cluster: docs/scaling.md.")
    ] = Where.local,
    address: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of the Ray cluster; by default the one of RAY_ADDRESS, or one on this machine."),
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Variable of this environment that Ray's actors get; may be repeated."),
    ] = None,
    in_process: InProcess = False,
    wiring: Wiring = None,
    python: Python = None,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Run every sample through the integration and its model; the results go to runs/NAME."""
    from leaplab.evaluate.evaluation import Evaluation, Means
    from leaplab.evaluate.run import Options
    from leaplab.evaluate.summary import left_out, summarize
    from leaplab.project.locate import find_project
    from leaplab.protocol.plan import PlanOrder
    from leaplab.store.writing import Replace

    if in_process and (time_limit or memory):
        raise LeaplabError("--time-limit and --memory are for the integration's own process; leave out --in-process.")
    if in_process and runner is Where.ray:
        raise LeaplabError("With --runner ray the integration runs in processes of the nodes; leave out --in-process.")
    if (address or env) and runner is not Where.ray:
        raise LeaplabError("--address and --env are for --runner ray; add it, or leave them out.")
    if only is not None and (update or overwrite):
        raise LeaplabError("--only keeps the run, which --update and --overwrite replace; name one of them.")
    replace: Replace = "always" if overwrite else "outdated" if update else "never"
    order = PlanOrder(tuple(state) if state else None, limit, batch_size, part_size, float16, latent)
    options = Options(runs, name, model, wiring, order, replace, _groups(only), history)
    variables = _variables(env or [])
    project = find_project(path)
    means = Means(
        interpreter_for(project, python, in_process),
        workers,
        runner is Where.ray,
        address,
        variables,
        None if memory is None else int(memory * 2**30),
        time_limit,
        on_error is OnError.skip,
    )
    console.print(f"Binding {project.root / project.entry_file}", markup=False, soft_wrap=True)
    store, is_new = Evaluation(project, options, means, say, warn).run(_progress)
    summary = summarize(store)
    if as_json:
        print_json(
            {
                "run": store.place,
                "up_to_date": not is_new,
                "states": summary,
                "skipped": store.skipped,
                "not_finite": store.not_finite,
                "updates": store.manifest.updates,
            }
        )
        return
    warn(left_out(store))
    outcome = "holds" if is_new else "is up to date:"
    console.print(f"{store.place} {outcome} {store.samples:,} samples", markup=False, soft_wrap=True)
    console.print(summary_table(summary))


@contextmanager
def _progress(samples: int, done: int) -> Iterator[Callable[[int], None]]:
    with progress_bar() as bar:
        task = bar.add_task("Evaluating", total=samples, completed=done)
        yield lambda count: bar.advance(task, count)


def _groups(only: str | None) -> tuple[str, ...]:
    """The groups of columns that `--only` names."""
    if only is None:
        return ()
    named = [word.strip() for word in only.split(",")]
    if wrong := [word for word in named if word not in AGAIN]:
        raise LeaplabError(f"--only takes {', '.join(AGAIN)}, separated by commas, and not '{wrong[0]}'.")
    return tuple(AGAIN[word] for word in named)


def _variables(names: list[str]) -> dict[str, str | None]:
    """The variables that `--env` names, and the one that Ray would set for its actors."""
    if missing := [name for name in names if name not in os.environ]:
        raise LeaplabError(f"--env names {missing[0]}, which is not set here; set it, or leave it out.")
    return {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"), **{name: os.environ[name] for name in names}}
