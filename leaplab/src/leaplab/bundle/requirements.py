"""What a requirements file asks for, and which installed distributions that comes to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from leaplab.bundle.installed import Distribution, Installed
from leaplab.environments.pyproject import read_dependencies
from leaplab.errors import LeaplabError

Markers = Mapping[str, str]
"""The environment of PEP 508: python_version, sys_platform, ..."""


@dataclass(frozen=True)
class Requirements:
    """What a requirements file asks for.

    Attributes:
        requirements: those whose markers hold.
        problems: a sentence, with file and line, for each line that the platform could not install.
    """

    requirements: tuple[Requirement, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Closure:
    """The installed distributions that a set of requirements brings along.

    Attributes:
        distributions: canonical names, the required ones among them.
        missing: a sentence for each distribution that is required and not installed here.
        unmet: a sentence for each that only another distribution requires, and that is not installed here.
        conflicts: a sentence for each requirement that another version is installed of.
        lacking: the requirements behind `missing`, as they are written.
        differing: the requirements behind `conflicts`.
    """

    distributions: frozenset[str]
    missing: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


def read_requirements(path: Path, markers: Markers | None = None) -> Requirements:
    """Read a requirements file in pip's format, or the dependencies of a pyproject.toml (PEP 621 or Poetry).

    Options of pip that install nothing are passed over; `-r` is followed.

    Args:
        path: the file.
        markers: those of the interpreter that it is meant for; None takes every line, whatever its marker.

    Raises:
        LeaplabError: the file cannot be read, or is no TOML.
    """
    if path.name == "pyproject.toml":
        return _of_pyproject(path, markers)
    found: list[Requirement] = []
    problems: list[str] = []
    for place, line in _lines(path, problems, set()):
        _take(line, place, markers, found, problems)
    return Requirements(tuple(found), tuple(problems))


def closure(requirements: Iterable[Requirement], installed: Installed) -> Closure:
    """The installed distributions that `requirements` ask for, those that these ask for, and so on.

    Markers and extras are evaluated for the interpreter in which they are installed.
    """
    missing: dict[str, str] = {}
    unmet: dict[str, str] = {}
    conflicts: list[str] = []
    lacking: dict[str, str] = {}
    differing: list[str] = []
    seen: set[tuple[str, str]] = set()
    pending = [(requirement, "") for requirement in requirements]
    while pending:
        requirement, asked_by = pending.pop()
        name = canonicalize_name(requirement.name)
        distribution = installed.distributions.get(name)
        if distribution is None:
            if asked_by:
                unmet[name] = f"{requirement.name}, which {asked_by} requires, is not installed here."
            else:
                lacking[name] = str(requirement)
                missing[name] = (
                    f"{requirement.name} is required, and the environment that runs the integration lacks it; make one"
                    " by `leaplab env PATH`, install it there, or correct the name."
                )
            continue
        if not asked_by and not _admits(requirement.specifier, distribution.version):
            differing.append(str(requirement))
            conflicts.append(
                f"{requirement} is required, and {distribution.version} is installed here;"
                " require what the integration was tried with, or install what it requires."
            )
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                pending += [(needed, requirement.name) for needed in _needs(distribution, extra, installed.markers)]
    return Closure(
        distributions=frozenset(name for name, _ in seen),
        missing=tuple(missing[name] for name in sorted(missing)),
        unmet=tuple(unmet[name] for name in sorted(unmet)),
        conflicts=tuple(sorted(conflicts)),
        lacking=tuple(lacking[name] for name in sorted(lacking)),
        differing=tuple(sorted(differing)),
    )


def distributions_of_modules(installed: Installed) -> dict[str, tuple[str, ...]]:
    """Module -> canonical names of the distributions that bring it.

    A package that several distributions share as a namespace is none of theirs: `google.protobuf` is protobuf's, and
    `google` nobody's.
    """
    found: dict[str, set[str]] = {}
    for distribution in installed.distributions.values():
        for module in distribution.modules:
            found.setdefault(module, set()).add(distribution.name)
    return {module: tuple(sorted(names)) for module, names in found.items()}


def _admits(specifier: SpecifierSet, version: str) -> bool:
    try:
        return specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True  # nothing to compare


def _needs(distribution: Distribution, extra: str, markers: Markers) -> Iterator[Requirement]:
    for text in distribution.requires:
        try:
            needed = Requirement(text)
        except InvalidRequirement:
            continue  # an old distribution's own slip; pip would have refused to install it were it essential
        if needed.marker is None:
            if not extra:
                yield needed
        elif needed.marker.evaluate({**markers, "extra": extra}):
            yield needed


def _lines(path: Path, problems: list[str], around: set[Path]) -> Iterator[tuple[str, str]]:
    """The requirements of a file and of those that it names by -r, each with its place."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise LeaplabError(f"{path} cannot be read: {reason}.") from error
    number = 0
    pending = ""
    for number, raw in enumerate(text.splitlines(), start=1):
        line = pending + re.sub(r"(^|\s)#.*$", "", raw)
        if line.endswith("\\"):
            pending = line[:-1]
            continue
        pending, line = "", line.strip()
        place = f"{path.name}, line {number}"
        option = re.match(r"(-r|--requirement)[\s=]*(.+)", line)
        if option:
            other = (path.parent / option[2].strip()).resolve()
            if other in around or other == path.resolve():
                problems.append(f"{place}: {option[2].strip()} is read in a circle; take one -r out.")
            elif not other.is_file():
                problems.append(
                    f"{place}: {option[2].strip()} is not there; add it to include, or list its lines here."
                )
            else:
                yield from _lines(other, problems, around | {path.resolve()})
        elif re.match(r"(-e|--editable)\b", line):
            problems.append(
                f"{place}: '{line}' installs a folder, which the platform does not have; name a distribution."
            )
        elif line and not line.startswith("-"):
            yield place, re.sub(r"\s--[\w-]+(=|\s).*$", "", line)
    if pending.strip():
        yield f"{path.name}, line {number}", pending.strip()


def _take(line: str, place: str, markers: Markers | None, found: list[Requirement], problems: list[str]) -> None:
    try:
        requirement = Requirement(line)
    except InvalidRequirement as error:
        if re.match(r"\.{0,2}/|file:|\w:\\", line) or line.endswith((".whl", ".tar.gz")):
            problems.append(f"{place}: '{line}' is a file, which the platform does not have; name a distribution.")
        else:
            reason = str(error).splitlines()[0]
            problems.append(f"{place}: '{line}' is no requirement ({reason}); write it as name~=version.")
        return
    if requirement.url is not None and requirement.url.startswith("file:"):
        problems.append(f"{place}: '{line}' is a file, which the platform does not have; name a distribution.")
    elif requirement.marker is None or markers is None or requirement.marker.evaluate(dict(markers)):
        found.append(requirement)


def _of_pyproject(path: Path, markers: Markers | None) -> Requirements:
    found: list[Requirement] = []
    problems: list[str] = []
    for dependency in read_dependencies(path, absolute=False):
        _take(dependency.text, f"{path.name}, {dependency.table}", markers, found, problems)
    return Requirements(tuple(found), tuple(problems))
