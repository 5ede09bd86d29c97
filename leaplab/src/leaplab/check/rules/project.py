"""Rules of leap.yaml."""

from leaplab.bundle.globs import as_cli_pattern, matches
from leaplab.bundle.listing import why_unmatched
from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence, is_tracked
from leaplab.project.locate import ENTRY_FILES

PYTHON_VERSIONS = ("py38", "py39", "py310", "py311", "py312")
LEAP_YAML = "leap.yaml"


@rule(
    "C01",
    "error",
    "leap.yaml exists and can be read",
    why="The CLI takes what to upload from it; without it nothing can be pushed.",
    mend="Write a leap.yaml with entryFile, include and pythonVersion beside the entry file, indented by spaces.",
)
def leap_yaml_exists(evidence: Evidence) -> Breaches:
    if evidence.leap_yaml is None:
        yield LEAP_YAML, evidence.leap_yaml_error or f"{evidence.root} holds no leap.yaml."


@rule(
    "C02",
    "error",
    "entryFile is a file below leap.yaml",
    why="The platform binds this file; a path that leaves the folder is not uploaded.",
    mend="Name an existing file relative to leap.yaml as entryFile.",
)
def entry_file_exists(evidence: Evidence) -> Breaches:
    if evidence.leap_yaml is not None and evidence.project is None:
        yield LEAP_YAML, evidence.project_error


@rule(
    "C03",
    "warning",
    "the entry file has a name that the tools expect",
    why="code-loader prints its table of what is done, and newer tools look, for these names.",
    mend=f"Name the entry file {' or '.join(ENTRY_FILES)}.",
)
def entry_file_name(evidence: Evidence) -> Breaches:
    if evidence.project is not None and evidence.project.entry_file.rsplit("/", 1)[-1] not in ENTRY_FILES:
        yield LEAP_YAML, f"The entry file is called {evidence.project.entry_file}"


@rule(
    "C04",
    "warning",
    "pythonVersion is one that the CLI knows",
    why="The CLI drops an unknown version without a word, and the platform builds with its own default.",
    mend=f"Set pythonVersion to one of {', '.join(PYTHON_VERSIONS)}.",
)
def python_version(evidence: Evidence) -> Breaches:
    settings = evidence.leap_yaml
    if settings is not None and settings.python_version not in PYTHON_VERSIONS:
        told = (
            f"pythonVersion is '{settings.python_version}'" if settings.python_version else "pythonVersion is missing"
        )
        yield LEAP_YAML, told


@rule(
    "C05",
    "warning",
    "leap.yaml holds only keys of the CLI",
    why="Every command of the CLI rewrites the file: unknown keys and comments are lost.",
    mend="Move them to a file of your own.",
)
def known_keys(evidence: Evidence) -> Breaches:
    if evidence.leap_yaml is not None and evidence.leap_yaml.unknown:
        yield LEAP_YAML, f"The CLI does not know {', '.join(evidence.leap_yaml.unknown)}"


@rule(
    "C06",
    "warning",
    "no project id in a repository",
    why="Whoever clones it would push to your project.",
    mend="Commit leap.yaml without projectId and secretId; the CLI asks and writes them on the first push.",
)
def no_project_id(evidence: Evidence) -> Breaches:
    settings = evidence.leap_yaml
    if settings is not None and (settings.project_id or settings.secret_id) and is_tracked(evidence.root):
        yield LEAP_YAML, "It names a projectId or secretId and lies in a git checkout"


@rule(
    "C07",
    "error",
    "patterns of include are well formed",
    why="The CLI stops at an include pattern that it cannot read or that leads outside the folder.",
    mend="Close every bracket and brace, and name only what lies below leap.yaml.",
)
def patterns(evidence: Evidence) -> Breaches:
    if evidence.listing_error:
        yield LEAP_YAML, evidence.listing_error


@rule(
    "C08",
    "warning",
    "every pattern of include matches a file",
    why="A pattern without a match is ignored without a word: that is how pushes come up short.",
    mend="Correct the pattern (a folder alone matches nothing: write folder/**), or remove it.",
)
def patterns_match(evidence: Evidence) -> Breaches:
    for pattern in evidence.listing.unmatched if evidence.listing else ():
        yield LEAP_YAML, why_unmatched(evidence.root, pattern)


@rule(
    "C09",
    "warning",
    "exclude keeps out what it names",
    why="An exclude pattern has to match the whole path of a file from the root: a bare folder name keeps nothing out.",
    mend="Write folder/** for one folder, **/__pycache__/** for folders of that name anywhere.",
)
def excludes_work(evidence: Evidence) -> Breaches:
    if evidence.listing is None:
        return
    for sentence in evidence.listing.unread_excludes:
        yield LEAP_YAML, sentence
    folders = {path.rsplit("/", depth)[0] for path in evidence.listing.paths for depth in range(1, path.count("/") + 1)}
    names = folders | {folder.rsplit("/", 1)[-1] for folder in folders}
    for pattern in evidence.listing.idle_excludes:
        # Another pattern that meets nothing, such as **/*.tmp, may be a precaution.
        cleaned = as_cli_pattern(pattern).removeprefix("./").rstrip("/")
        if any(matches(cleaned, name) for name in names):
            yield LEAP_YAML, f"The exclude pattern '{pattern}' names a folder, and keeps out none of its files."
