"""What a person adds to a run: RUNS/.notes/NAME.json. No evaluation touches it, so it outlives the run's numbers.

Several may write at once (two windows of the explorer, a notebook): each change is made to what is there then, under a
lock. A file that is damaged, or holds what this version does not know, is told and left as it is.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from leaplab.errors import LeaplabError, QuestionError
from leaplab.files import write_json
from leaplab.store.lock import turn

Status = Literal["open", "accepted", "dismissed"]
STATUSES: tuple[Status, ...] = get_args(Status)
LONGEST_TAG = 100
"""Characters of a tag's name."""
LONGEST_NOTE = 10_000
"""Characters of a note."""
MOST_TAGS = 1_000
NO_TEXT = ("Cc", "Cs", "Zl", "Zp")
"""Categories of Unicode: what controls, is half a character, or ends a line."""


class InsightNote(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a person says of an insight."""

    status: Status = "open"
    note: str = ""


class Notes(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a person says of a run.

    Attributes:
        tags: name -> state -> sample ids, in the order that they were added.
        insights: stable id of an insight -> what is said of it.
        boards: name -> JSON of a board of charts.
    """

    tags: dict[str, dict[str, list[str]]] = {}
    insights: dict[str, InsightNote] = {}
    boards: dict[str, Any] = {}


def notes_path(run: Path) -> Path:
    """Where the notes of a run lie."""
    run = run.absolute()
    return run.parent / ".notes" / f"{run.name}.json"


def read_notes(run: Path) -> Notes:
    """The notes of a run; none where nobody has written any.

    Raises:
        LeaplabError: they are damaged, or of another program.
    """
    path = notes_path(run)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Notes)
    except FileNotFoundError:
        return Notes()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LeaplabError(f"{path} cannot be read ({error}); mend it, or move it away.") from error


def change_notes(run: Path, change: Callable[[Notes], Notes]) -> Notes:
    """Put what `change` makes of the notes in their place, while nobody else changes them.

    Returns:
        The notes as they are then.

    Raises:
        LeaplabError: the notes are damaged, the folder cannot be written, or somebody holds them for long.
    """
    path = notes_path(run)
    read_notes(run)  # what is damaged is told as such, also where nothing can be written
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with turn(path):
            before = read_notes(run)
            after = change(before)
            if after != before:
                write_json(path, after)
            return after
    except OSError as error:
        raise LeaplabError(
            f"{path} cannot be written ({error.strerror}), so nothing was kept; make the folder writable, or copy the"
            " run to one that is."
        ) from error


def tag_name(text: str) -> str:
    """A tag's name as it is kept: without blanks around it, and with one way to write an accent.

    Raises:
        QuestionError: it is empty or too long, or holds what no file can.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise QuestionError("A tag needs a name.")
    if len(name) > LONGEST_TAG:
        raise QuestionError(f"The name of a tag has at most {LONGEST_TAG} characters, not {len(name):,}.")
    if any(unicodedata.category(character) in NO_TEXT for character in name):
        raise QuestionError("The name of a tag is one line of text, without control characters.")
    return name
