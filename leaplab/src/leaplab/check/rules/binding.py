"""Rules of binding: what happens when the entry file is imported, and the platform's own verdict."""

import re
from typing import Any

from leaplab.check.catalogue import Breaches, rule
from leaplab.check.evidence import Evidence
from leaplab.check.failures import topic_of
from leaplab.check.rules.preprocess import is_of_ids
from leaplab.check.rules.source import no_string_annotations
from leaplab.protocol.observations import Topic
from leaplab.protocol.script_failure import how_to_have, is_of

EXPLAINED_WARNINGS = re.compile(r"not fed to the model|looks normalized to \[0,1\]|should be relative to image size")
"""Of those that code-loader stores, what C48, C84 and C85 say."""


@rule(
    "C39",
    "warning",
    "code-loader has no other warning",
    why="Its warnings name what is drawn wrongly, or dropped later on.",
    mend="Mend what the warning names.",
)
def no_warnings(evidence: Evidence) -> Breaches:
    """What it stores in the integration test, but for what other rules say."""
    for message in evidence.local.report.get("warnings", []):
        if not EXPLAINED_WARNINGS.search(message):
            name = re.search(r"'([^']+)'", message)
            yield evidence.source.place(name[1]) if name else evidence.entry_file, " ".join(message.split())


@rule(
    "C40",
    "error",
    "the entry file can be bound",
    why="The platform imports it before anything else.",
    mend="Make the import succeed in a clean process: run the entry file in an IDE.",
)
def binds(evidence: Evidence) -> Breaches:
    """What the import raises, unless a rule of its own is about that."""
    error = evidence.local.report.get("error")
    if not error or evidence.source.broken or _is_exit(error) or evidence.is_lack(error["message"]):
        return
    # C21 and C88 tell of these.
    by_future = "return type hint" in error["message"] and list(no_string_annotations(evidence))
    if not by_future and topic_of(error["message"]) is not Topic.LATENT:
        told = f"{error['type']}: {error['message']}"
        missing = (error.get("missing") or "").partition(".")[0]
        if missing and evidence.project is not None and not is_of(evidence.project.root, missing):
            told = f"{evidence.python.executable} has no module '{missing}'; {how_to_have(evidence.project.root)}"
        yield error["place"] or evidence.entry_file, told


@rule(
    "C41",
    "error",
    "binding and the handlers come to an end",
    why="On the platform a process that hangs or dies is restarted until the push times out.",
    mend="Find what blocks or ends the process: sys.exit, a download, an endless loop, memory.",
)
def ends(evidence: Evidence) -> Breaches:
    """The first of the processes that does not."""
    local = evidence.local
    error = local.report.get("error") or local.report.get("test_error")
    if error and _is_exit(error):
        yield error["place"] or evidence.entry_file, f"sys.exit({error['message']}) ends the process"
    elif local.ended:
        stage = local.report.get("stage", "start")
        said = f"; it last printed: {local.output}" if local.output else ""
        yield evidence.entry_file, f"The process {local.ended}, in the stage '{stage}'{said}"
    elif re.search(r"process (was ended|ended)|come to an end", evidence.probe_error):
        yield evidence.entry_file, evidence.probe_error
    elif not error:
        for problem in evidence.problems("process"):
            yield problem.place or evidence.entry_file, problem.message


@rule(
    "C42",
    "warning",
    "binding prints nothing",
    why="Every worker of the platform binds the integration: its log fills with the same lines.",
    mend="Remove the print, or move it behind `if __name__ == '__main__':`.",
)
def prints_nothing(evidence: Evidence) -> Breaches:
    """The first line."""
    printed = str(evidence.local.report.get("printed", "")).strip()
    for _, place in _seen(evidence, "printed"):
        yield place, f"It prints '{printed.splitlines()[0][:80]}'"


@rule(
    "C43",
    "warning",
    "binding loads no deep-learning framework",
    why="Importing TensorFlow costs every process seconds and half a gigabyte before the first sample.",
    mend="Import it inside the function that loads the model.",
)
def loads_no_framework(evidence: Evidence) -> Breaches:
    """The first on each line: one brings another. A custom layer of Keras is a class, which has to be there."""
    if evidence.source.calls("tensorleap_custom_layer", "set_custom_layer"):
        return
    first: dict[str, str] = {}
    for name, place in _seen(evidence, "framework"):
        first.setdefault(place, name)
    for place, name in first.items():
        yield place, f"It imports {name}"


