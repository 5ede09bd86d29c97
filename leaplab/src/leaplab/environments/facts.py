"""What an interpreter is, and what it has: asked of the interpreter itself."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from leaplab.environments.limited_process import run_limited
from leaplab.errors import LeaplabError

TIME_LIMIT = 30.0
"""Seconds that an interpreter has to answer."""
OLDEST = (3, 8)
"""The oldest Python that code-loader runs on."""
PROCESS = Path(__file__).with_name("facts_process.py")


@dataclass(frozen=True)
class Facts:
    """What an interpreter says of itself.

    Attributes:
        executable: absolute; what was named, but for a script (a pyenv shim) the interpreter that it starts.
        version: major, minor, micro.
        prefix: its environment's folder.
        platform: such as linux-x86_64.
        makes_environments: whether it has `venv` and `ensurepip`, which some systems leave out.
        numpy: version of it, None where it is not installed.
        code_loader: the same.
    """

    executable: Path
    version: tuple[int, int, int]
    prefix: Path
    platform: str
    makes_environments: bool
    numpy: str | None
    code_loader: str | None

    @property
    def version_text(self) -> str:
        """Such as 3.8.18."""
        return ".".join(map(str, self.version))

    @property
    def lacking(self) -> tuple[str, ...]:
        """What an integration needs in any case and is not installed: of code-loader and numpy."""
        return tuple(
            name for name, version in (("code-loader", self.code_loader), ("numpy", self.numpy)) if version is None
        )


@dataclass(frozen=True)
class Packages:
    """What is installed in an interpreter's environment.

    Attributes:
        distributions: canonical name -> version.
        code_loader_needs: the requirements of the installed code-loader, as it writes them.
        absent: those of the modules asked for that it does not find.
    """

    distributions: dict[str, str]
    code_loader_needs: tuple[str, ...]
    absent: frozenset[str]


def read_facts(executable: Path, time_limit: float = TIME_LIMIT) -> Facts:
    """Ask an interpreter what it is.

    Raises:
        LeaplabError: it does not exist, is no Python, is older than 3.8, or does not answer.
    """
    told = _ask(executable, (), time_limit)
    reported = Path(told["executable"] or executable)
    # An environment's interpreter is a link, and knows itself by the link's name; a shim's is another file altogether.
    named = executable.absolute()
    same = reported.resolve() == named.resolve()
    return Facts(
        executable=named if same else reported,
        version=_version(told),
        prefix=Path(told["prefix"]),
        platform=told["platform"],
        makes_environments=told["makes_environments"],
        numpy=told["numpy"],
        code_loader=told["code_loader"],
    )


def inspect_interpreter(executable: Path, time_limit: float = TIME_LIMIT) -> Facts:
    """The same of an interpreter that is to run an integration.

    Raises:
        LeaplabError: as for `read_facts`, and where code-loader or numpy is not installed.
    """
    facts = read_facts(executable, time_limit)
    if facts.lacking:
        raise LeaplabError(
            f"{facts.executable} (Python {facts.version_text}) lacks {' and '.join(facts.lacking)}; install"
            f" {' and '.join(facts.lacking)} into it, or make an environment by `leaplab env PATH`."
        )
    return facts


def read_packages(executable: Path, modules: Iterable[str] = (), time_limit: float = TIME_LIMIT) -> Packages:
    """Ask an interpreter what is installed, and which of `modules` it does not find.

    Raises:
        LeaplabError: as for `read_facts`.
    """
    told = _ask(executable, ("packages", *modules), time_limit)
    return Packages(
        distributions={canonicalize_name(name): str(version) for name, version in told["distributions"].items()},
        code_loader_needs=tuple(told["code_loader_needs"]),
        absent=frozenset(told["absent"]),
    )


def _ask(executable: Path, arguments: Sequence[str], time_limit: float) -> dict[str, Any]:
    if executable.is_dir():
        raise LeaplabError(f"{executable} is a folder without bin/python; name an interpreter, or its environment.")
    if not executable.exists():
        gone = "is a link to nothing" if executable.is_symlink() else "does not exist"
        raise LeaplabError(f"{executable} {gone}; name an interpreter that is there.")
    told, said = _answer(executable, ["-I", PROCESS, *arguments], time_limit)
    if told is None and "Unknown option: -I" in said:  # Python 2
        told, said = _answer(executable, ["-E", "-s", PROCESS, *arguments], time_limit)
    if told is None:
        raise LeaplabError(f"{executable} is no Python{said and f': {said}'}; name an interpreter.")
    if _version(told)[:2] < OLDEST:
        version = ".".join(map(str, told["version"]))
        raise LeaplabError(f"{executable} is Python {version}; code-loader needs 3.8 or newer.")
    return told


def _answer(executable: Path, arguments: Sequence[str | Path], time_limit: float) -> tuple[dict[str, Any] | None, str]:
    """What it told, else the line by which it says why not."""
    try:
        ended = run_limited([executable, *arguments], Path.cwd(), dict(os.environ), time_limit)
    except PermissionError:
        return None, "it is not executable"
    except OSError as error:
        return None, error.strerror or str(error)
    lines = [line.strip() for line in ended.output.splitlines() if line.strip()]
    for line in reversed(lines):
        if line.startswith('{"leaplab": '):
            told: dict[str, Any] = json.loads(line)["leaplab"]
            return told, ""
    if "did not end" in ended.how:
        raise LeaplabError(f"{executable} {ended.how} when it was asked for its version; name another interpreter.")
    return None, lines[0] if lines else ended.how


def _version(told: dict[str, Any]) -> tuple[int, int, int]:
    major, minor, micro = told["version"]
    return major, minor, micro
