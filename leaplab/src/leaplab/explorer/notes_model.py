"""What the server is asked and what it answers of what a person adds to a run."""

from typing import Literal

from pydantic import Field, StrictInt

from leaplab.explorer.model import Model
from leaplab.store.notes import LONGEST_NOTE

ANY_NAME = Field(min_length=1, max_length=1_000)
"""What is trimmed, and refused in a sentence where it is too long then."""


class Tag(Model):
    """A tag: how many of its samples are in the run, and how many this evaluation lacks."""

    name: str
    count: int
    missing: int


class Tagging(Model):
    """Samples to give a tag, or to take it from: either a bit a row as in `Exporting`, or rows."""

    name: str = ANY_NAME
    change: Literal["add", "remove"] = "add"
    mask: str | None = None
    rows: list[StrictInt] | None = Field(default=None, max_length=100_000)


class Naming(Model):
    """A tag's new name."""

    name: str = ANY_NAME


class InsightNote(Model):
    """What a person says of an insight."""

    stable_id: str
    status: Literal["open", "accepted", "dismissed"]
    note: str


class Noting(Model):
    """What changes of it; what is null or left out stays."""

    status: Literal["open", "accepted", "dismissed"] | None = None
    note: str | None = Field(default=None, max_length=LONGEST_NOTE)
