"""What should not leave the machine: paths of its people, ids of its projects, keys."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MAX_BYTES = 5_000_000
"""Of a file; what follows is data, not code."""
MAX_LINE = 20_000
SHOWN = 6
MIN_ENTROPY = 3.5
"""Bits a character: words and repeated letters lie below, keys of 20 and more characters above."""

SecretKind = Literal["home path", "project id", "key"]


@dataclass(frozen=True)
class Secret:
    """A place that gives something away.

    Attributes:
        kind: what it is.
        path: of the file, relative to the root.
        line: counted from 1.
        shown: of a key only its beginning.
        message: a sentence that says what to do.
    """

    kind: SecretKind
    path: str
    line: int
    shown: str
    message: str


PLACEHOLDERS = frozenset(
    ["user", "username", "your_user", "your-user", "yourname", "your_name", "your-name", "name", "me", "you", "example"]
)
"""Home folders of nobody, as documentation has them."""

# Before the slash stands nothing that would make it the middle of an address or of another path.
HOME = re.compile(r"(?<!\b[A-Za-z]:)(?<![\w.~/}\])>$%-])/(?:home|Users)/([A-Za-z_][\w.-]*)(?=[/\s\"'`,;:)\]]|$)")
ROOT_HOME = re.compile(r"(?<!\b[A-Za-z]:)(?<![\w.~/}\])>$%-])/root/[\w.-]+")
WINDOWS_HOME = re.compile(r"\b[A-Za-z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/)([A-Za-z_][\w. -]*?)(?=[\\/\"'`]|$)")
SYSTEM_USERS = frozenset(["public", "default", "all users"])

PROJECT_ID = re.compile(r"\b(project|secret|codeIntegration|secretManager)_?[iI]d[\"']?\s*[:=]\s*[\"']?([\w-]{6,})")
LEAP_YAML_ID = re.compile(r"^\s*(projectId|secretId|codeIntegrationId|secretManagerId)\s*:\s*[\"']?([^\s\"'#]+)")

KEYS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"),
    "an AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})\b"),
    "a GitLab token": re.compile(r"\bglpat-[\w-]{20,}"),
    "a Google key": re.compile(r"\bAIza[\w-]{35}\b"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[\w-]{10,}"),
    "a Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),
    "an API key": re.compile(r"\bsk-(?=[\w-]*\d)[\w-]{20,}"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'{}$<>]+:([^\s/@\"'{}$<>]{6,})@"),
}
ASSIGNED = re.compile(
    r"(?:api|access|auth|secret|private|account|client|encryption)[_-]?(?:key|token|secret)|token|secret|passw(?:or)?d",
    re.IGNORECASE,
)
ASSIGNMENT = re.compile(r"([A-Za-z][\w-]*)[\"']?\s*[:=]\s*[\"']([A-Za-z0-9+/=_.~-]{20,})[\"']")


def find_secrets(root: Path, paths: Iterable[str]) -> list[Secret]:
    """What the files at `paths`, relative to `root`, give away; files that are no text, or cannot be read, nothing.

    - Home paths: /home/NAME, /Users/NAME, C:\\Users\\NAME and /root/..., also in comments and documentation: they
      name a person, and what they lead to is not on the platform. Names that stand for anybody, such as `user`, are
      passed over.
    - Project ids: projectId and its kin with a value; in leap.yaml any value, elsewhere one with a digit.
    - Keys of well-known shape, private keys, and what is assigned to a name such as api_key: 20 or more characters
      with a digit and a letter and 3.5 bits of entropy each.
    """
    return [secret for path in paths for secret in _of_file(root / path, path)]


def _of_file(file: Path, path: str) -> Iterator[Secret]:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES)
    except OSError:
        return  # the listing tells of files that cannot be read
    if b"\0" in content[:8192]:
        return
    for number, line in enumerate(content.decode(errors="replace").splitlines(), start=1):
        for kind, shown, message in _of_line(line[:MAX_LINE], path.rpartition("/")[2] == "leap.yaml"):
            yield Secret(kind, path, number, shown, message)


def _of_line(line: str, is_leap_yaml: bool) -> Iterator[tuple[SecretKind, str, str]]:
    homes = [match[0] for match in HOME.finditer(line) if match[1].lower() not in PLACEHOLDERS]
    homes += [match[0] for match in ROOT_HOME.finditer(line)]
    nobody = PLACEHOLDERS | SYSTEM_USERS
    homes += [match[0] for match in WINDOWS_HOME.finditer(line) if match[1].strip().lower() not in nobody]
    for home in homes:
        yield "home path", home, f"{home} is a path of one machine; take it from a setting or an environment variable."

    for match in (LEAP_YAML_ID if is_leap_yaml else PROJECT_ID).finditer(line):
        if is_leap_yaml and match[2] not in ("null", "~"):
            yield "project id", match[1], f"{match[1]} is the owner's; leave leap.yaml out of include."
        elif not is_leap_yaml and any(character.isdigit() for character in match[2]):
            yield "project id", _hidden(match[2]), f"The id {_hidden(match[2])} is the owner's; take it out."

    for name, value in _keys(line):
        yield "key", _hidden(value), f"{_hidden(value)} looks like {name}; take it out, and have a new one issued."


def _keys(line: str) -> Iterator[tuple[str, str]]:
    found = False
    for name, shape in KEYS.items():
        for match in shape.finditer(line):
            found = True
            yield name, match[0]
    if found:
        return
    for match in ASSIGNMENT.finditer(line):
        if ASSIGNED.search(match[1]) and _is_random(match[2]):
            yield f"a key, being assigned to {match[1]}", match[2]


def _is_random(text: str) -> bool:
    if not any(character.isdigit() for character in text) or not any(character.isalpha() for character in text):
        return False
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts) >= MIN_ENTROPY


def _hidden(value: str) -> str:
    return f"{value[:SHOWN]}..." if len(value) > SHOWN else value
