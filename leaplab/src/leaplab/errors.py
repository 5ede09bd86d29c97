"""The one error that a command shows to a person instead of a traceback."""

from __future__ import annotations

from typing import Any, Sequence


class LeaplabError(Exception):
    """Something that the user can mend.

    The message is one sentence, or two, that names the file, sample or handler and says what to do. Commands print
    it and end with exit code 2.
    """


class MissingError(LeaplabError):
    """What was asked for is not there: no such run, sample, column, space."""


class QuestionError(LeaplabError):
    """What was asked makes no sense: a condition that is none, an option that does not exist."""


class DeadIntegrationError(LeaplabError):
    """The integration's process ended in the middle of its work, or was ended because it did not come to an end.

    Attributes:
        how: "was ended by SIGSEGV", "took longer than 5 s".
        places: where it was, see `leaplab.protocol.whereabouts`; empty where none of its functions ran.
    """

    def __init__(self, message: str, how: str, places: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.how, self.places = how, tuple(places)


class IntegrationError(LeaplabError):
    """The integration does not answer: it cannot be bound, or its process has ended."""
