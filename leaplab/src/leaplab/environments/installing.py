"""pip, in an environment: what it is told to install, and why it could not."""

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from leaplab.environments.asked import Line
from leaplab.environments.limited_process import Ended, run_limited
from leaplab.files import write_text

INSTALL_LIMIT = 3600.0
"""Seconds for one run of pip."""
OLD_SETUPTOOLS = "setuptools<81"
"""The last that brings pkg_resources, which old distributions import when they run and when they are built."""
WORTH_TELLING = 20.0
"""Megabytes from which on a download is told."""


@dataclass(frozen=True)
class Failure:
    """Why pip did not install.

    Attributes:
        reason: the resolver's own, for a sentence.
        line: what was asked for and is at fault, where that can be told.
        conflicts: whether versions that were asked for exclude each other or do not exist.
        lacking: the module that a build asked for in vain.
    """

    reason: str
    line: Line | None
    conflicts: bool = False
    lacking: str = ""

    def sentence(self, file: Path | None, version: str) -> str:
        """What could not be installed, where it stands, and why."""
        if self.line is None:
            what = f"What {file.name if file else 'the code'} asks for"
            return f"{what} cannot be installed into Python {version}: {self.reason}."
        place = f"{self.line.place}: " if self.line.place else ""
        mend = "; correct the line, or ask for another pythonVersion in leap.yaml" if place and self.conflicts else ""
        return f"{place}{self.line.text} cannot be installed into Python {version}: {self.reason}{mend}."


class Pip:
    """The pip of an environment.

    Args:
        python: the environment's interpreter.
        folder: where relative paths of the requirements begin.
        lock: file descriptor of the environment's lock: pip holds it on where leaplab is killed.
        progress: called with a sentence for each large download and each build.
    """

    def __init__(self, python: Path, folder: Path, lock: int, progress: Callable[[str], None]) -> None:
        self.python = python
        self.lock = lock
        self.folder = folder
        self.progress = progress

    def works(self) -> bool:
        """Whether it starts."""
        return not self._run(["--version"], {}).how

    def install(
        self, lines: Sequence[Line], constraints: Iterable[Line] = (), options: Sequence[str] = ()
    ) -> Failure | None:
        """Install; None when it is done."""
        with tempfile.TemporaryDirectory() as scratch:
            asked, held, old = (Path(scratch, name) for name in ("asked.txt", "held.txt", "old.txt"))
            write_text(asked, "".join(f"{line.text}\n" for line in lines))
            write_text(held, "".join(f"{line.text}\n" for line in constraints))
            write_text(old, f"{OLD_SETUPTOOLS}\n")
            command = [
                "install",
                "--no-input",
                "--progress-bar",
                "off",
                "--prefer-binary",
                *options,
                "-r",
                str(asked),
                "-c",
                str(held),
            ]
            ended = self._run(command, {"PIP_BUILD_CONSTRAINT": str(old)})
            if ended.how and "No module named 'pkg_resources'" in ended.output:
                # Something old is built with the newest setuptools, in a process that knows no -c. The person's own
                # constraints are named as well, for this setting hides them.
                self.progress(f"Building with {OLD_SETUPTOOLS}, for something needs pkg_resources")
                constraint = " ".join(filter(None, [self._configured_constraints(), str(old)]))
                ended = self._run(command, {"PIP_CONSTRAINT": constraint, "PIP_BUILD_CONSTRAINT": str(old)})
        return _failure(ended, lines) if ended.how else None

    def _configured_constraints(self) -> str:
        configured = self._run(["config", "list"], {}).output
        return " ".join(re.findall(r"^(?:global|install|:env:)\.constraint='(.*)'$", configured, re.MULTILINE))

    def _run(self, command: Sequence[str], settings: dict[str, str]) -> Ended:
        # Settings of the Python that runs leaplab are none of this one's, nor of what it starts to build something.
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
        }
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0", "GIT_TERMINAL_PROMPT": "0"}
        environment = inherited | quiet | settings
        pip: list[str | Path] = [self.python, "-I", "-m", "pip", *command]
        return run_limited(pip, self.folder, environment, INSTALL_LIMIT, self._tell, [self.lock])

    def _tell(self, line: str) -> None:
        download = re.match(r"\s*Downloading (?:\S*/)?([^\s/-]+)-([^\s-]+)\S* \(([\d.]+) ([MG]B)\)", line)
        if download and float(download[3]) * (1000 if download[4] == "GB" else 1) >= WORTH_TELLING:
            self.progress(f"Downloading {download[1]} {download[2]} ({download[3]} {download[4]})")
        elif build := re.match(r"\s*Building wheel for (\S+) .*: started", line):
            self.progress(f"Building {build[1]}")


