"""`leaplab env`: an environment made of what a folder requires and imports."""

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from leaplab.environments.asked import CODE_LOADER, Asked, Line
from leaplab.environments.facts import Facts, inspect_interpreter, read_facts, read_packages
from leaplab.environments.imports import Imports, distribution_of
from leaplab.environments.installing import OLD_SETUPTOOLS, Failure, Pip
from leaplab.environments.limited_process import run_limited
from leaplab.environments.made import (
    MARKER,
    Marker,
    Recipe,
    alone,
    interpreter_of,
    other_environments,
    read_marker,
    read_recipe,
    write_marker,
)
from leaplab.environments.python_versions import find_python
from leaplab.errors import LeaplabError

VENV_LIMIT = 300.0
"""Seconds for making an empty environment."""
IMPORT_LIMIT = 120.0
"""Seconds for importing code-loader."""
OLDEST_PIP = Version("21")
"""The first with today's resolver and wheel tags."""


@dataclass(frozen=True)
class Environment:
    """An environment that leaplab made for a folder.

    Attributes:
        python: its interpreter.
        version: its Python, such as 3.8.18.
        requirements: the file that it was made of; None where the folder has none.
        missing: a sentence for each thing that could not be brought.
        notes: a sentence for each choice that was made on the way.
    """

    python: Path
    version: str
    requirements: Path | None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def make_environment(
    root: Path, rebuild: bool = False, progress: Callable[[str], None] = lambda sentence: None
) -> Environment:
    """Make a folder's environment, or go on with one; a finished one is returned as it is.

    Args:
        root: the integration's folder.
        rebuild: start from nothing.
        progress: called with a sentence for each step and each choice.

    Raises:
        LeaplabError: a file cannot be read, this machine lacks the Python, or a requirement cannot be installed.
    """
    root = root.expanduser().resolve()
    if not root.is_dir():
        raise LeaplabError(f"{root} is not a folder; name the folder of an integration.")
    recipe = read_recipe(root)
    with alone(recipe.folder, lambda: progress("Waiting for another leaplab that makes this environment")) as lock:
        if rebuild:
            _remove(recipe.folder)
        finished = _finished(recipe)
        if finished is not None:
            progress(f"{recipe.folder} is up to date")
            return finished
        return _Making(recipe, lock, progress).run()


def _finished(recipe: Recipe) -> Environment | None:
    marker = read_marker(recipe.folder)
    if marker is None or recipe.imports.modules.keys() - set(marker.modules):
        return None
    python = interpreter_of(recipe.folder)
    try:
        inspect_interpreter(python)
    except LeaplabError:
        return None  # its Python has gone from the machine, or somebody has changed it: made anew
    return Environment(python, marker.version, recipe.asked.file, marker.missing, marker.notes)


