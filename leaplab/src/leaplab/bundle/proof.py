"""The proof that a bundle runs on its own: unpacked elsewhere, with nothing but what it requires."""

import importlib.util
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from leaplab.bundle.archive import unpack_archive
from leaplab.bundle.installed import Installed, installed_in
from leaplab.bundle.listing import REQUIREMENTS_FILES
from leaplab.bundle.requirements import (
    Closure,
    Markers,
    Requirements,
    closure,
    distributions_of_modules,
    read_requirements,
)
from leaplab.bundle.verdict import Bundle, Event, Problem, judge
from leaplab.environments.interpreter import Interpreter
from leaplab.environments.limited_process import run_limited
from leaplab.environments.own import is_own, variables_for
from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import read_leap_yaml
from leaplab.project.locate import Project
from leaplab.protocol.script_failure import last_printed

TIME_LIMIT = 120.0
"""Seconds for binding a bundle."""
INSTALL_LIMIT = 1800.0
"""Seconds for installing what it requires."""
PROCESS = Path(__file__).parents[1] / "worker" / "proof_process.py"
CODE_LOADER = "code-loader"
NAMED = 6
"""Of the requirements that an environment lacks, those that are named."""
INTEGRATION_TEST = re.compile(rb"^[^#\n]*\btensorleap_integration_test\s*\(", re.MULTILINE)
UNTESTED = (
    "No integration test is in the bundle, which the platform requires today: it was bound as it was before there were"
    " any."
)


