"""`leaplab evaluate`: samples through the integration and its model, into a run."""

import threading
import time
from contextlib import closing
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import TaskID

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
from leaplab.protocol.plan import BATCH_SIZE
from leaplab.store.columns import LOSS, METADATA, METRIC

if TYPE_CHECKING:
    from leaplab.session.opening import Session

AGAIN = {"metadata": METADATA, "losses": LOSS, "metrics": METRIC}
"""What `--only` takes, and the group of columns that it means."""


class OnError(StrEnum):
    """What an evaluation does where a handler fails on a sample."""

    fail = "fail"
    skip = "skip"


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
    in_process: InProcess = False,
    wiring: Wiring = None,
    python: Python = None,
    runs: RunsFolder = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Run every sample through the integration and its model; the results go to runs/NAME."""
    from leaplab.evaluate.local_runner import LocalRunner
    from leaplab.evaluate.parallel_runner import ParallelRunner
    from leaplab.evaluate.run import Options, carry_out, prepare
    from leaplab.evaluate.summary import left_out, summarize, without_loss
    from leaplab.evaluate.worker_count import this_machine, threads_of
    from leaplab.project.locate import find_project
    from leaplab.project.mapping_file import mapping_files
    from leaplab.protocol.operations import DESCRIBE
    from leaplab.protocol.plan import PlanOrder
    from leaplab.session.opening import open_session
    from leaplab.store.writing import Replace

    if in_process and (time_limit or memory):
        raise LeaplabError("--time-limit and --memory are for the integration's own process; leave out --in-process.")
    if only is not None and (update or overwrite):
        raise LeaplabError("--only keeps the run, which --update and --overwrite replace; name one of them.")
    replace: Replace = "always" if overwrite else "outdated" if update else "never"
    order = PlanOrder(tuple(state) if state else None, limit, batch_size, float16=float16, latent=latent)
    if in_process and workers != 1:
        if workers:
            say("With --in-process there is one worker.")
        workers = 1
    threads = threads_of(workers or 1, this_machine().cores)
    options = Options(runs, name, model, wiring, order, replace, _groups(only), history, threads)
    project = find_project(path)
    interpreter = interpreter_for(project, python, in_process)
    console.print(f"Binding {project.root / project.entry_file}", markup=False, soft_wrap=True)
    size = None if memory is None else int(memory * 2**30)

    def bind(inference_threads: int | None, unwanted: threading.Event | None = None) -> "Session":
        limits = {"memory": size, "inference_threads": inference_threads}
        return open_session(project, model, in_process, wiring, interpreter, **limits, unwanted=unwanted)

    begun = time.perf_counter()
    with bind(threads) as session:
        notices = session.notices()
        unscored = without_loss(session.call(DESCRIBE), mapping_files(project.root))
        if unscored is not None:
            notices.append(unscored)
        warn(notices)
        with prepare(session, options, notices) as prepared:
            warn(prepared.notices)
            store = prepared.store
            if on_error is OnError.fail:
                store.forget_skipped()
            missing = store.missing_parts()
            if missing:
                start_up = time.perf_counter() - begun
                kept = store.manifest.inference_threads
                if in_process and kept != threads:
                    raise LeaplabError(
                        f"{store.path} was begun with other threads of inference, which --in-process cannot give it;"
                        " leave that out, or give this one a --name."
                    )
                if kept is None:
                    warn(
                        [f"{store.path} is of an earlier leaplab, which noted no threads: one worker goes on with it."]
                    )

                def worker(opened: "Session | None" = None) -> LocalRunner:
                    skip = on_error is OnError.skip
                    return LocalRunner(partial(bind, kept), prepared.load, opened, skip=skip, time_limit=time_limit)

                first = worker(session if kept == threads else None)
                number = 1 if kept is None else workers
                done = store.samples - sum(part.stop - part.start for part in missing)
                with progress_bar() as progress:
                    task = progress.add_task("Evaluating", total=store.samples, completed=done)
                    several = ParallelRunner(first, worker, number, start_up, say)
                    with closing(first), closing(several) as runner:
                        carry_out(runner, store, prepared.plan, lambda count: progress.advance(TaskID(task), count))
    summary = summarize(store)
    if as_json:
        print_json(
            {
                "run": str(store.path),
                "up_to_date": not missing,
                "states": summary,
                "skipped": store.skipped,
                "not_finite": store.not_finite,
                "updates": store.manifest.updates,
            }
        )
        return
    warn(left_out(store))
    outcome = "holds" if missing else "is up to date:"
    console.print(f"{store.path} {outcome} {store.samples:,} samples", markup=False, soft_wrap=True)
    console.print(summary_table(summary))


def _groups(only: str | None) -> tuple[str, ...]:
    """The groups of columns that `--only` names."""
    if only is None:
        return ()
    named = [word.strip() for word in only.split(",")]
    if wrong := [word for word in named if word not in AGAIN]:
        raise LeaplabError(f"--only takes {', '.join(AGAIN)}, separated by commas, and not '{wrong[0]}'.")
    return tuple(AGAIN[word] for word in named)
