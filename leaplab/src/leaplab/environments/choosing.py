"""Which interpreter an integration runs in."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from leaplab.environments.facts import inspect_interpreter
from leaplab.environments.interpreter import Interpreter, Origin
from leaplab.environments.limited_process import run_limited
from leaplab.environments.made import find_made, interpreter_of
from leaplab.environments.own import own_interpreter, variables_for
from leaplab.environments.pyproject import read_toml, table
from leaplab.errors import LeaplabError

OWN_FOLDERS = (".venv", "venv")
POETRY_LIMIT = 60.0
"""Seconds that Poetry has to tell where its environment lies."""

Candidate = tuple[Path, Origin, str]


def choose_interpreter(root: Path, python: Path | None = None) -> Interpreter:
    """The interpreter to run the integration of a folder in.

    The first that does of: `python`; the folder's own .venv or venv; its Poetry environment; the environment that
    `leaplab env` made for it; leaplab's own.

    Args:
        root: the integration's folder.
        python: what --python says: a path, a name on the PATH, or an environment's folder.

    Raises:
        LeaplabError: `python` does not do, or nothing has code-loader.
    """
    root = root.expanduser().resolve()
    if python is not None:
        return _chosen(_named(python), "option", "named by --python", [])
    passed_over: list[str] = []
    for executable, origin, reason in _candidates(root, passed_over):
        try:
            return _chosen(executable, origin, reason, passed_over)
        except LeaplabError as error:
            passed_over.append(str(error).replace("`leaplab env PATH`", f"`leaplab env {root}`"))
    own = f"No environment of {root} has code-loader and numpy, nor has leaplab's own ({own_interpreter().executable})"
    others = "".join(f" {told}" for told in passed_over[:-1])
    raise LeaplabError(f"{own}; make one by `leaplab env {root}`, or name an interpreter by --python.{others}")


def _chosen(executable: Path, origin: Origin, reason: str, passed_over: list[str]) -> Interpreter:
    facts = inspect_interpreter(executable)
    return Interpreter(facts.executable, facts.version, origin, reason, tuple(passed_over))


def _named(python: Path) -> Path:
    path = python.expanduser()
    if path.name == str(path) and (found := shutil.which(str(path))):
        return Path(found)
    if path.is_dir() and interpreter_of(path).exists():
        return interpreter_of(path)
    return path


def _candidates(root: Path, passed_over: list[str]) -> Iterator[Candidate]:
    for name in OWN_FOLDERS:
        folder = root / name
        if not folder.is_dir():
            continue
        if os.path.lexists(interpreter_of(folder)):
            yield interpreter_of(folder), "folder", f"the folder's own {name}"
        else:
            passed_over.append(f"{folder} has no bin/python.")
    if _is_poetrys(root):
        folder_or_told = _poetry_environment(root)
        if isinstance(folder_or_told, Path):
            yield interpreter_of(folder_or_told), "poetry", "the folder's Poetry environment"
        else:
            passed_over.append(folder_or_told)
    made = find_made(root)
    if made.told:
        passed_over.append(made.told)
    if made.python is not None:
        yield made.python, "made", f"made by `leaplab env` of {made.requirements or 'what the code imports'}"
    yield own_interpreter().executable, "own", "leaplab's own interpreter"


def _is_poetrys(root: Path) -> bool:
    if (root / "poetry.lock").is_file():
        return True
    try:
        return bool(table(read_toml(root / "pyproject.toml"), "tool", "poetry"))
    except LeaplabError:
        return False  # not there, or for others to complain about


def _poetry_environment(root: Path) -> Path | str:
    """Its folder, or a sentence that says why there is none."""
    poetry = shutil.which("poetry")
    if poetry is None:
        return f"{root} is a Poetry project, and poetry is not on the PATH."
    # In an activated environment Poetry names that one, whatever the folder.
    activated = ("VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "POETRY_ACTIVE")
    environment = {name: value for name, value in variables_for(Path(poetry)).items() if name not in activated}
    try:
        ended = run_limited([poetry, "env", "info", "--path"], root, environment, POETRY_LIMIT)
    except OSError as error:
        return f"{poetry} cannot be run: {error.strerror}."
    if ended.how.startswith("did not end"):
        return f"`poetry env info --path` {ended.how} in {root}."
    for line in reversed(ended.output.splitlines()):
        if line.strip() and (folder := Path(line.strip())).is_absolute() and folder.is_dir():
            return folder
    return f"Poetry has made no environment of {root}; `poetry install` there makes one."
