"""`leaplab`: one thin function a command."""

import os
import secrets
import sys
import webbrowser
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from msgspec import structs
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leaplab.cli.printing import (
    age_of,
    console,
    print_findings,
    print_inspection,
    print_json,
    print_listing,
    print_problems,
    size_of,
)
from leaplab.errors import LeaplabError

if TYPE_CHECKING:
    from leaplab.environments.interpreter import Interpreter
    from leaplab.project.locate import Project

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A local laboratory for any Tensorleap integration.",
)


def runs_place(place: str | os.PathLike[str]) -> Path:
    """`--runs`: a folder, or a URL."""
    from leaplab.store.remote import runs_folder

    return runs_folder(place)


def run_place(place: str | os.PathLike[str]) -> Path:
    """`RUN`: a name, a folder, or a URL."""
    from leaplab.store.remote import run_folder

    return run_folder(place)


RunsFolder = Annotated[
    Path,
    typer.Option(
        "--runs",
        envvar="LEAPLAB_RUNS",
        metavar="PATH",
        parser=runs_place,
        help="Folder of all runs, or its URL, as in s3://BUCKET/RUNS.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
Integration = Annotated[Path, typer.Argument(help="Folder of the integration.")]
Model = Annotated[Path | None, typer.Option("--model", "-m", help=".onnx, .h5, .keras or a SavedModel's folder.")]
Wiring = Annotated[
    Path | None, typer.Option(help="YAML wiring, or mapping file, of an integration without an integration test.")
]
InProcess = Annotated[bool, typer.Option("--in-process", help="For debuggers: no child process.")]
Python = Annotated[
    Path | None, typer.Option(help="Interpreter, or its environment's folder, to run the integration in.")
]


@app.command()
def check(
    path: Integration = Path(),
    model: Model = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    python: Python = None,
    wiring: Wiring = None,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds for each process that runs the integration.")] = 120,
    as_json: AsJson = False,
) -> None:
    """Judge an integration by every rule of Tensorleap's contract, before the push. Exit code 1: something is wrong."""
    from leaplab.check.report import check as judge
    from leaplab.environments.choosing import choose_interpreter

    if not path.expanduser().is_dir():
        raise LeaplabError(f"{path} is not a folder; name the folder that holds the integration's leap.yaml.")
    interpreter = _told(choose_interpreter(path.expanduser().resolve(), python))
    with console.status(f"Checking {escape(str(path.expanduser().resolve()))}"):
        report = judge(path, model, time_limit, interpreter, wiring)
    if as_json:
        print_json(report.as_json())
    else:
        print_findings(report)
    raise typer.Exit(report.exit_code(strict))


@app.command()
def sample(
    state: Annotated[str, typer.Argument(help="training, validation, test, unlabeled or additional.")],
    sample_id: Annotated[str, typer.Argument(help="As the preprocess function gives it.")],
    path: Integration = Path(),
    model: Model = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("build/samples"),
    in_process: InProcess = False,
    wiring: Wiring = None,
    python: Python = None,
    as_json: AsJson = False,
) -> None:
    """Every handler on one sample: tensors, scores, metadata in a table; its visualizers as PNG files."""
    from leaplab.files import file_name
    from leaplab.project.locate import find_project
    from leaplab.protocol.inspection import SampleOrder
    from leaplab.protocol.operations import INSPECT
    from leaplab.render.files import write_visuals
    from leaplab.session.opening import open_session

    project = find_project(path)
    interpreter = interpreter_for(project, python, in_process)
    with open_session(project, model, in_process, wiring, interpreter) as session:
        inspection = session.call(INSPECT, SampleOrder(state, sample_id))
    pictures = write_visuals(inspection.visuals, out / file_name(state) / file_name(sample_id))
    if as_json:
        told = {"state": state, "sample_id": sample_id, "tensors": inspection.tensors, "scores": inspection.scores}
        shown = {name: str(picture) for name, picture in pictures.items()}
        told |= {"metadata": inspection.metadata, "instances": inspection.instances, "visualizers": shown}
        print_json(told)
    else:
        print_inspection(inspection, pictures)


@app.command()
def bundle(
    path: Integration = Path(),
    out: Annotated[Path, typer.Option("--out", "-o", help="The archive to write.")] = Path("bundles/bundle.tar.gz"),
    clean_env: Annotated[bool, typer.Option("--clean-env", help="Prove it in a new virtual environment.")] = False,
    time_limit: Annotated[float, typer.Option(min=1, help="Seconds for binding the bundle.")] = 120,
    python: Python = None,
    as_json: AsJson = False,
) -> None:
    """Write the archive that a push would upload, and prove that it runs on its own. Exit code 1: it does not."""
    from leaplab.bundle.archive import write_archive
    from leaplab.bundle.listing import list_bundle
    from leaplab.bundle.proof import clean_environment, prove
    from leaplab.environments.choosing import choose_interpreter
    from leaplab.project.leap_yaml import read_leap_yaml
    from leaplab.project.locate import find_project

    project = find_project(path)
    interpreter = _told(choose_interpreter(project.root, python))
    listing = list_bundle(project, read_leap_yaml(project.root / "leap.yaml"))
    write_archive(listing, project.root, out)
    with console.status("Binding the bundle away from its repository"):
        proof = (clean_environment if clean_env else prove)(out, project, interpreter, time_limit=time_limit)
    if as_json:
        print_json(
            {
                "archive": str(out),
                "files": [entry.path for entry in listing.files],
                "unmatched": listing.unmatched,
                "ok": proof.ok,
                "problems": proof.problems,
                "notes": [*proof.untried, *proof.notes],
            }
        )
    else:
        print_listing(listing)
        print_problems(proof.problems)
        warn((*proof.untried, *proof.notes))
        verdict = "It runs on its own" if proof.ok else f"It would not run: {len(proof.problems)} problems"
        console.print(f"{out}: {verdict}.", markup=False, soft_wrap=True)
    raise typer.Exit(0 if proof.ok else 1)


@app.command()
def explore(
    run: Annotated[
        Path | None, typer.Argument(parser=run_place, help="A run's name, folder or URL; by default the newest.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    runs: RunsFolder = Path("runs"),
) -> None:
    """Open a run in the web explorer. Where others than this machine can reach it, the printed link holds a token."""
    import uvicorn

    from leaplab.explorer.application import make_application
    from leaplab.explorer.serving import address_of, is_loopback, listen
    from leaplab.store.catalog import find_run
    from leaplab.store.run import RunStore

    store = RunStore.open(find_run(runs, run))
    token = None if is_loopback(host) else secrets.token_urlsafe(16)
    application = make_application(store, token=token)
    with listen(host, port) as socket:
        url = address_of(host, socket.getsockname()[1], token)
        where = f"{escape(str(store.path))}: {store.samples:,} samples at [link={url}]{url}[/link]"
        console.print(f"{where}  (Ctrl-C ends)", soft_wrap=True)
        if browser and not webbrowser.open(url):
            console.print("There is no browser to open here; open that address yourself.")
        # A connection that is closed after uvicorn's five idle seconds may be closed while somebody asks on it again.
        config = uvicorn.Config(application, log_level="warning", timeout_graceful_shutdown=2, timeout_keep_alive=75)
        uvicorn.Server(config).run(sockets=[socket])


@app.command("runs")
def list_runs(
    runs: RunsFolder = Path("runs"),
    delete: Annotated[list[str] | None, typer.Option(help="Delete this run; may be repeated.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compare every file with its checksum.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the runs, newest first. Exit code 1: --verify found a file that is not as it was written."""
    from leaplab.store.catalog import catalog, delete_run, verify_run

    for name in delete or ():
        delete_run(runs, name)
        console.print(f"{runs / name} is deleted.", markup=False, soft_wrap=True)
    entries = catalog(runs)
    damaged = {entry.name: verify_run(runs / entry.name) for entry in entries if entry.created} if verify else {}
    if as_json:
        print_json([{**structs.asdict(each), "damaged": damaged.get(each.name)} for each in entries])
    elif not entries:
        console.print(f"There are no runs in {runs}; `leaplab evaluate` makes one.", markup=False, soft_wrap=True)
    else:
        table = Table("run", "samples", "size", "model", "integration", "made", "state", box=None, pad_edge=False)
        for entry in entries:
            integration = Path(entry.integration).name
            texts = (entry.name, f"{entry.samples:,}", size_of(entry.size), entry.model, integration)
            table.add_row(*map(escape, (*texts, age_of(entry.created), entry.condition)))
        Console().print(table)
    for name, files in damaged.items():
        if files:
            some = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
            warn([f"{runs / name}: {some} changed since written; evaluate it again, which makes these parts alone."])
    raise typer.Exit(1 if any(damaged.values()) else 0)


@app.command()
def env(
    path: Integration = Path(),
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Make it anew.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the environment that an integration's requirements ask for; the other commands run it there."""
    from leaplab.environments.making import make_environment
    from leaplab.project.locate import find_project

    root = find_project(path).root
    environment = make_environment(root, rebuild, lambda step: console.print(f"  {step}", markup=False, soft_wrap=True))
    if as_json:
        told = {"python": str(environment.python), "version": environment.version, "missing": environment.missing}
        print_json(
            {**told, "requirements": None if environment.requirements is None else str(environment.requirements)}
        )
        return
    warn(environment.missing)
    console.print(f"{environment.python}: Python {environment.version}", markup=False, soft_wrap=True)


def interpreter_for(project: "Project", python: Path | None, in_process: bool) -> "Interpreter | None":
    """The interpreter for a session, told; None in leaplab's own process."""
    from leaplab.environments.choosing import choose_interpreter

    if not in_process:
        return _told(choose_interpreter(project.root, python))
    if python is not None:
        raise LeaplabError(
            "--in-process runs the integration in leaplab's own interpreter, where a debugger is; leave out --python."
        )
    return None


def say(sentence: str) -> None:
    """Print how a command goes about it."""
    console.print(f"  {sentence}", markup=False, soft_wrap=True)


def warn(sentences: Iterable[str]) -> None:
    """Print what a person should know."""
    for sentence in sentences:
        console.print(f"  {sentence}", style="yellow", markup=False, soft_wrap=True)


def _told(interpreter: "Interpreter") -> "Interpreter":
    warn(interpreter.passed_over)
    version = ".".join(map(str, interpreter.version))
    console.print(f"Python {version}, {interpreter.executable}: {interpreter.reason}", markup=False, soft_wrap=True)
    return interpreter


def main() -> NoReturn:
    """The console script: errors that the user can mend become one line and exit code 2."""
    try:
        app()
    except LeaplabError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(2)
    sys.exit(0)
