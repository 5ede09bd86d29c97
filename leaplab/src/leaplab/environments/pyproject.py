"""What a pyproject.toml asks for, and what the poetry.lock beside it has locked."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from leaplab.errors import LeaplabError


@dataclass(frozen=True)
class Dependency:
    """A run-time dependency of a pyproject.toml.

    Attributes:
        text: as PEP 508 has it.
        table: the one that asks for it: "project.dependencies" or "tool.poetry.dependencies".
        place: "pyproject.toml, line 3"; without the line where that cannot be told.
    """

    text: str
    table: str
    place: str


@dataclass(frozen=True)
class Locked:
    """What a poetry.lock says.

    Attributes:
        versions: canonical name -> version; none of a distribution that comes in several, or from no index.
        needs: canonical name -> the names that it needs.
    """

    versions: dict[str, str] = field(default_factory=dict)
    needs: dict[str, frozenset[str]] = field(default_factory=dict)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file's content.

    Raises:
        LeaplabError: it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise LeaplabError(f"{path} cannot be read as TOML: {reason}.") from error


def table(content: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The table at a path of keys; empty where there is none."""
    for key in keys:
        inner = content.get(key)
        content = inner if isinstance(inner, dict) else {}
    return content


def read_dependencies(path: Path, absolute: bool = True) -> list[Dependency]:
    """The run-time dependencies of a pyproject.toml (PEP 621 or Poetry).

    Args:
        path: the file.
        absolute: turn a path of Poetry's into an address that pip finds from any folder; else it stays as it stands.

    Raises:
        LeaplabError: the file cannot be read.
    """
    content = read_toml(path)
    rows = path.read_text(encoding="utf-8").splitlines()
    listed = table(content, "project").get("dependencies", [])
    found = [
        Dependency(str(line), "project.dependencies", _place(path, rows, re.escape(str(line))))
        for line in (listed if isinstance(listed, list) else [])
    ]
    named = {canonicalize_name(re.split(r"[^\w.-]", one.text.strip(), maxsplit=1)[0]) for one in found}
    for name, wanted in table(content, "tool", "poetry", "dependencies").items():
        # Poetry lets this table add a source or an extra to what project.dependencies asks for.
        if name.lower() == "python" or canonicalize_name(name) in named:
            continue
        place = _place(path, rows, rf"^\s*(\[tool\.poetry\.dependencies\.)?[\"']?{re.escape(name)}[\"']?\s*[=\].]")
        lines = _poetry_lines(name, wanted, path.parent if absolute else None)
        found += [Dependency(line, "tool.poetry.dependencies", place) for line in lines]
    return found


def read_lock(path: Path) -> Locked:
    """What a poetry.lock has locked.

    Raises:
        LeaplabError: the file cannot be read.
    """
    versions: dict[str, str] = {}
    needs: dict[str, frozenset[str]] = {}
    unclear: set[str] = set()
    for package in read_toml(path).get("package", []):
        name = canonicalize_name(str(package.get("name", "")))
        if name in needs or table(package, "source").get("type", "legacy") != "legacy":
            unclear.add(name)
        versions[name] = str(package.get("version", ""))
        wanted = frozenset(canonicalize_name(one) for one in table(package, "dependencies"))
        needs[name] = needs.get(name, frozenset()) | wanted
    return Locked({name: version for name, version in versions.items() if version and name not in unclear}, needs)


def poetry_specifier(text: str) -> SpecifierSet:
    """A version constraint, written as Poetry or as PEP 440 has it; alternatives by || admit any version."""
    if "|" in text:
        return SpecifierSet()
    parts = []
    for part in re.findall(r"[^\s,]+(?:(?<=[=<>~^!])\s+[^\s,]+)?", text):
        part = part.replace(" ", "")
        number = part.lstrip("^~=<>! ")
        if part in ("", "*"):
            continue
        if part[0] == "^" or (part[0] == "~" and part[1:2] != "="):
            parts.append(f">={number},<{_next(number, caret=part[0] == '^')}")
        elif part[0].isdigit():
            parts.append(f"=={part}")
        else:
            parts.append(part)
    try:
        return SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return SpecifierSet()


def _place(path: Path, rows: list[str], pattern: str) -> str:
    number = next((number for number, row in enumerate(rows, start=1) if re.search(pattern, row)), None)
    return path.name if number is None else f"{path.name}, line {number}"


def _poetry_lines(name: str, wanted: Any, folder: Path | None) -> Iterator[str]:
    """Poetry's way to write a dependency, as PEP 508 lines; paths begin at the folder, or stay as they stand."""
    for one in wanted if isinstance(wanted, list) else [wanted]:
        content = one if isinstance(one, dict) else {"version": str(one)}
        if content.get("optional"):
            continue
        markers = [str(content["markers"])] if "markers" in content else []
        if "python" in content:
            markers += [
                str(Marker(f"python_full_version {part.operator} '{part.version}'"))
                for part in poetry_specifier(str(content["python"]))
                if part.operator != "~=" and not part.version.endswith("*")
            ]
        extras = f"[{','.join(content['extras'])}]" if content.get("extras") else ""
        if "path" in content:
            written = str(content["path"])
            source = f" @ {(folder / written).resolve().as_uri() if folder else f'file:{written}'}"
        elif "url" in content:
            source = f" @ {content['url']}"
        elif "git" in content:
            revision = next((f"@{content[key]}" for key in ("rev", "tag", "branch") if key in content), "")
            source = f" @ git+{content['git']}{revision}"
        else:
            source = str(poetry_specifier(str(content.get("version", "*"))))
        # An address ends at a space, and only there.
        marker = f" ; {' and '.join(f'({marker})' for marker in markers)}" if markers else ""
        yield f"{name}{extras}{source}{marker}"


def _next(version: str, caret: bool) -> str:
    """The version that ^ (no change of the first number that is not 0) or ~ (none of the second) stops before."""
    numbers = [int(number) for number in re.findall(r"\d+", version)] or [0]
    if caret:
        kept = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    else:
        kept = min(1, len(numbers) - 1)
    return ".".join(map(str, [*numbers[:kept], numbers[kept] + 1]))