def _failure(ended: Ended, lines: Sequence[Line]) -> Failure:
    output = ended.output
    if not ended.how.startswith("ended with"):
        return Failure(f"pip {ended.how}", None)
    if match := re.search(r"No matching distribution found for (.+?)(?: \(from .*)?$", output, re.MULTILINE):
        return _unfound(match[1], output, _line_of(match[1], lines))
    if "conflicting dependencies" in output or "ResolutionImpossible" in output:
        caused = re.search(r"The conflict is caused by:\n((?:[ \t]+\S.*\n)+)", output)
        causes = [" ".join(line.split()) for line in caused[1].splitlines()] if caused else []
        first = (_line_of(cause.removeprefix("The user requested "), lines) for cause in causes)
        reason = ", and ".join(dict.fromkeys(causes)) or "what is asked for excludes each other"
        return Failure(reason, next(filter(None, first), None), conflicts=True)
    if (at_fault := _unbuilt(output)) is not None:
        line = _line_of(at_fault, lines)
        lacking = re.search(r"No module named '(\w+)", output)
        reason = _said(output) if line else f"{at_fault}, which something needs, cannot be built ({_said(output)})"
        return Failure(reason, line, lacking=lacking[1] if lacking else "")
    place = re.search(r"from line (\d+) of \S*asked\.txt|asked\.txt \(line (\d+)\)", output)
    number = int(place[1] or place[2]) if place else 0
    return Failure(_said(output), lines[number - 1] if 0 < number <= len(lines) else None)


def _line_of(requirement: str, lines: Sequence[Line]) -> Line | None:
    """The line that asks for what pip names by its name, or by the address that it is at."""
    name = re.match(r"[A-Za-z0-9][\w.-]*", requirement.strip())
    canonical = canonicalize_name(name[0]) if name else None
    return next((line for line in lines if line.name == canonical or requirement.strip() in line.text.split()), None)


def _unbuilt(output: str) -> str | None:
    """What was being fetched or built when a process of pip's failed."""
    if "subprocess-exited-with-error" not in output:
        return None
    named = re.search(r"Failed building wheel for (\S+)|^╰─> (\S+)$", output, re.MULTILINE)
    if named:
        return str(named[1] or named[2])
    before = output.partition("subprocess-exited-with-error")[0]
    fetched: list[str] = re.findall(r"^(?:Collecting|Processing) (\S+)", before, re.MULTILINE)
    return fetched[-1] if fetched else "something"


def _unfound(requirement: str, output: str, line: Line | None) -> Failure:
    versions = re.search(r"\(from versions: (.*?)\)", output)
    there = versions[1].split(", ") if versions and versions[1] != "none" else []
    if not there and re.search(r"Retrying \(Retry|Failed to establish a new connection", output):
        return Failure("no package index answers", line)
    of = f"No matching distribution found for {requirement}"
    return Failure(f"{of} (the newest is {there[-1]})" if there else of, line, conflicts=True)


def _said(output: str) -> str:
    """The line of the output that says most of why."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    own = r"error: (?!subprocess-|legacy-|metadata-)"  # a compiler's or a setup.py's, and no heading of pip's
    for pattern in (r"\w*(Error|Exception)\b", r"fatal: ", own, r"(?i)error: "):
        if told := [line for line in lines if re.match(pattern, line)]:
            return re.sub(r"^ERROR: | \(from line \d+ of [^)]*\)", "", told[-1]).rstrip(".")
    return (lines or ["it says nothing"])[-1].rstrip(".")
