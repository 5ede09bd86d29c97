"""Which insights were told of a run before, so that a note put on one outlives the next evaluation.

They lie in RUNS/.notes/insights/NAME.json, beside what a person adds. A run that is only to be read has the same
insights, and what is told of it is not remembered.
"""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from leaplab.errors import LeaplabError
from leaplab.files import write_json
from leaplab.store.notes import notes_path

SAME = 0.5
"""Jaccard index of the members from which on an insight is one that was told before."""


class Known(Struct, frozen=True):
    """An insight that was told: its members are pairs of state and id."""

    stable_id: str
    kind: str
    members: list[tuple[str, str]]


def read_known(run: Path) -> list[Known]:
    """The insights that were told of a run.

    Raises:
        LeaplabError: the file is damaged.
    """
    path = _path(run)
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Known])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise LeaplabError(f"{path} cannot be read ({error}); delete it: insights get new names then.") from error


def stable_id(kind: str, members: Sequence[tuple[str, str]], known: Sequence[Known], taken: Collection[str]) -> str:
    """The name of the known insight of that kind that shares most members, if it shares half of them; else a new one.

    Args:
        taken: names that cannot be given again.
    """
    own = set(members)
    best, name = 0.0, ""
    for each in known:
        if each.kind == kind and each.stable_id not in taken:
            others = set(each.members)
            shared = len(own & others) / max(len(own | others), 1)
            if shared >= SAME and shared > best:
                best, name = shared, each.stable_id
    if name:
        return name
    digest = hashlib.sha256(repr((kind, sorted(own))).encode()).hexdigest()
    fresh, number = digest[:12], 0
    while fresh in taken:  # two insights of one kind with the same members
        number += 1
        fresh = hashlib.sha256(f"{digest}{number}".encode()).hexdigest()[:12]
    return fresh


def write_known(run: Path, known: Sequence[Known], told: Sequence[Known], kinds: Sequence[str]) -> None:
    """Remember what was told now in the place of what was told before of these kinds."""
    kept = [each for each in known if each.kind not in kinds] + list(told)
    if kept == list(known):
        return
    try:
        write_json(_path(run), kept)
    except OSError:  # a folder that is only to be read
        return


def _path(run: Path) -> Path:
    notes = notes_path(run)
    return notes.parent / "insights" / notes.name
