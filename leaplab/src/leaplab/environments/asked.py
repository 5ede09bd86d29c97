"""What a folder asks pip for: its requirements, line by line, made fit for this machine and for code-loader."""

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from leaplab.environments.pyproject import Locked, read_dependencies, read_lock
from leaplab.errors import LeaplabError

SOURCES = ("tensorleap_requirements.txt", "requirements.txt", "pyproject.toml")
"""Where requirements are looked for; the first that asks for anything counts."""
CODE_LOADER = "code-loader"
SAME_AS_TENSORFLOW = ("tensorflow-macos", "tensorflow-intel")
EDITABLE = r"(-e|--editable)\b"
NOT_HERE = ("tensorflow-metal", "pywin32", "pypiwin32", "pkg-resources")
"""Of other systems, and `pkg-resources`, which Debian's pip freeze lists and no index has."""


@dataclass(frozen=True)
class Line:
    """One thing that pip is asked for.

    Attributes:
        text: as pip takes it.
        place: "requirements.txt, line 3".
        name: canonical; empty for an option, and for a file or address that does not tell.
    """

    text: str
    place: str
    name: str = ""

    @property
    def is_option(self) -> bool:
        """Whether it installs nothing, but tells pip how: `--extra-index-url ...`."""
        return self.text.startswith("-") and not re.match(EDITABLE, self.text)

    @property
    def is_pinned(self) -> bool:
        """Whether not any version of the distribution does."""
        requirement = Requirement(self.text)
        return bool(requirement.specifier or requirement.url)

    @property
    def without_version(self) -> "Line":
        """The same distribution, in any version."""
        requirement = Requirement(self.text)
        extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
        marker = f"; {requirement.marker}" if requirement.marker else ""
        return Line(f"{requirement.name}{extras}{marker}", self.place, self.name)


@dataclass(frozen=True)
class Asked:
    """What a folder asks for.

    Attributes:
        file: the requirements file, absolute; None where the folder has none.
        lines: without code-loader's, which is installed in any case.
        constraints: pins that the lines are to be held to.
        locked: what poetry.lock says, where pyproject.toml is the file.
        notes: a sentence for each line that is taken otherwise than it stands there.
        content: everything that this was read from, for a key.
    """

    file: Path | None = None
    lines: tuple[Line, ...] = ()
    constraints: tuple[Line, ...] = ()
    locked: Locked = field(default_factory=Locked)
    notes: tuple[str, ...] = ()
    content: tuple[str, ...] = ()


def read_asked(root: Path) -> Asked:
    """Read the first of tensorleap_requirements.txt, requirements.txt and pyproject.toml that asks for anything.

    Raises:
        LeaplabError: the file, or one that it names, cannot be read, or holds a line that is no requirement.
    """
    for path in (root / name for name in SOURCES):
        if not path.is_file():
            continue
        reading = _Reading(root)
        if path.name == "pyproject.toml":
            dependencies = read_dependencies(path)
            reading.content += [f"{dependency.text} {dependency.place}" for dependency in dependencies]
            for dependency in dependencies:
                reading.take(dependency.text, dependency.place)
            lock = root / "poetry.lock"
            locked = read_lock(lock) if dependencies and lock.is_file() else Locked()
        else:
            reading.read(path)
            locked = Locked()
        if not any(line.name == "tensorflow" for line in reading.lines):
            reading.lines += reading.in_tensorflows_place
        if not reading.lines and not reading.asks_for_code_loader:
            continue
        pins = tuple(Line(f"{name}=={version}", "poetry.lock", name) for name, version in locked.versions.items())
        return Asked(
            file=path,
            lines=tuple(reading.lines),
            constraints=(*reading.constraints, *pins),
            locked=locked,
            notes=tuple(reading.notes),
            content=(path.name, *reading.content, *(pin.text for pin in pins)),
        )
    return Asked()


