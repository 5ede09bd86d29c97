"""Where an integration lies: its root and its entry file."""

from dataclasses import dataclass
from pathlib import Path

from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import read_entry_file

ENTRY_FILES = ("leap_binder.py", "leap_integration.py")
"""Looked for, in this order, where leap.yaml names no entry file."""


@dataclass(frozen=True)
class Project:
    """An integration on disk.

    Attributes:
        root: absolute folder that holds leap.yaml.
        entry_file: relative to the root.
    """

    root: Path
    entry_file: str


def find_project(path: Path) -> Project:
    """The integration at `path`, a folder with a leap.yaml or with an entry file of a known name.

    Raises:
        LeaplabError: there is none, leap.yaml cannot be read, or its entry file is missing or outside the root.
    """
    root = path.expanduser().resolve()
    if not root.is_dir():
        raise LeaplabError(f"{path} is not a folder; name the folder that holds the integration's leap.yaml.")

    leap_yaml = root / "leap.yaml"
    named = read_entry_file(leap_yaml) if leap_yaml.is_file() else None
    if named is None:
        named = next((name for name in ENTRY_FILES if (root / name).is_file()), None)
    if named is None:
        raise LeaplabError(
            f"{root} holds no leap.yaml with an entryFile and no {' or '.join(ENTRY_FILES)};"
            " name the folder of a Tensorleap integration."
        )

    entry = (root / named).resolve()
    if not entry.is_relative_to(root):
        raise LeaplabError(f"{leap_yaml}: entryFile '{named}' lies outside the folder; move it below leap.yaml.")
    if not entry.is_file():
        raise LeaplabError(f"{leap_yaml}: entryFile '{named}' does not exist; correct the name or add the file.")
    return Project(root, named)
