"""What the events of a proof come to: sentences for the person who pushes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from leaplab.bundle.globs import BadPatternError, as_cli_pattern, matches
from leaplab.bundle.listing import LARGE_FILE
from leaplab.bundle.modules import is_left_out
from leaplab.protocol.script_failure import failures_of, frames_in, in_plain_words, last_printed, place, reason_of

Event = dict[str, Any]
Kind = Literal["module", "requirement", "file", "check", "process"]


@dataclass(frozen=True)
class Problem:
    """Why a bundle would not run on the platform.

    Attributes:
        kind: a module of the integration's own that is left out; a requirement that is missing or wrong; a file that
            is left out; a finding of code-loader's check; the end of the process.
        message: a sentence that names the place and says what to do.
        file: of the bundle, relative to its root; None where no line of the bundle is to blame.
        line: in that file.
    """

    kind: Kind
    message: str
    file: str | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """file:line, or nothing."""
        return place(self.file, self.line)


@dataclass(frozen=True)
class Bundle:
    """What the sentences speak of.

    Attributes:
        folder: where the bundle is unpacked.
        original: the integration's root.
        requirements_file: its name, None where the bundle has none.
        exclude: the patterns of leap.yaml.
        versions: installed distribution -> its version.
        lacking: requirements that are not installed where it was bound: they may bring any module that is not there.
        python: the interpreter that it was bound in.
        paths: of its files.
    """

    folder: Path
    original: Path
    requirements_file: str | None = None
    exclude: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    python: Path | None = None
    paths: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Judged:
    """What the events come to.

    Attributes:
        problems: why the bundle would not run.
        notes: what a person may want to know, and no reason against a push.
        is_bound: whether it could be bound without the modules that are installed nowhere here.
        absent: the top-level ones of these, on which it or a handler failed.
    """

    problems: list[Problem]
    notes: list[str]
    is_bound: bool = True
    absent: frozenset[str] = frozenset()


def judge(events: Sequence[Event], ended: str, output: str, bundle: Bundle) -> Judged:
    """The problems and the notes of a proof.

    Args:
        events: what proof_process.py wrote.
        ended: empty where its process came to its end, else how it did not: "was ended by SIGKILL".
        output: the end of what it printed.
        bundle: what the sentences speak of.
    """
    by_name: dict[str, list[Event]] = {}
    for event in events:
        by_name.setdefault(event["event"], []).append(event)
    verdict = next(iter(by_name.get("verdict", [])), None)
    texts = [] if verdict is None else _failures(verdict)
    blamed = _blamed("\n".join(text for _, text in texts) if verdict else output)
    valid = verdict is not None and verdict["valid"]

    problems, notes = [], []
    absent = by_name.get("absent", [])
    # The proof tells of a package whose folder is in the bundle without its __init__.py, too.
    missed = [event for event in absent if event["original"] and _is_missed(event, bundle)]
    problems += [_left_out(event, bundle) for event in _first_of(missed, "original")]
    problems += [_missing_file(event, bundle) for event in _first_of(by_name.get("missing file", []), "path")]
    problems += [_original_file(event, bundle) for event in _first_of(by_name.get("original file", []), "path")]
    for event in _first_of(by_name.get("refused", []), "name"):
        if not valid and event["name"] in blamed:
            problems.append(_refused(event, bundle))
        elif event["file"] is not None:
            notes.append(f"{_refused(event, bundle).message} The integration does without it.")
    nowhere: list[Event] = []
    if not valid:
        nowhere = [event for event in absent if not event["original"] and event["name"] in blamed]
        # What is required and not installed here may bring them: that is told of the requirement.
        problems += [_unknown(event, bundle) for event in _first_of(nowhere, "name") if not bundle.lacking]

    explained = ({problem.kind for problem in problems} & {"module", "requirement"} or nowhere) and blamed
    if verdict is None:
        problems += _unfinished(by_name, ended, output)
    elif not valid:
        problems += [_check(name, text, bundle) for name, text in texts if not (explained and _blamed(text))]
        if not problems and not nowhere:
            problems.append(Problem("check", "code-loader calls the integration invalid and gives no reason."))
    is_bound = not (nowhere and any(not name for name, _ in texts))
    return Judged(problems, notes, is_bound, frozenset(event["name"].partition(".")[0] for event in nowhere))


def _failures(verdict: Event) -> list[tuple[str, str]]:
    """What code-loader says, each with the handler that it says it of."""
    failed = [(failed["name"], failed["message"]) for failed in verdict["failed"]]
    return failures_of(verdict["valid"], verdict["error"], failed)


def _is_missed(event: Event, bundle: Bundle) -> bool:
    return is_left_out(event["original"], bundle.original, bundle.paths)


def _blamed(text: str) -> set[str]:
    """The modules that an error could not import, each with the packages around it."""
    names = set(re.findall(r"No module named '([\w.]+)'", text))
    names |= {f"{package}.{name}" for name, package in re.findall(r"cannot import name '(\w+)' from '([\w.]+)'", text)}
    return {".".join(name.split(".")[:length]) for name in names for length in range(1, name.count(".") + 2)}


def _first_of(events: Iterable[Event], key: str) -> list[Event]:
    first: dict[Any, Event] = {}
    # Where a library asks for a module, too, the integration's own line says more.
    for event in sorted(events, key=lambda event: event["file"] is None):
        first.setdefault(event[key], event)
    return list(first.values())


def _at(event: Event) -> str:
    return f"{event['file']} line {event['line']}" if event["file"] else "an installed package"


def _left_out(event: Event, bundle: Bundle) -> Problem:
    path: str = event["original"]
    return Problem(
        "module",
        f"{path} is imported by {_at(event)} but is not in the bundle: {_advice(path, bundle)}.",
        event["file"],
        event["line"],
    )


def _missing_file(event: Event, bundle: Bundle) -> Problem:
    path: str = event["path"]
    return Problem(
        "file",
        f"{path} is opened by {_at(event)} but is not in the bundle: {_advice(path, bundle)}.",
        event["file"],
        event["line"],
    )


def _original_file(event: Event, bundle: Bundle) -> Problem:
    return Problem(
        "file",
        f"{bundle.original / event['path']} is opened by {_at(event)}, a path that the platform does not have:"
        " open it beside the code, and add it to include.",
        event["file"],
        event["line"],
    )


def _advice(path: str, bundle: Bundle) -> str:
    excluding = next((pattern for pattern in bundle.exclude if _excludes(pattern, path)), None)
    if excluding is not None:
        return f"take '{excluding}' out of exclude"
    if LARGE_FILE.search(path):
        return "read it from the data root, which the platform mounts, or add it to include"
    if (bundle.original / path).is_dir():
        return f"add '{path}/**' to include"
    if path.endswith("/__init__.py"):
        return f"add '{path.rpartition('/')[0]}/**/*.py' to include"
    return "add it to include"


def _excludes(pattern: str, path: str) -> bool:
    try:
        return matches(as_cli_pattern(pattern), path)
    except BadPatternError:
        return False


def _refused(event: Event, bundle: Bundle) -> Problem:
    distributions: list[str] = event["distributions"]
    lines = " or ".join(
        f"{name}~={version}" if (version := bundle.versions.get(name)) else name for name in distributions
    )
    return Problem(
        "requirement",
        f"{event['name']} is imported by {_at(event)} and comes from {' or '.join(distributions)}, which"
        f" {bundle.requirements_file or 'the bundle'} does not require: add {lines}.",
        event["file"],
        event["line"],
    )


def _unknown(event: Event, bundle: Bundle) -> Problem:
    where = "an installed distribution" if bundle.python is None else f"a distribution of {bundle.python}"
    return Problem(
        "requirement",
        f"{event['name']} is imported by {_at(event)} and is neither in the bundle nor in {where}: correct the name, or"
        " require the distribution that brings it, and have it installed by `leaplab env PATH`.",
        event["file"],
        event["line"],
    )


def _check(name: str, text: str, bundle: Bundle) -> Problem:
    reason = reason_of(name, text).replace(f"{bundle.folder}/", "")
    # The innermost line of the bundle's own.
    *_, (file, line) = [(None, None), *frames_in(text, bundle.folder)]
    where = ""
    if file:
        where = f" ({file} line {line})"
        reason = re.sub(r" (\(raised at \S+, line \d+\)|in file \S+, line_number:\s+\d+)$", "", reason)
    plain = in_plain_words(reason)
    if plain != reason and name:
        plain = f"'{name}' fails: {plain}"
    return Problem("check", f"{plain}{where}", file, line)


def _unfinished(by_name: dict[str, list[Event]], ended: str, output: str) -> list[Problem]:
    if "exit" in by_name:
        code = by_name["exit"][0]["code"]
        return [Problem("process", f"The integration ends its process while it is bound (exit({code})); remove that.")]
    said = last_printed(output)
    last = f" It last printed: {said}" if said else ""
    doing = "while the bundle was bound" if "begun" in by_name else "before the bundle was bound"
    return [Problem("process", f"The process {ended or 'ended'} {doing}.{last}")]
