"""Which Python an integration is written for, and where this machine has it."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from leaplab.environments.facts import Facts, read_facts
from leaplab.environments.limited_process import run_limited
from leaplab.environments.pyproject import poetry_specifier, read_toml, table
from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import read_leap_yaml

KNOWN_MINORS = (8, 9, 10, 11, 12)
"""The minor versions of Python 3 that code-loader runs on."""
UV_LIMIT = 30.0
"""Seconds that uv has to answer."""


@dataclass(frozen=True)
class Wanted:
    """The Pythons that a folder asks for, read without looking at any.

    Attributes:
        minors: minor versions of Python 3, the best first.
        admitted: which of these versions do; everything where the folder does not say.
        said_by: what asks for them, for a sentence: "leap.yaml (py38)".
        notes: a sentence for what was passed over.
    """

    minors: tuple[int, ...]
    admitted: SpecifierSet
    said_by: str
    notes: tuple[str, ...] = ()


def wanted_versions(root: Path) -> Wanted:
    """What leap.yaml's pythonVersion says, else pyproject.toml, else leaplab's own version.

    Raises:
        LeaplabError: leap.yaml or pyproject.toml cannot be read.
    """
    notes: tuple[str, ...] = ()
    leap_yaml = root / "leap.yaml"
    said = read_leap_yaml(leap_yaml).python_version if leap_yaml.is_file() else None
    if said is not None:
        minor = _minor(said)
        if minor is not None and minor >= min(KNOWN_MINORS):
            return Wanted((minor,), SpecifierSet(), f"leap.yaml ({said})")
        notes = (f"leap.yaml's pythonVersion '{said}' names no Python that code-loader runs on; it is passed over.",)
    constraint = _of_pyproject(root / "pyproject.toml")
    if constraint is not None:
        text, admitted = constraint
        minors = tuple(minor for minor in reversed(KNOWN_MINORS) if _may_admit(admitted, minor))
        if minors:
            return Wanted(minors, admitted, f"pyproject.toml ({text})", notes)
        notes += (f"pyproject.toml asks for Python {text}, which code-loader does not run on; it is passed over.",)
    own = sys.version_info.minor
    return Wanted((own if own in KNOWN_MINORS else 11,), SpecifierSet(), "leaplab's own version", notes)


def find_python(wanted: Wanted) -> Facts:
    """An interpreter of this machine that makes environments of a wanted version.

    Raises:
        LeaplabError: there is none; says how to get one.
    """
    passed_over: list[str] = []
    for minor in wanted.minors:
        for candidate in _candidates(minor):
            try:
                facts = read_facts(candidate)
            except LeaplabError:
                continue  # a pyenv shim of a version that is not switched on, a broken link
            if facts.version[:2] != (3, minor) or not wanted.admitted.contains(facts.version_text):
                continue
            if facts.makes_environments:
                return facts
            passed_over.append(f"{facts.executable} lacks venv or ensurepip")
    best = f"3.{wanted.minors[0]}"
    raise LeaplabError(
        f"This machine has no Python {best}, which {wanted.said_by} asks for"
        f"{f' ({passed_over[0]})' if passed_over else ''}; install one by `pyenv install {best}`,"
        f" `uv python install {best}` or your system's packages."
    )


def _candidates(minor: int) -> Iterator[Path]:
    for folder in os.get_exec_path():
        if (found := Path(folder, f"python3.{minor}")).is_file():
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    micros = {
        int(match[1]): path for path in pyenv.glob("3.*") if (match := re.fullmatch(rf"3\.{minor}\.(\d+)", path.name))
    }
    yield from (micros[micro] / "bin" / "python" for micro in sorted(micros, reverse=True))
    if uv := shutil.which("uv"):
        ended = run_limited([uv, "python", "find", f"3.{minor}"], Path.cwd(), dict(os.environ), UV_LIMIT)
        if not ended.how and ended.output.strip():
            yield Path(ended.output.splitlines()[-1].strip())
    if sys.version_info.minor == minor:
        yield Path(sys.executable)


def _minor(said: str) -> int | None:
    """Of "py38", "3.8", "python3.10" or "3.10.2"."""
    match = re.fullmatch(r"(?:py(?:thon)?)?[-_ ]?3\.?(\d{1,2})(?:\.\d+)?", said.strip(), re.IGNORECASE)
    return int(match[1]) if match else None


def _may_admit(admitted: SpecifierSet, minor: int) -> bool:
    """Whether some micro version can do; which one is there decides."""
    return any(admitted.contains(f"3.{minor}.{micro}") for micro in range(30))


def _of_pyproject(path: Path) -> tuple[str, SpecifierSet] | None:
    if not path.is_file():
        return None
    content = read_toml(path)
    said = table(content, "project").get("requires-python") or table(content, "tool", "poetry", "dependencies").get(
        "python"
    )
    if not isinstance(said, str):
        return None
    return said, poetry_specifier(said)
