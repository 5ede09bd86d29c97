"""The files that a push would upload, found as the Tensorleap CLI finds them."""

import os
import posixpath
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from leaplab.bundle.globs import BadPatternError, Globs, States, as_cli_pattern, as_include_pattern, matches
from leaplab.errors import LeaplabError
from leaplab.project.leap_yaml import LeapYaml
from leaplab.project.locate import Project

REQUIREMENTS_FILES = ("tensorleap_requirements.txt", "requirements.txt", "pyproject.toml")
"""Exactly at the root; where several are in the list, the first of these is meant for the platform."""

LARGE_LIMIT = 200 * 1024**2
"""Bytes of large files at which the CLI asks whether to leave them out."""

LARGE_FILE = re.compile(
    r"\.(onnx|pth|pt|ckpt|bin|safetensors|pb|tflite|h5|hdf5|keras|pkl|pickle|joblib|npz|npy|mlx|gguf|ggml|trt|engine"
    r"|tar|tar\.gz|tgz|zip|7z|rar|png|jpg|jpeg|gif|bmp|tiff|webp|ico|psd|ai|sketch|mp4|mov|avi|mkv|webm|mp3|wav|flac"
    r"|ogg|m4a|stl|obj|fbx|glb|gltf|jsonl|parquet|arrow|orc|feather|db|sqlite|sqlite3|dump|bak)\Z",
    re.IGNORECASE,
)
"""What the CLI takes for models, media, data and archives."""

MAX_ENTRIES = 2_000_000


class Entry(NamedTuple):
    """A file of the bundle: its path relative to the root, with slashes, and its size in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class FileProblem:
    """Something on the way that keeps a push from uploading what the patterns name.

    Attributes:
        kind: a link that leads nowhere, a link to a folder around itself, something that cannot be read, something
            that is neither file nor folder, a name that is no UTF-8.
        path: relative to the root.
        message: a sentence that says what to do.
    """

    kind: Literal["broken link", "loop", "unreadable", "special", "name"]
    path: str
    message: str


@dataclass(frozen=True)
class Listing:
    """What a push would upload.

    Attributes:
        root: absolute folder of leap.yaml.
        files: sorted by path; each is a regular file, links followed.
        unmatched: include patterns that match no file.
        idle_excludes: exclude patterns that keep out nothing of what include names.
        unread_excludes: a sentence for each exclude pattern that the CLI cannot read and therefore passes over.
        added_entry: the entry file is in the bundle only because the CLI adds it.
        requirements: the requirements files that the CLI finds, in the order of REQUIREMENTS_FILES.
        problems: links and files that cannot be uploaded as they are.
    """

    root: Path
    files: tuple[Entry, ...]
    unmatched: tuple[str, ...] = ()
    idle_excludes: tuple[str, ...] = ()
    unread_excludes: tuple[str, ...] = ()
    added_entry: bool = False
    requirements: tuple[str, ...] = ()
    problems: tuple[FileProblem, ...] = ()

    @cached_property
    def paths(self) -> frozenset[str]:
        """The paths of the files."""
        return frozenset(entry.path for entry in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files)

    @property
    def large(self) -> int:
        """Bytes of what the CLI takes for large files and of .git; from LARGE_LIMIT on, a push asks about them."""
        return sum(size for path, size in self.files if LARGE_FILE.search(path) or _in_git(path))

    @property
    def has_git(self) -> bool:
        """Whether a repository's .git is among the files."""
        return any(_in_git(path) for path in self.paths)


def list_bundle(project: Project, leap_yaml: LeapYaml) -> Listing:
    """The files that a push of `project` would upload.

    An include without patterns means every file. Folders that no pattern reaches are not entered.

    Raises:
        LeaplabError: an include pattern cannot be read or leads outside the root, on which a push ends, too; the
            entry file is missing; there are more than 2,000,000 files and folders to look at.
    """
    patterns = leap_yaml.include or ("**",)
    globs = Globs([as_include_pattern(pattern) for pattern in patterns])
    excludes, unread = _readable(leap_yaml.exclude)
    files: dict[str, int] = {}
    problems: list[FileProblem] = []
    matched: set[int] = set()
    kept_out: set[str] = set()

    for found in _walk(project.root, globs):
        matched |= found.patterns
        excluding = [exclude for exclude, cleaned in excludes if matches(cleaned, found.path)]
        kept_out.update(excluding)
        if isinstance(found.content, FileProblem):
            # The CLI looks at what it found before it excludes: a bad link ends the push all the same.
            if not excluding or found.content.kind in ("broken link", "loop"):
                problems.append(found.content)
        elif not excluding:
            files[found.path] = found.content

    requirements = tuple(name for name in REQUIREMENTS_FILES if name in files)
    entry_file = posixpath.normpath(project.entry_file)
    added = entry_file not in files
    if added:
        entry = project.root / entry_file
        if not entry.is_file():
            raise LeaplabError(f"The entry file {entry} does not exist; correct entryFile in leap.yaml.")
        files[entry_file] = entry.stat().st_size
    return Listing(
        root=project.root,
        files=tuple(Entry(path, files[path]) for path in sorted(files)),
        unmatched=tuple(pattern for index, pattern in enumerate(patterns) if index not in matched),
        idle_excludes=tuple(exclude for exclude, _ in excludes if exclude not in kept_out),
        unread_excludes=tuple(unread),
        added_entry=added,
        requirements=requirements,
        problems=tuple(sorted(problems, key=lambda problem: problem.path)),
    )