@dataclass(frozen=True)
class Proof:
    """Whether a bundle runs on its own.

    Attributes:
        problems: why it would not; none where it would.
        notes: what a person may want to know, and no reason against a push.
        untried: a sentence for each thing that could not be tried here, and why; no reason against a push either.
        lacking: requirements that are not installed here: they may bring any module that is not there.
        is_bound: whether the bundle could be bound without what is not installed here.
        absent: top-level modules that are installed nowhere here, and on which binding or a handler failed.
        output: the end of what the integration, or pip, printed.
        seconds: that it took.
    """

    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    output: str = ""
    seconds: float = field(default=0.0, compare=False)
    untried: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    is_bound: bool = True
    absent: frozenset[str] = frozenset()

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against a push."""
        return not self.problems


def prove(archive: Path, project: Project, python: Interpreter, time_limit: float = TIME_LIMIT) -> Proof:
    """Unpack a bundle outside its repository, and let code-loader check it there as the platform does.

    The process finds the bundle, the standard library and those distributions installed in `python` that the bundle's
    requirements bring along; any other module is not there, as it would not be on the platform, and nothing of the
    original repository is. A function decorated with `tensorleap_load_model` is not called: the model is uploaded
    beside the code.

    code-loader need not be required: the platform's image brings it. What leaplab's own environment lacks, where the
    integration has none, is no problem but untried.

    Not seen: files that are asked for by `os.path.exists` alone, or opened by a library's C code.

    Args:
        archive: the bundle.
        project: the repository that it is of.
        python: the interpreter that binds it, with code-loader and what the bundle requires.
        time_limit: seconds for binding.

    Raises:
        LeaplabError: the archive cannot be unpacked, temporary files would lie in the repository, or the interpreter
            cannot be run.
    """
    begun = time.monotonic()
    installed = installed_in(python)
    is_fallback = python.origin == "own"
    with _unpacked(archive, project) as place:
        requirements, problems = _requirements(place, installed.markers)
        notes: tuple[str, ...] = ()
        chosen: _Chosen | None = None
        brought = Closure(frozenset())
        if requirements is not None:
            brought = closure(requirements.requirements, installed)
            notes = brought.unmet
            # leaplab's own environment is not the integration's: what that lacks is no fault of its requirements.
            if not is_fallback:
                problems += [_of_requirements(told) for told in (*brought.missing, *brought.conflicts)]
            # Nobody knows here what a distribution would bring that is not installed.
            if not (is_fallback and brought.lacking):
                binding = closure([Requirement(CODE_LOADER)], installed)
                chosen = _chosen(brought.distributions | binding.distributions, installed)
        environment = _Python(python.executable, installed.prefix, installed.site_packages)
        bound = _bind(place, project, environment, chosen, time_limit, brought.lacking)
    lacks = [*brought.lacking, *brought.differing] if is_fallback else []
    return Proof(
        (*problems, *bound.problems),
        (*notes, *bound.notes),
        bound.output,
        time.monotonic() - begun,
        tuple(_lacks(lacks, bound.is_bound, project)),
        brought.lacking,
        bound.is_bound,
        bound.absent,
    )


def clean_environment(
    archive: Path,
    project: Project,
    python: Interpreter,
    time_limit: float = TIME_LIMIT,
    install_limit: float = INSTALL_LIMIT,
    pip_arguments: Sequence[str] = (),
) -> Proof:
    """The same proof in a new virtual environment, into which pip installs what the bundle requires.

    Args:
        archive: the bundle.
        project: the repository that it is of.
        python: the interpreter that the environment is made with.
        time_limit: seconds for binding.
        install_limit: seconds for installing.
        pip_arguments: further options for `pip install`.

    Raises:
        LeaplabError: as `prove` does.
    """
    begun = time.monotonic()

    def proof(problems: Sequence[Problem], notes: Sequence[str] = (), output: str = "") -> Proof:
        return Proof(tuple(problems), tuple(notes), output, time.monotonic() - begun)

    markers = installed_in(python).markers
    with _unpacked(archive, project) as place:
        requirements, problems = _requirements(place, markers)
        if requirements is None or problems:
            return proof(problems)
        folder = place.workplace / "environment"
        # An environment's own pip takes longer to install than anything else that is done here; leaplab's works with
        # another interpreter, too, but not with one that is too old for it.
        borrows_pip = is_own(python.executable) and importlib.util.find_spec("pip") is not None
        without_pip = ["--without-pip"] if borrows_pip else []
        maker: list[str | Path] = [python.executable, "-I", "-m", "venv", *without_pip, folder]
        variables = _variables(place.folder, python.executable)
        made = run_limited(maker, place.workplace, variables, install_limit)
        if made.how:
            told = f"{maker[0]} -m venv {made.how}: {_last_line(made.output)}"
            return proof([Problem("process", f"No environment can be made: {told}")], output=made.output)
        interpreter = folder / "bin" / "python"
        file = place.folder / (place.requirements_file or "")
        # pip's own format may hold options, and is installed as it stands.
        wanted: list[str | Path] = ["-r", file]
        if file.name == "pyproject.toml":
            wanted = [str(requirement) for requirement in requirements.requirements]
        if not any(canonicalize_name(found.name) == CODE_LOADER for found in requirements.requirements):
            wanted.append(CODE_LOADER)  # the platform's image brings it
        if wanted:
            pip: list[str | Path] = [interpreter, "-I", "-m", "pip"]
            if borrows_pip:
                pip = [Path(sys.executable), "-I", "-m", "pip", "--python", interpreter]
            options = ["install", "--no-input", "--disable-pip-version-check", *pip_arguments]
            installing = run_limited([*pip, *options, *wanted], place.workplace, variables, install_limit)
            if installing.how:
                failure = _pip_failure(installing.how, installing.output, file.name)
                return proof([failure], output=installing.output)
        packages = tuple(folder.glob("lib*/python*/site-packages"))
        bound = _bind(place, project, _Python(interpreter, folder, packages), None, time_limit)
        return proof(bound.problems, bound.notes, bound.output)


@dataclass(frozen=True)
class _Place:
    """An unpacked bundle, and a folder beside it."""

    folder: Path
    workplace: Path

    @property
    def requirements_file(self) -> str | None:
        return next((name for name in REQUIREMENTS_FILES if (self.folder / name).is_file()), None)


@dataclass(frozen=True)
class _Python:
    interpreter: Path
    prefix: Path
    site_packages: tuple[Path, ...]


@dataclass(frozen=True)
class _Chosen:
    """Of what is installed, that which a bundle requires.

    Attributes:
        allowed: canonical names of the distributions.
        refused: module -> the distributions that bring it, none of which is allowed.
        versions: installed distribution -> its version.
    """

    allowed: list[str]
    refused: dict[str, list[str]]
    versions: dict[str, str]


def _chosen(allowed: frozenset[str], installed: Installed) -> _Chosen:
    modules = distributions_of_modules(installed)
    return _Chosen(
        sorted(allowed),
        {module: list(names) for module, names in modules.items() if allowed.isdisjoint(names)},
        {name: distribution.version for name, distribution in installed.distributions.items()},
    )


@contextmanager
def _unpacked(archive: Path, project: Project) -> Iterator[_Place]:
    with tempfile.TemporaryDirectory(prefix="leaplab-bundle-", ignore_cleanup_errors=True) as created:
        workplace = Path(created).resolve()
        if workplace.is_relative_to(project.root):
            raise LeaplabError(
                f"Temporary files would lie in {project.root}, whose files the bundle is to do without;"
                " set TMPDIR to a folder outside."
            )
        place = _Place(workplace / "bundle", workplace)
        place.folder.mkdir()
        unpack_archive(archive, place.folder)
        yield place


def _requirements(place: _Place, markers: Markers) -> tuple[Requirements | None, list[Problem]]:
    """What the bundle requires, None where that cannot be told, and what is wrong with it."""
    if place.requirements_file is None:
        told = f"The bundle holds no {' or '.join(REQUIREMENTS_FILES)} at its root: add one, and name it in include."
        return None, [_of_requirements(told)]
    try:
        requirements = read_requirements(place.folder / place.requirements_file, markers)
    except LeaplabError as error:
        return None, [_of_requirements(str(error).replace(f"{place.folder}/", ""))]
    problems = [_of_requirements(told) for told in requirements.problems]
    return requirements, problems


def _lacks(requirements: Sequence[str], is_bound: bool, project: Project) -> Iterator[str]:
    """One sentence, however many there are."""
    if requirements:
        named = ", ".join(requirements[:NAMED])
        more = f" and {len(requirements) - NAMED} more" if len(requirements) > NAMED else ""
        what = f"What it does with {named}{more} was not tried" if is_bound else "The integration could not be bound"
        lacked = "that" if is_bound else f"{named}{more}"
        yield (
            f"{what}: leaplab's own environment lacks {lacked}; make one of its own by `leaplab env {project.root}`."
        )


def _of_requirements(message: str) -> Problem:
    return Problem("requirement", message)


@dataclass(frozen=True)
class _Bound:
    problems: list[Problem]
    notes: list[str]
    output: str
    is_bound: bool
    absent: frozenset[str]


def _bind(
    place: _Place,
    project: Project,
    python: _Python,
    chosen: _Chosen | None,
    time_limit: float,
    lacking: tuple[str, ...] = (),
) -> _Bound:
    """Bind the bundle in a process that finds no distribution but the chosen ones; None lets it find all."""
    order, events = place.workplace / "order.json", place.workplace / "events"
    content = {
        "bundle": str(place.folder),
        "entry_file": project.entry_file,
        "original": str(project.root),
        "site_packages": [str(folder) for folder in python.site_packages],
        "prefix": str(python.prefix),
        "refused": chosen.refused if chosen else {},
        "allowed": chosen.allowed if chosen else None,
        "events": str(events),
    }
    order.write_text(json.dumps(content), encoding="utf-8")
    variables = _variables(place.folder, python.interpreter)
    is_tested = _has_integration_test(place.folder)
    if is_tested:
        # The platform's rules, by which an integration without an integration test is invalid.
        variables["IS_TENSORLEAP_PLATFORM"] = "true"
    # -I and -S: no PYTHONPATH, no .pth file, and so no editable installation of the repository.
    command: list[str | Path] = [python.interpreter, "-I", "-S", "-B", PROCESS, order]
    files = frozenset(found.relative_to(place.folder).as_posix() for found in place.folder.rglob("*"))
    ended = run_limited(command, place.folder, variables, time_limit)
    versions = chosen.versions if chosen else {}
    bundle = Bundle(
        place.folder,
        project.root,
        place.requirements_file,
        _excludes(project),
        versions,
        lacking,
        python.interpreter,
        files,
    )
    judged = judge(_read(events), ended.how, ended.output, bundle)
    notes = judged.notes if is_tested else [*judged.notes, UNTESTED]
    return _Bound(judged.problems, notes, ended.output, judged.is_bound, judged.absent)


def _has_integration_test(folder: Path) -> bool:
    return any(INTEGRATION_TEST.search(path.read_bytes()) for path in folder.rglob("*.py") if path.is_file())


def _variables(folder: Path, executable: Path) -> dict[str, str]:
    """This process's, without what leads Python elsewhere."""
    inherited = {
        name: value
        for name, value in variables_for(executable).items()
        if not name.startswith("PYTHON") and name not in ("OLDPWD", "IS_TENSORLEAP_PLATFORM")
    }
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **inherited, "TL_DISABLE_ANALYTICS": "true", "PWD": str(folder)}


def _excludes(project: Project) -> tuple[str, ...]:
    leap_yaml = project.root / "leap.yaml"
    try:
        return read_leap_yaml(leap_yaml).exclude if leap_yaml.is_file() else ()
    except LeaplabError:
        return ()  # only the advice is the poorer for it


def _read(events: Path) -> list[Event]:
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    found: list[Event] = []
    for line in lines:
        try:
            event: Any = json.loads(line)
        except json.JSONDecodeError:
            continue  # the process died while it wrote its last line
        found.append(event)
    return found


def _pip_failure(how: str, output: str, requirements_file: str) -> Problem:
    nothing = re.search(r"No matching distribution found for (.+)", output)
    if nothing:
        wanted = nothing[1].split(" (from ")[0].strip()
        return _of_requirements(
            f"pip finds no distribution for '{wanted}' of {requirements_file}: correct its name or version."
        )
    errors = [line.removeprefix("ERROR: ").strip() for line in output.splitlines() if line.startswith("ERROR: ")]
    reason = errors[0] if errors else _last_line(output)
    return _of_requirements(f"pip {how} on {requirements_file}: {reason}")


def _last_line(output: str) -> str:
    return last_printed(output, lines=1) or "it printed nothing"