class _Reading:
    """The lines of a requirements file and of those that it names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lines: list[Line] = []
        self.constraints: list[Line] = []
        self.notes: list[str] = []
        self.content: list[str] = []
        self.asks_for_code_loader = False
        self.in_tensorflows_place: list[Line] = []

    def read(self, path: Path, around: frozenset[Path] = frozenset(), constrains: bool = False) -> None:
        text = _text(path)
        self.content.append(text)
        for line, place in _logical_lines(text, path.name):
            option = re.match(r"(-r|--requirement|-c|--constraint)[\s=]*(.+)", line)
            if option:
                other = (path.parent / option[2].strip()).resolve()
                if other in around | {path.resolve()}:
                    continue  # it is being read already
                if not other.is_file():
                    raise LeaplabError(
                        f"{path}, {place}: {option[2].strip()} is not there; add it, or delete the line."
                    )
                self.read(other, around | {path.resolve()}, constrains or option[1] in ("-c", "--constraint"))
            else:
                self.take(line, place, constrains)

    def take(self, line: str, place: str, constrains: bool = False) -> None:
        if re.match(r"--require-hashes|--no-binary|--only-binary|--prefer-binary", line):
            return  # code-loader comes without a hash, and what is to be built is ours to say
        if line.startswith("-") and not re.match(EDITABLE, line):
            self._take_option(line, place)
            return
        text = re.sub(r"\s--[\w-]+(=|\s).*$", "", line)
        if " --hash" in line and not any("hash" in note for note in self.notes):
            self.notes.append(f"{place}: the hashes are not checked, for code-loader is taken in its newest version.")
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            self._take_unnamed(text, place, str(error).splitlines()[0])
            return
        if constrains:
            self.constraints.append(Line(text, place, canonicalize_name(requirement.name)))
        else:
            self._take_named(requirement, text, place)

    def _take_option(self, line: str, place: str) -> None:
        links = re.match(r"(-f|--find-links)[\s=]*(.+)", line)
        if links and (self.root / links[2]).is_dir():
            line = f"--find-links {(self.root / links[2]).resolve()}"
        self.lines.append(Line(line, place))

    def _take_unnamed(self, text: str, place: str, reason: str) -> None:
        address = re.sub(r"^(-e|--editable)[\s=]*", "", text)
        folder = re.sub(r"\[[^]]*\]$", "", address)
        if re.match(r"[\w+]+://", address):
            self.lines.append(Line(text, place))
        elif re.match(r"\.{0,2}(/|$)", folder) or (self.root / folder).exists():
            if (self.root / folder).resolve() == self.root.resolve():
                self.notes.append(f"{place}: '{text}' is the folder itself, which is on the path in any case.")
            else:
                self.lines.append(Line(text, place))
        else:
            raise LeaplabError(f"{place}: '{text}' is no requirement ({reason}); write it as name==version.")

    def _take_named(self, requirement: Requirement, text: str, place: str) -> None:
        name = canonicalize_name(requirement.name)
        if name == CODE_LOADER:
            self.asks_for_code_loader = True
            if requirement.specifier or requirement.url:
                self.notes.append(f"{place}: '{text}' is passed over for the newest code-loader.")
            return
        if platform.system() != "Darwin" and name in SAME_AS_TENSORFLOW:
            self.notes.append(f"{place}: '{text}' is taken as tensorflow, which it is on this system.")
            text = re.sub(r"^[\w.-]+", "tensorflow", text.strip())
            self.in_tensorflows_place.append(Line(text, place, "tensorflow"))
            return
        if name in NOT_HERE and not (platform.system() == "Darwin" and name == "tensorflow-metal"):
            self.notes.append(f"{place}: '{text}' is left out, for this system has none.")
            return
        url = requirement.url or ""
        if url.startswith("file:") and not Path(unquote(urlsplit(url).path)).exists():
            # What `pip freeze` writes in a conda environment: the folder in which somebody's machine built it.
            self.notes.append(f"{place}: '{text}' is a file of another machine; {name} is taken from the index.")
            text = requirement.name
        self.lines.append(Line(text, place, name))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise LeaplabError(f"{path} cannot be read: {reason}.") from error


def _logical_lines(text: str, name: str) -> Iterator[tuple[str, str]]:
    """Lines without comments, those joined that end with a backslash; each with its place."""
    pending, begun = "", 0
    for number, raw in enumerate([*text.splitlines(), ""], start=1):
        line = pending + re.sub(r"(^|\s)#.*$", "", raw)
        begun = begun or number
        if line.endswith("\\"):
            pending = line[:-1]
            continue
        if line.strip():
            yield line.strip(), f"{name}, line {begun}"
        pending, begun = "", 0