def why_unmatched(root: Path, pattern: str) -> str:
    """A sentence on an include pattern without a match: what it names, and what to write instead."""
    path = as_include_pattern(pattern)
    if path and (root / path).is_dir():
        return f"include '{pattern}' names a folder, which uploads nothing; write '{path}/**' for the files in it."
    if "**" in path and any("**" in part and part != "**" for part in path.split("/")):
        return f"include '{pattern}' matches no file: ** reaches any depth only as a whole segment, as in 'a/**/*.py'."
    return f"include '{pattern}' matches no file; correct it or take it out."


class _Found(NamedTuple):
    path: str
    patterns: set[int]
    content: int | FileProblem
    """A file's size, or what is wrong."""


class _Folder(NamedTuple):
    path: str
    """Relative to the root, with a slash at its end where it is not the root."""
    states: States
    around: tuple[str, ...]
    """Real paths of this folder and of those that the walk came through."""


def _walk(root: Path, globs: Globs) -> Iterator[_Found]:
    """What include names below the root, and what is in the way; links are followed, as the CLI follows them."""
    pending = [_Folder("", globs.start, (os.path.realpath(root),))]
    seen = 0
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(root / folder.path))
        except OSError as error:
            yield _Found(folder.path.rstrip("/"), set(), _unreadable(folder.path.rstrip("/") or ".", error))
            continue
        seen += len(entries)
        if seen > MAX_ENTRIES:
            raise LeaplabError(
                f"There are more than {MAX_ENTRIES:,} files below {root} that include reaches;"
                " narrow include in leap.yaml, and look for links that lead back and forth."
            )
        for entry in entries:
            states = globs.step(folder.states, entry.name)
            if not states:
                continue
            patterns, path = globs.selected(states), folder.path + entry.name
            try:
                is_folder = entry.is_dir()
                content = None if is_folder else _content(entry, path)
            except OSError as error:
                is_folder, content = False, _broken(path) if entry.is_symlink() else _unreadable(path, error)
            if not is_folder:
                if patterns and content is not None:
                    yield _Found(path, patterns, content)
            elif globs.leads_on(states):
                target = os.path.realpath(entry.path) if entry.is_symlink() else f"{folder.around[-1]}/{entry.name}"
                if any(around == target or around.startswith(target.rstrip("/") + "/") for around in folder.around):
                    yield _Found(path, set(), _loop(path))
                else:
                    pending.append(_Folder(path + "/", states, (*folder.around, target)))


def _content(entry: "os.DirEntry[str]", path: str) -> int | FileProblem:
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = path.encode(errors="surrogateescape").decode(errors="replace")
        return FileProblem("name", shown, f"The name of {shown} is no UTF-8; rename the file.")
    status = entry.stat()
    if not stat.S_ISREG(status.st_mode):
        return FileProblem("special", path, f"{path} is neither a file nor a folder; delete or exclude it.")
    if not os.access(entry.path, os.R_OK):
        return FileProblem("unreadable", path, f"{path} cannot be read; allow it, or exclude the file.")
    return status.st_size


def _broken(path: str) -> FileProblem:
    return FileProblem(
        "broken link", path, f"{path} is a link that leads nowhere, on which a push fails; mend or delete it."
    )


def _unreadable(path: str, error: OSError) -> FileProblem:
    return FileProblem(
        "unreadable", path, f"{path} cannot be read ({error.strerror}); allow it, or narrow include in leap.yaml."
    )


def _loop(path: str) -> FileProblem:
    return FileProblem(
        "loop",
        path,
        f"{path} is a link to a folder around it, which a push follows again and again; delete it or narrow include.",
    )


def _readable(patterns: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[str]]:
    """The patterns that can be read, as they stand and as the CLI takes them, and a sentence for each other one."""
    readable, unread = [], []
    for pattern in patterns:
        cleaned = as_cli_pattern(pattern)
        try:
            matches(cleaned, "")
        except BadPatternError as error:
            unread.append(f"{error} Until then this exclude keeps out nothing.")
        else:
            readable.append((pattern, cleaned))
    return readable, unread


def _in_git(path: str) -> bool:
    return ".git" in path.split("/")[:-1]