class _Making:
    """One environment in the making."""

    def __init__(self, recipe: Recipe, lock: int, progress: Callable[[str], None]) -> None:
        self.recipe = recipe
        self.lock = lock
        self.progress = progress
        self.python = interpreter_of(recipe.folder)
        self.pip = Pip(self.python, recipe.root, lock, progress)
        self.version = ""
        self.notes: list[str] = []
        self.missing: list[str] = []

    def run(self) -> Environment:
        asked, imports = self.recipe.asked, self.recipe.imports
        for note in (*self.recipe.wanted.notes, *asked.notes, *imports.notes):
            self._note(note)
        self.version = self._empty_environment().version_text
        needs = self._newest_code_loader()
        self._requirements(asked, needs)
        self._imported(imports)
        inspect_interpreter(self.python)
        self._import_code_loader()
        file = asked.file
        marker = Marker(
            root=str(self.recipe.root),
            key=self.recipe.folder.name,
            python=str(self.python),
            version=self.version,
            requirements=None if file is None else str(file),
            modules=tuple(imports.modules),
            notes=tuple(self.notes),
            missing=tuple(self.missing),
        )
        write_marker(self.recipe.folder, marker)
        for old in other_environments(self.recipe):
            with suppress(BlockingIOError), alone(old, _do_not_wait):
                self.progress(f"Removing {old}, made when {self.recipe.root} asked for something else")
                _remove(old)
        return Environment(self.python, self.version, file, marker.missing, marker.notes)

    def _note(self, sentence: str) -> None:
        self.notes.append(sentence)
        self.progress(sentence.removesuffix("."))

    def _empty_environment(self) -> Facts:
        """One with a pip that works; what an interrupted run left is gone on with."""
        folder = self.recipe.folder
        base = find_python(self.recipe.wanted)
        if folder.exists():
            try:
                there = read_facts(self.python)
                if there.version[:2] == base.version[:2] and self.pip.works():
                    self.progress(f"Going on with the environment of Python {there.version_text} that is there")
                    _drop_half_installed(folder)
                    return there
            except LeaplabError:
                pass  # half-made, or its Python has gone: made anew
            _remove(folder)
        self.progress(f"Making an environment of Python {base.version_text}, as {self.recipe.wanted.said_by} asks")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        command: list[str | Path] = [base.executable, "-I", "-m", "venv", folder]
        # Like pip, it writes on where leaplab is killed.
        made = run_limited(command, folder.parent, clean, VENV_LIMIT, inherits=[self.lock])
        if made.how:
            said = (made.output.strip().splitlines() or ["it says nothing"])[0]
            raise LeaplabError(f"{base.executable} -m venv {made.how}: {said}")
        self.version = base.version_text
        if Version(read_packages(self.python).distributions.get("pip", "0")) < OLDEST_PIP:
            self._install([Line("pip", "", "pip")], options=["--upgrade"])
        return read_facts(self.python)

    def _newest_code_loader(self) -> frozenset[str]:
        """Install it, and nothing else yet; returns the names of what it needs."""
        self.progress("Installing the newest code-loader")
        self._install([Line(CODE_LOADER, "", CODE_LOADER)], options=["--no-deps", "--upgrade"])
        needs = read_packages(self.python).code_loader_needs
        return frozenset(canonicalize_name(Requirement(need).name) for need in needs)

    def _requirements(self, asked: Asked, needs: frozenset[str]) -> None:
        """What is asked for, with code-loader and what that needs; versions give way where they must."""
        version = read_packages(self.python).distributions[CODE_LOADER]
        extra = [Line(f"{CODE_LOADER}=={version}", "", CODE_LOADER), Line("wheel", "", "wheel")]
        if not any(line.name == "setuptools" for line in asked.lines):
            extra.append(Line(OLD_SETUPTOOLS, "", "setuptools"))
        if asked.file is not None:
            number = sum(1 for line in asked.lines if not line.is_option)
            self.progress(f"Installing {number} requirement{'s' * (number != 1)} of {asked.file.name}")
        else:
            self._note("The folder has no requirements file: what its code imports is installed.")

        free = _closure(needs, asked.locked.needs) | {CODE_LOADER, "setuptools"}
        held = [line for line in asked.constraints if line.name not in free]
        failure = self._install_all([*asked.lines, *extra], held)
        if failure and failure.conflicts and held:
            where = " and ".join(dict.fromkeys(line.place.split(",")[0] for line in held))
            self._note(f"{where} is not held to: {failure.reason}.")
            failure = self._install_all([*asked.lines, *extra])
        pinned = [line for line in asked.lines if line.name in needs and line.is_pinned]
        if failure and failure.conflicts and pinned:
            for line in pinned:
                self._note(f"{line.place}: {line.text} is not held to: {failure.reason}.")
            freed = [line.without_version if line in pinned else line for line in asked.lines]
            failure = self._install_all([*freed, *extra])
        if failure:
            raise LeaplabError(failure.sentence(self.recipe.asked.file, self.version))

    def _install_all(self, lines: list[Line], held: Sequence[Line] = ()) -> Failure | None:
        """Install at once, but for what an old distribution needs to be there before it can be built."""
        failure = self.pip.install(lines, held)
        before: set[str] = set()
        while failure and failure.lacking and failure.lacking not in before:
            before.add(failure.lacking)
            distribution = distribution_of(failure.lacking)
            self._note(f"Something is built with {failure.lacking}: {distribution} is installed first.")
            first = [line for line in lines if line.is_option or line.name == canonicalize_name(distribution)]
            if all(line.is_option for line in first):
                first.append(Line(distribution, ""))
            ours = [line for line in lines if not line.place]
            if self.pip.install([*first, *ours], held):
                return failure
            failure = self.pip.install(lines, held)
        return failure

    def _imported(self, imports: Imports) -> None:
        """Modules that the code imports and nothing has brought, one distribution each."""
        packages = read_packages(self.python, imports.modules)
        absent = [module for module in imports.modules if module in packages.absent]
        by_distribution: dict[str, list[str]] = {}
        for module in absent:
            by_distribution.setdefault(distribution_of(module), []).append(module)
            self._note(f"{module} is imported by {imports.modules[module]} and required by nothing: installing it.")
        if not by_distribution:
            return
        # What was asked for stays as it is: a newer numpy for the sake of one more module breaks the others.
        held = [Line(f"{name}=={version}", "", name) for name, version in packages.distributions.items()]
        options = [line for line in self.recipe.asked.lines if line.is_option]
        lines = {name: Line(name, "", canonicalize_name(Requirement(name).name)) for name in by_distribution}
        failures: dict[str, Failure] = {}
        if self.pip.install([*options, *lines.values()], held):
            for name, line in lines.items():
                if failure := self.pip.install([*options, line], held):
                    failures[name] = failure
        still = read_packages(self.python, absent).absent
        for name, modules in by_distribution.items():
            for module in (module for module in modules if module in still):
                why = failures[name].reason if name in failures else f"{name} does not bring it"
                self._miss(f"{module}, which {imports.modules[module]} imports, cannot be brought: {why}.")

    def _miss(self, sentence: str) -> None:
        self.missing.append(sentence)
        self.progress(sentence.removesuffix("."))

    def _install(self, lines: list[Line], options: list[str]) -> None:
        if failure := self.pip.install(lines, options=options):
            raise LeaplabError(failure.sentence(self.recipe.asked.file, self.version))

    def _import_code_loader(self) -> None:
        command: list[str | Path] = [self.python, "-I", "-c", "import numpy, code_loader"]
        quiet = os.environ | {"TL_DISABLE_ANALYTICS": "true"}
        ended = run_limited(command, self.recipe.folder, quiet, IMPORT_LIMIT)
        if ended.how:
            said = (ended.output.strip().splitlines() or [ended.how])[-1]
            raise LeaplabError(
                f"code-loader is installed into {self.recipe.folder} and cannot be imported there ({said});"
                f" correct the versions that {self.recipe.asked.file or self.recipe.root} asks for."
            )


def _do_not_wait() -> None:
    raise BlockingIOError  # somebody goes on with it; and the two of us might wait for each other


def _closure(names: frozenset[str], needs: dict[str, frozenset[str]]) -> frozenset[str]:
    """The names, what they need, and so on."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += needs.get(name, frozenset())
    return frozenset(found)


def _drop_half_installed(folder: Path) -> None:
    """Let pip see as not installed what it was writing, or taking out, when it was interrupted."""
    for packages in folder.glob("lib*/python*/site-packages"):
        half = [path for path in packages.glob("*.dist-info") if not (path / "INSTALLER").is_file()]
        for path in (*half, *packages.glob("~*")):
            shutil.rmtree(path, ignore_errors=True)


def _remove(folder: Path) -> None:
    (folder / MARKER).unlink(missing_ok=True)  # first: what is half removed must not count as finished
    if folder.exists():
        shutil.rmtree(folder)