@rule(
    "C44",
    "error",
    "binding opens no network connection",
    why="Downloads belong to preprocess: at import each of the platform's processes would download, all at once.",
    mend="Download inside the preprocess function, where the file is missing.",
)
def connects_nowhere(evidence: Evidence) -> Breaches:
    """The first connection."""
    for host, place in _seen(evidence, "connected")[:1]:
        yield place, f"It connects to {host}"


@rule(
    "C45",
    "error",
    "binding writes no file",
    why="The platform's code folder may be read-only, and several processes bind at once.",
    mend="Write inside preprocess, below the data root.",
)
def writes_nothing(evidence: Evidence) -> Breaches:
    """The first file."""
    for path, place in _seen(evidence, "written")[:1]:
        yield place, f"It writes {path}"


@rule(
    "C46",
    "warning",
    "binding leaves the working directory alone",
    why="Relative paths of everything that is bound afterwards change their meaning.",
    mend="Build paths from `Path(__file__).parent`.",
)
def stays_in_its_folder(evidence: Evidence) -> Breaches:
    """The last change, where it was not taken back."""
    for folder, place in _seen(evidence, "moved")[-1:]:
        yield place, f"It changes the working directory to {folder}"


@rule(
    "C47",
    "warning",
    "no parameter is left to a default of code-loader",
    why="Defaults can be wrong without a sign: a metric's direction is Downward, so that accuracy counts as a loss.",
    mend="State the parameter.",
)
def no_defaults(evidence: Evidence) -> Breaches:
    """code-loader's own list."""
    for found in evidence.local.report.get("defaults", []):
        for function in found["functions"]:
            # It names a function, or only the decorator.
            decorated = evidence.source.decorated
            owners = [d for d in decorated if d.name == function] or [d for d in decorated if d.decorator == function]
            name = owners[0].name if owners else function
            yield owners[0].place if owners else evidence.entry_file, _left_to_default(found, name)


def _left_to_default(found: dict[str, Any], function: str) -> str:
    parameter = found["parameter"]
    if parameter == "PreprocessResponse.state":
        return (
            f"'{parameter}' is not given in {function}: the first response of its list becomes training, the second"
            " validation, the third test"
        )
    default = "none at all" if found["default"] in ("[]", "{}", "None") else found["default"]
    return f"'{parameter}' of {function} is not given, and becomes {default}"


@rule(
    "C48",
    "error",
    "a loss takes no input that the model does not take",
    why="The platform builds losses into the model's graph, where such an input has no source: the build fails.",
    mend="Carry the data in the ground truth.",
)
def loss_inputs_reach_the_model(evidence: Evidence) -> Breaches:
    """code-loader says so in a warning of its integration test."""
    for message in evidence.local.report.get("warnings", []):
        if "not fed to the model" in message:
            names = re.findall(r"'([^']+)'", message)
            yield (
                evidence.source.place(names[0], "tensorleap_custom_loss"),
                f"Loss '{names[0]}' takes the input '{names[1]}'",
            )


@rule(
    "C49",
    "error",
    "the integration test passes",
    why="The platform reads the wiring by running it.",
    mend="Run it in an IDE (leap_integration.py, or the entry file) and mend what it raises.",
    fallback=True,
)
def integration_test_passes(evidence: Evidence) -> Breaches:
    """What it raises on a first sample, but for what C97 explains."""
    error = evidence.local.report.get("test_error")
    if error and not is_of_ids(error["message"]) and not evidence.is_lack(error["message"]):
        yield error["place"] or evidence.entry_file, f"{error['type']}: {error['message'][:400]}"


@rule(
    "C50",
    "error",
    "the platform accepts the integration",
    why="This is code-loader's own verdict, under the platform's rules and with nothing but the bundle.",
    mend="Mend what it names.",
    fallback=True,
)
def platform_accepts(evidence: Evidence) -> Breaches:
    """What the other rules do not sort."""
    for problem in evidence.problems("check"):
        yield problem.place or evidence.entry_file, problem.message


def _seen(evidence: Evidence, kind: str) -> list[tuple[str, str]]:
    """(thing, place) of what was seen while the entry file was bound."""
    seen: dict[str, str] = evidence.local.report.get("seen", {}).get(kind, {})
    return [(thing, place or evidence.entry_file) for thing, place in seen.items()]


def _is_exit(error: dict[str, Any]) -> bool:
    return bool(error["type"] in ("SystemExit", "KeyboardInterrupt"))
