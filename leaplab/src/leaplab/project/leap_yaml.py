"""leap.yaml, read as the Tensorleap CLI reads it: numbers are taken as the text that stands there."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from leaplab.errors import LeaplabError

KNOWN_KEYS = ("projectId", "secretId", "branch", "entryFile", "include", "exclude", "pythonVersion")
"""The keys of today's CLI. It rewrites the file at every read, and any other key is lost."""


@dataclass(frozen=True)
class LeapYaml:
    """What leap.yaml says; a key that is missing or null is the default here.

    Attributes:
        entry_file: relative to the file's folder; None leaves the choice to the known names.
        include: glob patterns; none at all means every file.
        exclude: glob patterns.
        python_version: as written, such as "py311"; the CLI drops a version that it does not know.
        project_id: the owner's.
        secret_id: the owner's.
        branch: the owner's.
        unknown: keys that the CLI does not know, in the order of the file.
    """

    entry_file: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    python_version: str | None = None
    project_id: str | None = None
    secret_id: str | None = None
    branch: str | None = None
    unknown: tuple[str, ...] = ()


def read_leap_yaml(path: Path) -> LeapYaml:
    """Read leap.yaml.

    Raises:
        LeaplabError: it cannot be read, is no YAML, is no mapping, names a key twice (the CLI refuses that), or a
            value has another type than the CLI takes.
    """
    pairs = _pairs(path)
    nodes: dict[str, yaml.Node] = {}
    for key, node in pairs:
        if key in nodes:
            raise LeaplabError(f"{path}, line {_line(node)}: {key} stands there a second time; delete one of them.")
        nodes[key] = node
    return LeapYaml(
        entry_file=_entry_file(path, nodes.get("entryFile")),
        include=_texts(path, "include", nodes.get("include")),
        exclude=_texts(path, "exclude", nodes.get("exclude")),
        python_version=_text(path, "pythonVersion", nodes.get("pythonVersion"), "a version such as py311"),
        project_id=_text(path, "projectId", nodes.get("projectId"), "an id"),
        secret_id=_text(path, "secretId", nodes.get("secretId"), "an id"),
        branch=_text(path, "branch", nodes.get("branch"), "a name"),
        unknown=tuple(key for key in nodes if key not in KNOWN_KEYS),
    )


def read_entry_file(path: Path) -> str | None:
    """Only the entryFile of a leap.yaml, whatever its other keys hold: all that evaluating an integration needs.

    Raises:
        LeaplabError: the file cannot be read, is no YAML or no mapping, or entryFile is no file name.
    """
    return _entry_file(path, dict(_pairs(path)).get("entryFile"))


def _pairs(path: Path) -> list[tuple[str, yaml.Node]]:
    """Keys and values, unconverted: 3.10 stays 3.10."""
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LeaplabError(f"{path} cannot be read as YAML: {_reason(error)}.") from error
    if root is None or _is_null(root):
        return []
    if not isinstance(root, yaml.MappingNode):
        raise LeaplabError(f"{path} must hold keys and values (entryFile: leap_binder.py).")
    return [(str(key.value), value) for key, value in root.value]


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return " ".join(str(error).split())
    told = f"line {error.problem_mark.line + 1}: {error.problem}"
    if "alias" in f"{error.context} {error.problem}":
        return f"{told}; a pattern that begins with * has to stand in quotes"
    if "'\\t'" in str(error.problem):
        return f"{told}; indent with spaces, YAML takes no tabs"
    return told


def _entry_file(path: Path, node: yaml.Node | None) -> str | None:
    return _text(path, "entryFile", node, "a file name")


def _text(path: Path, key: str, node: yaml.Node | None, wanted: str) -> str | None:
    if node is None or _is_null(node):
        return None
    if not isinstance(node, yaml.ScalarNode):
        raise LeaplabError(f"{path}: {key} must be {wanted}, got {_told(node)} (line {_line(node)}).")
    return str(node.value) or None


def _texts(path: Path, key: str, node: yaml.Node | None) -> tuple[str, ...]:
    if node is None or _is_null(node):
        return ()
    if not isinstance(node, yaml.SequenceNode):
        raise LeaplabError(
            f"{path}: {key} must be a list of glob patterns, got {_told(node)} (line {_line(node)});"
            " begin each pattern's line with '- '."
        )
    for item in node.value:
        if not isinstance(item, yaml.ScalarNode) or _is_null(item):
            raise LeaplabError(
                f"{path}: {key} must be a list of glob patterns, and one of them is {_told(item)}"
                f" (line {_line(item)}); set a pattern that holds {{ or * in quotes."
            )
    return tuple(str(item.value) for item in node.value)


def _is_null(node: yaml.Node) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _told(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "keys and values"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"'{node.value}'" if node.value else "nothing"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
