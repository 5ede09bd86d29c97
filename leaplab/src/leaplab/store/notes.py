"""What a person adds to a run: RUNS/.notes/NAME.json. No evaluation touches it, so it outlives the run's numbers."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from leaplab.errors import LeaplabError
from leaplab.files import write_json


class SampleNotes(Struct, frozen=True, omit_defaults=True):
    """What a person says of one sample."""

    tags: tuple[str, ...] = ()
    note: str = ""
    status: str = ""


class Notes(Struct, frozen=True, omit_defaults=True):
    """What a person says of a run.

    Attributes:
        samples: state -> sample id -> what is said of it.
        insights: stable id of an insight -> what is said of it.
        boards: name -> JSON of a board of charts.
    """

    samples: dict[str, dict[str, SampleNotes]] = {}
    insights: dict[str, SampleNotes] = {}
    boards: dict[str, Any] = {}


def notes_path(run: Path) -> Path:
    """Where the notes of a run lie."""
    return run.parent / ".notes" / f"{run.name}.json"


def read_notes(run: Path) -> Notes:
    """The notes of a run; none where nobody has written any.

    Raises:
        LeaplabError: they are damaged.
    """
    path = notes_path(run)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Notes)
    except FileNotFoundError:
        return Notes()
    except (OSError, msgspec.DecodeError) as error:
        raise LeaplabError(f"{path} cannot be read ({error}); mend it, or move it away.") from error


def write_notes(run: Path, notes: Notes) -> None:
    """Replace the notes of a run."""
    write_json(notes_path(run), notes)
