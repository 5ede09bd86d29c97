"""Rules of what a push uploads."""

from leaplab.bundle.listing import LARGE_LIMIT
from leaplab.bundle.modules import is_left_out
from leaplab.bundle.requirements import read_requirements
from leaplab.bundle.secrets import SecretKind, find_secrets
from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import PROOF_LIMIT, Evidence
from leaplab.errors import LeaplabError
from leaplab.protocol.script_failure import place

LEAP_YAML = "leap.yaml"
CACHES = (
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".ipynb_checkpoints",
    ".venv",
    "venv",
    "node_modules",
    ".git",
    ".idea",
)


@rule(
    "C10",
    "warning",
    "the list holds a requirements file",
    why="Without one the CLI asks, with no as the default, and the platform installs nothing beside its own packages.",
    mend="Put a tensorleap_requirements.txt beside leap.yaml and into include.",
)
def requirements_file(evidence: Evidence) -> Breaches:
    if evidence.listing is not None and not evidence.listing.requirements:
        yield LEAP_YAML, "None of tensorleap_requirements.txt, requirements.txt and pyproject.toml is in the list"


@rule(
    "C11",
    "error",
    "every module of the integration is in the bundle",
    why="On the platform only the bundle is there: the import fails.",
    mend="Add the file to include (folder/**/*.py takes a whole package).",
)
def modules_are_bundled(evidence: Evidence) -> Breaches:
    told = ""
    for problem in evidence.problems("module"):
        told += problem.message
        yield problem.place or evidence.entry_file, problem.message
    # The proof loads no model; what its loader imports is known from the other process.
    listing = evidence.listing
    for path in evidence.local.report.get("modules", []) if listing else ():
        if listing is not None and path not in told and is_left_out(path, evidence.root, listing.paths):
            yield path, f"{path} is imported, by the integration test at the latest, but is not in the bundle."


@rule(
    "C12",
    "error",
    "every file that is opened while binding is in the bundle",
    why="On the platform only the bundle is there: settings and label files that stay at home are missing.",
    mend="Add the file to include.",
)
def opened_files_are_bundled(evidence: Evidence) -> Breaches:
    for problem in evidence.problems("file"):
        yield problem.place or evidence.entry_file, problem.message


@rule(
    "C13",
    "error",
    "the requirements bring every distribution that is imported",
    why="The platform installs what the requirements file names, and nothing else that is on your machine.",
    mend="Add the distribution, or correct its name or version; `pip install` the file in a new environment to try it.",
)
def distributions_are_required(evidence: Evidence) -> Breaches:
    # That there is no requirements file is C10's.
    if evidence.listing is not None and evidence.listing.requirements:
        for problem in evidence.problems("requirement"):
            yield problem.place or evidence.listing.requirements[0], problem.message


@rule(
    "C14",
    "warning",
    "no caches, environments or repositories in the bundle",
    why="They are uploaded with every push, and are of no use on another machine.",
    mend="Exclude them: **/__pycache__/** and the like (an exclude pattern matches whole paths from the root).",
)
def no_caches(evidence: Evidence) -> Breaches:
    found: dict[str, int] = {}
    for path, _ in evidence.listing.files if evidence.listing else ():
        for part in path.split("/")[:-1]:
            if part in CACHES:
                found[part] = found.get(part, 0) + 1
    for folder, count in found.items():
        yield LEAP_YAML, f"{count} files of {folder} are in the bundle"


@rule(
    "C15",
    "warning",
    "the bundle is small",
    why="From 200 MiB of large files on the CLI asks; data and models do not belong in the bundle.",
    mend="Exclude data and models: the model is uploaded beside the code, data lies below the data root.",
)
def bundle_is_small(evidence: Evidence) -> Breaches:
    if evidence.listing is not None and evidence.listing.large >= LARGE_LIMIT:
        yield LEAP_YAML, f"{evidence.listing.large / 2**20:.0f} MiB of large files are in the bundle"
    elif evidence.listing is not None and evidence.listing.size > PROOF_LIMIT:
        yield LEAP_YAML, f"The bundle has {evidence.listing.size / 2**20:.0f} MiB: too much to be tried on its own."


@rule(
    "C16",
    "warning",
    "every file of the list can be read",
    why="A push ends at a file that it cannot read, or leaves it out.",
    mend="Mend the link or the permissions, or exclude the path.",
)
def files_can_be_read(evidence: Evidence) -> Breaches:
    for problem in evidence.listing.problems if evidence.listing else ():
        yield problem.path, problem.message
    # The proof packs the files: some change or vanish meanwhile.
    if evidence.proof_error:
        yield LEAP_YAML, evidence.proof_error


@rule(
    "C17",
    "error",
    "no key or password in the bundle",
    why="Whoever can read the project on the platform can use it.",
    mend="Take it out and have a new one issued; read it from an environment variable or the platform's secrets.",
)
def no_keys(evidence: Evidence) -> Breaches:
    yield from _secrets(evidence, "key")


@rule(
    "C18",
    "warning",
    "no home path and no project id in the bundle",
    why="They name a person or a project, and lead nowhere on the platform.",
    mend="Build paths from `Path(__file__).parent` or from the data root's environment variable.",
)
def no_home_paths(evidence: Evidence) -> Breaches:
    yield from _secrets(evidence, "home path", "project id")


@rule(
    "C19",
    "warning",
    "requirements are pinned",
    why="The platform installs anew with every push: without a version it may install another one than you tried.",
    mend="Write name~=version, with the version that is installed here.",
)
def requirements_are_pinned(evidence: Evidence) -> Breaches:
    if evidence.listing is None or not evidence.listing.requirements:
        return
    file = evidence.listing.requirements[0]
    try:
        found = read_requirements(evidence.root / file).requirements
    except LeaplabError:
        return  # C13 tells of it
    for requirement in found:
        if not requirement.specifier and requirement.url is None:
            yield file, f"'{requirement.name}' is required in any version."


def _secrets(evidence: Evidence, *kinds: SecretKind) -> Breaches:
    for secret in find_secrets(evidence.root, sorted(evidence.listing.paths)) if evidence.listing else ():
        if secret.kind in kinds:
            yield place(secret.path, secret.line), secret.message
